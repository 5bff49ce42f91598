//! An object as the API server holds it, for the gate's own eyes.

use std::fmt;

use bytes::Bytes;
use http_body::Body;
use serde_json::Value;

use crate::sealed::{Sealed, read_bounded};

/// The largest object that is read for a write: more than etcd takes (`--max-request-bytes`, 1.5 MiB), whatever the masking adds.
const MAX_OBJECT: usize = 4 << 20;

/// An object as it is and as it is shown. There is no way to its values but into the request that is sent in place of the
/// client's ([`Live::update`]), and into the question that policy asks ([`Live::ask`]).
pub struct Live {
    pub(super) real: Value,
    pub(super) shown: Value,
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
        let (mask, body) = self.into_document().ok_or(NotKept)?;
        let content = read_bounded(body, MAX_OBJECT).await.ok_or(NotKept)?;
        let shown = mask(Bytes::from(content.clone())).map_err(|_| NotKept)?;
        let parse = |bytes: &[u8]| serde_json::from_slice(bytes).map_err(|_| NotKept);
        Ok(Live { real: parse(&content)?, shown: parse(&shown)? })
    }
}

impl Live {
    /// What there is where there is no object.
    #[must_use]
    pub fn absent() -> Self {
        Self { real: Value::Null, shown: Value::Null }
    }

    /// Lets `question` see the object, and gives its answer: for judging, which shows nobody anything.
    pub fn ask<T>(&self, question: impl FnOnce(&Value) -> T) -> T {
        question(&self.real)
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.real.get("metadata")?.get("resourceVersion")?.as_str()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live")
    }
}
