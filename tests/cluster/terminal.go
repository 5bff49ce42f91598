package main

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// terminal is the master side of a pseudo-terminal. Its Read ends when the last process on the other side does.
type terminal struct{ *os.File }

// startInTerminal starts the command as the leader of a new session whose controlling terminal is a new one.
func startInTerminal(command *exec.Cmd) (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	slave, err := openSlave(master)
	if err != nil {
		_ = master.Close()
		return nil, err
	}
	defer slave.Close()
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr.Setsid, command.SysProcAttr.Setctty = true, true
	if err := spawn(command); err != nil {
		_ = master.Close()
		return nil, err
	}
	return &terminal{master}, nil
}

func openSlave(master *os.File) (*os.File, error) {
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
}

// follow applies the client's window sizes until there are no more.
func (t *terminal) follow(sizes <-chan remotecommand.TerminalSize) {
	for size := range sizes {
		_ = unix.IoctlSetWinsize(int(t.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
	}
}
