package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// components are what this program can run as when it runs itself again. Each needs a process of its own: in one
// process they fight over signal handlers and log set-up.
var components = map[string]func(args []string) int{
	"kube-apiserver":          kubernetesCommand(apiserver.NewAPIServerCommand),
	"kube-controller-manager": kubernetesCommand(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          kubernetesCommand(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"node":                    runNode,
}

// auditPolicy records bodies of everything but the cluster's own housekeeping, which would drown the rest.
// The user in a rule is the authenticated one, so impersonated calls are always recorded.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "system:node:localhost"]
- level: RequestResponse
`

// nodeName is `localhost` because the API server reaches the kubelet by this name, and a kubelet refuses a loopback
// address as the address of a node.
const nodeName = "localhost"

func kubernetesCommand(newCommand func() *cobra.Command) func([]string) int {
	return func(args []string) int {
		command := newCommand()
		command.SetArgs(args)
		return cli.Run(command)
	}
}

func startAPIServer(dir string, pki *pki, etcd string, port int) (*component, error) {
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, err
	}
	return startComponent(dir, "kube-apiserver",
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--permit-port-sharing=true", // the supervisor keeps the port reserved
		"--cert-dir="+pki.dir,
		"--tls-cert-file="+pki.path("server.crt"),
		"--tls-private-key-file="+pki.path("server.key"),
		"--client-ca-file="+pki.path("ca.crt"),
		"--etcd-servers="+etcd,
		"--etcd-cafile="+pki.path("ca.crt"),
		"--etcd-certfile="+pki.path("server.crt"),
		"--etcd-keyfile="+pki.path("server.key"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/24",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki.path("service-accounts.pub"),
		"--service-account-signing-key-file="+pki.path("service-accounts.key"),
		"--kubelet-preferred-address-types=Hostname",
		"--kubelet-certificate-authority="+pki.path("ca.crt"),
		"--kubelet-client-certificate="+pki.path("kubelet-client.crt"),
		"--kubelet-client-key="+pki.path("kubelet-client.key"),
		"--audit-policy-file="+policy,
		"--audit-log-path="+auditLog(dir),
		"--audit-log-mode=blocking", // the line is there when the answer is
	)
}

func startControllerManager(dir string, pki *pki) (*component, error) {
	return startComponent(dir, "kube-controller-manager",
		"--kubeconfig="+pki.path("controller-manager.kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
		"--root-ca-file="+pki.path("ca.crt"),
		"--service-account-private-key-file="+pki.path("service-accounts.key"),
		"--cluster-signing-cert-file="+pki.path("ca.crt"),
		"--cluster-signing-key-file="+pki.path("ca.key"),
	)
}

func startScheduler(dir string, pki *pki) (*component, error) {
	return startComponent(dir, "kube-scheduler",
		"--kubeconfig="+pki.path("scheduler.kubeconfig"),
		"--secure-port=0",
		"--leader-elect=false",
	)
}

func auditLog(dir string) string { return filepath.Join(dir, "audit.log") }
