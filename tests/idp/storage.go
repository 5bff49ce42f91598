package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const scopeGroups = "groups"

// user is somebody who can sign in, by e-mail address or subject. Groups are told where the scope `groups` is asked for.
type user struct {
	Subject       string   `json:"subject"`
	Email         string   `json:"email"`
	EmailVerified bool     `json:"email_verified"`
	Name          string   `json:"name"`
	Groups        []string `json:"groups"`
	Password      string   `json:"password"`
}

// storage keeps everything in memory. What it does not define (refresh tokens, introspection, logout) no test asks for,
// and the nil interface panics.
type storage struct {
	op.Storage
	users  []user
	secret string
	key    signingKey

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string // request ids
}

// request is an authorization under way: what was asked, and who has signed in.
type request struct {
	*oidc.AuthRequest
	id       string
	subject  string
	signedIn time.Time
}

var errNoRequest = errors.New("this sign-in is not known or over: begin again")

func newStorage(users string) (*storage, error) {
	s := &storage{secret: rand.Text(), requests: map[string]*request{}, codes: map[string]string{}}
	if err := json.Unmarshal([]byte(users), &s.users); err != nil {
		return nil, fmt.Errorf("--users: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	s.key = signingKey{id: rand.Text(), key: key}
	return s, nil
}

// signIn finishes the authorization with this id, if name and password are right.
func (s *storage) signIn(id, name, password string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, ok := s.requests[id]
	if !ok {
		return errNoRequest
	}
	for _, user := range s.users {
		if (name == user.Email || name == user.Subject) && password == user.Password {
			request.subject, request.signedIn = user.Subject, time.Now()
			return nil
		}
	}
	return errors.New("the name or the password is wrong")
}

func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if len(asked.Prompt) == 1 && asked.Prompt[0] == oidc.PromptNone {
		return nil, oidc.ErrLoginRequired()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &request{AuthRequest: asked, id: rand.Text()}
	s.requests[r.id] = r
	return r, nil
}

func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.requests[id]; ok {
		return r, nil
	}
	return nil, errNoRequest
}

func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id := s.codes[code]
	s.mu.Unlock()
	return s.AuthRequestByID(ctx, id)
}

// DeleteAuthRequest comes with the tokens, so that a code is good once.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *storage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), time.Now().Add(5 * time.Minute), nil
}

func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id == confidentialClient || id == publicClient {
		return client(id), nil
	}
	return nil, fmt.Errorf("the client `%s` is not known", id)
}

func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id == confidentialClient && subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) == 1 {
		return nil
	}
	return errors.New("the client or its secret is wrong")
}

func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil // SetUserinfoFromRequest does it
}

func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, request op.IDTokenRequest, scopes []string) error {
	for _, user := range s.users {
		if user.Subject == request.GetSubject() {
			user.tell(info, scopes)
			return nil
		}
	}
	return fmt.Errorf("the user `%s` is not known", request.GetSubject())
}

// tell fills in the claims that these scopes ask for.
func (u user) tell(info *oidc.UserInfo, scopes []string) {
	info.Subject = u.Subject
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeEmail:
			info.Email, info.EmailVerified = u.Email, oidc.Bool(u.EmailVerified)
		case oidc.ScopeProfile:
			info.Name = u.Name
		case scopeGroups:
			info.AppendClaims("groups", u.Groups)
		}
	}
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s.key}}, nil }

func (s *storage) Health(context.Context) error { return nil }

type signingKey struct {
	id  string
	key *ecdsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }

type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return k.key.Public() }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }

// A request as the provider asks about it.

func (r *request) GetID() string          { return r.id }
func (r *request) GetACR() string         { return "" }
func (r *request) GetAMR() []string       { return []string{"pwd"} }
func (r *request) GetAudience() []string  { return []string{r.ClientID} }
func (r *request) GetAuthTime() time.Time { return r.signedIn }
func (r *request) GetClientID() string    { return r.ClientID }
func (r *request) GetNonce() string       { return r.Nonce }
func (r *request) GetSubject() string     { return r.subject }
func (r *request) Done() bool             { return r.subject != "" }

func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

func (r *request) GetScopes() []string { return r.Scopes }
