//! The events that leaves tell of. A closed set: a reader that does not know a type says so.

use super::hidden::{Hidden, HiddenParameter};
use super::text::{Asserted, Digest, Id, List, Text};
use serde::{Deserialize, Serialize};

/// A name from configuration or an identity provider.
pub type Name = Text<256>;
/// Who a person is, in any script: 254 characters, which is the longest name that a session may be opened for, are whole.
pub type Person = Text<1024>;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The gateway started: the first leaf of every boot.
    Start(Start),
    /// The gateway stopped in order: the last leaf of a boot that did not crash.
    Stop(Stop),
    /// A call was permitted and is about to be sent. Its outcome follows.
    Intent(Box<Intent>),
    /// How a permitted call ended.
    Outcome(Outcome),
    /// A call that was never sent, and why.
    Refusal(Box<Refusal>),
    /// A call that the gate answered by itself: a question about the caller's own rights.
    Answered(Box<Answered>),
    /// Calls turned away at the door, counted together.
    Rejections(Rejections),
    /// A session began.
    SessionOpened(Box<SessionOpened>),
    /// A session was ended by someone.
    SessionRevoked(SessionRevoked),
    /// A session's time was over.
    SessionExpired(SessionExpired),
    /// A policy bundle came into force.
    PolicyLoaded(PolicyLoaded),
}

/// The gateway started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Name and version of the binary.
    pub build: Name,
    /// Digest of the configuration file, byte for byte.
    pub config: Digest,
    /// Digest of the policy bundle in force.
    pub policy: Digest,
    /// The clusters served, by name.
    pub clusters: List<Name, 32>,
    /// Fixed denials that the operator's configuration lifted.
    pub lifted: List<Lifted, 32>,
    /// How the boot before this one ended. The ledger sets it from what it finds on disk.
    #[serde(default)]
    pub previous: Previous,
}

/// A fixed denial that does not hold on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    /// The cluster.
    pub cluster: Name,
    /// The denial's name.
    pub denial: Name,
}

/// How the boot before ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Previous {
    /// There was none.
    #[default]
    None,
    /// With a stop leaf.
    Clean,
    /// Without one: a crash, a kill, or a ledger that could not write.
    Unclean,
}

/// The gateway stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Whether every open call had come to its end.
    pub clean: bool,
}

/// A call about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The call; its outcome has the same.
    pub call: Id,
    /// Who calls.
    pub actor: Actor,
    /// What is asked.
    pub request: Request,
    /// Why it may be.
    pub decision: Decision,
    /// As whom the API server will see it.
    pub impersonated: Impersonated,
    /// The `Audit-ID` sent upstream.
    pub audit_id: Id,
}

/// Who a connection turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The software that calls.
    pub agent: Name,
    /// The groups it is in.
    pub groups: List<Name, 32>,
    /// The human on whose behalf.
    pub delegator: Person,
    /// The session.
    pub session: Id,
    /// The peer's address and port.
    pub src: Text<64>,
}

/// One API request, in its canonical form. What does not apply is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The cluster's name.
    pub cluster: Name,
    /// The Kubernetes verb.
    pub verb: Text<64>,
    /// API group; `Some("")` is the core group, `None` a non-resource path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Name>,
    /// API version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text<64>>,
    /// Resource, plural.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Name>,
    /// Subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subresource: Option<Name>,
    /// Namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Name>,
    /// Object name; of an object that is created, from its metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What the name of an object that is created without one begins with: the API server appends to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate_name: Option<Name>,
    /// The canonical target, as sent upstream: path and query. A parameter whose value may be secret stands as
    /// `name=*`.
    pub path: Text<4096>,
    /// The values that are `*` in the path, in their order.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub hidden: List<HiddenParameter, 32>,
    /// Whether nothing is to be persisted.
    pub dry_run: bool,
    /// The body sent, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Hidden>,
}

fn is_empty<T, const MAX: usize>(list: &List<T, MAX>) -> bool {
    list.total() == 0
}

/// What policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Allow, deny or ask.
    pub outcome: Verdict,
    /// The rules that decided.
    pub rules: List<Rule, 16>,
    /// Digest of the whole bundle.
    pub policy: Digest,
    /// Whether this is a read of sensitive objects under the masked reader's right.
    pub masked_read: bool,
}

/// The three outcomes of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be sent.
    Allow,
    /// It may not.
    Deny,
    /// A human decides.
    Ask,
}

/// A rule that took part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its id in the bundle, or the name of the fixed denial.
    pub id: Name,
    /// Digest of the bundle that holds it; `None` for what is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
}

/// The identity used upstream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impersonated {
    /// User.
    pub user: Name,
    /// Groups.
    pub groups: List<Name, 32>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The call, as in its intent.
    pub call: Id,
    /// In what way.
    pub stage: Stage,
    /// The HTTP status given to the client, if any was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Bytes of body delivered to the client.
    pub delivered: u64,
    /// Values masked.
    pub masked: u64,
    /// From the call's head to its end, in microseconds.
    pub duration_us: u64,
    /// What kind of error, if one ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Text<256>>,
}

/// The ways in which a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The whole answer was handed over.
    Completed,
    /// No answer could be had, or none that could be given.
    Failed,
    /// The API server said no.
    Denied,
    /// The answer was cut off: client gone, session revoked, deadline, unmaskable content.
    Cut,
}

/// A call that was never sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The call.
    pub call: Id,
    /// Why, in one word.
    pub cause: Cause,
    /// The HTTP status given.
    pub status: u16,
    /// The peer's address and port.
    pub src: Text<64>,
    /// Who called, as far as it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What was asked, when it could be understood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What the client sent, when it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawRequest>,
    /// What policy said, when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What the client was told.
    pub message: Text<2048>,
}

/// A call that the gate answered by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The call.
    pub call: Id,
    /// Who calls.
    pub actor: Actor,
    /// What is asked.
    pub request: Request,
}

/// A request line as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRequest {
    /// The method.
    pub method: Text<64>,
    /// The target, without its query: what was not understood is not known to be free of secrets.
    pub path: Text<1024>,
}

/// Why a call was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The session was revoked or had expired.
    SessionEnded,
    /// Unparsable, ambiguous or non-canonical.
    Malformed,
    /// A media type, method or upgrade that is not handled.
    Unsupported,
    /// A rule denies it, or none permits it.
    Policy,
    /// One of the fixed denials.
    Fixed,
    /// It needs a human's yes, and has none.
    Approval,
    /// Over a limit.
    Limit,
}

/// Calls that are counted, not told one by one, so that a flood of them does not fill the disk: those of which nothing
/// was known but their credential, and the refusals and self-reviews of a session that had more than its budget of
/// them. Calls that came while there is no such leaf: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejections {
    /// All of them came within this many seconds before the leaf.
    pub period_s: u64,
    /// Calls without a valid session token: 401.
    pub unauthenticated: u64,
    /// Calls of sessions that had as many open as they may: 429.
    pub over_limit: u64,
    /// Whose those were. Once 32 sessions are listed, calls of further ones are in `over_limit` alone.
    #[serde(default)]
    pub sessions: List<Share, 32>,
    /// Calls that were refused, as a [`Refusal`] would tell, beyond what their session may have told one by one.
    #[serde(default)]
    pub refused: u64,
    /// Whose those were, all of them: for more than 32 sessions there are several leaves.
    #[serde(default)]
    pub refused_sessions: List<Share, 32>,
    /// Calls that the gate answered by itself, as an [`Answered`] would tell, beyond what their session may have told
    /// one by one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub answered: u64,
    /// Whose those were, as above.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub answered_sessions: List<Share, 32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A session's share of calls that were counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The session.
    pub session: Id,
    /// How many of its calls they are.
    pub calls: u64,
}

/// A session began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionOpened {
    /// The session.
    pub session: Id,
    /// The agent.
    pub agent: Name,
    /// Its groups.
    pub groups: List<Name, 32>,
    /// The human on whose behalf.
    pub delegator: Person,
    /// The cluster, by name.
    pub cluster: Name,
    /// What for.
    pub reason: Asserted<Text<2048>>,
    /// Who opened it.
    pub by: Person,
    /// When it ends by itself, RFC 3339.
    pub expires: Text<64>,
}

/// A session was ended by someone. After a crash a session may have a second such leaf, with a later time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRevoked {
    /// The session.
    pub session: Id,
    /// Who ended it.
    pub by: Person,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<2048>>,
}

/// A session's time was over: written within a second of it, or at the next start when no gate ran then. The exact
/// time is [`SessionOpened::expires`]. After a crash a session may have a second such leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionExpired {
    /// The session.
    pub session: Id,
}

/// A policy bundle came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLoaded {
    /// Digest of the bundle.
    pub policy: Digest,
    /// Digest of the one before, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// How many policies it has.
    pub policies: u64,
}
