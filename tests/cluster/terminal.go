package main

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// terminal is the master side of a pseudo-terminal. Its Read ends when the last process on the other side does;
// closing it hangs up on them.
type terminal struct{ *os.File }

// startInTerminal starts the command as the leader of a new session whose controlling terminal is a new one.
func startInTerminal(command *exec.Cmd) (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t := &terminal{master}
	slave, err := t.openSlave()
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	defer slave.Close()
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr.Setsid, command.SysProcAttr.Setctty = true, true
	if err := spawn(command); err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

func (t *terminal) openSlave() (*os.File, error) {
	var number int
	err := t.control(func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		var err error
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
}

// follow applies the client's window sizes until there are no more.
func (t *terminal) follow(sizes <-chan remotecommand.TerminalSize) {
	for size := range sizes {
		_ = t.control(func(fd int) error {
			return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
		})
	}
}

// control runs f on the file descriptor. Not by Fd, which would make reads blocking: Close could not end them.
func (t *terminal) control(f func(fd int) error) error {
	connection, err := t.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := connection.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return result
}
