//! People's side of the gate, in a browser.
//!
//! | module | what lives there |
//! |---|---|
//! | [`address`] | where the console is, for browsers |
//! | `guard` | what every request must be, and what every answer says |
//! | `signin` | one-time links, cookies, who is signed in |
//! | `posted` | what a form of ours says, once it is sure that it is ours |
//! | `page` | one module a page: what is looked up and what is shown of it |
//! | `replay` | recordings, read for pages |
//! | `undoing` | sessions that are being undone, whether or not a page looks on |
//! | `live` | pages are told of what happens while they are open (server-sent events) |
//! | `html` | what makes text of any origin inert |
//! | `serve` | the listener |
//!
//! The data path never sees any of it. Pages can be read without scripts. Whatever a template shows passes `html`, and whatever
//! a form says passes `posted`, by their types.

pub mod address;
mod assets;
mod guard;
mod html;
mod live;
mod page;
mod posted;
mod replay;
mod secret;
mod serve;
mod signin;
#[cfg(test)]
mod tests;
mod undoing;

use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use chronicle::Chronicle;
use control::Control;
use identity::{Clock, Entropy};
use inbox::Inbox;
use jiff::Timestamp;
use ledger::Ledger;
use passkey::RelyingParty;
use policy::Judge;
use recording::reader::Library;
use tokio_util::sync::CancellationToken;

pub use address::Address;
pub use serve::serve;
pub use signin::{ByProvider, CALLBACK, Link, NoLink};

use crate::{replay::Replay, signin::Door, undoing::Undoings};

/// More than any form of ours.
const LARGEST_FORM: usize = 64 << 10;

/// What the console works on.
#[derive(Debug)]
pub struct Parts {
    /// Where it is.
    pub address: Address,
    /// The sessions, in people's hands.
    pub control: Control,
    /// What waits for humans.
    pub inbox: Arc<Inbox>,
    /// What has happened.
    pub chronicle: Arc<Chronicle>,
    /// What sessions did and were shown.
    pub recordings: Library,
    /// Where the gate is, for what is undone through it.
    pub gate: GateAddress,
    /// The people who may undo sessions, by their names.
    pub undoers: Vec<String>,
    /// Where sign-ins are recorded.
    pub ledger: Ledger,
    /// The policy in force.
    pub policy: Arc<dyn InForce>,
    /// Who else may vouch for people, if anybody may.
    pub provider: Option<ByProvider>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where secrets come from.
    pub entropy: Arc<dyn Entropy>,
    /// Fired when the gate stops: pages are told of nothing any longer.
    pub stopping: CancellationToken,
}

/// Where agents find the gate.
#[derive(Debug, Clone)]
pub struct GateAddress {
    /// Its address, `https://…`.
    pub server: String,
    /// PEM of the CA to trust; `None`: the system's trust will do.
    pub ca: Option<String>,
}

/// Where the policy in force is found.
pub trait InForce: std::fmt::Debug + Send + Sync {
    /// It.
    fn judge(&self) -> Arc<Judge>;
}

/// The console of a running gate. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    door: Door,
    /// For passkeys; `None`: they do not work at this address.
    party: Option<RelyingParty>,
    replay: Replay,
    undoings: Undoings,
}

impl Console {
    /// The console over these.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self::following(parts, replay::live::EVERY)
    }

    /// The same, which looks this often what has come of a stream that goes on.
    fn following(parts: Parts, every: Duration) -> Self {
        let party = approval::relying_party(parts.address.origin()).ok();
        let replay = Replay::new(parts.recordings.clone(), every);
        let (door, undoings) = (Door::default(), Undoings::default());
        Self(Arc::new(Inner { parts, door, party, replay, undoings }))
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0.parts.address
    }

    pub(crate) fn party(&self) -> Option<&RelyingParty> {
        self.0.party.as_ref()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.0.parts.inbox
    }

    pub(crate) fn chronicle(&self) -> &Chronicle {
        &self.0.parts.chronicle
    }

    pub(crate) fn replay(&self) -> &Replay {
        &self.0.replay
    }

    pub(crate) fn undoings(&self) -> &Undoings {
        &self.0.undoings
    }

    pub(crate) fn control(&self) -> &Control {
        &self.0.parts.control
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.parts.ledger
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Its pages.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/", get(page::inbox::get))
            .route("/inbox", get(page::inbox::list))
            .route("/approvals", get(page::decided::get))
            .route("/approvals/{id}", get(page::approval::get))
            .route("/approvals/{id}/state", get(page::approval::state))
            .route("/approvals/{id}/approve", post(page::approval::approve))
            .route("/approvals/{id}/refuse", post(page::approval::refuse))
            .route("/approvals/{id}/end", post(page::approval::end))
            .route("/approvals/{id}/review", post(page::approval::review))
            .route("/reviews", get(page::reviews::get))
            .route("/sessions", get(page::sessions::get))
            .route("/sessions/{id}", get(page::session::get))
            .route("/sessions/{id}/timeline", get(page::session::timeline))
            .route("/sessions/{id}/calls/{call}", get(page::call::get))
            .route("/sessions/{id}/streams/{stream}", get(page::stream::get))
            .route("/sessions/{id}/streams/{stream}/text", get(page::stream::text))
            .route("/sessions/{id}/streams/{stream}/cast", get(page::stream::cast))
            .route("/sessions/{id}/streams/{stream}/live", get(page::stream::live))
            .route("/sessions/{id}/revoke", post(page::session::revoke))
            .route("/sessions/{id}/freeze", post(page::session::freeze))
            .route("/sessions/{id}/thaw", post(page::session::thaw))
            .route("/sessions/{id}/undo", get(page::undo::get).post(page::undo::post))
            .route("/sessions/{id}/undo/progress", get(page::undo::progress))
            .route("/search", get(page::search::get))
            .route("/refusals", get(page::refusals::get))
            .route("/policy", get(page::policy::get))
            .route("/ledger", get(page::ledger::get))
            .route("/passkeys", get(page::passkeys::get))
            .route("/passkeys/enrol", post(page::passkeys::enrol))
            .route("/passkeys/remove", post(page::passkeys::remove))
            .route("/live", get(live::get))
            .route("/sign-in", get(signin::pages::get))
            .route("/sign-in/oidc", get(signin::pages::begin))
            .route(CALLBACK, get(signin::pages::come_back))
            .route("/sign-in/{link}", get(signin::pages::link).post(signin::pages::enter))
            .route("/sign-out", post(signin::pages::leave))
            .route("/assets/{version}/{name}", get(assets::get))
            .fallback(page::missing)
            .layer(DefaultBodyLimit::max(LARGEST_FORM))
            .layer(middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self.clone())
    }
}
