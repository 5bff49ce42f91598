//! The objects that a recording has from before and after a call, and what the call changed of them.

use recording::Text;
use recording::reader::Recording;
use recording::record::{Answered, Before, Blob, What};
use serde_json::Value;

/// Of one call.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Right before; within, `None`: there was none.
    before: Option<Option<Blob>>,
    /// What it was answered with.
    after: Option<Blob>,
}

impl Objects {
    /// The call that a record is of, if it tells of its objects.
    pub(crate) fn call(what: &What) -> Option<&Text<128>> {
        match what {
            What::Before(Before { call, .. }) | What::Answered(Answered { call, body: Some(_), .. }) => {
                Some(call)
            }
            _ => None,
        }
    }

    /// Takes what a record of the call tells of them.
    pub(crate) fn take(&mut self, what: &What) {
        match what {
            What::Before(Before { body, .. }) => self.before = Some(body.clone()),
            What::Answered(Answered { body: Some(body), .. }) => self.after = Some(body.clone()),
            _ => {}
        }
    }

    /// What the call changed, where the recording has all of both, of so many bytes at most each.
    pub(crate) fn diff(
        &self,
        call: &chronicle::Call,
        recording: &Recording,
        most: u64,
    ) -> Option<approval::Diff> {
        if !call.status.is_some_and(|status| (200..300).contains(&status)) {
            return None;
        }
        let read = |blob: &Blob| object(blob, recording, most);
        let before = || match self.before.as_ref()? {
            Some(blob) => read(blob),
            None => Some(Value::Null),
        };
        // What is no object of Kubernetes is a `Status`, or is no change.
        let after = || {
            let after = self.after.as_ref().and_then(read);
            after.filter(|after| after.pointer("/metadata/uid").is_some())
        };
        let (before, after) = match call.verb()? {
            "create" => (Value::Null, after()?),
            "update" | "patch" => (before()?, after()?),
            "delete" => (before()?, Value::Null),
            _ => return None,
        };
        Some(approval::Diff::between(&before, &after))
    }
}

/// An object of which the recording has all.
fn object(blob: &Blob, recording: &Recording, most: u64) -> Option<Value> {
    let all = blob.kept == blob.whole && blob.whole <= most;
    let bytes = all.then(|| recording.body(blob).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok()
}
