//! What calls changed: as humans were shown it, or as the recording has it.

use std::collections::BTreeMap;

use approval::{Limit, Shown};
use chronicle::Call;
use recording::reader::Recording;
use store::StoredApproval;

use super::super::diff::Diff;
use crate::Console;
use crate::replay::scan::Scan;

/// Changes that unfold on a page: so many that humans were asked about, and so many that the recording has.
const MOST: usize = 20;
/// Bytes of a change, or of an object before or after it, that unfolds.
const LARGEST: usize = 64 << 10;
/// The same as YAML.
const SHOWN: Limit = Limit { bytes: LARGEST, lines: 2_000 };
/// Bytes of all changes that humans were asked about at once.
const LARGEST_SET: usize = 1 << 20;

/// Approvals by their ids, with what humans were shown of them.
pub(super) type Approvals = BTreeMap<String, (StoredApproval, String)>;

/// What a call changed.
pub(in crate::page) enum Change {
    Shown {
        diff: Diff,
        added: usize,
        removed: usize,
    },
    /// It may be on the call's own page: here it is too much.
    Elsewhere,
}

impl Console {
    /// What humans were shown of what these calls did. What cannot be looked up is not shown.
    pub(super) async fn approvals_of(&self, calls: &[Call]) -> Approvals {
        let mut found = BTreeMap::new();
        for id in calls.iter().filter_map(|call| call.approval.as_deref()) {
            if found.len() >= MOST || found.contains_key(id) {
                continue;
            }
            if let Some(approval) = self.approval_of(id).await {
                found.insert(id.to_owned(), approval);
            }
        }
        found
    }

    /// An approval, and what humans were shown of it.
    pub(crate) async fn approval_of(&self, id: &str) -> Option<(StoredApproval, String)> {
        let (stored, shown) = (self.inbox().get(id).await.ok()?, self.inbox().shown(id).await.ok()?);
        Some((stored, shown))
    }
}

/// What humans were shown of what a call changed, by the approval that was used for it: a change with its own lines, not the others of its
/// set.
pub(in crate::page) fn shown(call: &str, (stored, shown): &(StoredApproval, String)) -> Option<Shown> {
    let bound = &stored.approval.asked().bound;
    if bound.access().is_some() {
        return None;
    }
    let place = match bound.changes() {
        Some(_) => stored.approval.made().position(|made| made == Some(call))?,
        None => 0,
    };
    let shown: Vec<Shown> = serde_json::from_str(shown).ok()?;
    shown.into_iter().nth(place)
}

/// By call, what it changed.
pub(super) fn of(
    calls: &[Call],
    approvals: &Approvals,
    scan: &Scan,
    recording: Option<&Recording>,
) -> BTreeMap<String, Change> {
    let (mut changes, mut left) = (BTreeMap::new(), MOST);
    for call in calls {
        let change = match &call.approval {
            Some(id) => {
                approvals.get(id).map_or(Some(Change::Elsewhere), |approval| asked(&call.call, approval))
            }
            None => recorded(call, scan, recording, &mut left),
        };
        changes.extend(change.map(|change| (call.call.clone(), change)));
    }
    changes
}

fn asked(call: &str, approval: &(StoredApproval, String)) -> Option<Change> {
    if approval.1.len() > LARGEST_SET {
        return Some(Change::Elsewhere);
    }
    let shown = shown(call, approval)?;
    if shown.size() > LARGEST {
        Some(Change::Elsewhere)
    } else {
        Change::of(Diff::from(shown.diff()).brief())
    }
}

fn recorded(call: &Call, scan: &Scan, recording: Option<&Recording>, left: &mut usize) -> Option<Change> {
    let (objects, recording) = (scan.calls.get(&call.call)?, recording?);
    // What was not come upon may tell of something.
    if objects.is_open() || (!objects.has_begun() && is_change(call)) {
        return Some(Change::Elsewhere);
    }
    if !objects.may_differ() {
        return None;
    }
    if *left == 0 || !objects.is_within(LARGEST as u64) {
        return Some(Change::Elsewhere);
    }
    // Each takes two segments to be read, whether it shows something or not.
    *left -= 1;
    match objects.diff(recording, SHOWN) {
        Some(diff) => Change::of(Diff::from(diff).brief()),
        None => Some(Change::Elsewhere),
    }
}

/// Whether the ledger says that it was answered well, and may have changed something.
pub(in crate::page) fn is_change(call: &Call) -> bool {
    call.status.is_some_and(|status| (200..300).contains(&status)) && undo::Change::of(&call.asked).is_some()
}

impl Change {
    fn of(diff: Diff) -> Option<Self> {
        let count = |class| diff.lines.iter().chain(&diff.more).filter(|line| line.class == class).count();
        let (added, removed) = (count("added"), count("removed"));
        (added + removed > 0).then_some(Self::Shown { diff, added, removed })
    }
}
