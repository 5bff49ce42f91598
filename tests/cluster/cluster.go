package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	startDeadline = 2 * time.Minute
	pollInterval  = 50 * time.Millisecond
)

// cluster is a running Kubernetes and the means to end it.
type cluster struct {
	dir        string
	server     string // URL of the API server
	isolated   bool   // containers have namespaces of their own
	etcd       *embed.Etcd
	components []*component
	failed     chan error // a component ended by itself
}

// startCluster starts every part in order and returns when a pod could be scheduled. The cluster it returns must be
// stopped even after an error.
func startCluster(ctx context.Context, dir string, port int) (*cluster, error) {
	c := &cluster{dir: dir, failed: make(chan error, 8)}
	ctx, cancel := context.WithTimeoutCause(ctx, startDeadline, fmt.Errorf("not ready within %s; see `%s`", startDeadline, filepath.Join(dir, "logs")))
	defer cancel()
	port, release, err := reservePort(port)
	if err != nil {
		return c, err
	}
	defer release()
	c.server = fmt.Sprintf("https://127.0.0.1:%d", port)
	pki, err := c.makeIdentities()
	if err != nil {
		return c, err
	}
	etcd, etcdURL, err := startEtcd(dir, pki)
	if err != nil {
		return c, err
	}
	c.etcd = etcd
	if err := c.add(startAPIServer(dir, pki, etcdURL, port)); err != nil {
		return c, err
	}
	client, err := c.client(pki.path("admin.kubeconfig"))
	if err != nil {
		return c, err
	}
	if err := c.waitFor(ctx, "the API server", func() bool { return apiServerReady(ctx, client) }); err != nil {
		return c, err
	}
	c.isolated = canIsolate(dir)
	if !c.isolated {
		progress("no right to make namespaces (root needed): containers run as plain processes, without volumes and without a network of their own")
	}
	if err := c.add(startControllerManager(dir, pki)); err != nil {
		return c, err
	}
	if err := c.add(startScheduler(dir, pki)); err != nil {
		return c, err
	}
	if err := c.add(startNode(dir, c.isolated)); err != nil {
		return c, err
	}
	if err := c.waitFor(ctx, "the default service account", func() bool { return serviceAccountExists(ctx, client) }); err != nil {
		return c, err
	}
	if err := c.waitFor(ctx, "the node", func() bool { return nodeReady(ctx, client) }); err != nil {
		return c, err
	}
	return c, pki.writeKubeconfig(c.kubeconfig(), "admin", c.server)
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// makeIdentities issues a certificate to each component and to the administrator. They are all superusers: what
// tests look at is what the administrator and those whom the tests create may do.
func (c *cluster) makeIdentities() (*pki, error) {
	pki, err := newPKI(filepath.Join(c.dir, "pki"))
	if err != nil {
		return nil, err
	}
	for name, user := range map[string]string{
		"admin":              "kubernetes-admin",
		"controller-manager": "system:kube-controller-manager",
		"scheduler":          "system:kube-scheduler",
		"node":               "system:node:" + nodeName,
		"kubelet-client":     "system:kube-apiserver-kubelet-client",
	} {
		if err := pki.issueUser(name, user, "system:masters"); err != nil {
			return nil, err
		}
		if err := pki.writeKubeconfig(pki.path(name+".kubeconfig"), name, c.server); err != nil {
			return nil, err
		}
	}
	return pki, nil
}

func (c *cluster) client(kubeconfig string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.Timeout = 5 * time.Second
	return kubernetes.NewForConfig(config)
}

// add takes a started component over and watches it.
func (c *cluster) add(child *component, err error) error {
	if err != nil {
		return err
	}
	c.components = append(c.components, child)
	go func() {
		<-child.exited
		c.failed <- child.failure()
	}()
	return nil
}

// waitFor polls until ready says so, a component ends, or ctx does.
func (c *cluster) waitFor(ctx context.Context, what string, ready func() bool) error {
	progress("waiting for %s", what)
	for !ready() {
		select {
		case err := <-c.failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("gave up waiting for %s: %w", what, context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
	return nil
}

// wait returns when ctx ends (nil) or a component ends by itself (its failure).
func (c *cluster) wait(ctx context.Context) error {
	select {
	case err := <-c.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// stop ends every component, the node and its containers first.
func (c *cluster) stop() {
	for _, child := range slices.Backward(c.components) {
		child.kill()
	}
	if c.etcd != nil {
		c.etcd.Server.HardStop() // nobody is left to say goodbye to, and nothing is kept
	}
}

func apiServerReady(ctx context.Context, client *kubernetes.Clientset) bool {
	var status int
	client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
	return status == http.StatusOK
}

func serviceAccountExists(ctx context.Context, client *kubernetes.Clientset) bool {
	_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
	return err == nil
}

func nodeReady(ctx context.Context, client *kubernetes.Clientset) bool {
	node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil || len(node.Spec.Taints) > 0 {
		return false
	}
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}
