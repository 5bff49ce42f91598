//! What is told of a call: of one that was sent, its intent and its outcome; of one that was not, why.

use super::hidden::{Hidden, HiddenParameter};
use super::text::{Digest, Id, List, Name, Person, Text};
use serde::{Deserialize, Serialize};

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
    /// The agent's call for which the gate itself asks this, to see the object that the call is about. The agent is shown
    /// nothing of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks_for: Option<Id>,
    /// The agent's call that opened the way for it: a connection through a port-forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Id>,
    /// The approval that was used for it, if policy asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Id>,
    /// What the rules that ask about it demand, if it was approved ahead of it: those who said yes suffice for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<approval::Demand>,
    /// What it is a part of, if the gate sends one call of the agent's as several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// One delete of those by which the gate does a deletion of a collection that humans approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The agent's call.
    pub of: Id,
    /// The one object that is deleted, if it is still in this version.
    pub object: approval::Target,
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
    /// `name=*`, and a path with a known value of a Secret as `*`. Any other text here that holds one is `*`, too.
    pub path: Text<4096>,
    /// The values that are `*` in the path, in their order; the path itself as `path`.
    #[serde(default, skip_serializing_if = "List::is_empty")]
    pub hidden: List<HiddenParameter, 32>,
    /// Whether nothing is to be persisted.
    pub dry_run: bool,
    /// The call that it undoes, as `SESSION/CALL`: values of masked places are put back in it, as the gate kept them from before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<Text<160>>,
    /// The body sent, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Hidden>,
}

/// What policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Allow, deny or ask.
    pub outcome: Verdict,
    /// Every rule that permitted or forbade something; of an ask, those that ask.
    pub rules: List<Rule, 16>,
    /// Digest of the whole bundle.
    pub policy: Digest,
    /// Whether this is a read of sensitive objects under the masked reader's right.
    pub masked_read: bool,
    /// What the answer may show of the Secret that is read, unmasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<Reveal>,
}

/// Keys of a named Secret whose values a call was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The keys that policy names.
    pub keys: List<Text<64>, 64>,
    /// Whether all others were shown too.
    pub others: bool,
    /// The rules that permit it, by their ids in the decision's bundle.
    #[serde(default)]
    pub rules: List<Name, 8>,
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
    /// Bytes of body delivered to the client: of a compressed answer, after compression.
    pub delivered: u64,
    /// Values masked.
    pub masked: u64,
    /// From the call's head to its end, in microseconds.
    pub duration_us: u64,
    /// What kind of error, if one ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Text<256>>,
    /// The call as which the gate judged and sent the same request again, if it did: the API server had answered 409, since
    /// the object was no longer the one that the gate had judged. The client was shown nothing of this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_as: Option<Id>,
    /// What passed, if it was a stream that was upgraded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Streamed>,
}

/// What passed on an exec, an attach or a port-forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streamed {
    /// Its number in the recording of the session.
    pub number: u32,
    /// Bytes that the agent sent.
    pub received: u64,
    /// The code that the command ended with, if it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
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
    /// What the client was told; `*` where that quotes a known value of a Secret.
    pub message: Text<2048>,
}

/// A call that the gate answered by itself: a question about the caller's own rights, one that it sent in parts, or one at a path of the
/// gate's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The call.
    pub call: Id,
    /// Who calls.
    pub actor: Actor,
    /// What is asked of an API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What is asked of the gate itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<RawRequest>,
    /// The HTTP status given; not of a question about the caller's own rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
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
    /// The session is frozen.
    SessionFrozen,
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
    /// The object that it is about could not be looked at, and what it would do to it not be told.
    Unseen,
    /// What happens in its session cannot be recorded.
    Unrecordable,
    /// The same was asked for a moment before in another way, and refused, or may have been done.
    Repeated,
}
