//! What would have to be done: the session's changes, folded by object, in reverse.

use std::fmt;

use approval::Diff;
use serde_json::Value;

use crate::{history::History, object::unbind, place::Place, why::Why};

/// What undoes a session, as far as its recording tells.
#[derive(Debug, Default)]
pub struct Plan {
    /// In the order in which they are to be done.
    pub steps: Vec<Step>,
    /// What stays as it is.
    pub left: Vec<Left>,
    /// What the recording lacks: there may be changes that nobody knows of.
    pub gaps: Vec<String>,
    /// Whether the recording has come to its end.
    pub ended: bool,
    /// Whether some of the recording is encrypted, and was not read: a gap that an identity fills.
    pub encrypted: bool,
    /// Commands and connections into pods: what came of them is not known.
    pub streams: usize,
}

/// What undoes the changes of one object.
#[derive(Debug, Clone)]
pub struct Step {
    /// The object.
    pub place: Place,
    /// What is done with it.
    pub what: Inverse,
    /// As it is to be, masked; `null`: it is not to be there.
    pub before: Value,
    /// As the session left it, masked; `null`: it deleted it.
    pub after: Value,
    /// Whether it has masked values, which stay as they are unless they are put back.
    pub masked: bool,
    /// The call of before which the gate kept its masked values, as `SESSION/CALL`: they are put back. `None`: there is nothing to put
    /// back, or it kept nothing.
    pub restores: Option<String>,
    /// The calls that are undone by it, as the recording has them.
    pub acts: Vec<String>,
}

/// How a change is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inverse {
    /// The session made it.
    Delete,
    /// The session deleted it.
    Create,
    /// The session changed it.
    Change,
}

/// Something that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The object, or the call.
    pub what: String,
    /// Why.
    pub why: Why,
}

impl Plan {
    /// What undoes this.
    #[must_use]
    pub fn of(history: History) -> Self {
        let History { threads, left, gaps, ended, encrypted, streams } = history;
        let left = left.into_iter().map(|(what, why)| Left { what, why }).collect();
        let mut plan = Self { steps: Vec::new(), left, gaps, ended, encrypted, streams };
        for thread in threads.into_iter().rev() {
            let what = thread.place.to_string();
            match thread.step() {
                Ok(Some(step)) => plan.steps.push(step),
                Ok(None) => {}
                Err(why) => plan.left.push(Left { what, why }),
            }
        }
        plan
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether it undoes all that the session did, as far as anybody can know.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let all_is_seen = !self.steps.iter().any(Step::leaves_values);
        self.left.is_empty() && self.gaps.is_empty() && self.streams == 0 && self.ended && all_is_seen
    }
}

impl Step {
    /// Whether it leaves masked values as they are, so that nobody knows whether they are as they were.
    #[must_use]
    pub fn leaves_values(&self) -> bool {
        self.masked && self.restores.is_none() && self.what != Inverse::Delete
    }

    /// What is to be seen of it, as far as the recording tells: the object as the session left it, and as it is to be.
    #[must_use]
    pub fn diff(&self) -> Diff {
        diff(&self.after, &self.before)
    }
}

/// What is no choice of anybody's is left out, and what placeholders are bound to.
pub(crate) fn diff(one: &Value, other: &Value) -> Diff {
    Diff::between(&without_status(one), &without_status(other))
}

/// What controllers say of an object is nothing to undo.
fn without_status(object: &Value) -> Value {
    let mut object = object.clone();
    unbind(&mut object);
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    object
}

/// `delete configmaps "made" in namespace "shop"`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what.as_str(), self.place)
    }
}

impl Inverse {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Create => "create",
            Self::Change => "change back",
        }
    }
}
