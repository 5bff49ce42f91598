package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	critesting "k8s.io/cri-api/pkg/apis/testing"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	"k8s.io/kubernetes/pkg/kubelet"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	cadvisortesting "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubemark"
)

// startNode starts the node as a component; runNode is what runs there.
func startNode(dir string, isolated bool) (*component, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return startComponent(dir, "node", "--dir="+dir, fmt.Sprintf("--port=%d", port), fmt.Sprintf("--isolated=%t", isolated))
}

func runNode(args []string) int {
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	dir := flags.String("dir", "", "the cluster's `folder`")
	port := flags.Int("port", 0, "loopback `port` of the kubelet")
	isolated := flags.Bool("isolated", false, "give containers namespaces of their own")
	_ = flags.Parse(args)
	if err := serveNode(*dir, *port, *isolated); err != nil {
		klog.ErrorS(err, "The node ended")
		return 1
	}
	return 0
}

// serveNode runs the real kubelet over our container runtime. It returns only with an error.
func serveNode(dir string, port int, isolated bool) error {
	ctx := context.Background()
	pki := &pki{dir: filepath.Join(dir, "pki")}
	root := filepath.Join(dir, "node")
	config, err := clientcmd.BuildConfigFromFlags("", pki.path("node.kubeconfig"))
	if err != nil {
		return err
	}
	config.QPS = -1 // tests do not wait for a client's rate limit
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	flags, kubeletConfig := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{NodeName: nodeName, KubeletPort: port, MaxPods: 500})
	_ = os.RemoveAll(flags.RootDirectory) // the helper makes one outside the cluster's folder
	flags.RootDirectory = filepath.Join(root, "kubelet")
	flags.CertDirectory = pki.dir
	kubeletConfig.Address = "127.0.0.1"
	kubeletConfig.PodLogsDir = filepath.Join(root, "logs")
	kubeletConfig.StaticPodPath = ""
	kubeletConfig.ProviderID = ""
	kubeletConfig.FailSwapOn = false
	kubeletConfig.ClusterDNS, kubeletConfig.ClusterDomain = []string{"10.0.0.10"}, "cluster.local"
	kubeletConfig.Authentication.X509.ClientCAFile = pki.path("ca.crt")
	kubelet.ContainerLogsDir = root

	runtime, err := newRuntime(root, isolated)
	if err != nil {
		return err
	}
	hollow := kubemark.NewHollowKubelet(flags, kubeletConfig, client, client,
		&cadvisortesting.Fake{NodeName: nodeName}, critesting.NewFakeImageService(), runtime, cm.NewStubContainerManager())
	deps := hollow.KubeletDeps
	deps.OSInterface = nodeOS{}
	deps.ProbeManager = nil // nil: the real one
	if deps.TLSConfig, err = kubeletTLS(pki); err != nil {
		return err
	}
	if err := authenticateCallers(deps, client, *kubeletConfig); err != nil {
		return err
	}
	if err := sendEvents(deps, config); err != nil {
		return err
	}
	hollow.Run(ctx)
	return errors.New("the kubelet returned")
}

// kubeletTLS serves with the shared certificate and asks callers for theirs.
func kubeletTLS(pki *pki) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(pki.path("server.crt"), pki.path("server.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(pki.path("ca.crt"))
	if err != nil {
		return nil, err
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequestClientCert,
		ClientCAs:    clients,
	}, nil
}

// authenticateCallers makes the kubelet ask the API server who may use it, as in a real cluster.
func authenticateCallers(deps *kubelet.Dependencies, client kubernetes.Interface, config kubeletconfig.KubeletConfiguration) error {
	auth, reload, err := kubeletapp.BuildAuth(types.NodeName(nodeName), client, config)
	if err != nil {
		return err
	}
	deps.Auth = auth
	reload(make(chan struct{}))
	return nil
}

// sendEvents lets the kubelet report events (`Started container`, `Failed`), which needs a readable kernel log:
// it only watches that for out-of-memory kills when its recorder is a real one.
func sendEvents(deps *kubelet.Dependencies, config *rest.Config) error {
	kernelLog, err := os.OpenFile("/dev/kmsg", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		klog.InfoS("The kubelet sends no events: the kernel log cannot be read", "err", err)
		return nil
	}
	_ = kernelLog.Close()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	deps.EventClient = client.CoreV1()
	deps.Recorder = nil // nil: the real one
	return nil
}

// nodeOS is the real operating system but for the one place outside the cluster's folder where the kubelet keeps
// links to container logs.
type nodeOS struct{ kubecontainer.RealOS }

const hostLogLinks = "/var/log/containers"

// Symlink does not make links in the host's folder.
func (o nodeOS) Symlink(target, link string) error {
	if strings.HasPrefix(link, hostLogLinks) {
		return nil
	}
	return o.RealOS.Symlink(target, link)
}

// Glob finds no links in the host's folder, since the kubelet removes those that are dead.
func (o nodeOS) Glob(pattern string) ([]string, error) {
	if strings.HasPrefix(pattern, hostLogLinks) {
		return nil, nil
	}
	return o.RealOS.Glob(pattern)
}
