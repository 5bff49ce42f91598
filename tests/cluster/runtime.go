package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	critesting "k8s.io/cri-api/pkg/apis/testing"
	"k8s.io/cri-streaming/pkg/streaming"
	utilexec "k8s.io/utils/exec"
)

// maxGracePeriod cuts termination grace periods short. A shell that is PID 1 ignores SIGTERM, so deletions would
// take the whole 30 seconds of the default.
const maxGracePeriod = time.Second

// hostRuntime is a container runtime whose containers are processes of this machine. The embedded fake keeps the
// books (states, lists, labels); what is overridden here does the work.
type hostRuntime struct {
	*critesting.FakeRuntimeService
	dir       string // holds a folder for each container
	isolated  bool   // containers get namespaces and a root file system
	streaming streaming.Server

	mu         sync.Mutex
	containers map[string]*container
	networks   map[string]*os.File // network namespaces by sandbox id
}

// newRuntime returns a runtime that keeps its files in dir and serves exec, attach and port-forward on loopback.
func newRuntime(dir string, isolated bool) (*hostRuntime, error) {
	r := &hostRuntime{
		FakeRuntimeService: critesting.NewFakeRuntimeService(),
		dir:                filepath.Join(dir, "containers"),
		isolated:           isolated,
		containers:         map[string]*container{},
		networks:           map[string]*os.File{},
	}
	r.FakeStatus = &cri.RuntimeStatus{Conditions: []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true},
		{Type: cri.NetworkReady, Status: true},
	}}
	var err error
	r.streaming, err = serveStreams(streams{r})
	return r, err
}

// RunPodSandbox gives the pod a network namespace of its own, so that pods which listen on one port do not collide.
func (r *hostRuntime) RunPodSandbox(ctx context.Context, config *cri.PodSandboxConfig, handler string) (string, error) {
	id, err := r.FakeRuntimeService.RunPodSandbox(ctx, config, handler)
	if err != nil || !r.isolated || config.GetLinux().GetSecurityContext().GetNamespaceOptions().GetNetwork() == cri.NamespaceMode_NODE {
		return id, err
	}
	network, err := newNetwork()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.networks[id] = network
	return id, nil
}

// StopPodSandbox kills what still runs in the pod.
func (r *hostRuntime) StopPodSandbox(ctx context.Context, id string) error {
	for _, c := range r.containersOf(id) {
		c.stop(0)
	}
	return r.FakeRuntimeService.StopPodSandbox(ctx, id)
}

// RemovePodSandbox lets go of the pod's network namespace.
func (r *hostRuntime) RemovePodSandbox(ctx context.Context, id string) error {
	r.mu.Lock()
	if network := r.networks[id]; network != nil {
		_ = network.Close()
		delete(r.networks, id)
	}
	r.mu.Unlock()
	return r.FakeRuntimeService.RemovePodSandbox(ctx, id)
}

// CreateContainer notes what StartContainer shall run.
func (r *hostRuntime) CreateContainer(ctx context.Context, sandbox string, config *cri.ContainerConfig, sandboxConfig *cri.PodSandboxConfig) (string, error) {
	id, err := r.FakeRuntimeService.CreateContainer(ctx, sandbox, config, sandboxConfig)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(r.dir, id)
	if err := os.MkdirAll(filepath.Join(dir, "root"), 0o700); err != nil {
		return "", err
	}
	logPath := filepath.Join(sandboxConfig.LogDirectory, config.LogPath)
	r.Lock()
	status := &r.Containers[id].ContainerStatus
	status.LogPath, status.Mounts = logPath, config.Mounts // the kubelet reads logs and termination messages by these
	r.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.containers[id] = &container{
		id: id, sandbox: sandbox, dir: dir, logPath: logPath, isolated: r.isolated,
		hostname: sandboxConfig.Hostname, config: config, network: r.networks[sandbox],
	}
	return id, nil
}

// StartContainer starts the container's program and watches for its end.
func (r *hostRuntime) StartContainer(ctx context.Context, id string) error {
	c, err := r.container(id)
	if err != nil {
		return err
	}
	if err := c.start(); err != nil {
		r.setExited(id, 128, "StartError", err.Error())
		return err
	}
	if err := r.FakeRuntimeService.StartContainer(ctx, id); err != nil {
		return err
	}
	go func() {
		<-c.exited
		if c.exitCode == 0 {
			r.setExited(id, 0, "Completed", "")
		} else {
			r.setExited(id, c.exitCode, "Error", "")
		}
	}()
	return nil
}

// StopContainer asks the program to end, and kills it after the grace period (seconds).
func (r *hostRuntime) StopContainer(_ context.Context, id string, gracePeriod int64) error {
	c, err := r.container(id)
	if err != nil {
		return err
	}
	c.stop(min(time.Duration(gracePeriod)*time.Second, maxGracePeriod))
	return nil
}

// RemoveContainer kills the container and deletes its folder.
func (r *hostRuntime) RemoveContainer(ctx context.Context, id string) error {
	if c, err := r.container(id); err == nil {
		c.stop(0)
		_ = os.RemoveAll(c.dir)
	}
	r.mu.Lock()
	delete(r.containers, id)
	r.mu.Unlock()
	return r.FakeRuntimeService.RemoveContainer(ctx, id)
}

// ReopenContainerLog follows the kubelet's log rotation.
func (r *hostRuntime) ReopenContainerLog(_ context.Context, id string) error {
	c, err := r.container(id)
	if err != nil {
		return err
	}
	return c.output.reopen(c.logPath)
}

// ExecSync runs a command (a probe or a hook) in the container and collects its output.
func (r *hostRuntime) ExecSync(ctx context.Context, id string, argv []string, timeout time.Duration) ([]byte, []byte, error) {
	c, err := r.container(id)
	if err != nil {
		return nil, nil, err
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	var stdout, stderr strings.Builder
	err = c.exec(ctx, argv, nil, &stdout, &stderr)
	if ctx.Err() != nil {
		err = utilexec.CodeExitError{Err: fmt.Errorf("command timed out after %s", timeout), Code: 124}
	}
	return []byte(stdout.String()), []byte(stderr.String()), err
}

// Exec returns the address at which the command's streams can be had.
func (r *hostRuntime) Exec(_ context.Context, request *cri.ExecRequest) (*cri.ExecResponse, error) {
	return r.streaming.GetExec(request)
}

// Attach returns the address at which the container's own streams can be had.
func (r *hostRuntime) Attach(_ context.Context, request *cri.AttachRequest) (*cri.AttachResponse, error) {
	return r.streaming.GetAttach(request)
}

// PortForward returns the address at which the pod's ports can be reached.
func (r *hostRuntime) PortForward(_ context.Context, request *cri.PortForwardRequest) (*cri.PortForwardResponse, error) {
	return r.streaming.GetPortForward(request)
}

func (r *hostRuntime) container(id string) (*container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.containers[id]; ok {
		return c, nil
	}
	return nil, fmt.Errorf("container `%s` not found", id)
}

func (r *hostRuntime) runningContainer(id string) (*container, error) {
	c, err := r.container(id)
	if err != nil {
		return nil, err
	}
	if !c.running() {
		return nil, errors.New("container is not running")
	}
	return c, nil
}

func (r *hostRuntime) containersOf(sandbox string) []*container {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*container
	for _, c := range r.containers {
		if c.sandbox == sandbox {
			found = append(found, c)
		}
	}
	return found
}

func (r *hostRuntime) setExited(id string, code int32, reason, message string) {
	r.Lock()
	defer r.Unlock()
	if c, ok := r.Containers[id]; ok {
		c.State = cri.ContainerState_CONTAINER_EXITED
		c.FinishedAt = time.Now().UnixNano()
		c.ExitCode, c.Reason, c.Message = code, reason, message
	}
}
