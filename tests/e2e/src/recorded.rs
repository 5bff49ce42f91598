//! What recordings hold: their segments are compressed, so nobody who looks at the folder's bytes sees into them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use recording::{
    at_rest::Plain,
    reader::{Finding, Library, Recording, Unreadable},
    record::{Channel, What},
};

use crate::contains_canary;

/// So much of a channel is looked through at once.
const ENOUGH: usize = 1 << 20;

/// So much of it is looked at once more with what follows: no form of a value is longer.
const OVERLAP: usize = 16 << 10;

/// Recordings in this folder that hold a canary, and what they hold it in: each record, what passed on each channel whatever pieces it
/// came in, and what a terminal showed of it without its colours. Those of excused sessions are passed over, and what is encrypted.
///
/// # Errors
/// They cannot be read, or not to their ends.
pub(crate) fn recorded_canaries(folder: &Path, excused: &BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    let library = Library::new(folder, Arc::new(Plain));
    for session in library.sessions()? {
        let recording = match library.recording(&session) {
            Ok(recording) => recording,
            Err(Unreadable::Erased(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        if !excused.contains(session.as_str()) {
            let holds = look(&recording).with_context(|| format!("the recording of {session}"))?;
            found.extend(holds.into_iter().map(|what| format!("{session}: {what}")));
        }
    }
    Ok(found)
}

fn look(recording: &Recording) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut passed = BTreeMap::<(u32, Channel), Passed>::new();
    for record in recording.records() {
        let Some(record) = readable(record)? else { continue };
        if let What::Bytes { stream, channel, bytes } = &record.what {
            passed.entry((*stream, *channel)).or_default().add(&bytes.0);
            continue;
        }
        if let What::Closed { stream, .. } = &record.what {
            found.extend(ended(&mut passed, |of| of == *stream, "passed"));
        }
        let told = serde_json::to_string(&record.what)?;
        if contains_canary(told.as_bytes()) || contains_canary(record.what.payload()) {
            found.insert(told);
        }
    }
    found.extend(ended(&mut passed, |_| true, "passed"));
    for line in recording.lines(None) {
        let Some(line) = readable(line)? else { continue };
        passed.entry((line.stream, line.channel)).or_default().add(line.text.as_bytes());
    }
    found.extend(ended(&mut passed, |_| true, "shown"));
    Ok(found)
}

/// What is encrypted is for others, and what was being written when a gate was killed is in no recording.
fn readable<T>(read: Result<T, Finding>) -> anyhow::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Finding::Encrypted { .. } | Finding::Unfinished { .. }) => Ok(None),
        Err(finding) => Err(finding.into()),
    }
}

/// The channels of these streams that hold a canary; they are forgotten.
fn ended(
    passed: &mut BTreeMap<(u32, Channel), Passed>,
    over: impl Fn(u32) -> bool,
    how: &str,
) -> Vec<String> {
    let all = std::mem::take(passed).into_iter();
    let (over, on): (Vec<_>, Vec<_>) = all.partition(|((stream, _), _)| over(*stream));
    passed.extend(on);
    let holds = over.into_iter().filter_map(|(of, passed)| passed.end().then_some(of));
    holds.map(|(stream, channel)| format!("{how} on {channel:?} of stream {stream}")).collect()
}

/// What passed on a channel and was not looked at with all that follows it.
#[derive(Default)]
struct Passed {
    bytes: Vec<u8>,
    found: bool,
}

impl Passed {
    fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= ENOUGH {
            self.found |= contains_canary(&self.bytes);
            self.bytes.drain(..self.bytes.len() - OVERLAP);
        }
    }

    fn end(self) -> bool {
        self.found || contains_canary(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use recording::{
        record::{Called, Kind, Opened, Payload},
        testing::Script,
    };

    use super::*;
    use crate::CANARY;

    /// A stream that shows this in these pieces.
    fn showing(folder: &Path, session: &str, pieces: &[Vec<u8>]) {
        let opened = Opened {
            stream: 1,
            call: "c-1".into(),
            kind: Kind::Exec,
            namespace: "shop".into(),
            pod: "web".into(),
            container: None,
            argv: std::iter::once("sh").collect(),
            tty: true,
        };
        let mut script = Script::new(folder, session, "2026-06-01T12:00:00Z".parse().unwrap())
            .at(0, What::Began {})
            .at(1, What::Opened(opened));
        for piece in pieces {
            let bytes = Payload(piece.clone().into());
            script = script.at(2, What::Bytes { stream: 1, channel: Channel::Stdout, bytes }).sealed();
        }
        let closed = script.at(3, What::Closed { stream: 1, how: "exit status 0".into() });
        assert!(!closed.stopped().is_empty());
    }

    #[test]
    fn a_value_in_a_recording_is_found_in_whatever_pieces_and_colours() {
        let folder = tempfile::tempdir().unwrap();
        let letters: Vec<Vec<u8>> = CANARY.bytes().map(|letter| vec![letter]).collect();
        let coloured = CANARY.replace('-', "\x1b[31m-\x1b[0m").replace("94", "9\x1b[1m4").into_bytes();
        let far = [&vec![b'x'; ENOUGH - 9][..], CANARY.as_bytes(), b"\n"].concat();
        let far: Vec<Vec<u8>> = far.chunks(100_000).map(<[u8]>::to_vec).collect();
        showing(folder.path(), "s-letters", &letters);
        showing(folder.path(), "s-coloured", &[coloured]);
        showing(folder.path(), "s-far", &far);
        showing(folder.path(), "s-clean", &[b"nothing".to_vec()]);
        let called = Called { call: "c-1".into(), act: CANARY.into(), body: None };
        let _segments = Script::new(folder.path(), "s-call", "2026-06-01T12:00:00Z".parse().unwrap())
            .at(0, What::Called(called))
            .stopped();
        let found = |excused: &[&str]| {
            let excused = excused.iter().map(|session| (*session).to_owned()).collect();
            let found = recorded_canaries(folder.path(), &excused).unwrap();
            found.iter().map(|one| one.split(':').next().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(Vec::from_iter(found(&[])), ["s-call", "s-coloured", "s-far", "s-letters"]);
        assert_eq!(Vec::from_iter(found(&["s-call", "s-far"])), ["s-coloured", "s-letters"]);
        // What the sweep of files alone would see.
        assert!(crate::sweep(folder.path()).unwrap().is_empty());
    }
}
