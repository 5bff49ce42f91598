//! Recordings, as pages look at them: held against the ledger, a few at a time, beside the threads that serve.

pub(crate) mod cast;
pub(crate) mod live;
pub(crate) mod objects;
pub(crate) mod scan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use identity::SessionId;
use jiff::{SignedDuration, Timestamp};
use recording::Digest;
use recording::reader::{Finding, Library, Recording, Unreadable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use axum::response::Response;

use crate::{Console, page};

/// Recordings that are read at a time: each takes a thread, and the memory of a segment.
const READERS: usize = 8;
/// For how long somebody waits for one of these places.
const WITHIN: Duration = Duration::from_secs(10);
/// What is wrong with a recording, said above a page.
const MOST_ALERTS: usize = 20;
/// So much later than its last record a segment is in the ledger and in the chronicle.
const BEHIND: SignedDuration = SignedDuration::from_secs(60);

/// The recordings, and who reads them.
#[derive(Debug)]
pub(crate) struct Replay {
    library: Library,
    room: Arc<Semaphore>,
    /// How often it is looked what has come of a stream that goes on.
    every: Duration,
}

/// A session's recording, as far as it is there.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) recording: Option<Recording>,
    /// Why it is not, where it should be.
    pub(crate) missing: Option<Told>,
    /// The number of the last segment that the ledger has.
    known: u64,
    /// Whether it was written a moment ago.
    is_fresh: bool,
}

/// What is wrong with a recording, or only looks so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) grave: bool,
    pub(crate) text: String,
}

/// A reader's place, for as long as it is held.
#[derive(Debug)]
pub(crate) struct Place(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

/// Why nothing is read of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// All places are taken.
    Busy,
    /// It cannot be read; the log says why.
    Failed,
}

impl Unread {
    fn failed(session: &str, error: &dyn std::fmt::Display) -> Self {
        tracing::error!(session, %error, "a recording could not be shown");
        Self::Failed
    }

    /// The same for people.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Busy => "Too many recordings are being read. Try again in a moment.",
            Self::Failed => "The recording cannot be read. The gate's log says why.",
        }
    }

    /// A page that says so.
    pub(crate) fn page(self) -> Response {
        page::problem(StatusCode::SERVICE_UNAVAILABLE, self.told())
    }
}

impl Replay {
    pub(crate) fn new(library: Library, every: Duration) -> Self {
        Self { library, room: Arc::new(Semaphore::new(READERS)), every }
    }

    async fn place(&self) -> Option<Place> {
        let place = timeout(WITHIN, Arc::clone(&self.room).acquire_owned()).await;
        place.ok()?.ok().map(Place)
    }
}

impl Console {
    /// Reads a session's recording.
    ///
    /// # Errors
    /// It cannot be read, or not now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        session: &SessionId,
        read: impl FnOnce(Opened) -> T + Send + 'static,
    ) -> Result<T, Unread> {
        self.read_in_place(session, |opened, _place| read(opened)).await
    }

    /// The same for whoever keeps the place beyond that.
    pub(crate) async fn read_in_place<T: Send + 'static>(
        &self,
        session: &SessionId,
        read: impl FnOnce(Opened, Place) -> T + Send + 'static,
    ) -> Result<T, Unread> {
        let place = self.replay().place().await.ok_or(Unread::Busy)?;
        let session = session.to_string();
        // What the ledger has is looked at first: then the files have at least that.
        let known = self.chronicle().segments_of(&session).await;
        let known = known.map_err(|error| Unread::failed(&session, &error))?;
        let known: BTreeMap<u64, Digest> =
            known.into_iter().map(|(number, digest)| (number, Digest(digest.0))).collect();
        let library = self.replay().library.clone();
        let (id, now) = (session.clone(), self.now());
        let reading = tokio::task::spawn_blocking(move || {
            Opened::of(&library, &id, known, now).map(|opened| read(opened, place))
        });
        match reading.await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => Err(Unread::failed(&session, &error)),
            Err(error) => Err(Unread::failed(&session, &error)),
        }
    }
}

impl Opened {
    fn of(
        library: &Library,
        session: &str,
        known: BTreeMap<u64, Digest>,
        now: Timestamp,
    ) -> Result<Self, Unreadable> {
        let last = known.keys().next_back().copied().unwrap_or(0);
        let none = |missing| Ok(Self { recording: None, missing, known: last, is_fresh: false });
        // Not every session's id is one of a recording; then it has none.
        let Ok(session) = session.parse() else { return none(None) };
        match library.recording(&session) {
            Ok(recording) => {
                let ended = recording.times().map(|(_, ended)| ended);
                let is_fresh = ended.is_some_and(|ended| now.duration_since(ended) < BEHIND);
                let recording = Some(recording.against(known));
                Ok(Self { recording, missing: None, known: last, is_fresh })
            }
            Err(Unreadable::None { .. }) if last == 0 => none(None),
            Err(Unreadable::None { .. }) => none(Some(Told {
                grave: true,
                text: format!("The recording is gone: the ledger has {last} segments of it."),
            })),
            Err(Unreadable::Erased(tombstone)) => {
                let (at, why) = (page::utc(tombstone.at), tombstone.why.as_str());
                none(Some(Told { grave: false, text: format!("The recording was erased at {at}: {why}") }))
            }
            Err(error @ Unreadable::Io { .. }) => Err(error),
        }
    }

    /// Whether it was written a moment ago.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The recording as far as the ledger has it, while it is being written; and the number of the last segment of that.
    pub(crate) fn settled(&self) -> Option<(Recording, u64)> {
        let recording = self.recording.clone()?;
        Some((if self.is_fresh { recording.up_to(self.known) } else { recording }, self.known))
    }

    /// Adds what a finding means to what is said above a page, if it is grave or keeps the page from what it is for. Nobody reads more than a few.
    pub(crate) fn tell(&self, finding: &Finding, alerts: &mut Vec<String>) {
        let told = self.told(finding);
        let is_told = told.grave || matches!(finding, Finding::Encrypted { .. });
        if is_told && alerts.len() < MOST_ALERTS {
            alerts.push(told.text);
        }
    }

    /// What a finding means. While a recording is being written, its end is not in the ledger yet.
    pub(crate) fn told(&self, finding: &Finding) -> Told {
        let text = match finding {
            Finding::Unfinished { number } if self.is_fresh => {
                return Told { grave: false, text: format!("Segment {number} is being written.") };
            }
            Finding::Unknown { number } if self.is_fresh && *number > self.known => {
                let text =
                    format!("Segment {number} is not in the ledger yet: what it has is shown once it is.");
                return Told { grave: false, text };
            }
            Finding::Encrypted { .. } => {
                let with = self.with_identity("show", "");
                return Told { grave: false, text: format!("{}: {with} reads them.", capital(finding)) };
            }
            finding => capital(finding),
        };
        Told { grave: true, text: format!("{text}.") }
    }

    /// The command that reads what the console cannot.
    pub(crate) fn with_identity(&self, command: &str, more: &str) -> String {
        let session = self.recording.as_ref().map_or("SESSION", |recording| recording.session().as_str());
        format!("`portcullis sessions {command} {session}{more} --identity FILE`")
    }
}

fn capital(finding: &Finding) -> String {
    let mut text = finding.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}
