//! What tests start: a real Kubernetes ([`Cluster`]), the API server's own opinion of a request ([`Oracle`]) and the
//! programs both are made of ([`tools()`]), built once from `tests/cluster` into the user's cache folder.

mod cluster;
mod command;
mod gate;
mod oracle;
mod tools;

pub use cluster::Cluster;
pub use command::{kubectl, run_with_input};
pub use gate::{AGENT, CLUSTER, DELEGATOR, Gate, Options, Session, program};
pub use oracle::{Oracle, protobuf_schema};
pub use tools::{Tools, tools};
