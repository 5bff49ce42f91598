use std::fmt;

use aws_lc_rs::rand;

/// Where session ids and token secrets come from; tests bring their own.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    ///
    /// # Errors
    /// The system has none to give; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes: check its random device")]
pub struct EntropyError;

/// The cryptographic generator of aws-lc-rs, seeded by the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        rand::fill(bytes).map_err(|_| EntropyError)
    }
}
