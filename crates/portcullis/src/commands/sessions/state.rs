//! How a recording stands.

use std::fmt;

use jiff::Timestamp;
use recording::{
    Tombstone,
    reader::{Finding, Survey},
};

use super::{
    told::{Gate, OfSession},
    words::counted,
};

/// How a recording stands, held against the ledger: the worst that can be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It is what the gate wrote, from its beginning to an end in good order.
    Whole(Survey),
    /// So far it is whole, and it may be being written.
    Open(Survey),
    /// It goes on after a gate that was killed; what that had not sealed is lost.
    Interrupted(Survey),
    /// The gate was killed, or could not write, and the recording did not go on; what that had not sealed is lost.
    Crashed(Survey),
    /// Segments are missing.
    Gap(Survey),
    /// Something is there that the gate did not write, or not so.
    Damaged(Survey),
    /// It is there, though the ledger says that it was erased.
    Returned(Survey),
    /// It was erased.
    Erased {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
        /// Whether the ledger says so.
        told: bool,
    },
    /// Nothing is there, and the ledger has so many segments of it.
    Missing {
        /// How many.
        segments: u64,
    },
    /// The disk did not let us.
    Unreadable(String),
}

// === impl State ===

impl State {
    /// Of what is there: `untold` is the segment that the ledger may not have yet, `gate` what
    /// became of whoever wrote it.
    pub(super) fn of(survey: Survey, of: Option<&OfSession>, untold: Option<u64>, gate: Gate) -> Self {
        // Every session is told before anything of it is recorded.
        let may_be_untold = of.is_some() && gate != Gate::Stopped;
        let (mut damaged, mut gap) = (false, false);
        for finding in &survey.findings {
            match finding {
                Finding::Missing { .. } => gap = true,
                Finding::Unknown { number } if may_be_untold && Some(*number) == untold => {}
                Finding::Unfinished { .. } | Finding::Encrypted { .. } => {}
                Finding::Unknown { .. }
                | Finding::Altered { .. }
                | Finding::Unchained { .. }
                | Finding::Foreign { .. }
                | Finding::Damaged { .. }
                | Finding::ForeignFile { .. }
                | Finding::NoBody { .. } => damaged = true,
            }
        }
        if of.is_some_and(|of| of.erased.is_some()) {
            Self::Returned(survey)
        } else if damaged {
            Self::Damaged(survey)
        } else if gap {
            Self::Gap(survey)
        } else if !survey.stopped && gate == Gate::MayRun {
            Self::Open(survey)
        } else if !survey.stopped {
            Self::Crashed(survey)
        } else if survey.interrupted > 0 {
            Self::Interrupted(survey)
        } else {
            Self::Whole(survey)
        }
    }

    pub(super) fn erased(tombstone: &Tombstone, of: Option<&OfSession>) -> Self {
        let told = of.is_some_and(|of| of.erased.is_some());
        Self::Erased { at: tombstone.at, why: tombstone.why.as_str().to_owned(), told }
    }

    /// Of what only the ledger tells of.
    pub(super) fn without_files(of: &OfSession) -> Option<Self> {
        match (&of.erased, of.last_segment()) {
            (Some((at, why)), _) => Some(Self::Erased { at: *at, why: why.clone(), told: true }),
            (None, 0) => None,
            (None, segments) => Some(Self::Missing { segments }),
        }
    }

    /// One word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Whole(_) => "whole",
            Self::Open(_) => "open",
            Self::Interrupted(_) => "interrupted",
            Self::Crashed(_) => "crashed",
            Self::Gap(_) => "gap",
            Self::Damaged(_) => "damaged",
            Self::Returned(_) => "returned",
            Self::Erased { .. } => "erased",
            Self::Missing { .. } => "missing",
            Self::Unreadable(_) => "unreadable",
        }
    }

    /// What is there.
    pub(super) fn survey(&self) -> Option<&Survey> {
        match self {
            Self::Whole(survey)
            | Self::Open(survey)
            | Self::Interrupted(survey)
            | Self::Crashed(survey)
            | Self::Gap(survey)
            | Self::Damaged(survey)
            | Self::Returned(survey) => Some(survey),
            Self::Erased { .. } | Self::Missing { .. } | Self::Unreadable(_) => None,
        }
    }

    /// Whether it is as the gate and the ledger left it: a crash loses what was not sealed, and changes nothing.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Whole(_) | Self::Open(_) | Self::Interrupted(_) | Self::Crashed(_) => true,
            Self::Erased { told, .. } => *told,
            Self::Gap(_)
            | Self::Damaged(_)
            | Self::Returned(_)
            | Self::Missing { .. }
            | Self::Unreadable(_) => false,
        }
    }
}

/// In words.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(_) => f.write_str("whole: each segment is the one in the ledger"),
            Self::Open(_) => f.write_str("open: whole so far, and the gate may be writing it"),
            Self::Interrupted(_) => f.write_str(
                "interrupted: a gate was killed, what it had not sealed is lost, and the recording went on",
            ),
            Self::Crashed(_) => {
                f.write_str("crashed: it ends where a gate was killed or could not write, and what that had not sealed is lost")
            }
            Self::Gap(_) => f.write_str("gap: segments are missing"),
            Self::Damaged(_) => f.write_str("damaged: not all of it is what the gate wrote"),
            Self::Returned(_) => f.write_str("returned: the ledger says that it was erased, and it is there"),
            Self::Erased { at, why, told } => {
                let untold = if *told { "" } else { "; the ledger does not tell of that" };
                write!(f, "erased at {at:.0}: {why}{untold}")
            }
            Self::Missing { segments } => {
                write!(f, "missing: the ledger has {} of it", counted(*segments, "segment"))
            }
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}
