//! What a session changed, in order, with the object before and after: from its recording.

use std::collections::{BTreeMap, HashMap};

use kube_api::Verb;
use recording::{
    reader::{Finding, Recording},
    record::{Answered, Before, Blob, Called, Kind, Opened, Record, What},
};
use serde_json::Value;

use crate::{
    object::is_whole,
    place::{Act, Place},
    thread::{Deed, Image, Thread, Values},
    why::Why,
};

/// Bytes of JSON of the images that are held, two an object. In memory they are many times that.
const MOST: u64 = 16 << 20;
/// Objects and calls that are told one by one.
const MOST_TOLD: usize = 2_000;
/// Calls whose answers have not come.
const MOST_OPEN: usize = 10_000;

/// Of a recording that is being written, or whose gate was killed.
const UNENDED: &str =
    "the recording has no end yet, or none in good order: what was done last may not be in it";
const TOO_MUCH: &str =
    "the session changed more objects than are looked at: what it did after them is not told";

/// What there is of a session's changes.
#[derive(Debug, Default)]
pub struct History {
    /// Objects that were changed, in the order of their first change.
    pub(crate) threads: Vec<Thread>,
    /// What changed something and cannot be taken back, in the words of the recording.
    pub(crate) left: Vec<(String, Why)>,
    /// What the recording lacks, in words: a plan made of it may lack as much.
    pub(crate) gaps: Vec<String>,
    /// Whether the recording has come to its end: what is done last is recorded last.
    pub(crate) ended: bool,
    /// Whether some of it is encrypted to others: whoever has an identity may see more.
    pub(crate) encrypted: bool,
    /// Commands that were run and connections that were made in pods: what came of them is not known.
    pub(crate) streams: usize,
}

/// A call whose answer has not come. What it is about to change is read once that has: of many that wait, no image is held.
struct Open {
    text: String,
    change: Result<Act, Why>,
    before: Looked,
    masked: bool,
    /// What the gate kept of its values, by which it puts them back: `SESSION/CALL`.
    kept: Option<String>,
}

/// Where the object is that a call is about to change.
enum Looked {
    /// The gate did not look.
    Not,
    /// There was none.
    Absent,
    At(Blob),
}

struct Reading<'a> {
    recording: &'a Recording,
    history: History,
    places: BTreeMap<Place, usize>,
    open: HashMap<String, Open>,
    held: u64,
}

impl History {
    /// The same, as if the gate had kept no values: masked ones stay as they are then.
    #[must_use]
    pub fn without_values(mut self) -> Self {
        self.threads.iter_mut().for_each(Thread::forget_values);
        self
    }

    /// Reads a recording. Hold it against the ledger before.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let (history, places, open) = (Self::default(), BTreeMap::new(), HashMap::new());
        let mut reading = Reading { recording, history, places, open, held: 0 };
        for record in recording.records() {
            match record {
                Ok(record) => reading.take(record),
                Err(finding) => reading.lacks(&finding),
            }
        }
        if !reading.history.ended && !reading.history.encrypted {
            reading.gap(UNENDED);
        }
        let mut open: Vec<_> = std::mem::take(&mut reading.open).into_iter().collect();
        open.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        open.into_iter().for_each(|(_, open)| reading.left(open.text, Why::NoAnswer));
        reading.history
    }
}

impl Reading<'_> {
    fn take(&mut self, record: Record) {
        self.history.ended = matches!(record.what, What::Stopped {});
        match record.what {
            What::Called(Called { call, act, .. }) => {
                if let Some(change) = Act::of_change(act.as_str()) {
                    if self.open.len() >= MOST_OPEN {
                        return self.gap(TOO_MUCH);
                    }
                    let text = act.as_str().to_owned();
                    let open = Open { text, change, before: Looked::Not, masked: false, kept: None };
                    self.open.insert(call.as_str().to_owned(), open);
                }
            }
            What::Before(Before { call, masked, kept, body }) => {
                let kept = kept.map(|_| format!("{}/{}", self.recording.session(), call.as_str()));
                if let Some(open) = self.open.get_mut(call.as_str()) {
                    let before = body.map_or(Looked::Absent, Looked::At);
                    (open.before, open.masked, open.kept) = (before, masked, kept);
                }
            }
            What::Answered(Answered { call, status, body, .. }) => {
                if let Some(open) = self.open.remove(call.as_str()) {
                    self.answered(open, status, body);
                }
            }
            What::Opened(Opened { kind: Kind::Exec | Kind::Attach | Kind::PortForward, .. }) => {
                self.history.streams += 1;
            }
            What::Interrupted { .. } => self.gap("the gate was killed: what it had not sealed is lost"),
            What::Opened(_)
            | What::Body { .. }
            | What::Bytes { .. }
            | What::Resized { .. }
            | What::Closed { .. }
            | What::Began {}
            | What::Stopped {} => {}
        }
    }

    fn answered(&mut self, open: Open, status: u16, body: Option<Blob>) {
        let Open { text, change, before, masked, kept } = open;
        match status {
            200..300 => {
                let deed = change.and_then(|act| {
                    let before = match before {
                        Looked::Not => Image::Unknown,
                        Looked::Absent => Image::Absent,
                        Looked::At(blob) => self.image(&blob, 0),
                    };
                    let after = body.map_or(Image::Unknown, |blob| self.image(&blob, before.weight()));
                    deed(act, before, after, Values { masked, kept })
                });
                match deed {
                    Ok(Some(deed)) => self.add(deed),
                    Ok(None) => {}
                    Err(why) => self.left(text, why),
                }
            }
            // A server that gave up waiting may do it all the same.
            500.. => self.left(text, Why::NoAnswer),
            _ => {}
        }
    }

    fn add(&mut self, deed: Deed) {
        if let Some(at) = self.places.get(&deed.place)
            && let Some(thread) = self.history.threads.get_mut(*at)
        {
            let before = thread.weight();
            thread.go_on(deed);
            self.held = self.held.saturating_sub(before).saturating_add(thread.weight());
            return;
        }
        if self.history.threads.len() >= MOST_TOLD {
            return self.gap(TOO_MUCH);
        }
        let thread = Thread::of(deed);
        self.held = self.held.saturating_add(thread.weight());
        self.places.insert(thread.place.clone(), self.history.threads.len());
        self.history.threads.push(thread);
    }

    /// Beside so many bytes more than are held.
    fn image(&mut self, blob: &Blob, beside: u64) -> Image {
        let held = self.held.saturating_add(beside);
        if blob.kept < blob.whole || held.saturating_add(blob.kept) > MOST {
            return Image::Unknown;
        }
        match self.recording.body(blob) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_or(Image::Unknown, |object| Image::Object(object, blob.kept)),
            Err(finding) => {
                self.lacks(&finding);
                Image::Unknown
            }
        }
    }

    fn left(&mut self, what: String, why: Why) {
        if self.history.left.len() < MOST_TOLD {
            self.history.left.push((what, why));
        } else {
            self.gap(TOO_MUCH);
        }
    }

    fn lacks(&mut self, finding: &Finding) {
        self.history.encrypted |= matches!(finding, Finding::Encrypted { .. });
        self.gap(&finding.to_string());
    }

    /// Each is told once.
    fn gap(&mut self, gap: &str) {
        let gaps = &mut self.history.gaps;
        if gaps.len() < MOST_TOLD && gaps.last().is_none_or(|last| last != gap) {
            gaps.push(gap.to_owned());
        }
    }
}

/// `None`: nothing is kept of it, as of a review of access.
fn deed(act: Act, before: Image, after: Image, values: Values) -> Result<Option<Deed>, Why> {
    let after_object = if let Image::Object(object, _) = &after { Some(object) } else { None };
    let is_object = after_object.is_some_and(is_whole);
    match (act.verb, act.subresource()) {
        (Verb::DeleteCollection, _) => Err(Why::Collection),
        (Verb::Create, None) if act.is_review() => Ok(None),
        (Verb::Create, None) => {
            let made = after_object.filter(|_| is_object).and_then(|made| act.made(made));
            let place = made.ok_or(Why::NoOutcome)?;
            Ok(Some(Deed { act: act.text, place, before: Image::Absent, after, values }))
        }
        (Verb::Update | Verb::Patch, Some("scale")) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            let after = match (&before, after_object) {
                (Image::Object(before, bytes), Some(scale)) => {
                    scaled(&place, before, scale).map(|after| Image::Object(after, *bytes))
                }
                _ => None,
            };
            let after = after.ok_or(Why::NoOutcome)?;
            Ok(Some(Deed { act: act.text, place, before, after, values }))
        }
        // Told as streams.
        (Verb::Create, Some("exec" | "attach" | "portforward")) => Ok(None),
        (_, Some(subresource)) => Err(Why::Subresource { subresource: subresource.to_owned() }),
        (Verb::Delete, None) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            Ok(Some(Deed { act: act.text, place, before, after: Image::Absent, values }))
        }
        (_, None) => {
            let place = act.object().ok_or(Why::NoOutcome)?;
            let after = if is_object { after } else { Image::Unknown };
            Ok(Some(Deed { act: act.text, place, before, after, values }))
        }
    }
}

/// What becomes of an object whose scale is set: of the kinds that have theirs in `spec.replicas`.
pub(crate) fn scaled(place: &Place, before: &Value, scale: &Value) -> Option<Value> {
    let kinds = [
        ("apps", "deployments"),
        ("apps", "replicasets"),
        ("apps", "statefulsets"),
        ("", "replicationcontrollers"),
    ];
    let known = kinds.iter().any(|(group, resource)| place.is(group, resource));
    // In another form of it, what is not there says nothing.
    scale.get("kind").and_then(Value::as_str).filter(|kind| *kind == "Scale")?;
    let replicas = scale.pointer("/spec/replicas").cloned().unwrap_or_else(|| 0.into());
    let mut after = before.clone();
    let was = std::mem::replace(after.pointer_mut("/spec/replicas").filter(|_| known)?, replicas.clone());
    let metadata = after.get_mut("metadata").and_then(Value::as_object_mut)?;
    // The scale tells its object's version, and none of the generation, which the server counts.
    match scale.pointer("/metadata/resourceVersion") {
        Some(version) => drop(metadata.insert("resourceVersion".to_owned(), version.clone())),
        None => drop(metadata.remove("resourceVersion")),
    }
    if let Some(generation) = metadata.get("generation").and_then(Value::as_u64).filter(|_| was != replicas) {
        metadata.insert("generation".to_owned(), generation.saturating_add(1).into());
    }
    Some(after)
}
