//! Who is calling: from the bearer token of a connection to a [`Caller`].
//!
//! The unit is the session, one run of one agent for one delegator on one cluster. [`Sessions`] opens them,
//! ends them, and tells for each call whose token it carries; the [`Caller`] it answers with says when the
//! session ends, so that open streams can be cut. What a name may look like is decided in one place, `names`.

mod agents;
mod caller;
mod clock;
mod entropy;
mod expirations;
mod names;
mod registry;
mod session;
mod token;

pub use agents::{Agent, Agents, AgentsProblem};
pub use caller::{Caller, End, Ended, Rejected, Unauthenticated};
pub use clock::{Clock, SystemClock};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use expirations::Expirations;
pub use names::{AgentName, ClusterName, Delegator, GroupName, NameError, Operator, Part, Problem, Reason};
pub use registry::{LoadError, Loaded, Sessions, Thawing, Turn, Withdrawn};
pub use session::{OpenError, Opened, Opening, Refusal};
pub use store::Error as StoreError;
pub use store::{Change, Frozen, Revocation, Revoked, Session, State, Which};
pub use token::{SessionId, Token};
