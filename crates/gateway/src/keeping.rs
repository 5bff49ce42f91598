//! What the gate keeps of values, so that they can be put back: sealed to itself, beside the recording of the session that changes them.
//!
//! A recording has objects masked. Of one that is about to be changed, the gate keeps the real one as well if it is told to, and puts
//! its values into a write that names that call. They go no other way: neither into a recording nor to whoever undoes.

use identity::{SessionId, State};
use kube_api::{Request, Restores, Verb};
use ledger::leaf::{Cause, Purpose};
use mask::Kept;
use recording::{
    Digest, Session, Stopped,
    kept::{NotHad, Values},
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::{before::Before, call::Call, look::Stop, recordings::Recorded};

/// Of what something is kept: the line before it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    session: String,
    call: String,
    cluster: String,
    path: String,
}

/// Why values are not put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unrestorable {
    /// It is not configured.
    #[error(
        "this gate keeps no values that could be put back: its operator has not set `recordings.values`; leave the header \
         `portcullis-restore` out, and send the values"
    )]
    NotConfigured,
    /// Nothing is there.
    #[error(
        "nothing is kept of the call that is to be undone: it changed nothing that is masked, was made before `recordings.values` was set, \
         or its recording was erased; send the values"
    )]
    Nothing,
    /// Its session could try values with what it puts back.
    #[error(
        "the session whose call is to be undone is neither over nor frozen, as far as this gate knows; have it ended or frozen first \
         (`portcullis session freeze`), and undo it in another one"
    )]
    GoesOn,
    /// The key file is another.
    #[error(
        "what is kept of the call that is to be undone was kept with another key than the one in `recordings.values`; tell the operator of \
         the gate to add that key to the file, or send the values"
    )]
    Key,
    /// It is not what was written.
    #[error(
        "what is kept of the call that is to be undone cannot be used: it was changed after the gate wrote it, or cannot be read; tell the \
         operator of the gate, and send the values"
    )]
    Changed,
    /// It is of something else.
    #[error(
        "what is kept of the call that is to be undone is of another object; name the call that changed this one, as the recording has it"
    )]
    Another,
}

impl Call {
    /// Keeps what the call `id` is about to change, if it has masked values and they are to be kept; tells its digest.
    ///
    /// # Errors
    /// It is to be kept, and cannot be: the call must not be sent.
    pub(crate) async fn keep(
        &self,
        recorded: &Recorded,
        id: &str,
        before: &Before,
    ) -> Result<Option<Digest>, Stopped> {
        let keeper = self.gate().recordings().keeper().filter(|_| before.live.is_masked());
        let Some(keeper) = keeper else { return Ok(None) };
        let session = recorded.tap().session().to_string();
        let (cluster, path) = (self.cluster().to_owned(), before.path.clone());
        let of = Of { session, call: id.to_owned(), cluster, path };
        let values = self.labelled(&of, before.live.to_keep().to_be_sealed());
        let values = values.map_err(|error| Stopped::Unwritable { why: error.to_string() })?;
        let closed = spawn_blocking(move || keeper.close(&values)).await;
        let closed = closed.unwrap_or_else(|_panicked| Err(std::io::Error::other("sealing broke")));
        let stored = closed.map_err(|error| Stopped::Unwritable { why: error.to_string() })?;
        recorded.tap().keep(id, stored).await.map(Some)
    }

    /// What was kept of the object that `request` writes, before the call that it undoes.
    pub(crate) async fn kept(&self, request: &Request, restores: &Restores) -> Result<Kept, Stop> {
        let keeper = self.gate().recordings().keeper().ok_or(Unrestorable::NotConfigured)?;
        let session: Session = restores.session().parse().map_err(|_| Unrestorable::Nothing)?;
        self.is_over(restores.session()).await?;
        let (recorder, call) = (self.gate().recordings().recorder().clone(), restores.call().to_owned());
        let opened = spawn_blocking(move || {
            let stored = recorder.kept(&session, &call).map_err(|error| {
                tracing::error!(%session, call, %error, "what was kept cannot be read");
                NotHad::Changed
            })?;
            keeper.open(&stored.ok_or(NotHad::None)?)
        });
        let opened = opened.await.unwrap_or(Err(NotHad::Changed)).map_err(Unrestorable::from)?;
        let (of, values) = self.unlabelled(&opened).ok_or(Unrestorable::Changed)?;
        if of.session != restores.session() || of.call != restores.call() {
            return Err(Unrestorable::Changed.into());
        }
        if of.cluster != self.cluster() || Some(of.path) != path_of(request) {
            return Err(Unrestorable::Another.into());
        }
        Kept::read(values).map_err(|_not| Unrestorable::Changed.into())
    }

    /// What is put back can be tried against again: so it is once nothing of that session passes any more, and never in that session.
    async fn is_over(&self, session: &str) -> Result<(), Stop> {
        let id = SessionId::parse(session).map_err(|_| Unrestorable::Nothing)?;
        let found = self.gate().sessions().find(&id).await.map_err(|error| {
            tracing::error!(%id, %error, "whether a session is over cannot be looked up");
            Unrestorable::GoesOn
        })?;
        let state = found.map(|session| session.state(jiff::Timestamp::now()));
        match state.filter(|_| id != *self.caller().session()) {
            Some(State::Frozen | State::Expired | State::Revoked) => Ok(()),
            Some(State::Active) | None => Err(Unrestorable::GoesOn.into()),
        }
    }

    /// A line that says whose it is, one that says that this gate wrote it, and the values. Whoever can write the file can encrypt to the
    /// gate's public key; the digest is under one that nobody else has, made for this alone.
    fn labelled(&self, of: &Of, values: &[u8]) -> serde_json::Result<Values> {
        let of = serde_json::to_string(of)?;
        let labelled = Values::of(&[of.as_bytes(), b"\n", values]);
        let digest = self.gate().ledger().keyed_digest(Purpose::Kept, labelled.as_bytes());
        Ok(Values::of(&[digest.as_bytes(), b"\n", labelled.as_bytes()]))
    }

    fn unlabelled<'v>(&self, labelled: &'v Values) -> Option<(Of, &'v [u8])> {
        let line = |bytes: &'v [u8]| {
            let end = bytes.iter().position(|byte| *byte == b'\n')?;
            Some((bytes.get(..end)?, bytes.get(end + 1..)?))
        };
        let (digest, rest) = line(labelled.as_bytes())?;
        let digest = std::str::from_utf8(digest).ok()?;
        let (of, values) =
            line(rest).filter(|_| self.gate().ledger().made_digest(Purpose::Kept, digest, rest))?;
        Some((serde_json::from_slice(of).ok()?, values))
    }
}

/// Where the object is that is written, if it says its name.
fn path_of(request: &Request) -> Option<String> {
    let path = request.target().path();
    match request.verb() {
        Verb::Create => {
            let name = request.object_name().filter(|name| !name.is_empty())?;
            Some(format!("{path}/{name}"))
        }
        _ => Some(path),
    }
}

impl From<NotHad> for Unrestorable {
    fn from(why: NotHad) -> Self {
        match why {
            NotHad::None => Self::Nothing,
            NotHad::Key => Self::Key,
            NotHad::Changed => Self::Changed,
        }
    }
}

impl From<Unrestorable> for Stop {
    fn from(why: Unrestorable) -> Self {
        Self::Refused { refused: why.into(), cause: Cause::Malformed, decision: None }
    }
}

#[cfg(test)]
mod tests;
