//! A value that is held.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use mask::SecretValue;
use zeroize::Zeroizing;

/// A decoded value of a Secret. Cheap to clone; zeroised when the last clone goes; shows itself to nobody.
#[derive(Clone)]
pub(super) struct Value {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    undecoded: bool,
}

/// What holding a value costs beside its bytes.
pub(super) const OVERHEAD: usize = 64;

impl Value {
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes: Arc::new(bytes), undecoded: false }
    }

    /// What stands where base64 should, as it stands.
    pub(super) fn undecoded(text: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes: Arc::new(text), undecoded: true }
    }

    pub(super) fn is_undecoded(&self) -> bool {
        self.undecoded
    }

    /// Bytes that count against the limit.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }

    pub(super) fn to_secret(&self) -> SecretValue {
        SecretValue::new(self.bytes.to_vec())
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.bytes.as_slice() == other.bytes.as_slice()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.as_slice().hash(state);
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value")
    }
}
