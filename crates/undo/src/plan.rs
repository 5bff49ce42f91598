//! What would have to be done: the session's changes, folded by object, in reverse.

use std::fmt;

use approval::Diff;
use serde_json::Value;

use crate::{
    history::{Deed, History, Image},
    object::{comparable, is_masked},
    place::Place,
    why::Why,
};

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
    /// Whether it has masked values, which stay as they are.
    pub masked: bool,
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

/// The changes of one object.
struct Thread {
    place: Place,
    before: Image,
    after: Image,
    masked: bool,
    acts: Vec<String>,
    broken: Option<Why>,
}

impl Plan {
    /// What undoes this.
    #[must_use]
    pub fn of(history: History) -> Self {
        let History { deeds, left, gaps, ended, streams } = history;
        let mut threads: Vec<Thread> = Vec::new();
        for deed in deeds {
            match threads.iter_mut().find(|thread| thread.place == deed.place) {
                Some(thread) => thread.go_on(deed),
                None => threads.push(Thread::of(deed)),
            }
        }
        let left = left.into_iter().map(|(what, why)| Left { what, why }).collect();
        let mut plan = Self { steps: Vec::new(), left, gaps, ended, streams };
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
        self.left.is_empty() && self.gaps.is_empty() && self.streams == 0
    }
}

impl Thread {
    fn of(deed: Deed) -> Self {
        let Deed { act, place, before, after, masked } = deed;
        Self { place, before, after, masked, acts: vec![act], broken: None }
    }

    fn go_on(&mut self, deed: Deed) {
        if self.broken.is_none() {
            self.broken = match (&self.after, &deed.before) {
                (Image::Unknown, _) => Some(Why::NoOutcome),
                (_, Image::Unknown) => Some(Why::NoImage),
                (after, before) => {
                    let same = self.seen(after) == self.seen(before);
                    (!same).then_some(Why::Between)
                }
            };
        }
        self.after = deed.after;
        self.masked |= deed.masked;
        self.acts.push(deed.act);
    }

    fn seen(&self, image: &Image) -> Option<Value> {
        match image {
            Image::Object(object) => Some(comparable(&self.place, object)),
            Image::Absent | Image::Unknown => None,
        }
    }

    fn step(self) -> Result<Option<Step>, Why> {
        if let Some(why) = self.broken {
            return Err(why);
        }
        let same = self.seen(&self.before) == self.seen(&self.after);
        let Self { place, before, after, masked, acts, .. } = self;
        let (what, before, after) = match (before, after) {
            (Image::Unknown, _) => return Err(Why::NoImage),
            (_, Image::Unknown) => return Err(Why::NoOutcome),
            (Image::Absent, Image::Absent) => return Ok(None),
            (Image::Absent, Image::Object(after)) => (Inverse::Delete, Value::Null, after),
            (Image::Object(before), Image::Absent) => {
                crate::object::recreated(&place, &before)?;
                (Inverse::Create, before, Value::Null)
            }
            (Image::Object(before), Image::Object(after)) => (Inverse::Change, before, after),
        };
        let masked = masked || is_masked(&before) || is_masked(&after);
        if what == Inverse::Change && same {
            return if masked { Err(Why::MaskedOnly) } else { Ok(None) };
        }
        Ok(Some(Step { place, what, before, after, masked, acts }))
    }
}

impl Step {
    /// What is to be seen of it, as far as the recording tells: the object as the session left it, and as it is to be.
    #[must_use]
    pub fn diff(&self) -> Diff {
        Diff::between(&without_status(&self.after), &without_status(&self.before))
    }
}

/// What controllers say of an object is nothing to undo.
pub(crate) fn without_status(object: &Value) -> Value {
    let mut object = object.clone();
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
