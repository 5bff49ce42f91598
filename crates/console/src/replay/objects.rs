//! What a recording has of one call: whether there are bodies, and the object that it changed, before and after.

use approval::Limit;
use recording::reader::Recording;
use recording::record::{Answered, Before, Blob, Called, What};
use serde_json::Value;
use undo::Change;

/// So long before its leaf a call's record may be, in microseconds: it is handed over first, and two clocks were asked.
pub(crate) const AHEAD: u64 = 5_000_000;

/// Of one call.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Whether the recording tells of it.
    has_begun: bool,
    /// What it asked for, if that may change an object.
    change: Option<Change>,
    /// Right before; within, `None`: there was none.
    before: Option<Option<Blob>>,
    /// Its status, and what it was answered with.
    answer: Option<(u16, Option<Blob>)>,
    has_bodies: bool,
}

impl Objects {
    /// The call that a record is of.
    pub(crate) fn call(what: &What) -> Option<&str> {
        match what {
            What::Called(Called { call, .. })
            | What::Before(Before { call, .. })
            | What::Answered(Answered { call, .. }) => Some(call.as_str()),
            _ => None,
        }
    }

    /// Takes what a record of the call tells.
    pub(crate) fn take(&mut self, what: &What) {
        match what {
            What::Called(Called { act, body, .. }) => {
                self.has_begun = true;
                self.change = Change::of(act.as_str());
                self.has_bodies |= body.is_some();
            }
            What::Before(Before { body, .. }) => self.before = Some(body.clone()),
            What::Answered(Answered { status, body, .. }) => {
                self.answer = Some((*status, body.clone()));
                self.has_bodies |= body.is_some();
            }
            _ => {}
        }
    }

    /// Whether it was come upon.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether it changes something, and its answer is still to come: a moment after, and not as a watch's.
    pub(crate) fn is_open(&self) -> bool {
        self.answer.is_none() && self.change.is_some()
    }

    /// The gate was killed: an answer that has not come is lost.
    pub(crate) fn interrupted(&mut self) {
        if self.answer.is_none() {
            self.change = None;
        }
    }

    /// Whether there is something that was sent or shown.
    pub(crate) fn has_bodies(&self) -> bool {
        self.has_bodies
    }

    /// Whether it was answered well, and is of those by which something may differ. That a diff of it is empty is told by reading alone.
    pub(crate) fn may_differ(&self) -> bool {
        let is_well = self.answer.as_ref().is_some_and(|(status, _)| (200..300).contains(status));
        is_well && self.change.is_some()
    }

    /// Whether all that is kept of the object, before and after, is of so many bytes of JSON at most.
    pub(crate) fn is_within(&self, most: u64) -> bool {
        let (before, after) =
            (self.before.iter().flatten(), self.answer.iter().filter_map(|(_, blob)| blob.as_ref()));
        before.chain(after).all(|blob| blob.kept <= most)
    }

    /// What the call changed, where the recording has all of it, and it is not more than this.
    pub(crate) fn diff(&self, recording: &Recording, most: Limit) -> Option<approval::Diff> {
        let (_, after) = self.answer.as_ref().filter(|_| self.may_differ())?;
        let before = match self.before.as_ref() {
            Some(Some(blob)) => Some(object(blob, recording)?),
            Some(None) => Some(Value::Null),
            None => None,
        };
        let after = after.as_ref().and_then(|blob| object(blob, recording));
        let [before, after] = self.change.as_ref()?.images(before, after)?;
        approval::Diff::within(&before, &after, most)
    }
}

/// An object of which the recording has all.
fn object(blob: &Blob, recording: &Recording) -> Option<Value> {
    let bytes = (blob.kept == blob.whole).then(|| recording.body(blob).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(act: &str) -> Objects {
        let mut objects = Objects::default();
        objects.take(&What::Called(Called { call: "c-1".into(), act: act.into(), body: None }));
        objects
    }

    /// Only what comes is waited for.
    #[test]
    fn the_answer_of_a_change_is_waited_for_until_it_comes_or_is_lost() {
        let patch = "patch /api/v1/namespaces/shop/configmaps/a";
        let mut answered = called(patch);
        assert!(answered.is_open());
        answered.take(&What::Answered(Answered { call: "c-1".into(), status: 200, media: None, body: None }));
        answered.interrupted();
        assert!(!answered.is_open() && answered.may_differ());
        let mut lost = called(patch);
        lost.interrupted();
        assert!(!lost.is_open() && !lost.may_differ());
        for other in [
            "watch /api/v1/pods",
            "get /api/v1/pods",
            "patch /api/v1/namespaces/shop/configmaps/a?dryRun=All",
        ] {
            assert!(!called(other).is_open(), "{other}");
        }
    }
}
