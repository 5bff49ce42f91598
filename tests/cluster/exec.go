package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	utilexec "k8s.io/utils/exec"
)

// execCommand builds a command that runs inside the running container.
func (c *container) execCommand(argv []string) *exec.Cmd {
	command := exec.Command(argv[0], argv[1:]...)
	if c.isolated {
		inside := []string{"--target", strconv.Itoa(c.cmd.Process.Pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--wd", "--"}
		command = exec.Command("nsenter", append(inside, argv...)...)
	}
	command.Env = c.environment()
	command.SysProcAttr = &syscall.SysProcAttr{}
	command.WaitDelay = drainPeriod
	return command
}

// exec runs a command in the container without a terminal, until it ends or ctx does.
func (c *container) exec(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) error {
	command := c.execCommand(argv)
	command.SysProcAttr.Setsid = true
	command.Stdout, command.Stderr = stdout, stderr
	if stdin != nil {
		// Not command.Stdin: Wait would then wait for the client to close its side.
		pipe, err := command.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			_, _ = io.Copy(pipe, stdin)
			_ = pipe.Close()
		}()
	}
	if err := spawn(command); err != nil {
		return utilexec.CodeExitError{Err: err, Code: 127}
	}
	defer killWhenDone(ctx, command)()
	return exitError(command.Wait(), command)
}

// killWhenDone kills the command's session when ctx ends, until the returned function is called.
func killWhenDone(ctx context.Context, command *exec.Cmd) func() bool {
	return context.AfterFunc(ctx, func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) })
}

// exitError turns the end of a command into what the streaming protocol tells the client.
func exitError(err error, command *exec.Cmd) error {
	if command.ProcessState == nil {
		return err
	}
	if code := exitCode(command.ProcessState); code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: int(code)}
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return err
	}
	return nil
}

// exitCode is the shell's view of how a process ended: 128 plus the signal if one killed it.
func exitCode(state *os.ProcessState) int32 {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int32(status.Signal())
	}
	return int32(state.ExitCode())
}
