//! Freezing a session, for a human or for the gate itself, and telling the ledger of it.

use identity::{Change, Frozen, Operator, Reason, Session, SessionId, Sessions, StoreError};
use inbox::Inbox;
use ledger::{
    Ledger,
    leaf::{self, Event},
};

/// A session that is frozen, or was not to be, and what the ledger says of it.
#[derive(Debug)]
pub struct Told {
    /// What the freeze found.
    pub change: Change,
    /// Why the ledger does not tell of it, if so: then the next start does. The session is frozen all the same.
    pub unrecorded: Option<String>,
}

/// Freezes a session: first in memory, since stopping it must not wait for a disk, then in the store, then in the ledger. What it asked humans
/// for, and what they gave it, is withdrawn: whoever thaws it decides that it may call, and not that it may do as others once said.
///
/// Cancel safety: as with [`Sessions::freeze`]; what is stored and not recorded is at the next start.
///
/// # Errors
/// The freeze could not be stored: it holds until the gate restarts.
pub async fn freeze(
    sessions: &Sessions,
    ledger: &Ledger,
    inbox: &Inbox,
    id: &SessionId,
    by: &Operator,
    why: &Reason,
) -> Result<Told, StoreError> {
    let (change, _turn) = sessions.freeze(id, by, why).await?;
    let unrecorded = match &change {
        Change::Made(session) => record(sessions, ledger, session).await.err(),
        Change::Needless(_) | Change::Unknown => None,
    };
    if let Err(error) = inbox.withdraw_all_of(id.as_str(), "the session was frozen").await {
        tracing::error!(session = %id, %error, "what humans gave it, or were asked for, stays until its time is over");
    }
    Ok(Told { change, unrecorded })
}

/// Records a freeze that is stored.
///
/// # Errors
/// Why it could not be.
pub async fn record(sessions: &Sessions, ledger: &Ledger, session: &Session) -> Result<(), String> {
    let Some(Frozen { by, why, .. }) = &session.frozen else { return Ok(()) };
    let event = leaf::SessionFrozen {
        session: leaf::Id::new(&session.id).map_err(|error| error.to_string())?,
        by: by.into(),
        reason: why.into(),
    };
    let _receipt = ledger.append(Event::SessionFrozen(event)).await.map_err(|error| error.to_string())?;
    if let Err(error) = sessions.freeze_recorded(&session.id).await {
        tracing::error!(session = session.id, %error, "the next start records this session's freeze once more");
    }
    Ok(())
}
