package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	containerPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// drainPeriod is how long output is still read from background processes that outlive their parent.
	drainPeriod = time.Second
	// agnhost is where containers find Kubernetes' own test program.
	agnhost = "/agnhost"
)

// containerSpec tells podinit what the container looks like; see the type `spec` there.
type containerSpec struct {
	Root             string           `json:"root"`
	Hostname         string           `json:"hostname"`
	WorkingDir       string           `json:"workingDir"`
	NetworkNamespace bool             `json:"networkNamespace"`
	Mounts           []containerMount `json:"mounts"`
}

type containerMount struct {
	From     string `json:"from"`
	To       string `json:"to"`
	ReadOnly bool   `json:"readOnly"`
}

// container is one process of this machine with what belongs to it. The fields of the first group are fixed when it
// is created, those of the second by start.
type container struct {
	id, sandbox string
	dir         string // its folder on the host
	logPath     string
	hostname    string
	isolated    bool
	config      *cri.ContainerConfig
	network     *os.File // nil: the host's

	cmd      *exec.Cmd
	output   *output
	stdin    io.WriteCloser // nil unless the pod asks for it
	terminal *terminal      // nil unless the pod asks for it
	exited   chan struct{}  // closed when the process has ended
	exitCode int32          // valid when exited is closed

	stopping sync.Once
}

// start runs the program. An error means that it never ran, and reads as runc's do.
func (c *container) start() error {
	command, err := c.command()
	if err != nil {
		return fmt.Errorf("failed to create container process: %w", err)
	}
	if c.output, err = openOutput(c.logPath); err != nil {
		return err
	}
	c.cmd, c.exited = command, make(chan struct{})
	if c.isolated {
		err = c.startIsolated()
	} else {
		err = c.connect()
	}
	if err != nil {
		c.output.close()
		return fmt.Errorf("failed to create container process: %w", err)
	}
	go c.reap()
	return nil
}

// startIsolated starts podinit and waits until it has become the container's program. File descriptor 3 is where it
// tells why it cannot, 4 is the pod's network.
func (c *container) startIsolated() error {
	status, statusWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	defer status.Close()
	c.cmd.ExtraFiles = []*os.File{statusWriter}
	if c.network != nil {
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, c.network)
	}
	err = c.connect()
	_ = statusWriter.Close()
	if err != nil {
		return err
	}
	if failure, _ := io.ReadAll(status); len(failure) > 0 {
		_ = c.cmd.Wait()
		if c.terminal != nil {
			_ = c.terminal.Close()
		}
		close(c.exited)
		return errors.New(string(failure))
	}
	return nil
}

// connect starts the process with its streams: a terminal, or pipes into the log.
func (c *container) connect() error {
	if c.config.Tty {
		var err error
		c.terminal, err = startInTerminal(c.cmd)
		if err != nil {
			return err
		}
		c.stdin = c.terminal
		return nil
	}
	c.cmd.SysProcAttr.Setsid = true
	c.cmd.Stdout, c.cmd.Stderr = c.output.stream("stdout"), c.output.stream("stderr")
	c.cmd.WaitDelay = drainPeriod
	if c.config.Stdin {
		var err error
		if c.stdin, err = c.cmd.StdinPipe(); err != nil {
			return err
		}
	}
	return spawn(c.cmd)
}

// reap waits for the end of the process and of its output.
func (c *container) reap() {
	if c.terminal != nil {
		_, _ = io.Copy(c.output.stream("stdout"), c.terminal)
	}
	_ = c.cmd.Wait()
	if c.terminal != nil {
		_ = c.terminal.Close()
	}
	c.output.close()
	c.exitCode = exitCode(c.cmd.ProcessState)
	close(c.exited)
}

func (c *container) running() bool {
	if c.cmd == nil || c.cmd.Process == nil {
		return false
	}
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// stop ends the program: SIGTERM, then SIGKILL after the grace period. It returns when the program is gone.
func (c *container) stop(grace time.Duration) {
	if !c.running() {
		return
	}
	c.stopping.Do(func() {
		if grace > 0 {
			_ = c.cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-c.exited:
				return
			case <-time.After(grace):
			}
		}
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	})
	<-c.exited
}

// command builds the process: podinit, which becomes the program, or the program itself where namespaces are not to
// be had.
func (c *container) command() (*exec.Cmd, error) {
	argv := c.argv()
	env := c.environment()
	if !c.isolated {
		if argv[0] == agnhost {
			argv[0] = sibling("agnhost")
		}
		if _, err := exec.LookPath(argv[0]); err != nil {
			return nil, err
		}
		command := exec.Command(argv[0], argv[1:]...)
		command.Env, command.Dir = env, c.dir
		command.SysProcAttr = &syscall.SysProcAttr{}
		return command, nil
	}
	spec := containerSpec{
		Root:             filepath.Join(c.dir, "root"),
		Hostname:         c.hostname,
		WorkingDir:       c.config.WorkingDir,
		NetworkNamespace: c.network != nil,
	}
	for _, m := range c.config.Mounts {
		spec.Mounts = append(spec.Mounts, containerMount{From: m.HostPath, To: m.ContainerPath, ReadOnly: m.Readonly})
	}
	if argv[0] == agnhost {
		spec.Mounts = append(spec.Mounts, containerMount{From: sibling("agnhost"), To: agnhost, ReadOnly: true})
	}
	encoded, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	command := exec.Command(sibling("podinit"), append([]string{string(encoded)}, argv...)...)
	command.Env = env
	command.SysProcAttr = isolation()
	return command, nil
}

// isolation is the set of namespaces that each container has of its own.
func isolation() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
}

// argv is the program and its arguments. Images hold nothing here: a name that contains `agnhost` stands for that
// program, `busybox` and `alpine` for a shell, everything else sleeps. A pod's own command runs as it is.
func (c *container) argv() []string {
	image, argv := c.config.GetImage().GetImage(), c.config.Command
	if user := c.config.GetImage().GetUserSpecifiedImage(); user != "" {
		image = user
	}
	if len(argv) == 0 {
		switch {
		case strings.Contains(image, "agnhost"):
			argv = []string{agnhost}
			if len(c.config.Args) == 0 {
				argv = append(argv, "pause")
			}
		case strings.Contains(image, "busybox"), strings.Contains(image, "alpine"):
			if len(c.config.Args) == 0 {
				argv = []string{"sh"}
			}
		case len(c.config.Args) == 0:
			argv = []string{"sleep", "infinity"}
		default:
			return []string{"sleep", "infinity"} // arguments of an entry point that is not here
		}
	}
	return append(append([]string{}, argv...), c.config.Args...)
}

// environment is the pod's environment over what an image would set.
func (c *container) environment() []string {
	env := []string{"PATH=" + containerPath, "HOME=/root", "HOSTNAME=" + c.hostname}
	if c.config.Tty {
		env = append(env, "TERM=xterm")
	}
	for _, variable := range c.config.Envs {
		env = append(env, variable.Key+"="+string(variable.Value))
	}
	return env
}

// sibling is the path of another program that was built together with this one.
func sibling(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}
