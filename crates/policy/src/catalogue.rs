//! What is known about Kubernetes' own resources: names that mean the same storage, which kinds live
//! outside namespaces, which subresources exist.

/// One object under two API groups: `(group, resource, canonical group)`. From the API server's
/// cohabiting resources (`kubeapiserver.DefaultStorageFactory`) and the groups that 1.20–1.22 still
/// served; a rule about one name must hold for the other, or an agent
/// would choose the name that no rule is about.
const ALIASES: &[(&str, &str, &str)] = &[
    ("extensions", "ingresses", "networking.k8s.io"),
    ("extensions", "networkpolicies", "networking.k8s.io"),
    ("extensions", "deployments", "apps"),
    ("extensions", "daemonsets", "apps"),
    ("extensions", "replicasets", "apps"),
    ("extensions", "podsecuritypolicies", "policy"),
    ("extensions", "replicationcontrollers", ""),
    ("events.k8s.io", "events", ""),
];

/// The group under which policy judges `resource`.
pub(crate) fn canonical_group<'a>(group: &'a str, resource: &str) -> &'a str {
    ALIASES.iter().find(|(from, what, _)| *from == group && *what == resource).map_or(group, |(.., to)| to)
}

/// Built-in kinds outside namespaces, by group.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["namespaces", "nodes", "persistentvolumes", "componentstatuses"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("authentication.k8s.io", &["tokenreviews", "selfsubjectreviews"]),
    (
        "authorization.k8s.io",
        &["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
    ),
    ("certificates.k8s.io", &["certificatesigningrequests", "clustertrustbundles"]),
    ("flowcontrol.apiserver.k8s.io", &["flowschemas", "prioritylevelconfigurations"]),
    ("networking.k8s.io", &["ingressclasses", "ipaddresses", "servicecidrs"]),
    ("node.k8s.io", &["runtimeclasses"]),
    ("policy", &["podsecuritypolicies"]),
    ("rbac.authorization.k8s.io", &["clusterroles", "clusterrolebindings"]),
    ("resource.k8s.io", &["deviceclasses", "resourceslices", "devicetaintrules"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    (
        "storage.k8s.io",
        &["storageclasses", "csidrivers", "csinodes", "volumeattachments", "volumeattributesclasses"],
    ),
    ("storagemigration.k8s.io", &["storageversionmigrations"]),
    ("metrics.k8s.io", &["nodes"]),
];

/// Whether `resource` is a built-in kind outside namespaces. Unknown kinds are taken to be
/// namespaced, which judges calls across all namespaces more strictly.
pub(crate) fn is_cluster_scoped(group: &str, resource: &str) -> bool {
    CLUSTER_SCOPED.iter().any(|(g, kinds)| *g == group && kinds.contains(&resource))
}

/// Whether a PUT creates a `resource` that is not there: those whose strategy in k8s.io/kubernetes says
/// `AllowCreateOnUpdate`.
pub(crate) fn is_created_by_update(group: &str, resource: &str) -> bool {
    match group {
        "" => matches!(resource, "endpoints" | "events" | "limitranges" | "services"),
        "coordination.k8s.io" | "rbac.authorization.k8s.io" => true,
        "node.k8s.io" => resource == "runtimeclasses",
        _ => false,
    }
}

/// Kinds that refer to Secrets without anyone getting to see them: an ingress controller serves certificates, and keeps
/// their keys; an Event tells what happened to whatever it names.
const SHOWS_NO_SECRET: &[(&str, &str)] = &[("networking.k8s.io", "ingresses"), ("", "events")];

/// Whether a reference in an object of this kind gives a Secret to what can show it. Unknown kinds do.
pub(crate) fn can_show_secrets(group: &str, resource: &str) -> bool {
    !SHOWS_NO_SECRET.contains(&(group, resource))
}

/// The groups of Kubernetes' own resources, none of which can be selected by a field that is masked.
const BUILT_IN_GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether the API server itself serves this group.
#[must_use]
pub fn is_built_in(group: &str) -> bool {
    BUILT_IN_GROUPS.contains(&group)
}

/// Subresources by group and resource, beyond `status` and `scale`, which any resource may have.
const SUBRESOURCES: &[(&str, &str, &[&str])] = &[
    (
        "",
        "pods",
        &[
            "log",
            "eviction",
            "binding",
            "ephemeralcontainers",
            "resize",
            "exec",
            "attach",
            "portforward",
            "proxy",
        ],
    ),
    ("", "services", &["proxy"]),
    ("", "nodes", &["proxy"]),
    ("", "namespaces", &["finalize"]),
    ("", "serviceaccounts", &["token"]),
    ("certificates.k8s.io", "certificatesigningrequests", &["approval"]),
];

/// Whether the gate knows what `subresource` does.
pub(crate) fn is_known_subresource(group: &str, resource: &str, subresource: &str) -> bool {
    matches!(subresource, "" | "status" | "scale")
        || SUBRESOURCES
            .iter()
            .any(|(g, r, subs)| *g == group && *r == resource && subs.contains(&subresource))
}

/// Built-in resources for which the rules of an agent are listed: `(group, resources)`; a
/// subresource is written `pods/log`.
pub(crate) const REVIEWED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "pods/attach",
            "pods/ephemeralcontainers",
            "pods/eviction",
            "pods/exec",
            "pods/log",
            "pods/portforward",
            "pods/proxy",
            "podtemplates",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "resourcequotas",
            "secrets",
            "serviceaccounts",
            "serviceaccounts/token",
            "services",
            "services/proxy",
        ],
    ),
    (
        "apps",
        &[
            "controllerrevisions",
            "daemonsets",
            "deployments",
            "deployments/scale",
            "replicasets",
            "replicasets/scale",
            "statefulsets",
            "statefulsets/scale",
        ],
    ),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("coordination.k8s.io", &["leases"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("networking.k8s.io", &["ingressclasses", "ingresses", "networkpolicies"]),
    ("policy", &["poddisruptionbudgets"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("storage.k8s.io", &["csidrivers", "csinodes", "storageclasses", "volumeattachments"]),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("certificates.k8s.io", &["certificatesigningrequests"]),
    ("metrics.k8s.io", &["nodes", "pods"]),
];
