// Command podinit is the first process of a container. It is started in fresh mount and PID namespaces, enters the
// pod's network namespace, makes a root file system out of the host's programs, an empty rest and the container's
// volumes, and becomes the container's program.
//
//	podinit SPEC ARGV...
//
// SPEC is JSON (see spec). File descriptor 3 takes the reason when it fails, and closes when it succeeds.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// spec says what the container looks like; the field names are those of runtime.go's containerSpec.
type spec struct {
	Root             string  `json:"root"`             // an empty folder of the host, where the new root is mounted
	Hostname         string  `json:"hostname"`         // the pod's name
	WorkingDir       string  `json:"workingDir"`       // inside the container
	NetworkNamespace bool    `json:"networkNamespace"` // file descriptor 4 is the namespace to enter
	Mounts           []mount `json:"mounts"`
}

type mount struct {
	From     string `json:"from"` // on the host
	To       string `json:"to"`   // in the container
	ReadOnly bool   `json:"readOnly"`
}

func main() {
	// Namespaces belong to threads, so everything up to the exec happens on this one.
	runtime.LockOSThread()
	status := os.NewFile(3, "status")
	unix.CloseOnExec(3)
	err := run(os.Args[1:])
	_, _ = io.WriteString(status, err.Error())
	os.Exit(128)
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: podinit SPEC ARGV...")
	}
	var s spec
	if err := json.Unmarshal([]byte(args[0]), &s); err != nil {
		return err
	}
	if s.NetworkNamespace {
		if err := unix.Setns(4, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot enter the pod's network: %w", err)
		}
		_ = unix.Close(4)
	}
	if err := unix.Sethostname([]byte(s.Hostname)); err != nil {
		return fmt.Errorf("cannot set the host name: %w", err)
	}
	unix.Umask(0o022)
	if err := makeRoot(s); err != nil {
		return err
	}
	if s.WorkingDir == "" {
		s.WorkingDir = "/"
	}
	if err := os.MkdirAll(s.WorkingDir, 0o755); err != nil {
		return err
	}
	if err := os.Chdir(s.WorkingDir); err != nil {
		return err
	}
	program, err := lookUp(args[1])
	if err != nil {
		return err
	}
	return syscall.Exec(program, args[1:], os.Environ())
}

// lookUp finds the program in the container, and words its absence as runc does.
func lookUp(name string) (string, error) {
	if strings.Contains(name, "/") {
		if _, err := os.Stat(name); err != nil {
			return "", fmt.Errorf("exec: %q: %w", name, err)
		}
		return name, nil
	}
	return exec.LookPath(name)
}
