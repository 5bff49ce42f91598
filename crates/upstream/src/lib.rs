//! Clusters and the one way to send them anything: [`Cluster::send`], and for what switches protocols [`Cluster::switch`].
//!
//! It takes a [`ledger::Receipt`] of an [`Intent`], which exists only for a [`policy::Permit`]; so an unjudged
//! or unrecorded request cannot be sent, and the request that is sent is the one that was judged and recorded.
//! It answers with a [`mask::Sealed`] body, and a stream with [`mask::SealedPiece`]s, so nothing unmasked can be passed on. The one
//! exception is what comes from a port that is forwarded: policy that permits a port shows what is said there. Each connection to a
//! port takes a receipt of its own ([`PortForward::connect`]).
//!
//! Beside it there is [`reader`], which asks for Secrets and for nothing else, and passes nothing on but what is to be masked.

mod answer;
mod cluster;
mod connector;
mod credential;
mod failure;
mod flight;
mod impersonation;
mod intent;
mod line;
mod link;
mod pool;
mod port_forward;
pub mod reader;
mod remote_command;
mod settled;
mod switch;
mod told;

pub use answer::{Answer, AnswerBody, Interrupted, PASSED_ON};
pub use cluster::{Cluster, Settings, Unusable};
pub use connector::ConnectError;
pub use credential::{PluginError, Source};
pub use failure::Failure;
pub use impersonation::{
    AGENTS_GROUP, GROUP_PREFIX, Impersonation, MASKED_READER_GROUP, NotImpersonable, SECRET_READER_USER,
    STREAMER_GROUP, USER_PREFIX,
};
pub use intent::{Intent, Origin, Unintendable};
#[cfg(feature = "testing")]
pub use port_forward::testing;
pub use port_forward::{Forwarded, FromPod, NotConnected, PortForward};
pub use remote_command::{Ended, RemoteCommand, Said};
pub use switch::{NotSwitched, Offer, Protocol, Switched, Tunnel};
pub use told::{decision, digest, request, target, text};
