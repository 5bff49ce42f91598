package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"k8s.io/cri-streaming/pkg/streaming"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// streams runs what the streaming server is asked for.
type streams struct{ runtime *hostRuntime }

// serveStreams starts the streaming server on a free loopback port. Its addresses are unguessable and used once.
func serveStreams(s streams) (streaming.Server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	config := streaming.DefaultConfig
	config.BaseURL = &url.URL{Scheme: "http", Host: listener.Addr().String()}
	server, err := streaming.NewServer(config, s)
	if err != nil {
		return nil, err
	}
	go func() { _ = http.Serve(listener, server) }()
	return server, nil
}

// Exec runs a command in a container with the client's streams.
func (s streams) Exec(ctx context.Context, id string, argv []string, stdin io.Reader, stdout, stderr io.WriteCloser, tty bool, sizes <-chan remotecommand.TerminalSize) error {
	c, err := s.runtime.runningContainer(id)
	if err != nil {
		return err
	}
	if !tty {
		return c.exec(ctx, argv, stdin, writer(stdout), writer(stderr))
	}
	command := c.execCommand(argv)
	command.Env = append(command.Env, "TERM=xterm")
	terminal, err := startInTerminal(command)
	if err != nil {
		return err
	}
	defer terminal.Close()
	defer killWhenDone(ctx, command)()
	go terminal.follow(sizes)
	if stdin != nil {
		go func() {
			_, _ = io.Copy(terminal, stdin)
			_ = terminal.Close() // the client hung up
		}()
	}
	_, _ = io.Copy(stdout, terminal)
	return exitError(command.Wait(), command)
}

// Attach connects the client with the container's own streams until the container ends or the client leaves.
func (s streams) Attach(ctx context.Context, id string, stdin io.Reader, stdout, stderr io.WriteCloser, tty bool, sizes <-chan remotecommand.TerminalSize) error {
	c, err := s.runtime.runningContainer(id)
	if err != nil {
		return err
	}
	if c.terminal != nil {
		go c.terminal.follow(sizes)
	}
	defer c.output.attach(&attachment{stdout: writer(stdout), stderr: writer(stderr)})()
	left := make(chan struct{})
	if stdin != nil && c.stdin != nil {
		go func() {
			_, _ = io.Copy(c.stdin, stdin)
			if c.config.StdinOnce && !tty {
				_ = c.stdin.Close()
			} else if tty {
				close(left)
			}
		}()
	}
	select {
	case <-c.exited:
	case <-left:
	case <-ctx.Done():
	}
	return nil
}

// PortForward connects the client with a port of the pod.
func (s streams) PortForward(ctx context.Context, sandbox string, port int32, client io.ReadWriteCloser) error {
	defer client.Close()
	s.runtime.mu.Lock()
	network := s.runtime.networks[sandbox]
	s.runtime.mu.Unlock()
	server, err := dialIn(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		if half, ok := server.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
	}()
	_, err = io.Copy(client, server)
	return err
}

// writer makes an absent stream a nil interface, which os/exec and attachment understand.
func writer(stream io.WriteCloser) io.Writer {
	if stream == nil {
		return nil
	}
	return stream
}
