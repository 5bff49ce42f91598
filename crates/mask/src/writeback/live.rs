//! An object as the API server holds it, for the gate's own eyes.

use std::fmt;

use bytes::Bytes;
use http_body::Body;
use kube_api::Request;
use serde_json::Value;

use crate::guard::{Guard, Reveal, View};
use crate::kind::Kind;
use crate::masker::masked_whole;
use crate::sealed::{Sealed, read_bounded};

/// The largest object that is read for a write: more than etcd takes (`--max-request-bytes`, 1.5 MiB), whatever the masking adds.
const MAX_OBJECT: usize = 4 << 20;

/// An object as it is and as it is shown. There is no way to its values but into the request that is sent in place of the
/// client's ([`Live::update`]), into the question that policy asks ([`Live::ask`]), and into what is kept, sealed ([`Live::to_keep`]).
pub struct Live {
    pub(super) real: Value,
    pub(super) shown: Value,
    /// What it is shown by.
    mask: Mask,
}

/// How an object of a kind is shown to a session, with nothing revealed.
struct Mask {
    guard: Guard,
    view: View,
    kind: Kind,
}

/// An answer that is no object, or none that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API server's answer is no object that can be read")]
pub struct NotKept;

impl<B> Sealed<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    /// Keeps the answer to a read or a write of one object within the gate, instead of showing it.
    ///
    /// # Errors
    /// [`NotKept`].
    pub async fn keep(self) -> Result<Live, NotKept> {
        if !self.status().is_success() {
            return Err(NotKept);
        }
        let (guard, view, kind, body) = self.into_document().ok_or(NotKept)?;
        let mask = Mask { guard, view: View { reveal: Reveal::default(), ..view }, kind };
        let content = read_bounded(body, MAX_OBJECT).await.ok_or(NotKept)?;
        let real = serde_json::from_slice(&content).map_err(|_| NotKept)?;
        let shown = mask.show(content.into()).ok_or(NotKept)?;
        Ok(Live { real, shown, mask })
    }
}

impl Live {
    /// What there is where there is no object that `request` is about.
    #[must_use]
    pub fn absent(guard: &Guard, request: &Request) -> Self {
        let kind = Kind::of(guard.catalogue(), request);
        let mask = Mask { guard: guard.clone(), view: View::default(), kind };
        Self { real: Value::Null, shown: Value::Null, mask }
    }

    /// Lets `question` see the object, and gives its answer: for judging, which shows nobody anything.
    pub fn ask<T>(&self, question: impl FnOnce(&Value) -> T) -> T {
        question(&self.real)
    }

    /// The object as it is shown: masked. `null` if there is none.
    #[must_use]
    pub fn shown(&self) -> &Value {
        &self.shown
    }

    /// Whether it has values that are not shown.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.real != self.shown
    }

    /// Its `metadata.uid` and `metadata.resourceVersion`; none if there is no object.
    #[must_use]
    pub fn uid_and_version(&self) -> Option<(&str, &str)> {
        let metadata = self.real.get("metadata")?;
        Some((metadata.get("uid")?.as_str()?, metadata.get("resourceVersion")?.as_str()?))
    }

    /// As it would be shown if it were like this.
    pub(super) fn show(&self, object: &Value) -> Option<Value> {
        self.mask.show(object.to_string().into())
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.mask.guard
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.real.get("metadata")?.get("resourceVersion")?.as_str()
    }
}

impl Mask {
    fn show(&self, object: Bytes) -> Option<Value> {
        let shown = masked_whole(&self.guard, &self.view, &self.kind, object).ok()?;
        serde_json::from_slice(&shown).ok()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}
