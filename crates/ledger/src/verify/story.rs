//! What the leaves say, one after another: their form, their sequence, and whether calls and sessions add up.

use super::approvals::Approvals;
use super::recordings::Recordings;
use super::report::{Finding, Problem, Report};
use crate::leaf::{Event, Id, Kind, Leaf, Position, Previous, Stop, format_time};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Open intents and sessions remembered, at most. What is beyond is counted and not listed.
pub(super) const REMEMBERED: usize = 100_000;

/// What is known after the leaves so far.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The last leaf; `None` at the start.
    last: Option<Last>,
    /// Leaves were skipped: the next one's place in the sequence cannot be foretold.
    off_track: bool,
    /// The index of the last start leaf.
    boot: u64,
    /// Whether any leaf was ever skipped: then a missing counterpart says nothing.
    gaps: bool,
    open: BTreeMap<Id, (u64, Id)>,
    sessions: BTreeMap<Id, Session>,
    approvals: Approvals,
    recordings: Recordings,
    /// Something did not fit into memory.
    forgot: bool,
}

/// The indices of leaves that keep a session from being used.
#[derive(Debug, Default)]
struct Session {
    ended: Option<u64>,
    frozen: Option<u64>,
}

#[derive(Debug)]
struct Last {
    position: Position,
    time: Timestamp,
    stopped: bool,
}

impl Story {
    /// Leaves are missing before the next.
    pub(super) fn lose_track(&mut self) {
        self.off_track = true;
        self.gaps = true;
    }

    /// The next leaf.
    pub(super) fn leaf(&mut self, file: &str, index: u64, bytes: &[u8], report: &mut Report) {
        let leaf = match Leaf::parse(bytes) {
            Ok(leaf) => leaf,
            Err(error) => {
                report.problem(Problem::Leaf { file: file.to_owned(), index, error });
                self.lose_track();
                return;
            }
        };
        *report.kinds.entry(leaf.event.kind()).or_default() += 1;
        let time = format_time(leaf.time);
        report.first_time.get_or_insert_with(|| time.clone());
        report.last_time = Some(time);
        self.sequence(file, index, &leaf, report);
        self.calls(index, leaf.time, &leaf.event, report);
        self.boots(index, &leaf, report);
        let stopped = leaf.event.kind() == Kind::Stop;
        self.last = Some(Last { position: leaf.position, time: leaf.time, stopped });
        self.off_track = false;
    }

    /// What is left over at the end.
    pub(super) fn finish(self, report: &mut Report) {
        for (call, (index, session)) in self.open {
            report.open_intents += 1;
            report.finding(Finding::OpenIntent { index, call, session });
        }
        if self.forgot || self.approvals.forgot() || self.recordings.forgot() {
            report.finding(Finding::TooMany { remembered: REMEMBERED });
        }
    }

    fn sequence(&self, file: &str, index: u64, leaf: &Leaf, report: &mut Report) {
        let found = &leaf.position;
        let starts = matches!(&leaf.event, Event::Start(_));
        let follows = match &self.last {
            _ if self.off_track => true,
            None => starts && found.boot_epoch == 1 && found.writer_seq == 0,
            Some(Last { position, .. }) if starts => {
                found.boot_epoch == position.boot_epoch + 1 && found.writer_seq == 0
            }
            Some(Last { position, .. }) => {
                found.writer_id == position.writer_id
                    && found.boot_epoch == position.boot_epoch
                    && found.writer_seq == position.writer_seq + 1
            }
        };
        if !follows {
            let after = self.last.as_ref().map(|last| last.position.to_string());
            report.problem(Problem::Sequence {
                file: file.to_owned(),
                index,
                after,
                found: found.to_string(),
            });
        }
        if let Event::Start(start) = &leaf.event {
            if start.previous == Previous::Unclean {
                report.finding(Finding::UncleanStart { index, boot_epoch: found.boot_epoch });
            }
            let ended = match &self.last {
                None => Previous::None,
                Some(Last { stopped: true, .. }) => Previous::Clean,
                Some(_) => Previous::Unclean,
            };
            if !self.off_track && start.previous != ended {
                report.problem(Problem::Start { file: file.to_owned(), index });
            }
        }
        if let Some(last) = self.last.as_ref().filter(|last| leaf.time < last.time) {
            let microseconds = last.time.as_microsecond() - leaf.time.as_microsecond();
            report.finding(Finding::ClockBack { index, microseconds });
        }
    }

    /// A boot that says it ended well must have an outcome for each of its intents.
    fn boots(&mut self, index: u64, leaf: &Leaf, report: &mut Report) {
        match &leaf.event {
            Event::Start(_) => self.boot = index,
            Event::Stop(Stop { clean: true }) if !self.gaps => {
                let open = self.open.values().filter(|(intent, _)| *intent > self.boot).count();
                if open > 0 {
                    let boot_epoch = leaf.position.boot_epoch;
                    report.finding(Finding::UncleanStop { index, boot_epoch, open });
                }
            }
            Event::Stop(_)
            | Event::Intent(_)
            | Event::Outcome(_)
            | Event::Refusal(_)
            | Event::Answered(_)
            | Event::Rejections(_)
            | Event::SessionOpened(_)
            | Event::SessionRevoked(_)
            | Event::SessionExpired(_)
            | Event::SessionFrozen(_)
            | Event::SessionThawed(_)
            | Event::SignedIn(_)
            | Event::PasskeyEnrolled(_)
            | Event::PasskeyRemoved(_)
            | Event::Recorded(_)
            | Event::RecordingErased(_)
            | Event::KnownValueSent(_)
            | Event::SecretsRead(_)
            | Event::ApprovalAsked(_)
            | Event::ApprovalStep(_)
            | Event::PolicyLoaded(_) => {}
        }
    }

    fn calls(&mut self, index: u64, time: Timestamp, event: &Event, report: &mut Report) {
        match event {
            Event::ApprovalAsked(asked) => self.approvals.asked(index, asked, report),
            Event::PasskeyEnrolled(enrolled) => self.approvals.enrolled(enrolled),
            Event::PasskeyRemoved(removed) => self.approvals.removed(removed),
            Event::ApprovalStep(step) => self.approvals.step(index, step, self.gaps, report),
            Event::Intent(intent) => {
                self.in_session(index, &intent.actor.session, report);
                self.approvals.intent(index, time, intent, self.gaps, report);
                if self.open.len() >= REMEMBERED {
                    self.forgot = true;
                } else if self
                    .open
                    .insert(intent.call.clone(), (index, intent.actor.session.clone()))
                    .is_some()
                {
                    report.finding(Finding::IntentTwice { index, call: intent.call.clone() });
                }
            }
            Event::Outcome(outcome) => {
                if self.open.remove(&outcome.call).is_none() && !self.gaps && !self.forgot {
                    report.finding(Finding::OutcomeAlone { index, call: outcome.call.clone() });
                }
            }
            Event::Answered(answered) => self.in_session(index, &answered.actor.session, report),
            Event::SessionOpened(opened) => {
                if self.sessions.len() >= REMEMBERED {
                    self.forgot = true;
                } else {
                    self.sessions.insert(opened.session.clone(), Session::default());
                }
            }
            Event::SessionRevoked(revoked) => self.end_session(index, &revoked.session),
            Event::SessionExpired(expired) => self.end_session(index, &expired.session),
            Event::Recorded(recorded) => self.recordings.recorded(index, recorded, self.gaps, report),
            Event::RecordingErased(erased) => self.recordings.erased(index, erased, self.gaps, report),
            Event::SessionFrozen(frozen) => self.freeze(&frozen.session, Some(index)),
            Event::SessionThawed(thawed) => self.freeze(&thawed.session, None),
            // Its leaf is written beside the call's, and may come after its session's end.
            Event::KnownValueSent(_)
            | Event::SignedIn(_)
            | Event::SecretsRead(_)
            | Event::Start(_)
            | Event::Stop(_)
            | Event::Refusal(_)
            | Event::Rejections(_)
            | Event::PolicyLoaded(_) => {}
        }
    }

    fn in_session(&self, index: u64, session: &Id, report: &mut Report) {
        match self.sessions.get(session) {
            Some(Session { ended: Some(ended), .. }) => {
                report.finding(Finding::EndedSession { index, session: session.clone(), ended: *ended });
            }
            Some(Session { frozen: Some(frozen), .. }) => {
                report.finding(Finding::FrozenSession { index, session: session.clone(), frozen: *frozen });
            }
            Some(_) => {}
            None if self.gaps || self.forgot => {}
            None => report.finding(Finding::UnknownSession { index, session: session.clone() }),
        }
    }

    fn end_session(&mut self, index: u64, session: &Id) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.ended.get_or_insert(index);
        }
    }

    fn freeze(&mut self, session: &Id, frozen: Option<u64>) {
        if let Some(session) = self.sessions.get_mut(session) {
            session.frozen = frozen;
        }
    }
}
