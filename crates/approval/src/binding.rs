//! What a yes is bound to.

use std::{fmt, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Access, Changes};

/// What exactly was asked: a yes to it is a yes to nothing else.
///
/// Its JSON form is canonical (RFC 8785): the fields stand in the order of their names, and all that is in them is text or a whole number. Of
/// bodies there are digests under a key of the gate's, so that who reads this cannot try guesses at what is in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The software that calls.
    pub agent: String,
    /// The cluster.
    pub cluster: String,
    /// Until when it can be decided: RFC 3339.
    pub decide_by: String,
    /// The human on whose behalf the agent runs: no approver.
    pub delegator: String,
    /// Makes two requests for the same different.
    pub nonce: String,
    /// Digest of the policy bundle by which it is judged.
    pub policy: String,
    /// The session.
    pub session: String,
    /// What it is about.
    pub subject: Subject,
}

/// What a yes is to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// To whatever is in a scope, for a time.
    Access(Access),
    /// To one call, once.
    Call(Call),
    /// To several changes, each once.
    Changes(Changes),
}

/// One call, exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Keyed digest of the body's canonical bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Of exec and attach: the container that it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The body's media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Of a deletion of a collection: each object that it deletes, and no other, in the order of their uids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Target>,
    /// Keyed digest of the whole path and query, where `url` does not tell all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// Keyed digest of what the API server answered a dry run, if there can be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The object it is about, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The canonical path and query, `*` in place of what may be secret.
    pub url: String,
}

/// A container as it ran when it was looked at (`ContainerStatus` in k8s.io/api/core/v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// Its `imageID`: what it runs, whatever its tag says by now.
    pub image: String,
    /// Its `name`.
    pub name: String,
    /// The pod's `metadata.uid`.
    pub pod: String,
}

/// An object at one version (`ObjectMeta` in k8s.io/apimachinery/pkg/apis/meta/v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its `metadata.resourceVersion`.
    pub resource_version: String,
    /// Its `metadata.uid`.
    pub uid: String,
}

/// SHA-256 of the JSON form of a [`Bound`], or of a part of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Bound {
    /// The one call that it is about, if it is about one.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        if let Subject::Call(call) = &self.subject { Some(call) } else { None }
    }

    /// The changes that it is about, if it is about changes.
    #[must_use]
    pub fn changes(&self) -> Option<&Changes> {
        if let Subject::Changes(changes) = &self.subject { Some(changes) } else { None }
    }

    /// The access that it is about, if it is about access.
    #[must_use]
    pub fn access(&self) -> Option<&Access> {
        if let Subject::Access(access) = &self.subject { Some(access) } else { None }
    }

    /// What it is about, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        match &self.subject {
            Subject::Call(call) => vec![format!("{} {}", call.method, call.url)],
            Subject::Changes(changes) => changes.members.iter().map(ToString::to_string).collect(),
            Subject::Access(access) => access.scopes.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether it names each of its objects once, in their order: what is approved once is done once.
    #[must_use]
    pub fn names_each_once(&self) -> bool {
        match &self.subject {
            Subject::Call(call) => call.each.is_sorted_by(|one, next| one.uid < next.uid),
            Subject::Changes(changes) => changes.name_each_once(),
            Subject::Access(_) => true,
        }
    }

    /// The digest that a yes is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// Takes what is written to be hashed.
struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Digest {
    /// That of a JSON form.
    pub(crate) fn of(bound: &impl Serialize) -> Self {
        let mut hash = Hashing(Sha256::new());
        #[expect(clippy::expect_used, reason = "text has a JSON form, and what hashes it takes every byte")]
        serde_json::to_writer(&mut hash, bound).expect("text has a JSON form");
        Self(hash.0.finalize().into())
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
