//! What a request to a Kubernetes API server means, exactly as the server (1.37) sees it, and nothing else.
//!
//! [`Head::parse`] reads a request line and its headers, [`Head::with_body`] the body; the result is a canonical
//! [`Request`], which [`Request::to_http`] writes out again without copying anything of the client's bytes. What is
//! unknown, ambiguous or non-canonical is a [`Refusal`] that names the part. [`request_info`] is the server's own
//! reading of a request line, kept as close to it as Rust allows, so that both can be compared.
//!
//! Pure: no I/O, clock or randomness.

mod accept;
mod body;
mod budget;
mod content;
mod delete_options;
mod derived;
mod field_selector;
#[cfg(any(test, feature = "generate"))]
pub mod generate;
mod head;
mod headers;
mod json;
mod json_patch;
mod label_selector;
mod options;
mod parameter;
mod path;
mod protobuf;
mod query;
mod refusal;
mod request;
pub mod request_info;
mod restores;
mod status;
mod subresource;
mod target;
mod verb;
mod yaml;

pub use accept::{Accept, Representation};
pub use body::{Body, BodyRule, MAX_BODY_BYTES};
pub use budget::MAX_BODY_VALUES;
pub use content::ContentType;
pub use head::Head;
pub use options::Options;
pub use refusal::Refusal;
pub use request::Request;
pub use restores::{NotACall, RESTORE_HEADER, Restores};
pub use status::Status;
pub use subresource::Upgrade;
pub use target::{Class, NonResource, Resource, Target};
pub use verb::Verb;
