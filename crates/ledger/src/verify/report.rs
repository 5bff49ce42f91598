//! What verification found, as values and as text for a terminal.

use crate::checkpoint;
use crate::leaf::{self, Id, Kind};
use crate::tile::Malformed;
use crate::tree::Hash;
use std::collections::BTreeMap;
use std::fmt;

/// Problems and findings listed, at most, each; the rest is counted.
const LISTED: usize = 100;

/// What verification found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Leaves under the checkpoint; 0 if that could not be opened.
    pub size: u64,
    /// The signed root; `None` if the checkpoint could not be opened.
    pub root: Option<Hash>,
    /// How many leaves the earlier checkpoint had that this log was shown to extend; `None` if none was given, or not.
    pub extends: Option<u64>,
    /// The names on other signatures under the checkpoint; nobody has verified those.
    pub other_signatures: Vec<String>,
    /// Whether the key was the one that lies in the log's own folder: whoever can write there can have exchanged both.
    pub self_keyed: bool,
    /// Leaves in the journal that no signed checkpoint covers: nothing here vouches for them.
    pub unsealed: u64,
    /// Bytes at the journal's end of a write that never finished, or goes on right now.
    pub torn_bytes: u64,
    /// Leaves by type.
    pub kinds: BTreeMap<Kind, u64>,
    /// The time of the first leaf, RFC 3339.
    pub first_time: Option<String>,
    /// The time of the last.
    pub last_time: Option<String>,
    /// Intents without an outcome: calls open right now, or cut off by a crash.
    pub open_intents: u64,
    /// What is not as it was written or signed, the first 100.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problems_total: u64,
    /// What is intact and needs an explanation, the first 100.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub findings_total: u64,
}

/// Something that is not as it was written or signed. Its `Display` names the place and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Problem {
    /// The checkpoint.
    #[error(
        "`checkpoint`: {error}; nothing below it can be trusted: use the log's own key, or restore the file"
    )]
    Checkpoint { error: checkpoint::Error },
    /// A file is not there.
    #[error("`{file}` is missing: restore it from a backup or a mirror")]
    Missing { file: String },
    /// A file cannot be read.
    #[error("`{file}` cannot be read: {error}")]
    Unreadable { file: String, error: String },
    /// A file has another form.
    #[error("`{file}`: {error}; restore it from a backup or a mirror")]
    Malformed { file: String, error: Malformed },
    /// Leaves were dropped from a bundle, or added.
    #[error(
        "`{file}` has {found} leaves where {wanted} were signed: leaves were dropped or added; restore it from a backup"
    )]
    Count { file: String, found: u64, wanted: u64 },
    /// Leaves are not what was signed.
    #[error("leaf {index}{} in `{file}` was changed: the signed tree holds another; restore the file from a backup and compare", and_more(*more))]
    LeafChanged { file: String, index: u64, more: u64 },
    /// Stored hashes are not those of the leaves, which are what was signed.
    #[error("the hash of leaf {index}{} in `{file}` was changed; the leaf is what was signed: compute the tile again or restore it", and_more(*more))]
    HashChanged { file: String, index: u64, more: u64 },
    /// Neither the leaves nor the stored hashes lead to what was signed.
    #[error("leaf {index}{} in `{bundle}` and its hash in `{tile}` disagree, and neither leads to what was signed: restore both from a backup", and_more(*more))]
    Disagreement { bundle: String, tile: String, index: u64, more: u64 },
    /// A tile above the leaves.
    #[error(
        "hash {at} in `{file}` is not that of the tile below it: restore the file from a backup, or compute it again"
    )]
    TileChanged { file: String, at: u64 },
    /// The leaves do not make the tree that was signed.
    #[error("the log has the root {computed}, signed was {signed}: this is not the log that was signed")]
    Root { signed: Hash, computed: Hash },
    /// The log is shorter than it was.
    #[error(
        "the earlier checkpoint has {earlier} leaves, this log {size}: leaves were cut off, or an old copy was restored"
    )]
    CutOff { earlier: u64, size: u64 },
    /// The log is another than it was.
    #[error(
        "the first {size} leaves have the root {computed}, and had {earlier} at the earlier checkpoint: the log was rewritten since"
    )]
    Forked { size: u64, earlier: Hash, computed: Hash },
    /// Too much is missing.
    #[error(
        "the root cannot be computed, because leaves and their hashes are missing: restore the files named above"
    )]
    RootUnknown,
    /// A leaf of another form.
    #[error("leaf {index} in `{file}`: {error}")]
    Leaf { file: String, index: u64, error: leaf::Error },
    /// A leaf does not follow the one before.
    #[error("leaf {index} in `{file}` is {found} and {}: leaves are missing or from elsewhere", does_not_follow(after.as_deref()))]
    Sequence { file: String, index: u64, after: Option<String>, found: String },
    /// A start leaf tells another end of the boot before than there is.
    #[error(
        "the start leaf {index} in `{file}` does not tell how the boot before it ended: leaves before it are missing or from elsewhere"
    )]
    Start { file: String, index: u64 },
    /// The journal.
    #[error(
        "`{file}` is damaged at byte {at} ({what}): leaves in it that no checkpoint covers are lost; restore it, or keep it as evidence"
    )]
    JournalDamaged { file: String, at: u64, what: &'static str },
    /// A part of the journal is from elsewhere.
    #[error(
        "`{file}` has a frame at byte {at} that the gate did not write there ({why}): keep it as evidence"
    )]
    JournalForeign { file: String, at: u64, why: String },
    /// A part of the journal.
    #[error(
        "`{file}` continues at leaf {found} where leaf {wanted} belongs: a segment is missing; restore it from a backup"
    )]
    JournalGap { file: String, found: u64, wanted: u64 },
}

/// Something intact that needs an explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Finding {
    /// A call began and nothing says how it ended.
    #[error(
        "leaf {index}: the call {call} in session {session} has an intent and no outcome: it is open, or a crash hid its end"
    )]
    OpenIntent { index: u64, call: Id, session: Id },
    /// An outcome of nothing.
    #[error("leaf {index}: the call {call} has an outcome and no intent")]
    OutcomeAlone { index: u64, call: Id },
    /// A call with two beginnings.
    #[error("leaf {index}: the call {call} has a second intent before its outcome")]
    IntentTwice { index: u64, call: Id },
    /// A session without a beginning.
    #[error("leaf {index}: the session {session} was never opened")]
    UnknownSession { index: u64, session: Id },
    /// A session used after its end.
    #[error("leaf {index}: the session {session} had ended at leaf {ended}")]
    EndedSession { index: u64, session: Id, ended: u64 },
    /// A session used while it was frozen.
    #[error("leaf {index}: the session {session} was frozen at leaf {frozen}, and not thawed since")]
    FrozenSession { index: u64, session: Id, frozen: u64 },
    /// An approval that nobody was asked for.
    #[error("leaf {index}: the approval {approval} was never asked for")]
    UnknownApproval { index: u64, approval: String },
    /// A step of an approval that may not follow.
    #[error("leaf {index}: the approval {approval} did not go by its rules: {why}")]
    BadApproval { index: u64, approval: String, why: String },
    /// A call sent by an approval that was not for it.
    #[error("leaf {index}: the call {call} was sent by the approval {approval}, but {why}")]
    Unapproved { index: u64, call: Id, approval: String, why: String },
    /// A segment of a recording that is not the next.
    #[error("leaf {index}: segment {segment} of the recording of session {session} {why}")]
    BadRecording { index: u64, session: Id, segment: u64, why: String },
    /// A boot without an end.
    #[error(
        "leaf {index}: before boot {boot_epoch} the gateway stopped without saying so: a crash, a kill, or a full disk"
    )]
    UncleanStart { index: u64, boot_epoch: u64 },
    /// A stop that claims more than there is.
    #[error(
        "leaf {index}: boot {boot_epoch} says that every call had come to its end, but {open} of its intents have no outcome"
    )]
    UncleanStop { index: u64, boot_epoch: u64, open: usize },
    /// The clock was set.
    #[error("leaf {index}: the clock went back by {microseconds} µs")]
    ClockBack { index: u64, microseconds: i64 },
    /// Not all could be held in memory.
    #[error(
        "more than {remembered} calls were open, or sessions, approvals or recordings known, at once: some are not checked against each other"
    )]
    TooMany { remembered: usize },
}

fn does_not_follow(after: Option<&str>) -> String {
    after.map_or_else(|| "cannot be the first".to_owned(), |after| format!("does not follow {after}"))
}

fn and_more(more: u64) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}

// === impl Report ===

impl Report {
    pub(super) fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            size: 0,
            root: None,
            extends: None,
            other_signatures: Vec::new(),
            self_keyed: false,
            unsealed: 0,
            torn_bytes: 0,
            kinds: BTreeMap::new(),
            first_time: None,
            last_time: None,
            open_intents: 0,
            problems: Vec::new(),
            problems_total: 0,
            findings: Vec::new(),
            findings_total: 0,
        }
    }

    /// The same, of a log that was held against the key in its own folder.
    #[must_use]
    pub fn self_keyed(self) -> Self {
        Self { self_keyed: true, ..self }
    }

    /// Whether everything under the checkpoint is what was signed, and nothing else is amiss. Findings do not speak
    /// against that; nor does what [`Report::unsealed`] and [`Report::self_keyed`] say, which the verdict tells.
    #[must_use]
    pub fn intact(&self) -> bool {
        self.problems_total == 0
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems_total += 1;
        if self.problems.len() < LISTED {
            self.problems.push(problem);
        }
    }

    pub(super) fn finding(&mut self, finding: Finding) {
        self.findings_total += 1;
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "log         {}", self.origin)?;
        if let Some(root) = &self.root {
            writeln!(f, "checkpoint  {} leaves, root {root}", self.size)?;
        }
        if let Some(earlier) = self.extends {
            writeln!(f, "since       the earlier checkpoint's {earlier} leaves are the first of this log")?;
        }
        if let (Some(first), Some(last)) = (&self.first_time, &self.last_time) {
            writeln!(f, "time        {first} to {last}")?;
        }
        if !self.kinds.is_empty() {
            let kinds: Vec<String> =
                self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            writeln!(f, "leaves      {}", kinds.join(", "))?;
        }
        if self.unsealed > 0 {
            let (first, unsealed) = (self.size, plural(self.unsealed, "entry", "entries"));
            writeln!(
                f,
                "journal     {unsealed} not covered by a signed checkpoint, from leaf {first} on: anyone who can write the \
                 folder could have written or cut off such"
            )?;
        }
        if self.torn_bytes > 0 {
            writeln!(
                f,
                "journal     {} bytes of a write that never finished, never acknowledged",
                self.torn_bytes
            )?;
        }
        match self.other_signatures.as_slice() {
            [] => writeln!(
                f,
                "witness     UNWITNESSED: whoever holds the key and the files could have rewritten or cut off this log"
            )?,
            names => writeln!(
                f,
                "witness     UNWITNESSED: signatures by {} are not verified here",
                names.join(", ")
            )?,
        }
        list(f, "problem", &self.problems, self.problems_total)?;
        list(f, "to explain", &self.findings, self.findings_total)?;
        let problems = plural(self.problems_total, "problem", "problems");
        writeln!(f, "{}; {problems}, {} to explain", self.verdict(), self.findings_total)
    }
}

impl Report {
    /// What is shown, and no more than that.
    fn verdict(&self) -> String {
        if !self.intact() {
            return "NOT INTACT".to_owned();
        }
        let leaves = plural(self.size, "leaf", "leaves");
        let tail = match self.unsealed {
            0 => String::new(),
            n => format!("; {} NOT COVERED", plural(n, "further entry", "further entries")),
        };
        if self.self_keyed {
            format!(
                "CONSISTENT, NOT PROVEN: {leaves}, held against the key in the log's own folder, which is no evidence{tail}"
            )
        } else {
            format!("INTACT: {leaves} under the checkpoint, each what was signed{tail}")
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, items: &[T], total: u64) -> fmt::Result {
    for item in items {
        writeln!(f, "{name:<12}{item}")?;
    }
    let listed = items.len() as u64;
    if total > listed { writeln!(f, "{name:<12}and {} more", total - listed) } else { Ok(()) }
}

fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
