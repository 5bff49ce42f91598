//! The admin API: sessions opened, listed, frozen, thawed and revoked, and approvals decided, over a Unix socket that only its owner can reach.
//!
//! HTTP/1.1 and JSON on `DATA/admin.sock`, mode 0600 in a folder of mode 0700; whoever connects must be the
//! socket's owner or root. There is no other credential, and no network.

mod approvals;
mod client;
mod console;
mod server;
mod socket;
#[cfg(test)]
mod tests;
mod types;

pub use client::{CallError, Client};
pub use server::{Admin, serve};
pub use socket::{BindError, bind};
pub use types::{
    ApprovalDetail, ApprovalView, Because, ChangedSession, ConsoleLink, ErasedRecording, OpenSession,
    OpenedSession, Problem, ReviewView, SessionView,
};
