// Command portcullis-testcluster runs a real Kubernetes for tests, with no container engine: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler and one node, all on loopback and all inside one folder.
//
//	portcullis-testcluster --dir DIR [--port N] [--until-stdin-closes] [--remove-dir]
//
// It stays in the foreground. When the node is ready and the default service account exists, it writes
// DIR/kubeconfig (administrator, context `test`) and prints one JSON line on stdout. Progress goes to stderr.
// Every start is a fresh cluster: what an earlier one left in DIR is removed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// maxDirLength keeps the kubelet's Unix sockets below DIR within the 108 bytes of a socket address.
const maxDirLength = 70

func main() {
	if len(os.Args) > 1 {
		if run, ok := components[os.Args[1]]; ok {
			os.Exit(run(os.Args[2:]))
		}
	}
	dir := flag.String("dir", "", "`folder` that holds everything of the cluster (required; created if missing)")
	port := flag.Int("port", 0, "loopback `port` of the API server; 0 picks a free one")
	untilStdinCloses := flag.Bool("until-stdin-closes", false, "end when stdin is closed, so that the cluster never outlives its caller")
	removeDir := flag.Bool("remove-dir", false, "remove the folder in the end, unless something failed")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	if *untilStdinCloses {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	if err := run(ctx, *dir, *port); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if *removeDir {
		if err := os.RemoveAll(*dir); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

// run serves the cluster until ctx ends or a component does.
func run(ctx context.Context, dir string, port int) error {
	started := time.Now()
	dir, unlock, err := prepareDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	progress("starting Kubernetes in %s", dir)
	c, err := startCluster(ctx, dir, port)
	defer c.stop()
	if err != nil {
		return err
	}
	progress("ready after %.1f s: KUBECONFIG=%s", time.Since(started).Seconds(), c.kubeconfig())
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"ready":      true,
		"kubeconfig": c.kubeconfig(),
		"server":     c.server,
		"audit_log":  auditLog(dir),
		"isolated":   c.isolated,
	}); err != nil {
		return err
	}
	return c.wait(ctx)
}

// prepareDir makes dir ready for a fresh cluster and locks it against a second one. It removes only what a cluster
// puts there.
func prepareDir(dir string) (string, func(), error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	if len(dir) > maxDirLength {
		return "", nil, fmt.Errorf("the path `%s` is too long for the sockets inside it: choose one of at most %d bytes", dir, maxDirLength)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return "", nil, fmt.Errorf("another cluster runs in `%s`", dir)
	}
	for _, name := range []string{"kubeconfig", "audit.log", "etcd", "pki", "logs", "node", "tmp"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return "", nil, err
		}
	}
	for _, name := range []string{"pki", "logs", "node", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return "", nil, err
		}
	}
	return dir, func() { _ = lock.Close() }, nil
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
