//! From a write that holds placeholders, or could test a guess, to the request that is sent in its place.

use kube_api::{Body, ContentType, Request, Resource, Verb};
use serde_json::{Map, Value};

use super::kept::Kept;
use super::live::Live;
use super::pointer::{Found, Pointer, first};
use super::restore::{Pair, Restored, Restoring, Sources, same_unbound};
use super::{Unwritable, beside, guess};
use crate::guard::Guard;
use crate::placeholder::placeholder_in;

/// As keys, and as a JSON pointer.
const NOTED: [&str; 3] = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];
const NOTED_POINTER: &str = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// Where a body holds a placeholder, as a JSON pointer.
#[must_use]
pub fn placeholder_path(request: &Request) -> Option<String> {
    let mut placeholder = |found: Found<'_>, _: &Pointer| match found {
        Found::Key(text) => placeholder_in(text),
        Found::Value(value) => value.as_str().is_some_and(placeholder_in),
    };
    first(request.body()?.value(), &mut Pointer::default(), &mut placeholder).map(|place| place.text())
}

/// Whether a write can be sent only once the object is known as it is now: it holds placeholders, or is about a Secret, whose
/// values it could test, or could test what is masked in another object, or have it shown.
///
/// # Errors
/// It holds a placeholder where there is nothing it could stand for, or changes a part of an object so that values could be
/// told.
pub fn needs_live(guard: &Guard, request: &Request) -> Result<bool, Unwritable> {
    let Some(resource) = request.resource() else { return Ok(false) };
    let writes = matches!(request.verb(), Verb::Update | Verb::Patch) && resource.is_object();
    let changes = writes && resource.subresource().is_none();
    let path = placeholder_path(request);
    if !changes && let Some(path) = path {
        return Err(Unwritable::Nothing { path });
    }
    let tested = writes.then(|| guess::tested(guard, request, None)).flatten();
    let beside = writes.then(|| beside::candidate(request)).flatten();
    if changes {
        return Ok(path.is_some() || resource.is_secret() || tested.is_some() || beside.is_some());
    }
    // A part of an object cannot be looked at with all that it may change.
    match (tested, beside) {
        (Some(test), _) => Err(test.refused()),
        (None, Some(at)) => Err(Unwritable::Unmasks { path: at.text() }),
        (None, None) => Ok(false),
    }
}

impl Live {
    /// The request that is sent in place of `request`, which changes this object: placeholders put right, bound to the
    /// version that was looked at, and, for a Secret, marked with `call`, so that it changes the object whatever it held: an id
    /// that no write of this Secret had but one with the same body.
    ///
    /// # Errors
    /// [`Unwritable`].
    pub fn update(&self, request: &Request, call: &str) -> Result<Request, Unwritable> {
        self.settled(request, call, None)
    }

    /// The same for a write that puts values back: each placeholder is put right from what was `kept`, where that shows exactly this
    /// text at exactly this place, and else as by [`Live::update`]. What is created has nothing but that
    /// ([`Live::absent`]): it may be another object by the same name. What is updated is the object that was kept, of the version that
    /// the request names, and is changed in any case: with `call` as its mark.
    ///
    /// # Errors
    /// [`Unwritable`]; none of them tells whether the object has the values that would be put back.
    pub fn restore(&self, request: &Request, call: &str, kept: &Kept) -> Result<Request, Unwritable> {
        if placeholder_path(request).is_none() {
            return Err(Unwritable::NothingKept);
        }
        if request.verb() == Verb::Update && !self.real.is_null() {
            self.is_that_of(kept)?;
            let version = request.body().and_then(|body| body.value().pointer("/metadata/resourceVersion"));
            if version.and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(Unwritable::Versionless);
            }
        }
        self.settled(request, call, Some(kept))
    }

    /// Whether it is the object that was kept: under its name there may be another one by now.
    fn is_that_of(&self, kept: &Kept) -> Result<(), Unwritable> {
        let uid = |object: &Value| object.pointer("/metadata/uid").and_then(Value::as_str).map(str::to_owned);
        let own = uid(&self.real);
        if own.is_some() && own == uid(&kept.real) { Ok(()) } else { Err(Unwritable::Replaced) }
    }

    fn settled(&self, request: &Request, call: &str, kept: Option<&Kept>) -> Result<Request, Unwritable> {
        let Some(body) = request.body() else { return Ok(request.clone()) };
        let secret = request.resource().is_some_and(Resource::is_secret);
        let values = secret && (kept.is_some() || guess::writes_values(body)) && !self.real.is_null();
        if values {
            self.mutable()?;
            self.unchanged(body.value())?;
        }
        if let (false, Some(test)) = (self.real.is_null(), guess::tested(self.guard(), request, Some(self))) {
            return Err(test.refused());
        }
        let sent = match placeholder_path(request) {
            None => request.clone(),
            Some(path) if self.real.is_null() && (kept.is_none() || request.verb() != Verb::Create) => {
                return Err(Unwritable::Nothing { path });
            }
            Some(path) => self.put_right(request, body, path, kept)?,
        };
        if !self.real.is_null() && beside::candidate(request).is_some() {
            if let Some(at) = self.exposed(body) {
                return Err(Unwritable::Unmasks { path: at.text() });
            }
            // As it is now, nothing in it would be shown.
            return Ok(sent.with_resource_version(self.version().unwrap_or_default())?);
        }
        // What is created is another object whatever it holds. What is put back changes the object, like each write of a Secret.
        if !(secret || kept.is_some()) || request.verb() == Verb::Create {
            return Ok(sent);
        }
        let sent = self.marked(&sent, call)?;
        // It must not have become immutable meanwhile, nor may annotations that came in between be lost with the mark.
        let bound = values || (!request.dry_run() && guess::replaces_annotations(body, &self.real));
        Ok(if bound { sent.with_resource_version(self.version().unwrap_or_default())? } else { sent })
    }

    fn put_right(
        &self,
        request: &Request,
        body: &Body,
        path: String,
        kept: Option<&Kept>,
    ) -> Result<Request, Unwritable> {
        self.unchanged(body.value())?;
        let mut written = body.value().clone();
        let secret = request.resource().is_some_and(Resource::is_secret);
        let update = match body.content() {
            ContentType::JsonPatch => return Err(Unwritable::Patch { path, form: "a JSON patch" }),
            ContentType::MergePatch | ContentType::StrategicMergePatch if !secret => {
                return Err(Unwritable::Patch { path, form: "a patch of this kind of object" });
            }
            ContentType::Json => {
                let restored = self.put_back(request, &mut written, kept)?;
                if request.verb() != Verb::Create {
                    self.bind(&mut written)?;
                }
                self.masked_again(&written, &restored)?;
                request.with_restored_body(&written)?
            }
            ContentType::ApplyPatch => {
                let restored = self.restored(&mut written, None)?;
                let manager = request.options().get("fieldManager").unwrap_or_default();
                if let Some(other) = restored.iter().find(|restored| !self.owns(manager, &restored.at)) {
                    return Err(Unwritable::NotOwned { path: other.at.text(), manager: manager.to_owned() });
                }
                self.bind(&mut written)?;
                self.masked_again(&written, &restored)?;
                request.with_restored_body(&written)?
            }
            ContentType::MergePatch | ContentType::StrategicMergePatch => {
                let restored = self.restored(&mut written, None)?;
                let merged = self.patched(&written)?;
                self.masked_again(&merged, &restored)?;
                request.as_update(&merged)?
            }
        };
        Ok(update)
    }

    fn mutable(&self) -> Result<(), Unwritable> {
        if self.is_immutable() { Err(Unwritable::Immutable) } else { Ok(()) }
    }

    /// Whether a Secret or ConfigMap says that its values cannot be changed.
    pub(super) fn is_immutable(&self) -> bool {
        self.real.get("immutable") == Some(&Value::Bool(true))
    }

    /// A dry run tells of a write that changes nothing no more than of any other: it needs no mark, which `kubectl diff`
    /// would show.
    fn marked(&self, request: &Request, call: &str) -> Result<Request, Unwritable> {
        let Some(body) = request.body().filter(|_| !request.dry_run()) else { return Ok(request.clone()) };
        Ok(request.with_body_value(&guess::marked(body, &self.real, call)?)?)
    }

    /// Puts a whole object right; if it is to put values back, it does, and would not tell whether they are what is there.
    fn put_back(
        &self,
        request: &Request,
        written: &mut Value,
        kept: Option<&Kept>,
    ) -> Result<Vec<Restored>, Unwritable> {
        let restored = self.restored(written, kept)?;
        let back = restored.iter().find(|restored| restored.kept.is_some());
        match back {
            None if kept.is_some() => return Err(Unwritable::NothingKept),
            Some(back) if !self.real.is_null() => {
                if let Some(test) = guess::tested_by(request, self, &back.at) {
                    return Err(test.refused());
                }
            }
            None | Some(_) => {}
        }
        Ok(restored)
    }

    /// Puts placeholders right, also those in what `kubectl apply` notes of the manifest; tells where.
    fn restored(&self, written: &mut Value, kept: Option<&Kept>) -> Result<Vec<Restored>, Unwritable> {
        let kept = kept.map(|kept| Pair { real: Some(&kept.real), shown: Some(&kept.shown) });
        let whole = Sources { live: Pair { real: Some(&self.real), shown: Some(&self.shown) }, kept };
        let identified = self.identified(written);
        let noted = self.restore_noted(written, whole, identified)?;
        let mut restoring = Restoring::new(&self.shown, identified);
        restoring.value(written, whole, &mut Pointer::default())?;
        let mut restored = restoring.restored;
        restored.extend(noted);
        Ok(restored)
    }

    /// The manifest within a manifest is about the same object: what is shown of the object may stand in it, and what is
    /// shown of the manifest that was there.
    fn restore_noted(
        &self,
        written: &mut Value,
        whole: Sources<'_>,
        identified: bool,
    ) -> Result<Vec<Restored>, Unwritable> {
        let Some(noted) = written.pointer_mut(NOTED_POINTER) else { return Ok(Vec::new()) };
        let there = NOTED.iter().fold(whole, |from, key| from.member(key));
        let as_shown = |pair: Pair<'_>| pair.shown == Some(&*noted);
        let whole_text = as_shown(there.live) || there.kept.is_some_and(as_shown);
        if whole_text || !noted.as_str().is_some_and(placeholder_in) {
            return Ok(Vec::new());
        }
        let Some(manifest) = document(Some(noted)) else { return Ok(Vec::new()) };
        let documents = |pair: Pair<'_>| (document(pair.real), document(pair.shown));
        let (live, kept) = (documents(there.live), there.kept.map(documents));
        fn pair((real, shown): &(Option<Value>, Option<Value>)) -> Pair<'_> {
            Pair { real: real.as_ref(), shown: shown.as_ref() }
        }
        let before = Sources { live: pair(&live), kept: kept.as_ref().map(pair) };
        let restore = |from| {
            let (mut manifest, mut restoring) = (manifest.clone(), Restoring::new(&self.shown, identified));
            restoring
                .value(&mut manifest, from, &mut Pointer::to(&NOTED))
                .map(|()| (manifest, restoring.restored))
        };
        let (manifest, restored) = restore(whole).or_else(|refused| restore(before).map_err(|_| refused))?;
        // As kubectl ends it.
        *noted = Value::String(format!("{manifest}\n"));
        let there = |restored: Restored| {
            let inside = Some(restored.at.past(NOTED.len()));
            Restored { at: Pointer::to(&NOTED), inside, ..restored }
        };
        Ok(restored.into_iter().map(there).collect())
    }

    /// What was put right must be masked where it stands now: its place says so, not where it came from. What was kept, as it was masked
    /// then: of a text with two values, one may be known no more.
    fn masked_again(&self, written: &Value, restored: &[Restored]) -> Result<(), Unwritable> {
        let exposed = |at: &Pointer| Unwritable::Exposed { path: at.text() };
        let shown = self.show(written);
        for Restored { at, inside, real, kept } in restored {
            if let Some(kept) = kept {
                let there = shown.as_ref().and_then(|shown| at.find(shown));
                let manifest = inside.as_ref().and_then(|inside| Some((inside, document(there)?)));
                let now = match (&manifest, inside) {
                    (Some((inside, manifest)), _) => inside.find(manifest),
                    (None, Some(_)) => None,
                    (None, None) => there,
                };
                if !now.is_some_and(|now| same_unbound(now, kept)) {
                    return Err(exposed(at));
                }
            }
            let shown = shown.as_ref().and_then(|shown| at.find(shown));
            let masked = match (shown, real) {
                (None, _) => false,
                // In a manifest within the object, it is a part of a text.
                (Some(Value::String(shown)), Value::String(real)) => !shown.contains(real.as_str()),
                (Some(shown), real) => shown != real,
            };
            if !masked {
                return Err(exposed(at));
            }
        }
        Ok(())
    }

    /// Whether a document names the object and the version that were looked at.
    fn identified(&self, written: &Value) -> bool {
        ["/metadata/uid", "/metadata/resourceVersion"].into_iter().all(|pointer| {
            let own = self.real.pointer(pointer);
            own.is_some() && written.pointer(pointer) == own
        })
    }

    /// Whether a version that is written is the object's.
    fn unchanged(&self, written: &Value) -> Result<(), Unwritable> {
        match written.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            None | Some("") => Ok(()),
            asked if asked == self.version() => Ok(()),
            Some(_) => Err(Unwritable::Changed),
        }
    }

    /// Lets the write succeed on the version that was looked at, and on no other.
    fn bind(&self, written: &mut Value) -> Result<(), Unwritable> {
        let version = self.version().ok_or(Unwritable::Changed)?;
        let metadata = written.get_mut("metadata").and_then(Value::as_object_mut);
        let metadata = metadata.ok_or(Unwritable::Changed)?;
        metadata.insert("resourceVersion".to_owned(), version.into());
        Ok(())
    }

    /// The Secret with a patch applied (RFC 7386). Strategic merge patches of Secrets mean the same as far as they have no
    /// directives and no lists (`k8s.io/api/core/v1`: the only lists are in `metadata`).
    fn patched(&self, patch: &Value) -> Result<Value, Unwritable> {
        guess::plain(patch)?;
        let mut object = self.real.clone();
        merge(&mut object, patch);
        self.bind(&mut object)?;
        Ok(object)
    }

    /// Whether a manager has set this field by applying before: another's value must not become its own unseen
    /// (`metadata.managedFields`).
    pub(super) fn owns(&self, manager: &str, at: &Pointer) -> bool {
        let entries = self.real.pointer("/metadata/managedFields").and_then(Value::as_array);
        entries.into_iter().flatten().any(|entry| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            text("manager") == Some(manager)
                && text("operation") == Some("Apply")
                && entry.get("fieldsV1").is_some_and(|fields| at.is_in(fields))
        })
    }
}

fn document(text: Option<&Value>) -> Option<Value> {
    serde_json::from_str(text?.as_str()?).ok()
}

/// RFC 7386, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (key, member) in members {
        if member.is_null() {
            object.shift_remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Value::Null), member);
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
