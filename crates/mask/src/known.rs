//! Secret values that are known, and found wherever they appear.
//!
//! [`parts`] says what of a value is looked for, [`rule`] whether it may be, [`forms`] in which spellings, and [`index`] finds
//! them. [`layers`] says what of it an update makes anew.

mod forms;
mod index;
mod layers;
mod parts;
mod public;
mod rule;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

pub(crate) use self::forms::Flags;
pub(crate) use self::layers::Layers;
pub use self::public::is_public_pem;

/// The values of one cluster's Secrets, shared by all who look for them. Cheap to clone.
#[derive(Clone, Default)]
pub struct KnownValues(Arc<ArcSwap<Layers>>);

/// One value of a Secret, decoded. Zeroised when dropped; shows itself to nobody.
pub struct SecretValue(Zeroizing<Vec<u8>>);

/// What became of the values of an update, each counted once. Where some were left out, they pass unseen: who updates has to
/// see to that.
#[must_use]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Updated {
    /// Looked for, in whole or in part.
    pub known: usize,
    /// Not looked for: too short, guessable or public.
    pub guessable: usize,
    /// Not looked for, since there are more than fit into memory's limit: the last ones that were given.
    pub left_out: usize,
    /// Bytes of memory that looking for them takes.
    pub memory: usize,
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue")
    }
}

impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownValues")
    }
}

impl SecretValue {
    /// Takes a value over.
    #[must_use]
    pub fn new(value: Vec<u8>) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl KnownValues {
    /// No value is known.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// From now on these values are known; answers that are on their way see it too. Those that matter most come first: where
    /// not all fit, the last ones are [left out](Updated::left_out). Of those that were known and are not among them, a few
    /// hundred may be looked for until a later update.
    ///
    /// Takes CPU time in proportion to those that are new, and sometimes to all (some 40 µs for a password): call it off the
    /// threads that serve calls, and not from two at once.
    pub fn update(&self, values: impl IntoIterator<Item = SecretValue>) -> Updated {
        let (layers, updated) = self.0.load().updated(values.into_iter().map(|value| value.0));
        self.0.store(Arc::new(layers));
        updated
    }

    /// How many different known values are in `text`, in any form.
    #[must_use]
    pub fn count_in(&self, text: &[u8]) -> usize {
        self.0.load().count_in(text)
    }

    /// What is known now.
    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<Layers>> {
        self.0.load()
    }
}
