//! What a passkey says, and that it said so: the relying party's side of Web Authentication Level 3.
//!
//! ```text
//!  creation_options ─ browser ─ register ─ Credential ─┐
//!  request_options ── browser ─ Assertion ─────────────┴─ verify ─ Verified
//! ```
//!
//! The caller gives the [`Challenge`]: for an approval it is the digest that a human's yes is bound to, so an [`Assertion`] that
//! is kept can be verified again years later, offline, from the bytes alone. That is why `webauthn-rs` is not used: it makes
//! its own challenges, and verifies only against the state it kept of them.
//!
//! Every assertion is of a human who was there and whom the authenticator made sure of (a PIN, a finger, a face). What kind of
//! authenticator that is nobody vouches for: no attestation is asked for and none is trusted, so who may register a passkey is to
//! be decided before [`register`].
//!
//! Pure: no clock, no randomness, no I/O. Whether a challenge is fresh, and was used before, is the caller's to know.

mod assertion;
mod authenticator_data;
mod base64url;
mod cbor;
mod challenge;
mod client_data;
mod credential;
mod options;
mod public_key;
mod refusal;
mod registration;
mod relying_party;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use assertion::{Assertion, Verified};
pub use challenge::Challenge;
pub use credential::{Aaguid, Credential, CredentialId};
pub use options::{User, creation_options, request_options};
pub use public_key::{Algorithm, PublicKey};
pub use refusal::Refusal;
pub use registration::register;
pub use relying_party::RelyingParty;

#[cfg(test)]
mod tests;
