package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// reservePort binds a loopback port (0: a free one) without listening on it, so that nobody else gets it before the
// API server, which binds it again with SO_REUSEPORT, does. Connections go only to sockets that listen.
func reservePort(port int) (int, func(), error) {
	if port != 0 {
		// Sharing would also let in a second cluster of the same user.
		probe, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return 0, nil, fmt.Errorf("cannot use port %d: %w", port, err)
		}
		_ = probe.Close()
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	release := func() { _ = unix.Close(fd) }
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		release()
		return 0, nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		release()
		return 0, nil, fmt.Errorf("cannot reserve port %d on 127.0.0.1: %w", port, err)
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		release()
		return 0, nil, err
	}
	return address.(*unix.SockaddrInet4).Port, release, nil
}

// freePort names a loopback port that is free now. Somebody else may take it; reservePort is better where the one
// who listens can share.
func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
