//! Sessions, opened and changed by people.

use std::collections::BTreeMap;
use std::sync::Arc;

use identity::{
    Change, OpenError, Opened, Opening, Operator, Reason, Revocation, Session, SessionId, Sessions, State,
};
use inbox::Inbox;
use jiff::Timestamp;
use ledger::{Ledger, leaf};

use crate::freeze;

/// The sessions of a running gate, in people's hands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    sessions: Arc<Sessions>,
    inbox: Arc<Inbox>,
    ledger: Ledger,
    /// Each agent's groups, for the record.
    groups: Arc<BTreeMap<String, Vec<String>>>,
}

/// A session, as it is after somebody wanted it changed.
#[derive(Debug)]
pub struct Changed {
    /// The session.
    pub session: Session,
    /// Whether it was changed now; otherwise it was so, or over, before.
    pub now: bool,
    /// Why the ledger does not tell of it, if so: then the next start does. It was changed all the same.
    pub unrecorded: Option<String>,
}

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It may not be, or could not be stored.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger does not have it, so it was ended again.
    #[error("no session was opened: {0}")]
    Unrecorded(String),
}

/// Why a session was not changed as it was to be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such session.
    #[error("there is no session `{0}`")]
    Unknown(SessionId),
    /// It is ended in memory alone.
    #[error("the session is ended until the gate restarts, but that could not be stored: {0}")]
    EndedUnstored(identity::StoreError),
    /// It is frozen in memory alone.
    #[error("the session is frozen until the gate restarts, but that could not be stored: {0}")]
    FrozenUnstored(identity::StoreError),
    /// It could not be thawed.
    #[error("the session is still frozen: {0}")]
    StillFrozen(String),
    /// The state cannot be read.
    #[error(transparent)]
    Store(#[from] identity::StoreError),
}

impl Control {
    /// People's hold on these sessions.
    #[must_use]
    pub fn new(
        sessions: Arc<Sessions>,
        inbox: Arc<Inbox>,
        ledger: Ledger,
        groups: BTreeMap<String, Vec<String>>,
    ) -> Self {
        Self { sessions, inbox, ledger, groups: Arc::new(groups) }
    }

    /// The sessions themselves.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Opens a session. Its token is given out only once the ledger has the opening; before that, nobody can use it.
    ///
    /// # Errors
    /// It may not be, or it could not be stored or recorded.
    pub async fn open(&self, opening: Opening, by: &Operator) -> Result<Opened, NotOpened> {
        let opened = self.sessions.open(opening).await?;
        if let Err(error) = self.record_opening(&opened.session, by).await {
            let id = SessionId::parse(&opened.session.id);
            let why = Reason::parse("its opening could not be recorded");
            if let (Ok(id), Ok(why)) = (id, why) {
                // Should this fail too, the session stays without anyone who has its token.
                let _best_effort = self.sessions.revoke(&id, by, &why).await;
            }
            return Err(NotOpened::Unrecorded(error));
        }
        Ok(opened)
    }

    /// Ends a session for good, and withdraws what it asked humans for. An end that cannot be recorded is still better than none.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::EndedUnstored`].
    pub async fn revoke(&self, id: &SessionId, by: &Operator, why: &Reason) -> Result<Changed, Error> {
        let session = match self.sessions.revoke(id, by, why).await.map_err(Error::EndedUnstored)? {
            Revocation::Ended(session) => session,
            Revocation::AlreadyEnded(session) => {
                return Ok(Changed { session, now: false, unrecorded: None });
            }
            Revocation::Unknown => return Err(Error::Unknown(id.clone())),
        };
        let unrecorded = self.record_end(&session.id, by, why).await;
        if let Err(error) = self.inbox.withdraw_all_of(&session.id, "the session was revoked").await {
            tracing::error!(session = session.id, %error, "what it asked humans for stays until its time is over");
        }
        Ok(Changed { session, now: true, unrecorded })
    }

    /// Refuses a session's calls until it is thawed: at once, and recorded after that.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::FrozenUnstored`].
    pub async fn freeze(&self, id: &SessionId, by: &Operator, why: &Reason) -> Result<Changed, Error> {
        let told = freeze::freeze(&self.sessions, &self.ledger, &self.inbox, id, by, why).await;
        let freeze::Told { change, unrecorded } = told.map_err(Error::FrozenUnstored)?;
        match change {
            Change::Made(session) => Ok(Changed { session, now: true, unrecorded }),
            Change::Needless(session) => Ok(Changed { session, now: false, unrecorded: None }),
            Change::Unknown => Err(Error::Unknown(id.clone())),
        }
    }

    /// Lets a frozen session call again: the ledger has it before that.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::StillFrozen`], or the state cannot be read.
    pub async fn thaw(&self, id: &SessionId, by: &Operator) -> Result<Changed, Error> {
        let Some(thawing) = self.sessions.thaw(id).await else {
            let found = self.sessions.find(id).await?;
            let session = found.ok_or_else(|| Error::Unknown(id.clone()))?;
            return Ok(Changed { session, now: false, unrecorded: None });
        };
        self.record_thaw(id, by).await.map_err(Error::StillFrozen)?;
        match thawing.finish().await {
            Ok(Change::Made(session) | Change::Needless(session)) => {
                let now = session.state(Timestamp::now()) == State::Active;
                Ok(Changed { session, now, unrecorded: None })
            }
            Ok(Change::Unknown) => Err(Error::Unknown(id.clone())),
            Err(error) => Err(Error::StillFrozen(error.to_string())),
        }
    }

    async fn record_opening(&self, session: &Session, by: &Operator) -> Result<(), String> {
        let none = Vec::new();
        let groups = self.groups.get(&session.agent).unwrap_or(&none);
        let event = leaf::SessionOpened {
            session: leaf_id(&session.id)?,
            agent: (&session.agent).into(),
            groups: groups.iter().map(leaf::Name::from).collect(),
            delegator: (&session.delegator).into(),
            cluster: (&session.cluster).into(),
            reason: leaf::Asserted { self_asserted: (&session.reason).into() },
            by: by.as_str().into(),
            expires: session.expires_at.to_string().into(),
        };
        self.append(leaf::Event::SessionOpened(Box::new(event))).await
    }

    /// Why the ledger does not have it, if so.
    async fn record_end(&self, id: &str, by: &Operator, why: &Reason) -> Option<String> {
        let session = match leaf_id(id) {
            Ok(session) => session,
            Err(error) => return Some(error),
        };
        let reason = Some(why.as_str().into());
        let event = leaf::SessionRevoked { session, by: by.as_str().into(), reason };
        let unrecorded = self.append(leaf::Event::SessionRevoked(event)).await.err();
        if unrecorded.is_none()
            && let Err(error) = self.sessions.end_recorded(id).await
        {
            tracing::error!(session = id, %error, "the next start records this session's end once more");
        }
        unrecorded
    }

    async fn record_thaw(&self, id: &SessionId, by: &Operator) -> Result<(), String> {
        // Frozen while the ledger took nothing: that comes first.
        let untold = self.sessions.unrecorded_freezes().await.map_err(|error| error.to_string())?;
        if let Some(session) = untold.iter().find(|session| session.id == id.as_str()) {
            freeze::record(&self.sessions, &self.ledger, session).await?;
        }
        let event = leaf::SessionThawed { session: leaf_id(id.as_str())?, by: by.as_str().into() };
        self.append(leaf::Event::SessionThawed(event)).await
    }

    async fn append(&self, event: leaf::Event) -> Result<(), String> {
        let receipt = self.ledger.append(event).await.map_err(|error| error.to_string())?;
        let _durable = receipt.index();
        Ok(())
    }
}

fn leaf_id(id: &str) -> Result<leaf::Id, String> {
    leaf::Id::new(id).map_err(|error| error.to_string())
}
