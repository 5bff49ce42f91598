//! The changes of one object, as one: from what was there before the first to what the last left.

use serde_json::Value;

use crate::{
    object::{
        comparable, is_masked, is_minted, is_more_than_one_step, is_untouched, keeps_values, recreated,
        strictly, with_contents,
    },
    place::Place,
    plan::{Inverse, Step},
    why::Why,
};

/// An object at one time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Image {
    /// The recording does not tell.
    Unknown,
    /// There was none.
    Absent,
    /// It was like this, masked; so many bytes of JSON.
    Object(Value, u64),
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Deed {
    /// As the recording has it: `patch /api/v1/…`.
    pub(crate) act: String,
    pub(crate) place: Place,
    pub(crate) before: Image,
    pub(crate) after: Image,
    pub(crate) values: Values,
}

/// Values that are not in the recording.
#[derive(Debug)]
pub(crate) struct Values {
    /// Whether there are some.
    pub(crate) masked: bool,
    /// The call of before which the gate kept them, as `SESSION/CALL`.
    pub(crate) kept: Option<String>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) place: Place,
    before: Image,
    after: Image,
    masked: bool,
    /// Of the first of them, if the gate kept values before it.
    kept: Option<String>,
    /// Whether somebody else may have changed masked values in between.
    open: bool,
    acts: Vec<String>,
    /// Calls that are not named.
    more: usize,
    broken: Option<Why>,
}

/// Calls of one object that are named.
const NAMED: usize = 50;

impl Image {
    /// What it holds, in bytes of JSON.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::Object(_, bytes) => *bytes,
            Self::Unknown | Self::Absent => 0,
        }
    }

    fn seen(&self, place: &Place) -> Option<Value> {
        match self {
            Self::Object(object, _) => Some(comparable(place, object)),
            Self::Absent | Self::Unknown => None,
        }
    }
}

impl Thread {
    pub(crate) fn of(deed: Deed) -> Self {
        let Deed { act, place, before, after, values: Values { masked, kept } } = deed;
        let broken = is_between(&before, &after).then_some(Why::Between);
        Self { place, before, after, masked, kept, open: false, acts: vec![act], more: 0, broken }
    }

    /// Bytes of what is held of it.
    pub(crate) fn weight(&self) -> u64 {
        self.before.weight().saturating_add(self.after.weight())
    }

    /// As if the gate had kept nothing.
    pub(crate) fn forget_values(&mut self) {
        self.kept = None;
    }

    pub(crate) fn go_on(&mut self, deed: Deed) {
        let Deed { act, before, after, values, .. } = deed;
        let masked = values.masked;
        if self.broken.is_none() {
            self.broken = match (&self.after, &before) {
                (Image::Unknown, _) => Some(Why::NoOutcome),
                (_, Image::Unknown) => Some(Why::NoImage),
                (last, before) => {
                    let meet = last.seen(&self.place) == before.seen(&self.place);
                    (!meet || is_between(before, &after)).then_some(Why::Between)
                }
            };
        }
        if let (Image::Object(last, _), Image::Object(before, _)) = (&self.after, &before) {
            self.open |= !is_untouched(last, before);
        }
        self.after = after;
        self.masked |= masked;
        if self.acts.len() < NAMED { self.acts.push(act) } else { self.more += 1 }
    }

    /// What undoes them; `None`: they came to nothing.
    pub(crate) fn step(self) -> Result<Option<Step>, Why> {
        if let Some(why) = self.broken {
            return Err(why);
        }
        let same = self.before.seen(&self.place) == self.after.seen(&self.place);
        let Self { place, before, after, masked, kept, open, mut acts, more, .. } = self;
        if more > 0 {
            acts.push(format!("… and {more} more calls"));
        }
        let gone = matches!(after, Image::Absent);
        let restores = kept.filter(|_| match &before {
            Image::Object(before, _) => is_masked(before) && (gone || !keeps_values(&place, before)),
            Image::Unknown | Image::Absent => false,
        });
        if matches!(&before, Image::Object(before, _) if restores.is_some() && is_minted(&place, before)) {
            return Err(Why::Minted);
        }
        if restores.is_some() && open {
            return Err(Why::MaskedBetween);
        }
        let (what, before, after) = match (before, after) {
            (Image::Unknown, _) => return Err(Why::NoImage),
            (_, Image::Unknown) => return Err(Why::NoOutcome),
            (Image::Absent, Image::Absent) => return Ok(None),
            // What others have put into it since does not show in it.
            (Image::Absent, Image::Object(..)) if with_contents(&place) => return Err(Why::Contents),
            (Image::Absent, Image::Object(after, _)) => (Inverse::Delete, Value::Null, after),
            (Image::Object(before, _), Image::Absent) => {
                recreated(&place, &before, restores.is_some())?;
                (Inverse::Create, before, Value::Null)
            }
            (Image::Object(before, _), Image::Object(after, _)) => (Inverse::Change, before, after),
        };
        let masked = masked || is_masked(&before) || is_masked(&after);
        if what == Inverse::Change && same && restores.is_none() {
            let only_set_later = strictly(&before) != strictly(&after);
            return match (masked, only_set_later) {
                (true, _) => Err(Why::MaskedOnly),
                (false, true) => Err(Why::SetByControllers),
                (false, false) => Ok(None),
            };
        }
        Ok(Some(Step { place, what, before, after, masked, restores, acts }))
    }
}

/// Whether somebody else's change lies between the two.
fn is_between(before: &Image, after: &Image) -> bool {
    matches!((before, after), (Image::Object(before, _), Image::Object(after, _)) if is_more_than_one_step(before, after))
}
