//! The agent's side of asking humans ahead of its calls.
//!
//! ```text
//!  kubeconfig ─ client ──────────────────────────────┬─ ask ─ wait ─ outcome
//!                  │                                 │
//!  manifests ─ discovery ─ apply (a call an object) ─┘
//! ```
//!
//! An agent asks for access to a scope ([`Client::request_access`]) or for several changes at once ([`Client::propose`]), and waits
//! for the answer ([`Client::decided`]). Which calls its changes are is found as `kubectl apply` finds it ([`changes()`]): from the
//! manifests, and from the objects as the gate shows them. Nothing is changed by asking; the agent makes its calls once humans agreed.
//!
//! It runs where the agent runs, with what the agent has: a session's kubeconfig. Nothing here is trusted by the gate.

mod apply;
mod client;
mod discovery;
mod kubeconfig;
mod manifests;
mod propose;
mod told;

pub use apply::How;
pub use client::{Client, Failure};
pub use kubeconfig::{Endpoint, Kubeconfig, Problem, Token};
pub use manifests::{Manifest, Sources, Unreadable};
pub use propose::{Changes, Why, changes};
pub use told::{Next, agreed, asked, is_pending, outcome};
