//! Leaves: what an entry of the log says, and its canonical bytes (RFC 8785). No I/O: times, ids and all facts come
//! in as arguments.
//!
//! ```json
//! {"boot_epoch":1,"event":{…},"event_id":"gate-1.1.7","schema_version":1,"time":"2026-11-23T06:27:48.000000Z",
//!  "type":"intent","writer_id":"gate-1","writer_seq":7}
//! ```

mod call;
mod event;
mod gate;
mod hidden;
mod human;
mod recording;
mod session;
mod text;

pub use call::{
    Actor, Answered, Cause, Decision, Impersonated, Intent, Outcome, Part, RawRequest, Refusal, Request,
    Reveal, Rule, Stage, Streamed, Verdict,
};
pub use event::{Event, Kind};
pub use gate::{Lifted, PolicyLoaded, Previous, Rejections, SecretsRead, Share, Start, Stop};
pub use hidden::{Digester, Hidden, HiddenParameter, Purpose};
pub use human::{ApprovalAsked, ApprovalStep, Judged, PasskeyEnrolled, PasskeyRemoved, SignedIn};
pub use recording::{Recorded, RecordingErased};
pub use session::{
    KnownValueSent, SessionExpired, SessionFrozen, SessionOpened, SessionRevoked, SessionThawed,
};
pub use text::{Asserted, Digest, Id, InvalidId, List, Name, Person, Text};

use crate::canonical;
use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The version of the leaf format that this crate writes and reads.
pub const SCHEMA_VERSION: u64 = 1;

/// Where a leaf stands in its writer's sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Which writer.
    pub writer_id: Id,
    /// Which start of that writer, from 1.
    pub boot_epoch: u64,
    /// Which leaf of that start, from 0 without gaps.
    pub writer_seq: u64,
}

/// A leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the sequence.
    pub position: Position,
    /// When it was written down.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
}

/// An event's type and canonical bytes: all of a leaf that is known before its place in the sequence is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    kind: Kind,
    body: Vec<u8>,
}

/// Why bytes are not a leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not canonical JSON.
    #[error(transparent)]
    Canonical(#[from] canonical::Error),
    /// A leaf of a version this build does not know.
    #[error("leaf schema version {0} is unknown: use a newer build to read it")]
    Version(u64),
    /// Canonical JSON that does not fit the schema.
    #[error("not a leaf of schema version {SCHEMA_VERSION}: {0}")]
    Schema(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    boot_epoch: u64,
    event: Value,
    event_id: String,
    #[serde(rename = "schema_version")]
    _schema_version: u64,
    time: String,
    r#type: Kind,
    writer_id: Id,
    writer_seq: u64,
}

// === impl Event ===

impl Event {
    /// Digests what is hidden in it, so that it can be encoded.
    pub fn digest(&mut self, digester: &Digester) {
        let request = match self {
            Self::Intent(intent) => Some(&mut intent.request),
            Self::Answered(answered) => answered.request.as_mut(),
            Self::ApprovalAsked(asked) => asked.judged.as_mut().map(|judged| &mut judged.request),
            Self::Refusal(refusal) => refusal.request.as_mut(),
            // Whatever is hidden and not digested cannot be encoded.
            _ => None,
        };
        if let Some(Request { hidden, body, .. }) = request {
            hidden.items_mut().iter_mut().for_each(|parameter| parameter.value.digest(digester));
            body.iter_mut().for_each(|body| body.digest(digester));
        }
    }

    /// The event's canonical bytes.
    ///
    /// # Errors
    /// [`canonical::Error::Number`] for a count beyond 2^53 - 1, [`canonical::Error::Unspeakable`] for what is hidden
    /// and was not digested.
    pub fn encode(&self) -> Result<Encoded, canonical::Error> {
        let body = self.serialize()?;
        Ok(Encoded { kind: self.kind(), body })
    }
}

// === impl Encoded ===

impl Encoded {
    /// The event's type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The leaf's bytes at this place in the sequence. The keys of the envelope stand in canonical order.
    #[must_use]
    pub fn leaf(&self, position: &Position, time: &str) -> Vec<u8> {
        let Position { writer_id, boot_epoch, writer_seq } = position;
        let mut out = Vec::with_capacity(self.body.len() + 256);
        out.extend_from_slice(format!("{{\"boot_epoch\":{boot_epoch},\"event\":").as_bytes());
        out.extend_from_slice(&self.body);
        let envelope = format!(
            ",\"event_id\":\"{position}\",\"schema_version\":{SCHEMA_VERSION},\"time\":\"{time}\",\"type\":\"{kind}\",\
             \"writer_id\":\"{writer_id}\",\"writer_seq\":{writer_seq}}}",
            kind = self.kind,
        );
        out.extend_from_slice(envelope.as_bytes());
        out
    }

    /// How many bytes the event has; the envelope adds less than 512.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Never: an event has at least its braces.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

// === impl Leaf ===

impl Leaf {
    /// Reads a leaf's bytes, which must be canonical and of the schema.
    ///
    /// # Errors
    /// [`Error`] says what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let value = canonical::from_slice(bytes)?;
        match value.get("schema_version").and_then(Value::as_u64) {
            Some(SCHEMA_VERSION) => {}
            Some(other) => return Err(Error::Version(other)),
            None => return Err(Error::Schema("`schema_version` is missing".to_owned())),
        }
        let schema = |e: &dyn fmt::Display| Error::Schema(e.to_string());
        let raw: Raw = serde_json::from_value(value).map_err(|e| schema(&e))?;
        let time: Timestamp = raw.time.parse().map_err(|e: jiff::Error| schema(&e))?;
        if format_time(time) != raw.time {
            return Err(schema(&"`time` is not RFC 3339 in UTC with microseconds"));
        }
        let position =
            Position { writer_id: raw.writer_id, boot_epoch: raw.boot_epoch, writer_seq: raw.writer_seq };
        if position.to_string() != raw.event_id {
            return Err(schema(&"`event_id` does not match the place in the sequence"));
        }
        let event = Event::decode(raw.r#type, raw.event).map_err(|e| schema(&e))?;
        Ok(Self { position, time, event })
    }
}

/// RFC 3339 in UTC with exactly six digits of fraction.
#[must_use]
pub fn format_time(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    PRINTER.timestamp_to_string(&time)
}

// === impl Position ===

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.writer_id, self.boot_epoch, self.writer_seq)
    }
}

#[cfg(test)]
mod tests;
