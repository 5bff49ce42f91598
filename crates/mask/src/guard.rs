//! What stands between one cluster's answers and the agents that asked for them.

use std::fmt;
use std::sync::Arc;

use crate::known::KnownValues;
use crate::places::Catalogue;

/// One cluster's masking: where its secrets hide, which values are known, and the key that binds placeholders to it.
/// Cheap to clone; all calls to the cluster share it.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    cluster: String,
    catalogue: Catalogue,
    known: KnownValues,
    key: [u8; 16],
}

/// To whom an answer is shown, and what of it policy reveals.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The session's id: a placeholder means something to the session that was shown it.
    pub session: String,
    /// What is shown as it is.
    pub reveal: Reveal,
}

/// The keys of a named Secret whose values policy lets this one answer show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reveal {
    /// Keys of `data`, exactly.
    pub keys: Vec<String>,
    /// Whether every other key is shown too.
    pub others: bool,
}

impl Guard {
    /// The guard of the cluster with this name. `key` is secret: who has it can make placeholders.
    #[must_use]
    pub fn new(cluster: &str, catalogue: Catalogue, known: KnownValues, key: [u8; 16]) -> Self {
        Self(Arc::new(Inner { cluster: cluster.to_owned(), catalogue, known, key }))
    }

    /// The values that are masked wherever they appear.
    #[must_use]
    pub fn known(&self) -> &KnownValues {
        &self.0.known
    }

    /// The places that are masked whatever is there.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(crate) fn cluster(&self) -> &str {
        &self.0.cluster
    }

    pub(crate) fn key(&self) -> [u8; 16] {
        self.0.key
    }
}

impl Reveal {
    /// Whether nothing is revealed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.keys.is_empty() && !self.others
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("cluster", &self.0.cluster).finish_non_exhaustive()
    }
}
