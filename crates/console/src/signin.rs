//! Signing in and out.

mod attempts;
pub(crate) mod cookies;
mod links;
mod oidc;
pub(crate) mod pages;
mod visitors;

use approval::{Assurance, Human};
use identity::Entropy;
use jiff::Timestamp;
use ledger::leaf::{Event, SignedIn};

use links::Links;
pub use links::NoLink;
pub use oidc::ByProvider;
pub(crate) use visitors::Visitor;
use visitors::Visitors;

use crate::{Console, secret::Secret};

/// Where a provider sends people back to.
pub const CALLBACK: &str = "/sign-in/oidc/callback";

/// Who may come in, and who is in.
#[derive(Debug, Default)]
pub(crate) struct Door {
    links: Links,
    visitors: Visitors,
}

/// Somebody who is about to be signed in.
#[derive(Debug)]
struct Entry {
    human: Human,
    assurance: Assurance,
    /// When they proved who they are.
    proven: Timestamp,
}

/// A link that signs somebody in once.
#[derive(Clone)]
pub struct Link {
    /// Its address: a secret until it is used. Not in `Debug`.
    pub url: String,
    /// Until when it can be used.
    pub until: Timestamp,
}

impl Door {
    pub(crate) fn visitor(&self, cookie: &str, by_hand: bool, now: Timestamp) -> Option<Visitor> {
        self.visitors.find(cookie, by_hand, now)
    }

    /// Whether somebody who was signed in still is.
    pub(crate) fn is_in(&self, visitor: &Visitor, now: Timestamp) -> bool {
        self.visitors.is_in(visitor, now)
    }
}

impl Console {
    /// A link that signs this human in, once and within five minutes.
    ///
    /// # Errors
    /// There are too many that nobody used, or nothing to make one of.
    pub fn link_for(&self, human: Human) -> Result<Link, NoLink> {
        let (secret, until) = self.door().links.make(human, self.entropy(), self.now())?;
        Ok(Link { url: self.address().page(&format!("/sign-in/{}", secret.reveal())), until })
    }

    /// Signs a human in once the ledger has it; the secret is for their cookie. Why not, if not, for people.
    async fn sign_in(&self, entry: Entry, src: &str) -> Result<Secret, String> {
        let Entry { human, assurance, proven } = entry;
        let event = SignedIn { human: human.clone(), assurance: assurance.clone(), src: src.into() };
        let recorded = self.ledger().append(Event::SignedIn(Box::new(event))).await;
        let _receipt = recorded.map_err(|refused| {
            tracing::error!(%refused, "nobody can sign in, since that could not be recorded");
            "The ledger takes no entries, and nobody is let in unrecorded. Ask who runs the gate.".to_owned()
        })?;
        let entered = self.door().visitors.enter(human, assurance, proven, self.entropy(), self.now());
        entered.map_err(|full| format!("Nobody was signed in: {full}."))
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.parts().entropy.as_ref()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("until", &self.until).finish_non_exhaustive()
    }
}
