package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// spawnRequests carries starts to the one goroutine that is locked to its thread: a parent-death signal fires when
// the thread that started the child ends, and ordinary goroutines' threads do end.
var spawnRequests = make(chan func())

func init() {
	go func() {
		runtime.LockOSThread()
		for start := range spawnRequests {
			start()
		}
	}()
}

// spawn starts cmd so that it is killed when this process dies, however it dies.
func spawn(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	result := make(chan error)
	spawnRequests <- func() { result <- cmd.Start() }
	return <-result
}

// component is one child process of the cluster: this program run again under the component's name.
type component struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	exited  chan struct{}
}

// startComponent runs this program again as `name`, with its output in dir/logs/name.log.
func startComponent(dir, name string, args ...string) (*component, error) {
	logFile := filepath.Join(dir, "logs", name+".log")
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, append([]string{name}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then ends the rest.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"))
	if err := spawn(cmd); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	c := &component{name: name, logFile: logFile, cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(c.exited)
	}()
	return c, nil
}

// kill ends the component at once. Nothing that a cluster holds outlives it, so there is nothing to flush.
func (c *component) kill() {
	_ = c.cmd.Process.Kill()
	<-c.exited
}

// failure describes why a component ended by itself: its state and the end of its log.
func (c *component) failure() error {
	log, _ := os.ReadFile(c.logFile)
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	return fmt.Errorf("%s ended by itself (%v); the end of `%s`:\n%s", c.name, c.cmd.ProcessState, c.logFile, bytes.Join(lines, []byte("\n")))
}
