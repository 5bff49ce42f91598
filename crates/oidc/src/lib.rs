//! Signing people in by OpenID Connect: authorization code flow with PKCE, state and nonce.
//!
//! [`Provider::begin`] gives the address that the browser is sent to and an [`Attempt`], which stays with the browser's
//! session. What the browser comes back with goes to [`Provider::finish`], which ends the attempt, whatever comes of it:
//! an [`Identity`] or a [`Refusal`].
//!
//! ```text
//!  begin ── browser ── provider's login page ── callback ─ finish: state, iss ─ code for tokens ─ ID token verified
//! ```
//!
//! What is trusted is the provider at the other end of TLS, its keys by discovery (OpenID Connect Discovery 1.0), and
//! nothing that a token says about itself: a key must be for the algorithm that the token names, and neither `none` nor
//! one with a shared secret is known here. Time comes in as an argument, and so do random bytes.

mod address;
mod attempt;
mod cache;
mod callback;
mod claims;
mod client;
mod discovery;
mod exchange;
mod failure;
mod http;
mod id_token;
mod identity;
mod keys;
mod provider;
mod refusal;
mod settings;
mod text;

pub use address::AddressProblem;
pub use attempt::{Attempt, Random};
pub use failure::{Failure, Part};
pub use identity::Identity;
pub use provider::Provider;
pub use refusal::{Fault, Refusal};
pub use settings::{Problem, Settings};
