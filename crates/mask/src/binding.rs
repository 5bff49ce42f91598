//! What binds a placeholder to the object and place it stands at, and to whom it was shown.
//!
//! The tag is SipHash-2-4-128, keyed with the cluster's own key, over cluster, session, the object's `uid` and `resourceVersion`,
//! and the place: the catalogue's path, the key, and the how many-eth place of the object it is. The value is not in it. An
//! object's placeholders are bound once its `uid` and `resourceVersion` have come, which Go writes before anything secret.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::guard::{Guard, Reveal, View};
use crate::placeholder::Tag;
use crate::places::Note;

/// The longest `uid` or `resourceVersion` that binds.
const LONGEST: usize = 128;

/// To whom and what the next placeholders are bound.
#[derive(Debug)]
pub(crate) struct Binding {
    /// Has cluster and session.
    shown: SipHasher24,
    uid: Box<[u8]>,
    version: Box<[u8]>,
    /// The name of the environment variable that was noted last.
    variable: Box<[u8]>,
    /// Has the object too; none until it is known.
    object: Option<SipHasher24>,
    /// How many places the object had so far.
    places: u64,
    reveal: Reveal,
}

impl Binding {
    /// For one answer. What `view` reveals is revealed only where the answer is one Secret.
    pub(crate) fn new(guard: &Guard, view: &View) -> Self {
        let mut shown = SipHasher24::new_with_key(&guard.key());
        write(&mut shown, guard.cluster().as_bytes());
        write(&mut shown, view.session.as_bytes());
        Self { reveal: view.reveal.clone(), ..Self::of(shown) }
    }

    fn of(shown: SipHasher24) -> Self {
        Self {
            shown,
            uid: Box::default(),
            version: Box::default(),
            variable: Box::default(),
            object: None,
            places: 0,
            reveal: Reveal::default(),
        }
    }

    /// For the document in the string at a place.
    pub(crate) fn within(&mut self, place: &str, key: Option<&[u8]>) -> Self {
        let object = self.placed(place, key);
        Self { object, ..Self::of(self.shown) }
    }

    /// An object begins of which nothing is known.
    pub(crate) fn begin_object(&mut self) {
        self.uid = Box::default();
        self.version = Box::default();
        self.variable = Box::default();
        self.object = None;
        self.places = 0;
    }

    /// Takes notice of what the object says; none if that is too long.
    pub(crate) fn note(&mut self, note: Note, value: Option<&[u8]>) {
        let value = value.filter(|value| value.len() <= LONGEST).unwrap_or_default().into();
        match note {
            Note::Uid => self.uid = value,
            Note::Version => self.version = value,
            Note::EnvName => return self.variable = value,
            Note::Kind | Note::ApiVersion => return,
        }
        self.object = (!self.uid.is_empty() && !self.version.is_empty()).then(|| {
            let mut object = self.shown;
            write(&mut object, &self.uid);
            write(&mut object, &self.version);
            object
        });
    }

    /// What binds the placeholder of the value under `key` at a place.
    pub(crate) fn tag(&mut self, place: &str, key: Option<&[u8]>) -> Option<Tag> {
        self.placed(place, key).map(|hasher| base32(hasher.finish128().as_u128()))
    }

    /// Whether the value under `key` of the Secret is revealed.
    pub(crate) fn reveals(&mut self, key: Option<&[u8]>) -> bool {
        let Reveal { keys, others } = &self.reveal;
        let reveals =
            *others || key.is_some_and(|key| keys.iter().any(|revealed| revealed.as_bytes() == key));
        // Other placeholders are the same whether it is or not.
        self.places += u64::from(reveals);
        reveals
    }

    fn placed(&mut self, place: &str, key: Option<&[u8]>) -> Option<SipHasher24> {
        let ordinal = self.places;
        self.places += 1;
        let mut hasher = self.object?;
        write(&mut hasher, place.as_bytes());
        write(&mut hasher, key?);
        write(&mut hasher, &self.variable);
        hasher.write(&ordinal.to_le_bytes());
        Some(hasher)
    }
}

/// Writes `bytes` so that no other sequence of them hashes alike.
fn write(hasher: &mut SipHasher24, bytes: &[u8]) {
    hasher.write(&(bytes.len() as u64).to_le_bytes());
    hasher.write(bytes);
}

/// The first 90 bits in base32.
fn base32(hash: u128) -> Tag {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut tag = [0; 18];
    for (index, letter) in tag.iter_mut().enumerate() {
        let digit = (hash >> (123 - 5 * index) & 31) as usize;
        *letter = ALPHABET.get(digit).copied().unwrap_or(b'a');
    }
    tag
}
