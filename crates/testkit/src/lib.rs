//! What tests start: a real Kubernetes ([`Cluster`]), the API server's own opinion of a request ([`Oracle`]) and the
//! programs both are made of ([`tools()`]), built once from `tests/cluster` into the user's cache folder; an OpenID provider
//! ([`IdentityProvider`]); programs that use client libraries ([`python`], [`node`]); and with the feature `stand-in`, an API server that does what a test tells it to.

mod cache;
mod cluster;
mod command;
mod gate;
mod identity_provider;
mod libraries;
mod oracle;
#[cfg(feature = "stand-in")]
pub mod stand_in;
mod tools;

pub use cluster::Cluster;
pub use command::{kubectl, run_with_input};
pub use gate::{AGENT, APPROVER, CLUSTER, DELEGATOR, Gate, Options, Session, of_account, program};
pub use identity_provider::{IdentityProvider, Person};
pub use libraries::{node, python};
pub use oracle::{Oracle, protobuf_schema};
pub use tools::{Tools, helm, tools};
