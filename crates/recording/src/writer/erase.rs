//! Erasing recordings: what they hold goes, and what says so stays.

use super::run::{Refused, Stopped};
use super::thread::Message;
use super::{Recorder, WITHIN};
use crate::record::Session;
use crate::segment::{self, Header, MAX_HEADER, MAX_STORED};
use crate::storage::{Storage, TEMPORARY, put};
use crate::{Digest, Text, kept};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The name of the file that says so.
pub(crate) const TOMBSTONE: &str = "erased.json";
/// The name of the file beside it that says that the ledger knows.
const TOLD: &str = "erased.told";

/// What stays of a recording that was erased, and what the ledger is to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// Whose it was.
    pub session: Session,
    /// When it was erased.
    pub at: Timestamp,
    /// Why: a policy's name, or a person's words.
    pub why: Text<1024>,
    /// How many segments it had.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// The number of the last, if it had any.
    pub last: Option<u64>,
    /// Its digest: that all before it were the ones in the ledger, the ledger tells.
    pub sha256: Option<Digest>,
}

/// What became of recordings that are past their time.
#[derive(Debug, Default)]
pub struct Expired {
    /// Those that were erased.
    pub erased: Vec<Tombstone>,
    /// Those that were to be, and could not, and why; by the names of their folders.
    pub failed: Vec<(String, String)>,
}

// === impl Recorder ===

impl Recorder {
    /// Erases the session's recording, and stops it first if it is being written. It is never begun again. What was erased
    /// half when the gate was killed is erased whole by the next [`Recorder::expire`].
    ///
    /// The ledger is to know: once it does, say so by [`Recorder::erasure_told`].
    ///
    /// Files are removed. Whether their blocks can still be read is the disk's matter: encrypt it.
    ///
    /// # Errors
    /// [`Refused`]: the content may be there in whole or in part, or there was no recording.
    pub async fn erase(&self, session: &Session, why: &str) -> Result<Tombstone, Refused> {
        let claim = self.release(session, false).await?.ok_or(Stopped::Closed)?;
        match self.bury(claim, why).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Refused::None { session: session.clone() })
            }
            other => other.map_err(unwritable),
        }
    }

    /// Erases every recording whose last record is older than `before`, but for those that are being written, and finishes
    /// erasing what was begun. Among the erased are those of before that the ledger does not know of.
    ///
    /// # Errors
    /// [`Refused`]: the recordings cannot be listed, or the recorder does not answer.
    pub async fn expire(&self, before: Timestamp, why: &str) -> Result<Expired, Refused> {
        let storage = Arc::clone(&self.storage);
        let survey = spawn_blocking(move || survey(&*storage, before)).await;
        let survey = survey.unwrap_or_else(|_panicked| Err(io::Error::other("listing broke")));
        let Survey { due, failed } = survey.map_err(unwritable)?;
        let mut expired = Expired { erased: Vec::new(), failed };
        for session in due {
            let Some(claim) = self.release(&session, true).await? else { continue };
            match self.bury(claim, why).await {
                Ok(tombstone) => expired.erased.push(tombstone),
                Err(error) => expired.failed.push((session.to_string(), error.to_string())),
            }
        }
        Ok(expired)
    }

    /// The ledger has been told that the session's recording was erased, so nobody need tell it again.
    ///
    /// # Errors
    /// [`Refused`]: that could not be written down, so it will be told again.
    pub async fn erasure_told(&self, session: &Session) -> Result<(), Refused> {
        let (storage, session) = (Arc::clone(&self.storage), session.clone());
        let write = move || put(&*storage, session.as_str(), &format!("{session}/{TOLD}"), b"");
        let told = spawn_blocking(write).await;
        told.unwrap_or_else(|_panicked| Err(io::Error::other("writing broke"))).map_err(unwritable)
    }

    async fn bury(&self, claim: Claim, why: &str) -> io::Result<Tombstone> {
        let (storage, at, why) = (Arc::clone(&self.storage), self.clock.now(), Text::from(why));
        // The claim goes along: it holds until this is done, whoever still waits for it.
        let buried = spawn_blocking(move || bury(&*storage, &claim.session, at, why)).await;
        buried.unwrap_or_else(|_panicked| Err(io::Error::other("erasing broke")))
    }

    /// Takes the recording out of the writer's hands; it is not begun while the claim lives. `None` when it is being written,
    /// if that is a reason.
    async fn release(&self, session: &Session, unless_open: bool) -> Result<Option<Claim>, Refused> {
        if !self.erasing.lock().insert(session.clone()) {
            return Err(Refused::Erased { session: session.clone() });
        }
        let claim = Claim { recorder: self.clone(), session: session.clone() };
        let (reply, released) = oneshot::channel();
        let release = Message::Release { session: session.clone(), unless_open, reply };
        self.queue.send(release).map_err(|_| Stopped::Closed)?;
        let released = timeout(WITHIN, released).await.map_err(|_elapsed| Stopped::Stalled)?;
        Ok(released.map_err(|_| Stopped::Closed)?.then_some(claim))
    }
}

/// Nobody else erases or begins this session's recording.
#[derive(Debug)]
struct Claim {
    recorder: Recorder,
    session: Session,
}

// === impl Claim ===

impl Drop for Claim {
    fn drop(&mut self) {
        self.recorder.erasing.lock().remove(&self.session);
    }
}

fn unwritable(error: io::Error) -> Refused {
    Refused::Stopped(Stopped::Unwritable { why: error.to_string() })
}

/// What is to be erased, and what cannot be told of.
#[derive(Debug, Default)]
struct Survey {
    due: Vec<Session>,
    failed: Vec<(String, String)>,
}

fn survey(storage: &dyn Storage, before: Timestamp) -> io::Result<Survey> {
    let mut survey = Survey::default();
    for name in storage.folders()? {
        let due = name.parse::<Session>().map_err(|error| error.to_string());
        let due = due.and_then(|session| Ok(is_due(storage, &session, before)?.then_some(session)));
        match due {
            Ok(due) => survey.due.extend(due),
            Err(error) => survey.failed.push((name, error)),
        }
    }
    Ok(survey)
}

/// Whether it is past its time, or half erased, or erased without the ledger's knowledge.
fn is_due(storage: &dyn Storage, session: &Session, before: Timestamp) -> Result<bool, String> {
    let text = |error: io::Error| error.to_string();
    let names = storage.list(session.as_str()).map_err(text)?.unwrap_or_default();
    if names.iter().any(|name| name == TOMBSTONE) {
        let told = names.iter().any(|name| name == TOLD);
        return Ok(!told || names.iter().any(|name| is_content(name)));
    }
    let Some(last) = names.iter().filter_map(|name| segment::number(name)).max() else { return Ok(false) };
    let path = format!("{session}/{}", segment::file_name(last));
    let bytes = storage.read(&path, MAX_HEADER).map_err(text)?.unwrap_or_default();
    let (header, _) = Header::read(&bytes).map_err(|why| format!("segment {last}: {why}"))?;
    let ended = Duration::from_micros(header.last);
    Ok(header.began.checked_add(ended).is_ok_and(|ended| ended < before))
}

/// Leaves the tombstone, durable, and then removes what is the recording's own.
fn bury(storage: &dyn Storage, session: &Session, at: Timestamp, why: Text<1024>) -> io::Result<Tombstone> {
    let folder = session.as_str();
    let path = |name: &str| format!("{session}/{name}");
    let names = storage.list(folder)?.ok_or(io::ErrorKind::NotFound)?;
    let tombstone = match read_tombstone(storage, session)? {
        // Erased before, perhaps not to the end.
        Some(tombstone) => tombstone,
        None => {
            let tombstone = describe(storage, session, &names, at, why)?;
            put(storage, folder, &path(TOMBSTONE), &serde_json::to_vec(&tombstone)?)?;
            tombstone
        }
    };
    for name in names.iter().filter(|name| is_content(name)) {
        storage.remove(&path(name))?;
    }
    storage.flush_names(folder)?;
    Ok(tombstone)
}

/// A segment or what is kept of values, or a part of one. What somebody else put there is theirs.
fn is_content(name: &str) -> bool {
    segment::number(name).is_some() || kept::is_kept(name) || name.ends_with(TEMPORARY)
}

fn describe(
    storage: &dyn Storage,
    session: &Session,
    names: &[String],
    at: Timestamp,
    why: Text<1024>,
) -> io::Result<Tombstone> {
    let numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
    let mut bytes = 0;
    for number in &numbers {
        bytes += storage.size(&format!("{session}/{}", segment::file_name(*number)))?;
    }
    let last = numbers.iter().max().copied();
    let sha256 = match last {
        Some(last) => {
            let path = format!("{session}/{}", segment::file_name(last));
            storage.read(&path, MAX_STORED)?.map(|bytes| Digest::of(&bytes))
        }
        None => None,
    };
    let segments = numbers.len() as u64;
    Ok(Tombstone { session: session.clone(), at, why, segments, bytes, last, sha256 })
}

/// The recording's tombstone, if it has one.
pub(crate) fn read_tombstone(storage: &dyn Storage, session: &Session) -> io::Result<Option<Tombstone>> {
    let Some(bytes) = storage.read(&format!("{session}/{TOMBSTONE}"), MAX_HEADER)? else { return Ok(None) };
    let tombstone = serde_json::from_slice(&bytes);
    tombstone.map(Some).map_err(|_| io::Error::other("its tombstone is not what was written"))
}
