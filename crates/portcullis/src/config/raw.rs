//! The file as it is written. Its JSON schema is what the reader is checked against, so descriptions, defaults
//! and requirements are stated once, here.
//!
//! Every field is optional to serde, including the ones that the schema requires: a part that is wrong is
//! reported and left out, and the rest can still be checked.

mod approvals;
mod console;
mod notices;

use schemars::JsonSchema;
use serde::Deserialize;

use super::defaults;

pub(super) use approvals::{Access, Approvals, Approver, BreakGlass};
pub(super) use console::{Console, ConsoleTls, Oidc};
pub(super) use notices::{Chat, Mail, Target, Webhook};

/// Configuration of a Portcullis gate. Relative paths are relative to this file's folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "portcullis.yaml")]
pub(super) struct Config {
    /// Address and port on which agents connect, by TLS.
    #[schemars(extend("default" = defaults::LISTEN))]
    pub(super) listen: Option<String>,
    /// Where agents reach the gate, as `https://gate.example.com:8443`; kubeconfigs name this address.
    #[schemars(required)]
    pub(super) public_url: Option<String>,
    /// The listener's certificate and key.
    #[schemars(required)]
    pub(super) tls: Option<Tls>,
    /// Health, readiness and metrics, on an address that agents should not reach.
    pub(super) operations: Option<Operations>,
    /// Folder of the gate's own data: `state.sqlite`, `ledger/`, `recordings/`, `admin.sock`. Created when missing.
    #[schemars(extend("default" = defaults::DATA))]
    pub(super) data: Option<String>,
    /// The namespace that the gate runs in, in which no agent may change anything, on any cluster. A gate in a pod knows
    /// its namespace, and refuses to start where another is given.
    #[schemars(extend("default" = defaults::NAMESPACE))]
    pub(super) namespace: Option<String>,
    /// What agents may do.
    #[schemars(required)]
    pub(super) policy: Option<Policy>,
    /// The clusters that the gate guards.
    #[schemars(required, length(min = 1))]
    pub(super) clusters: Option<Vec<Cluster>>,
    /// The agents that may have sessions.
    #[schemars(required, length(min = 1))]
    pub(super) agents: Option<Vec<Agent>>,
    /// The humans who may decide what policy asks about.
    pub(super) approvers: Option<Vec<Approver>>,
    /// How what waits for humans is treated.
    pub(super) approvals: Option<Approvals>,
    /// People's side of the gate, in a browser. There is none where this is not written.
    pub(super) console: Option<Console>,
    /// Where people are told what waits for them, and what has happened. Nobody is told where this is not written.
    pub(super) notices: Option<Vec<Target>>,
    /// Bounds of every session.
    pub(super) sessions: Option<Sessions>,
    /// What sessions did and were shown: where it is kept, and for how long.
    pub(super) recordings: Option<Recordings>,
    /// What clients may use up before others suffer.
    pub(super) limits: Option<Limits>,
    /// How long the gate waits for an API server.
    pub(super) upstream: Option<Upstream>,
}

/// The listener's certificate and key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// PEM file: the certificate, then its intermediates.
    #[schemars(required)]
    pub(super) certificate: Option<String>,
    /// PEM file: the private key. Only its owner may read it.
    #[schemars(required)]
    pub(super) key: Option<String>,
    /// PEM file that kubeconfigs embed to trust the certificate; without it, clients use their system's trust.
    pub(super) ca: Option<String>,
}

/// Health, readiness and metrics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Operations {
    /// Address and port of `/healthz`, `/readyz` and `/metrics`, in plain HTTP.
    #[schemars(extend("default" = defaults::OPERATIONS))]
    pub(super) listen: Option<String>,
}

/// What agents may do.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    /// A folder of `*.cedar` files, or a bundle that comes with the gate, as `builtin:developer`.
    #[schemars(required)]
    pub(super) bundle: Option<String>,
}

/// A cluster that the gate guards.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cluster {
    /// The name that sessions and policy use: lower-case letters, digits, `-` and `.`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// Kubeconfig file with the gate's own credential. Either this or `in_cluster`.
    pub(super) kubeconfig: Option<String>,
    /// The kubeconfig's context; its current context where none is named.
    pub(super) context: Option<String>,
    /// Use the service account of the pod that the gate runs in.
    #[schemars(extend("default" = false))]
    pub(super) in_cluster: Option<bool>,
    /// Fixed denials that you lift for this cluster, by id. Most are as good as showing every Secret.
    pub(super) lift: Option<Vec<String>>,
    /// What is masked in its answers, beside what always is.
    pub(super) masking: Option<Masking>,
}

/// What is masked in a cluster's answers, beside what always is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Masking {
    /// The values of Secrets are masked wherever else they appear: in logs, ConfigMaps, events, other resources.
    pub(super) known_values: Option<KnownValues>,
    /// Fields of custom resources that hold secrets.
    pub(super) places: Option<Vec<Place>>,
}

/// The values of which Secrets are masked wherever they appear.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownValues {
    /// Whether the gate reads Secrets at all. Without it, a value that was copied elsewhere is shown.
    #[schemars(extend("default" = true))]
    pub(super) enabled: Option<bool>,
    /// The namespaces whose Secrets are read; `*` stands for any characters. If none has a `*`, the gate needs the right to
    /// read Secrets in these namespaces only.
    #[schemars(length(min = 1), extend("default" = defaults::NAMESPACES))]
    pub(super) namespaces: Option<Vec<String>>,
    /// Types of Secrets that are not read. Releases of Helm are large, and masked as a whole.
    #[schemars(extend("default" = defaults::EXCEPT_TYPES))]
    pub(super) except_types: Option<Vec<String>>,
    /// How long a value stays masked after it was deleted or replaced.
    #[schemars(extend("default" = defaults::KEEP_DELETED))]
    pub(super) keep_deleted: Option<DurationText>,
    /// How long the gate may be unable to follow changes of Secrets before it lets no call pass.
    #[schemars(extend("default" = defaults::STALE_AFTER))]
    pub(super) stale_after: Option<DurationText>,
    /// Most bytes of values, each counted as 64 bytes longer than it is; if there are more, no call passes. One namespace may
    /// have a quarter of it, unless no other is read; if it has more, no call that could show it passes. Finding passwords
    /// takes some 15 times as many bytes of memory, other values up to 130 times, and twice that while they change. From
    /// `1MiB` to `1GiB`.
    #[schemars(extend("default" = defaults::KNOWN_BYTES))]
    pub(super) bytes: Option<SizeText>,
}

/// Fields of a resource that hold secrets.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Plural name and group, as `widgets.example.com`.
    #[schemars(required)]
    pub(super) resource: Option<String>,
    /// Paths of fields, as `spec.password` or `spec.users[].token`.
    #[schemars(required, length(min = 1))]
    pub(super) paths: Option<Vec<String>>,
}

/// An agent that may have sessions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Agent {
    /// The name that policy and the cluster's RBAC use: lower-case letters, digits, `-` and `.`.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// Groups that policy and the cluster's RBAC may name.
    pub(super) groups: Option<Vec<String>>,
    /// The clusters on which it may have sessions; all of them where none is named.
    #[schemars(length(min = 1))]
    pub(super) clusters: Option<Vec<String>>,
}

/// Bounds of every session.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sessions {
    /// The longest a session may last.
    #[schemars(extend("default" = defaults::MAX_TTL))]
    pub(super) max_ttl: Option<DurationText>,
    /// Calls that one session may have open at once, watches included.
    #[schemars(range(min = 1, max = 100_000), extend("default" = defaults::CALLS_AT_ONCE))]
    pub(super) calls_at_once: Option<u32>,
    /// Known secret values, and guesses at them, that one session may send; with one more it is frozen until a human thaws
    /// it. Each call counts the different values in it.
    #[schemars(range(min = 0, max = 100_000), extend("default" = defaults::KNOWN_VALUES_SENT))]
    pub(super) known_values_sent: Option<u32>,
}

/// What sessions did and were shown: where it is kept, and for how long.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recordings {
    /// Folder of the recordings, created when missing; `recordings` in the data folder where none is named.
    pub(super) folder: Option<String>,
    /// Kept free on its disk; with less free, nothing that would be recorded may begin. At least `1MiB`.
    #[schemars(extend("default" = defaults::RECORDINGS_RESERVE))]
    pub(super) reserve: Option<SizeText>,
    /// What one session's recording may have of the disk; then nothing more of that session may happen. From `16MiB` to `1TiB`.
    #[schemars(extend("default" = defaults::RECORDINGS_QUOTA))]
    pub(super) quota: Option<SizeText>,
    /// Bytes of what happens that may wait for the disk, in memory; then whoever would do more waits. From `12544KiB` to
    /// `1GiB`.
    #[schemars(extend("default" = defaults::RECORDINGS_QUEUE))]
    pub(super) queue: Option<SizeText>,
    /// How long after its last record a recording is erased, as `90d`; not less than a session may last. Where this is not
    /// written, recordings are kept for ever.
    pub(super) keep: Option<DurationText>,
    /// Age recipients (`age1…`, as `age-keygen` makes them), from 1 to 16, to whom recordings are encrypted from now on; whoever has
    /// the identity of one of them reads all. Where this is not written, recordings are not encrypted.
    #[schemars(length(max = 16))]
    pub(super) recipients: Option<Vec<String>>,
    /// Age identity file with which the console reads recordings that are encrypted; without it, it cannot. Only its owner may read it.
    pub(super) identity: Option<String>,
    /// Age identity file by which the gate keeps values of Secrets and of other masked places that sessions change, encrypted to itself, so
    /// that they can be put back; without it, it keeps none. Only its owner may read it.
    pub(super) values: Option<String>,
}

/// What clients may use up before others suffer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Open connections, all clients together.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = defaults::CONNECTIONS))]
    pub(super) connections: Option<u32>,
    /// Open connections from one address (of IPv6, one network of 64 bits); one more is closed at once.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = defaults::CONNECTIONS_PER_ADDRESS))]
    pub(super) connections_per_address: Option<u32>,
    /// Size of a request's head; from `8KiB` to `1MiB`.
    #[schemars(extend("default" = defaults::HEADER_BYTES))]
    pub(super) header_bytes: Option<SizeText>,
    /// For the TLS handshake, and again for a request's head.
    #[schemars(extend("default" = defaults::HEADER_TIMEOUT))]
    pub(super) header_timeout: Option<DurationText>,
    /// How long a connection may be open without a call.
    #[schemars(extend("default" = defaults::IDLE_TIMEOUT))]
    pub(super) idle_timeout: Option<DurationText>,
    /// Size of a request's body; at most `3MiB`, as the API server takes no more.
    #[schemars(extend("default" = defaults::BODY_BYTES))]
    pub(super) body_bytes: Option<SizeText>,
    /// For a request's body to arrive.
    #[schemars(extend("default" = defaults::BODY_TIMEOUT))]
    pub(super) body_timeout: Option<DurationText>,
    /// How long a client may take nothing of an answer that is there.
    #[schemars(extend("default" = defaults::WRITE_TIMEOUT))]
    pub(super) write_timeout: Option<DurationText>,
    /// How often an idle connection is asked whether it is still there.
    #[schemars(extend("default" = defaults::KEEP_ALIVE))]
    pub(super) keep_alive: Option<DurationText>,
    /// How long open calls may go on once the gate is told to stop.
    #[schemars(extend("default" = defaults::DRAIN))]
    pub(super) drain: Option<DurationText>,
    /// Kept free on the ledger's disk for the ends of what has begun; with less free, nothing new may begin. At least
    /// `1MiB`.
    #[schemars(extend("default" = defaults::LEDGER_RESERVE))]
    pub(super) ledger_reserve: Option<SizeText>,
}

/// How long the gate waits for an API server.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    /// To connect, TLS included.
    #[schemars(extend("default" = defaults::CONNECT_TIMEOUT))]
    pub(super) connect_timeout: Option<DurationText>,
    /// From sending a request to the head of its answer.
    #[schemars(extend("default" = defaults::RESPONSE_TIMEOUT))]
    pub(super) response_timeout: Option<DurationText>,
}

/// A time span, as [`super::values::duration`] reads it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("pattern" = "^([0-9]+(ms|s|m|h|d))+$", "examples" = ["30s", "8h"]))]
pub(super) struct DurationText(pub(super) String);

/// A number of bytes, as [`super::values::size`] reads it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("pattern" = "^[0-9]+(B|KiB|MiB|GiB)$", "examples" = ["64KiB", "3MiB"]))]
pub(super) struct SizeText(pub(super) String);
