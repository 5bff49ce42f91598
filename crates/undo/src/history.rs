//! What a session changed, in order, with the object before and after: from its recording.

use std::collections::HashMap;

use kube_api::Verb;
use recording::{
    reader::Recording,
    record::{Answered, Before, Blob, Called, Kind, Opened, Record, What},
};
use serde_json::Value;

use crate::{
    place::{Act, Place},
    why::Why,
};

/// Bytes of images that are held; a session that changed more than that is undone in no way that anybody could look through.
const MOST: u64 = 64 << 20;

/// Of a recording that is being written, or whose gate was killed.
const UNENDED: &str =
    "the recording has no end yet, or none in good order: what was done last may not be in it";

/// What there is of a session's changes.
#[derive(Debug, Default)]
pub struct History {
    pub(crate) deeds: Vec<Deed>,
    /// What changed something and cannot be taken back, in the words of the recording.
    pub(crate) left: Vec<(String, Why)>,
    /// What the recording lacks, in words: a plan made of it may lack as much.
    pub(crate) gaps: Vec<String>,
    /// Whether the recording has come to its end: what is done last is recorded last.
    pub(crate) ended: bool,
    /// Commands that were run and connections that were made in pods: what came of them is not known.
    pub(crate) streams: usize,
}

/// One change of one object.
#[derive(Debug)]
pub(crate) struct Deed {
    /// As the recording has it: `patch /api/v1/…`.
    pub(crate) act: String,
    pub(crate) place: Place,
    pub(crate) before: Image,
    pub(crate) after: Image,
    /// Whether values of it were masked.
    pub(crate) masked: bool,
}

/// An object at one time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Image {
    /// The recording does not tell.
    Unknown,
    /// There was none.
    Absent,
    /// It was like this, masked.
    Object(Value),
}

/// A call whose answer has not come.
struct Open {
    text: String,
    change: Result<Act, Why>,
    before: Image,
    masked: bool,
}

struct Reading<'a> {
    recording: &'a Recording,
    history: History,
    open: HashMap<String, Open>,
    held: u64,
}

impl History {
    /// Reads a recording. Hold it against the ledger before.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut reading = Reading { recording, history: Self::default(), open: HashMap::new(), held: 0 };
        for record in recording.records() {
            match record {
                Ok(record) => reading.take(record),
                Err(finding) => reading.history.gaps.push(finding.to_string()),
            }
        }
        let Reading { mut history, open, .. } = reading;
        let mut open: Vec<_> = open.into_iter().collect();
        open.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        if !history.ended {
            history.gaps.push(UNENDED.to_owned());
        }
        history.left.extend(open.into_iter().map(|(_, open)| (open.text, Why::NoAnswer)));
        history
    }
}

impl Reading<'_> {
    fn take(&mut self, record: Record) {
        self.history.ended = matches!(record.what, What::Stopped {});
        match record.what {
            What::Called(Called { call, act, .. }) => {
                let open = match Act::of_change(act.as_str()) {
                    None => return,
                    Some(change) => {
                        Open { text: act.as_str().to_owned(), change, before: Image::Unknown, masked: false }
                    }
                };
                self.open.insert(call.as_str().to_owned(), open);
            }
            What::Before(Before { call, masked, body }) => {
                let image = body.map_or(Image::Absent, |blob| self.image(&blob));
                if let Some(open) = self.open.get_mut(call.as_str()) {
                    (open.before, open.masked) = (image, masked);
                }
            }
            What::Answered(Answered { call, status, body, .. }) => {
                if let Some(open) = self.open.remove(call.as_str())
                    && (200..300).contains(&status)
                {
                    let after = body.map_or(Image::Unknown, |blob| self.image(&blob));
                    self.done(open, after);
                }
            }
            What::Opened(Opened { kind: Kind::Exec | Kind::Attach | Kind::PortForward, .. }) => {
                self.history.streams += 1;
            }
            What::Interrupted { .. } => {
                self.history.gaps.push("the gate was killed: what it had not sealed is lost".to_owned());
            }
            What::Opened(_)
            | What::Body { .. }
            | What::Bytes { .. }
            | What::Resized { .. }
            | What::Closed { .. }
            | What::Told { .. }
            | What::Began {}
            | What::Stopped {} => {}
        }
    }

    fn image(&mut self, blob: &Blob) -> Image {
        self.held = self.held.saturating_add(blob.kept);
        if blob.kept < blob.whole || self.held > MOST {
            return Image::Unknown;
        }
        match self.recording.body(blob) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_or(Image::Unknown, Image::Object),
            Err(finding) => {
                self.history.gaps.push(finding.to_string());
                Image::Unknown
            }
        }
    }

    /// It changed something.
    fn done(&mut self, open: Open, after: Image) {
        let Open { text, change, before, masked } = open;
        match change.and_then(|act| deed(act, before, after, masked)) {
            Ok(Some(deed)) => self.history.deeds.push(deed),
            Ok(None) => {}
            Err(why) => self.history.left.push((text, why)),
        }
    }
}

/// `None`: nothing was kept of it that could be taken back, as of a review of access.
fn deed(act: Act, before: Image, after: Image, masked: bool) -> Result<Option<Deed>, Why> {
    let after_object = if let Image::Object(object) = &after { Some(object) } else { None };
    let is_object = after_object.is_some_and(|object| object.pointer("/metadata/uid").is_some());
    match (act.verb, act.subresource()) {
        (Verb::DeleteCollection, _) => Err(Why::Collection),
        (Verb::Create, None) => {
            let Some(made) = after_object else { return Err(Why::NoOutcome) };
            let place = act.made(made).filter(|_| is_object);
            Ok(place.map(|place| Deed { act: act.text, place, before: Image::Absent, after, masked }))
        }
        (Verb::Update | Verb::Patch, Some("scale")) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            let after = scaled(&place, &before, after_object).ok_or(Why::NoOutcome)?;
            Ok(Some(Deed { act: act.text, place, before, after, masked }))
        }
        // Exec, attach and port-forward are streams, and reviews of tokens are in no object.
        (Verb::Create, Some("exec" | "attach" | "portforward" | "token")) => Ok(None),
        (_, Some(subresource)) => Err(Why::Subresource { subresource: subresource.to_owned() }),
        (Verb::Delete, None) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            Ok(Some(Deed { act: act.text, place, before, after: Image::Absent, masked }))
        }
        (_, None) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            let after = if is_object { after } else { Image::Unknown };
            if is_more_than_one_step(&before, &after) {
                return Err(Why::Between);
            }
            Ok(Some(Deed { act: act.text, place, before, after, masked }))
        }
    }
}

/// Whether somebody else's change lies between the two: a server that counts the generations of an object's spec counts one for each.
fn is_more_than_one_step(before: &Image, after: &Image) -> bool {
    let generation = |image: &Image| match image {
        Image::Object(object) => object.pointer("/metadata/generation")?.as_u64(),
        Image::Absent | Image::Unknown => None,
    };
    generation(before).zip(generation(after)).is_some_and(|(before, after)| after > before.saturating_add(1))
}

/// What becomes of an object whose scale is set: of the kinds that have theirs in `spec.replicas`.
fn scaled(place: &Place, before: &Image, scale: Option<&Value>) -> Option<Image> {
    let kinds = [
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("", "replicationcontrollers"),
    ];
    let known = kinds.iter().any(|(group, resource)| place.is(group, resource));
    let Image::Object(before) = before else { return None };
    let replicas = scale?.pointer("/spec/replicas").cloned().unwrap_or_else(|| 0.into());
    let mut after = before.clone();
    *after.pointer_mut("/spec/replicas").filter(|_| known)? = replicas;
    Some(Image::Object(after))
}
