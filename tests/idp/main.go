// Command idp runs a real OpenID provider for tests, on loopback and over plain HTTP: the certified library of ZITADEL
// with users that are given to it.
//
//	idp --users JSON [--port N] [--until-stdin-closes]
//
// JSON is an array of users; see type user. Two clients are known: one with a secret, which is made up at each start,
// and one without. Both may be sent back to any address on loopback. When it listens, it prints one JSON line that
// tells its issuer and the clients.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	users := flag.String("users", "[]", "the users, as a `JSON` array")
	port := flag.Int("port", 0, "loopback `port`; 0 picks a free one")
	untilStdinCloses := flag.Bool("until-stdin-closes", false, "end when stdin is closed, so that it never outlives its caller")
	flag.Parse()
	if *untilStdinCloses {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	if err := run(*users, *port); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(users string, port int) error {
	// The library logs each request that it refuses, and tests are full of those.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	storage, err := newStorage(users)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String()
	handler, err := newHandler(issuer, storage)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"ready":         true,
		"issuer":        issuer,
		"client":        confidentialClient,
		"client_secret": storage.secret,
		"public_client": publicClient,
	}); err != nil {
		return err
	}
	server := http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newHandler puts the login page beside the provider's own endpoints.
func newHandler(issuer string, storage *storage) (http.Handler, error) {
	config := &op.Config{
		CodeMethodS256:  true,
		AuthMethodPost:  true,
		SupportedScopes: []string{"openid", "profile", "email", "groups"},
	}
	if _, err := rand.Read(config.CryptoKey[:]); err != nil {
		return nil, err
	}
	provider, err := op.NewProvider(config, storage, op.StaticIssuer(issuer), op.WithAllowInsecure())
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	login := login{storage: storage, done: op.AuthCallbackURL(provider)}
	mux.HandleFunc("GET /login", login.show)
	mux.Handle("POST /login", op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(login.check))
	mux.Handle("/", provider)
	return mux, nil
}
