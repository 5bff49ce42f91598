//! How the API server merges what has a list or a choice in it.

/// How a field is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// Maps field by field; lists as a whole.
    Plain,
    /// A map of which only one choice can be set: the others are cleared (`retainKeys`).
    Choice,
    /// As a whole, though it is a map.
    Whole,
    /// A list of maps, each known by this field.
    By {
        key: &'static str,
        /// Each is a [`Merge::Choice`].
        choice: bool,
    },
    /// A list of texts, as a set.
    Set,
}

/// What `patchStrategy` and `patchMergeKey` of the Go types in k8s.io/api v0.37 say of a field, known by the kind it is in and by
/// the field that is around it (empty: the object itself). What is only in a status is left out, since nobody applies that, and
/// so are alpha and beta kinds.
pub(super) fn merge(kind: &str, around: &str, field: &str) -> Merge {
    let by = |key| Merge::By { key, choice: false };
    match (around, field) {
        ("metadata", "finalizers") => Merge::Set,
        ("metadata", "ownerReferences") => by("uid"),

        // A pod's; no other built-in `spec` has fields of these names.
        (
            "spec",
            "containers"
            | "initContainers"
            | "ephemeralContainers"
            | "imagePullSecrets"
            | "schedulingGates"
            | "evictionResponders",
        ) => by("name"),
        ("spec", "volumes" | "resourceClaims") => Merge::By { key: "name", choice: true },
        ("spec", "hostAliases") => by("ip"),
        ("spec", "topologySpreadConstraints") => by("topologyKey"),
        ("containers" | "initContainers" | "ephemeralContainers", field) => match field {
            "env" => by("name"),
            "ports" => by("containerPort"),
            "volumeMounts" => by("mountPath"),
            "volumeDevices" => by("devicePath"),
            _ => Merge::Plain,
        },

        ("spec" | "webhooks", "matchConditions") => by("name"),
        _ => match (kind, around, field) {
            ("Deployment", "spec", "strategy") => Merge::Choice,
            ("PodDisruptionBudget", "spec", "selector") => Merge::Whole,
            ("Service", "spec", "ports") => by("port"),
            ("ServiceAccount", "", "secrets")
            | ("MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration", "", "webhooks")
            | ("ValidatingAdmissionPolicy", "spec", "variables")
            | ("CSINode", "spec", "drivers") => by("name"),
            ("Node", "spec", "podCIDRs") => Merge::Set,
            _ => Merge::Plain,
        },
    }
}

/// Whether the API server has Go types of a group's kinds, and so merges them as [`merge`] says. All others are custom or
/// aggregated, and know merge patches (RFC 7386) alone.
pub(super) fn is_built_in(group: &str) -> bool {
    matches!(
        group,
        "" | "admissionregistration.k8s.io"
            | "apiextensions.k8s.io"
            | "apiregistration.k8s.io"
            | "apps"
            | "authentication.k8s.io"
            | "authorization.k8s.io"
            | "autoscaling"
            | "batch"
            | "certificates.k8s.io"
            | "coordination.k8s.io"
            | "discovery.k8s.io"
            | "events.k8s.io"
            | "extensions"
            | "flowcontrol.apiserver.k8s.io"
            | "internal.apiserver.k8s.io"
            | "networking.k8s.io"
            | "node.k8s.io"
            | "policy"
            | "rbac.authorization.k8s.io"
            | "resource.k8s.io"
            | "scheduling.k8s.io"
            | "storage.k8s.io"
            | "storagemigration.k8s.io"
    )
}
