//! Whether the segments of each recording follow one another.

use super::report::{Finding, Report};
use super::story::REMEMBERED;
use crate::leaf::{Digest, Id, Recorded, RecordingErased};
use std::collections::BTreeMap;

/// What is known of recordings after the leaves so far.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    known: BTreeMap<Id, Known>,
    /// Not all fit into memory.
    forgot: bool,
}

/// One recording.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// Up to this segment.
    UpTo { segment: u64, sha256: Digest },
    /// It was erased, at the leaf with this index.
    Erased { at: u64 },
}

impl Recordings {
    /// Whether some are not held against what came before.
    pub(super) fn forgot(&self) -> bool {
        self.forgot
    }

    /// `gaps`: leaves are missing, so that any segment may be the next.
    pub(super) fn recorded(&mut self, index: u64, leaf: &Recorded, gaps: bool, report: &mut Report) {
        let known = self.known.get(&leaf.session).copied();
        let why = match known {
            Some(Known::Erased { at }) => Some(format!("is told after it was erased, at leaf {at}")),
            _ if gaps || (known.is_none() && self.forgot) => None,
            None if leaf.segment == 1 && leaf.previous.is_none() => None,
            None if leaf.segment == 1 => Some("is the first, and names one before it".to_owned()),
            None => Some("is told, and none before it".to_owned()),
            Some(Known::UpTo { segment, sha256 }) if leaf.segment == segment => {
                (leaf.sha256 != sha256).then(|| "is told again, with another digest".to_owned())
            }
            Some(Known::UpTo { segment, sha256 }) => {
                let follows = leaf.segment == segment.saturating_add(1) && leaf.previous == Some(sha256);
                (!follows).then(|| format!("does not follow segment {segment}, the last one told"))
            }
        };
        if let Some(why) = why {
            tell(index, &leaf.session, leaf.segment, why, report);
        }
        if !matches!(known, Some(Known::Erased { .. })) {
            self.keep(&leaf.session, Known::UpTo { segment: leaf.segment, sha256: leaf.sha256 });
        }
    }

    /// What was erased has to be what was told. Of a gate that was killed the last segment may be one that it had no time to
    /// tell.
    pub(super) fn erased(&mut self, index: u64, leaf: &RecordingErased, gaps: bool, report: &mut Report) {
        if let (Some(&Known::UpTo { segment, sha256 }), false) = (self.known.get(&leaf.session), gaps) {
            let last = leaf.last.unwrap_or_default();
            let why = if last < segment {
                Some(format!("was told, but when it was erased segment {last} was the last"))
            } else if last == segment && leaf.sha256 != Some(sha256) {
                Some("had another digest when it was erased".to_owned())
            } else if last > segment.saturating_add(1) {
                Some(format!("is the last one told, but when it was erased segment {last} was the last"))
            } else {
                None
            };
            if let Some(why) = why {
                tell(index, &leaf.session, segment, why, report);
            }
        }
        self.keep(&leaf.session, Known::Erased { at: index });
    }

    fn keep(&mut self, session: &Id, known: Known) {
        if self.known.len() >= REMEMBERED && !self.known.contains_key(session) {
            self.forgot = true;
        } else {
            self.known.insert(session.clone(), known);
        }
    }
}

fn tell(index: u64, session: &Id, segment: u64, why: String, report: &mut Report) {
    report.finding(Finding::BadRecording { index, session: session.clone(), segment, why });
}

#[cfg(test)]
mod tests;
