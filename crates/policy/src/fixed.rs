//! What is denied whatever policy or approval says, because it would undo the gate itself or hand out
//! what masking cannot take back. The table is data: docs/policy.md prints it, a test holds them equal.

use crate::call::{Call, Subject};
use crate::settings::Own;

mod matches;

/// One built-in denial.
#[derive(Clone, Copy)]
pub struct FixedDenial {
    id: &'static str,
    what: &'static str,
    reason: &'static str,
    next: &'static str,
    cost: Option<&'static str>,
    /// Whether the answer would tell if a guess at a secret is right.
    guess: bool,
    applies: fn(&Call<'_>, &Own) -> bool,
}

/// Every built-in denial, in the order in which they are tried.
#[must_use]
pub fn fixed_denials() -> &'static [FixedDenial] {
    TABLE
}

const TABLE: &[FixedDenial] = &[
    FixedDenial {
        id: "fixed/node-proxy",
        what: "any call on `nodes/proxy`",
        reason: "it reaches the kubelet's own API, which runs commands in any pod of the node and is neither masked nor audited",
        next: "read the node, its pods and their logs through the API server",
        cost: None,
        guess: false,
        applies: |call, _| call.object().is_some_and(|o| o.is("", "nodes") && o.subresource == "proxy"),
    },
    FixedDenial {
        id: "fixed/streams",
        what: "proxy, of anything, and exec, attach and port-forward of anything but pods",
        reason: "the gate cannot record and mask what passes through it",
        next: "use logs, events and the object's status, run a command in a pod, or forward a port of it",
        cost: None,
        guess: false,
        applies: matches::unrecorded_stream,
    },
    FixedDenial {
        id: "fixed/api-server-port",
        what: "port-forward to an API server, by the pod's labels, programs and images",
        reason: "it reaches the API server past the gate",
        next: "use the API server through the gate",
        cost: None,
        guess: false,
        applies: matches::api_server_port,
    },
    FixedDenial {
        id: "fixed/unknown-subresource",
        what: "a subresource the gate does not know; custom resources have `status` and `scale`",
        reason: "the gate does not know what this subresource does",
        next: "use the object itself, its `status` or its `scale`",
        cost: None,
        guess: false,
        applies: matches::unknown_subresource,
    },
    FixedDenial {
        id: "fixed/paths",
        what: "paths that are no resource, other than discovery, OpenAPI, version and health",
        reason: "server-internal paths (profiles, flags, logs, metrics) show the server's memory and change its settings",
        next: "use /api, /apis, /openapi, /version, /healthz, /livez or /readyz",
        cost: None,
        guess: false,
        applies: |call, _| matches!(call.subject, Subject::Endpoint(path) if !matches::open_path(path)),
    },
    FixedDenial {
        id: "fixed/own-objects",
        what: "changes in the gate's own namespace, and `use` and `reveal` of its Secrets; RBAC objects whose name, roles or subjects begin with `portcullis:`",
        reason: "the gate protects its own workload, configuration and rights from those it guards against",
        next: "ask the operator of the gate, who changes them outside of it",
        cost: None,
        guess: false,
        applies: matches::own_objects,
    },
    FixedDenial {
        id: "fixed/opaque-patch",
        what: "JSON Patch with `copy` or `move`, malformed, deeper than 64, or with two values for `spec.replicas`",
        reason: "the patch writes something that cannot be told from the patch alone, a secret's value for instance",
        next: "write the value itself: use `add` or `replace`, or a merge patch",
        cost: None,
        guess: false,
        applies: matches::opaque_patch,
    },
    FixedDenial {
        id: "fixed/node-ports",
        what: "port-forward to a pod in its node's network (`hostNetwork`)",
        reason: "it reaches all that listens on the node past the gate: the kubelet, etcd, the container runtime, an API server",
        next: "forward to a pod that has a network of its own",
        cost: Some(
            "an agent that may forward ports of such a pod reaches what runs its node: as good as reveal",
        ),
        guess: false,
        applies: matches::node_port,
    },
    FixedDenial {
        id: "fixed/node-api-server",
        what: "port-forward to a pod in its node's network, at a port where distributions have an API server or what leads to it (6443, 6444, 7443, 7445, 8443, 16443), or where the gate reaches it",
        reason: "an API server that listens on the node is reached past the gate",
        next: "use the API server through the gate, or forward another port",
        cost: Some(
            "where `fixed/node-ports` is lifted as well, an agent that may forward that port reaches the API server past the gate",
        ),
        guess: false,
        applies: matches::node_api_server,
    },
    FixedDenial {
        id: "fixed/secret-test",
        what: "JSON Patch `test` on a Secret, and on what other objects may hold masked: anything but `/spec/replicas` and the version, uid, name, labels and finalizers of an object",
        reason: "its answer tells whether a guessed value is right",
        next: "leave the `test` operation out; to guard against a race, set `metadata.resourceVersion` in a merge patch",
        cost: Some("an agent that may patch an object can guess at its masked values"),
        guess: true,
        applies: matches::secret_test,
    },
    FixedDenial {
        id: "fixed/secret-apply",
        what: "server-side apply of a Secret without `force=true`",
        reason: "where another manager owns a value, its answer tells whether a guessed value is right",
        next: "add `--force-conflicts`, or use a merge patch",
        cost: Some("an agent that may apply a Secret can guess at its values"),
        guess: true,
        applies: |call, _| call.yields && call.object().is_some_and(|o| o.is("", "secrets")),
    },
    FixedDenial {
        id: "fixed/selectors",
        what: "field selectors on custom resources by anything but `metadata.name` and `metadata.namespace`",
        reason: "which objects come back tells whether a guessed value of a field is right, masked or not",
        next: "select by labels, by `metadata.name` or by `metadata.namespace`",
        cost: Some("an agent can guess at masked fields of custom resources that can be selected by"),
        guess: true,
        applies: |call, _| {
            call.selects_fields && call.object().is_some_and(|o| !crate::catalogue::is_built_in(o.group))
        },
    },
    FixedDenial {
        id: "fixed/impersonation",
        what: "impersonation: the verb, the resources `users`, `groups`, `uids`, `userextras`, and roles that grant `impersonate`, `escalate`, `bind` or every verb",
        reason: "whoever acts as another is no longer held by the rules for this agent",
        next: "ask a human who holds that role",
        cost: Some("the agent can act with rights that policy never saw: as good as reveal"),
        guess: false,
        applies: matches::impersonation,
    },
    FixedDenial {
        id: "fixed/service-account-tokens",
        what: "creating `serviceaccounts/token`",
        reason: "the token is a credential for the API server that works without the gate",
        next: "run the work in a pod under that service account, if policy permits",
        cost: Some("the agent gets credentials that bypass the gate: as good as reveal"),
        guess: false,
        applies: |call, _| {
            call.changes()
                && call.object().is_some_and(|o| o.is("", "serviceaccounts") && o.subresource == "token")
        },
    },
    FixedDenial {
        id: "fixed/token-secrets",
        what: "writing a Secret of type `kubernetes.io/service-account-token` or `bootstrap.kubernetes.io/token`, or one named `bootstrap-token-…`",
        reason: "the server turns such a Secret into a credential that works without the gate",
        next: "use a Secret of another type",
        cost: Some("the agent can mint credentials that bypass the gate: as good as reveal"),
        guess: false,
        applies: matches::token_secret,
    },
    FixedDenial {
        id: "fixed/helm-releases",
        what: "writing Helm's releases, Secrets or ConfigMaps (`sh.helm.release.v1.…`)",
        reason: "Helm would write back what it read through the gate, with values masked, and break the release",
        next: "render with `helm template` and apply the manifests, or let your pipeline run Helm",
        cost: Some("an upgrade or rollback through the gate can corrupt the release and what it manages"),
        guess: false,
        applies: matches::helm_release,
    },
    FixedDenial {
        id: "fixed/certificates",
        what: "changes to anything in `certificates.k8s.io`: signing requests, their approval, trust bundles",
        reason: "a signed certificate is a credential for the API server that works without the gate",
        next: "ask a human to request and approve the certificate",
        cost: Some("the agent can obtain credentials that bypass the gate: as good as reveal"),
        guess: false,
        applies: |call, _| call.changes() && call.object().is_some_and(|o| o.group == "certificates.k8s.io"),
    },
    FixedDenial {
        id: "fixed/token-reviews",
        what: "creating a TokenReview",
        reason: "it tells whom a credential belongs to and whether it works",
        next: "use `kubectl auth whoami`",
        cost: Some("the agent can try out credentials it found"),
        guess: false,
        applies: |call, _| {
            call.changes() && call.object().is_some_and(|o| o.is("authentication.k8s.io", "tokenreviews"))
        },
    },
    FixedDenial {
        id: "fixed/admission-policies",
        what: "changes to validating and mutating admission policies and their bindings",
        reason: "their expressions see whole objects, Secrets included, and can copy values into messages and other objects",
        next: "ask a human to review and apply the policy",
        cost: Some("the agent can have the API server reveal any Secret: as good as reveal"),
        guess: false,
        applies: |call, _| matches::changes_admission(call, "policies", "policybindings"),
    },
    FixedDenial {
        id: "fixed/admission-webhooks",
        what: "changes to validating and mutating webhook configurations",
        reason: "a webhook receives whole objects, Secrets included, at an address of the caller's choice",
        next: "ask a human to review and apply the webhook configuration",
        cost: Some("the agent can send every object to an address of its choice: as good as reveal"),
        guess: false,
        applies: |call, _| matches::changes_admission(call, "webhookconfigurations", "webhookconfigurations"),
    },
    FixedDenial {
        id: "fixed/api-services",
        what: "changes to APIServices",
        reason: "an aggregated API server receives whole requests at an address of the caller's choice",
        next: "ask a human to register the API service",
        cost: Some("the agent can route API calls to a server of its choice: as good as reveal"),
        guess: false,
        applies: |call, _| {
            call.changes() && call.object().is_some_and(|o| o.is("apiregistration.k8s.io", "apiservices"))
        },
    },
    FixedDenial {
        id: "fixed/conversion-webhooks",
        what: "CustomResourceDefinitions with a conversion webhook, and patches that touch `spec.conversion`",
        reason: "a conversion webhook receives whole custom resources at an address of the caller's choice",
        next: "leave `spec.conversion` out, or set its strategy to `None`",
        cost: Some(
            "the agent can send custom resources to an address of its choice: as good as reveal of those",
        ),
        guess: false,
        applies: matches::conversion_webhook,
    },
    FixedDenial {
        id: "fixed/unsafe-delete",
        what: "deletes with `ignoreStoreReadErrorWithClusterBreakingPotential`",
        reason: "it removes objects that the server cannot read, past finalizers and admission, and can break the cluster",
        next: "delete without that option",
        cost: Some("the agent can remove objects past every safeguard of the server"),
        guess: false,
        applies: matches::unsafe_delete,
    },
];

/// The denial that applies to `call`, unless `is_lifted` says that it is lifted.
pub(crate) fn find(
    call: &Call<'_>,
    own: &Own,
    is_lifted: impl Fn(&str) -> bool,
) -> Option<&'static FixedDenial> {
    TABLE.iter().find(|denial| (denial.applies)(call, own) && !(denial.is_liftable() && is_lifted(denial.id)))
}

/// Whether `id` is that of a denial of calls that test a guess.
pub(crate) fn tests_a_guess(id: &str) -> bool {
    TABLE.iter().any(|denial| denial.guess && denial.id == id)
}

// === impl FixedDenial ===

impl FixedDenial {
    /// `fixed/…`: the name by which configuration lifts it.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Which calls it denies.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// What the agent may do instead.
    #[must_use]
    pub fn next(&self) -> &'static str {
        self.next
    }

    /// What lifting it costs; `None` if it cannot be lifted.
    #[must_use]
    pub fn cost(&self) -> Option<&'static str> {
        self.cost
    }

    /// Whether configuration can lift it.
    #[must_use]
    pub fn is_liftable(&self) -> bool {
        self.cost.is_some()
    }
}

impl std::fmt::Debug for FixedDenial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FixedDenial").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
