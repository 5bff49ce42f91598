//! What each command does. Results go to standard output, everything else to standard error.

mod ahead;
pub(crate) mod approvals;
pub(crate) mod config;
pub(crate) mod console;
mod gate;
pub(crate) mod init;
pub(crate) mod ledger;
pub(crate) mod policy;
pub(crate) mod propose;
pub(crate) mod rbac;
pub(crate) mod request_access;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod undo;
