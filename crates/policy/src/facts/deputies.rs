//! Kinds and annotations by which a controller or a cloud acts for an object's author with rights of its own: two
//! catalogues, a line each. `prefix*` stands for everything that begins so, `*ending` for everything that ends so.

/// Kinds: a group, and its resources. Most controllers that fetch or copy Secrets, run manifests, or run commands.
const KINDS: &[(&str, &[&str])] = &[
    // Secrets from and to stores elsewhere: ExternalSecret, ClusterExternalSecret, PushSecret, SecretStore, generators.
    ("*external-secrets.io", ANY),
    ("kubernetes-client.io", ANY),
    // VaultStaticSecret, VaultDynamicSecret, VaultPKISecret; Bank-Vaults; the older Vault operators.
    ("secrets.hashicorp.com", ANY),
    ("vault.banzaicloud.com", ANY),
    ("redhatcop.redhat.io", ANY),
    ("ricoberger.de", ANY),
    // Secrets of 1Password, Doppler, Infisical, Azure, AWS and GCP.
    ("onepassword.com", ANY),
    ("secrets.doppler.com", ANY),
    ("secrets.infisical.com", ANY),
    ("spv.no", ANY),
    ("secrets-store.csi.x-k8s.io", ANY),
    // SealedSecret, SopsSecret: what was sealed elsewhere becomes a Secret here.
    ("bitnami.com", ANY),
    ("isindir.github.com", ANY),
    // Copies across namespaces.
    ("clustersecret.io", ANY),
    ("secretgen.carvel.dev", ANY),
    ("secretgen.k14s.io", ANY),
    // Flux: `substituteFrom`, `kubeConfig`, charts and Git sources with credentials.
    ("*fluxcd.io", ANY),
    ("*weave.works", ANY),
    // Argo CD, Workflows, Events, Rollouts.
    ("argoproj.io", ANY),
    // HelmChart and HelmChartConfig of k3s, Rancher, Fleet.
    ("*cattle.io", ANY),
    ("kappctrl.k14s.io", ANY),
    ("packaging.carvel.dev", ANY),
    ("addons.cluster.x-k8s.io", ANY),
    ("app.k8s.io", ANY),
    ("apps.open-cluster-management.io", ANY),
    ("work.open-cluster-management.io", ANY),
    ("policy.open-cluster-management.io", ANY),
    // Policies that generate, clone and mutate.
    ("*kyverno.io", ANY),
    ("mutations.gatekeeper.sh", ANY),
    ("templates.gatekeeper.sh", ANY),
    // Certificates, and their keys.
    ("*cert-manager.io", ANY),
    ("*.step.sm", ANY),
    // Infrastructure, by the credentials of a cloud.
    ("*crossplane.io", ANY),
    ("*upbound.io", ANY),
    ("app.terraform.io", ANY),
    ("pulumi.com", ANY),
    ("*services.k8s.aws", ANY),
    ("*.cnrm.cloud.google.com", ANY),
    ("*.azure.com", ANY),
    // Pipelines and builds.
    ("*tekton.dev", ANY),
    ("build.openshift.io", ANY),
    ("template.openshift.io", ANY),
    ("*shipwright.io", ANY),
    ("kpack.io", ANY),
    ("actions.github.com", ANY),
    ("actions.summerwind.dev", ANY),
    // Machines: cloud-init with Secrets in it, and clusters with their kubeconfigs.
    ("*kubevirt.io", ANY),
    ("bootstrap.cluster.x-k8s.io", ANY),
    ("cluster.x-k8s.io", ANY),
    // Secrets bound to workloads.
    ("servicebinding.io", ANY),
    ("binding.operators.coreos.com", ANY),
    ("servicecatalog.k8s.io", ANY),
    ("operators.coreos.com", ANY),
    ("objectbucket.io", ANY),
    // Users with passwords in Secrets, backups and dumps.
    ("*.strimzi.io", ANY),
    ("postgresql.cnpg.io", ANY),
    ("acid.zalan.do", ANY),
    ("velero.io", ANY),
    ("k8up.io", ANY),
    // Who may grant what, and tokens.
    ("rbacmanager.reactiveops.io", ANY),
    ("hnc.x-k8s.io", ANY),
    ("capsule.clastix.io", ANY),
    // Workloads of others' making: their authors' commands run beside the Secrets of the platform.
    ("serving.knative.dev", ANY),
    ("eventing.knative.dev", ANY),
    ("*keda.sh", ANY),
    (
        "monitoring.coreos.com",
        &["alertmanagerconfigs", "alertmanagers", "prometheuses", "probes", "scrapeconfigs"],
    ),
    ("monitoring.coreos.com", &["servicemonitors", "podmonitors", "thanosrulers", "prometheusagents"]),
];

/// Every resource of the group.
const ANY: &[&str] = &[];

const DEPUTIES: &[&str] = &[
    // A cloud's identity for whoever runs as the service account or in the pod.
    "eks.amazonaws.com/role-arn",
    "iam.amazonaws.com/role",
    "iam.gke.io/gcp-service-account",
    "azure.workload.identity/client-id",
    "azure.workload.identity/tenant-id",
    "pod-identity.alibabacloud.com/role-name",
    // Configuration of the ingress controller itself, which can read every Secret that it serves.
    "*-snippet",
    "*-snippets",
    "haproxy-ingress.github.io/*",
    "nginx.ingress.kubernetes.io/auth-signin",
    "nginx.ingress.kubernetes.io/auth-url",
    "nginx.ingress.kubernetes.io/auth-tls-match-cn",
    "nginx.ingress.kubernetes.io/mirror-host",
    "nginx.ingress.kubernetes.io/mirror-target",
    "nginx.ingress.kubernetes.io/permanent-redirect",
    "nginx.ingress.kubernetes.io/upstream-vhost",
    // Names in a DNS zone outside of the cluster.
    "external-dns.alpha.kubernetes.io/*",
    // Certificates, issued and stored by the issuer's rights.
    "cert-manager.io/*",
    // Secrets that are fetched or copied.
    "vault.hashicorp.com/*",
    "vault.security.banzaicloud.io/*",
    "operator.1password.io/*",
    "conjur.org/*",
    "kubed.appscode.com/*",
    "secretgen.carvel.dev/*",
    "reflector.v1.k8s.emberstack.com/*",
    "replicator.v1.mittwald.de/*",
    // Sidecars and volumes put into the pod.
    "sidecar.istio.io/*",
    "inject.istio.io/*",
    // Networks of the node.
    "k8s.v1.cni.cncf.io/networks",
];

/// Whether a kind is in the catalogue.
pub(crate) fn is_deputy_kind(group: &str, resource: &str) -> bool {
    let of_group = |entry: &str| match entry.strip_prefix('*') {
        Some(ending) => group.ends_with(ending),
        None => group == entry,
    };
    KINDS
        .iter()
        .any(|(entry, resources)| of_group(entry) && (resources.is_empty() || resources.contains(&resource)))
}

/// Whether an annotation of this name is in the catalogue.
pub(super) fn is_deputy(key: &str) -> bool {
    let matches = |entry: &&str| match (entry.strip_suffix('*'), entry.strip_prefix('*')) {
        (Some(prefix), _) => key.starts_with(prefix),
        (None, Some(ending)) => key.contains('/') && key.ends_with(ending),
        (None, None) => key == *entry,
    };
    DEPUTIES.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_with_a_controller_of_rights_of_its_own_are_known() {
        for (group, resource) in [
            ("external-secrets.io", "externalsecrets"),
            ("generators.external-secrets.io", "passwords"),
            ("kustomize.toolkit.fluxcd.io", "kustomizations"),
            ("helm.toolkit.fluxcd.io", "helmreleases"),
            ("argoproj.io", "applications"),
            ("helm.cattle.io", "helmcharts"),
            ("cert-manager.io", "certificates"),
            ("acme.cert-manager.io", "challenges"),
            ("kyverno.io", "clusterpolicies"),
            ("policies.kyverno.io", "generatingpolicies"),
            ("s3.aws.crossplane.io", "buckets"),
            ("tekton.dev", "taskruns"),
            ("triggers.tekton.dev", "eventlisteners"),
            ("bitnami.com", "sealedsecrets"),
            ("secrets-store.csi.x-k8s.io", "secretproviderclasses"),
            ("secrets.hashicorp.com", "vaultstaticsecrets"),
            ("build.openshift.io", "buildconfigs"),
            ("template.openshift.io", "templateinstances"),
            ("kafka.strimzi.io", "kafkausers"),
            ("kubevirt.io", "virtualmachines"),
            ("servicebinding.io", "servicebindings"),
            ("monitoring.coreos.com", "servicemonitors"),
        ] {
            assert!(is_deputy_kind(group, resource), "{group} {resource}");
        }
        for (group, resource) in [
            ("", "pods"),
            ("apps", "deployments"),
            ("networking.k8s.io", "ingresses"),
            ("gateway.networking.k8s.io", "httproutes"),
            ("example.com", "widgets"),
            ("monitoring.coreos.com", "prometheusrules"),
        ] {
            assert!(!is_deputy_kind(group, resource), "{group} {resource}");
        }
    }
}
