package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// newNetwork makes a network namespace with a working loopback device. It lives as long as the file is open.
func newNetwork() (*os.File, error) {
	return onOwnThread(func() (*os.File, error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("cannot make a network namespace: %w", err)
		}
		if err := raiseLoopback(); err != nil {
			return nil, fmt.Errorf("cannot raise the loopback device: %w", err)
		}
		return os.Open("/proc/thread-self/ns/net")
	})
}

// dialIn connects to a TCP address as seen from inside the network namespace (nil: the host's).
func dialIn(ctx context.Context, network *os.File, address string) (net.Conn, error) {
	return onOwnThread(func() (net.Conn, error) {
		if network != nil {
			if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, err
			}
		}
		// A numeric IPv4 address is dialled on this very goroutine, hence in this thread's namespace.
		return (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	})
}

// onOwnThread runs f on a thread of its own, which ends with it: it may change namespaces.
func onOwnThread[T any](f func() (T, error)) (T, error) {
	var value T
	var err error
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread is not used again
		defer close(done)
		value, err = f()
	}()
	<-done
	return value, err
}

func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// canIsolate finds out by trying whether containers can have namespaces and a root file system of their own.
func canIsolate(dir string) bool {
	network, err := newNetwork()
	if err != nil {
		return false
	}
	_ = network.Close()
	if _, err := exec.LookPath("nsenter"); err != nil {
		return false
	}
	root := filepath.Join(dir, "tmp", "probe")
	if err := os.Mkdir(root, 0o700); err != nil {
		return false
	}
	probe := exec.Command(sibling("podinit"), fmt.Sprintf(`{"root":%q,"hostname":"probe"}`, root), "true")
	probe.SysProcAttr = isolation()
	probe.Env = []string{"PATH=" + containerPath}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	defer null.Close()
	probe.ExtraFiles = []*os.File{null}
	return spawn(probe) == nil && probe.Wait() == nil
}
