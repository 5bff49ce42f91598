//! What binds a placeholder to the object and place it stands at, and to whom it was shown.
//!
//! The tag is SipHash-1-3-128, keyed with the cluster's own key, over cluster, session, the object's `uid` and `resourceVersion`,
//! and the place: the catalogue's path, the key or name of the variable, and the how many-eth place of the object it is. The
//! value is not in it. An object's placeholders are bound once its `uid` and `resourceVersion` have come, which Go writes before
//! anything secret. One key is derived for each object in which something is masked, so that a place costs one short hash.
//!
//! Fewer rounds than SipHash-2-4's suffice, and take less of a Secret's time: a tag tells nothing by itself, since it is over
//! nothing secret, and one that somebody made up restores nothing, since a write is held against the object masked anew. Keys
//! are derived with SipHash-2-4.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher24 as Digest;
use siphasher::sip128::{Hash128, Hasher128 as _, SipHasher13, SipHasher24};

use crate::guard::{Guard, Reveal, View};
use crate::placeholder::Tag;
use crate::places::Note;

/// The longest `uid`, `resourceVersion` or name of a variable that binds.
const LONGEST: usize = 128;

/// To whom and what the next placeholders are bound.
#[derive(Debug)]
pub(crate) struct Binding {
    /// From the cluster's key, cluster and session.
    shown: Key,
    uid: Vec<u8>,
    version: Vec<u8>,
    /// The name of the environment variable that was noted last.
    variable: Vec<u8>,
    /// From `shown` and the object; none until it is asked for: most objects have nothing to mask.
    object: Option<Key>,
    /// How many places the object had so far.
    places: u32,
    /// What is hashed for a place: path, ordinal, length of the key, the key, and the name of the variable. One hash of it is
    /// faster than hashing its parts.
    message: Vec<u8>,
    reveal: Reveal,
}

type Key = [u8; 16];

impl Binding {
    /// For one answer. What `view` reveals is revealed only where the answer is one Secret.
    pub(crate) fn new(guard: &Guard, view: &View) -> Self {
        let shown = derive(&guard.key(), &[guard.cluster().as_bytes(), view.session.as_bytes()]);
        Self { reveal: view.reveal.clone(), ..Self::of(shown) }
    }

    fn of(shown: Key) -> Self {
        Self {
            shown,
            uid: Vec::new(),
            version: Vec::new(),
            variable: Vec::new(),
            object: None,
            places: 0,
            message: Vec::new(),
            reveal: Reveal::default(),
        }
    }

    /// For the document in the string at a place.
    pub(crate) fn within(&mut self, place: u64, key: Option<&[u8]>) -> Self {
        let object = self.placed(place, key).map(|hash| hash.as_bytes());
        Self { object, ..Self::of(self.shown) }
    }

    /// An object begins of which nothing is known.
    pub(crate) fn begin_object(&mut self) {
        self.uid.clear();
        self.version.clear();
        self.variable.clear();
        self.object = None;
        self.places = 0;
    }

    /// Takes notice of what the object says; none if that is too long.
    pub(crate) fn note(&mut self, note: Note, value: Option<&[u8]>) {
        let noted = match note {
            Note::Uid => &mut self.uid,
            Note::Version => &mut self.version,
            Note::EnvName => &mut self.variable,
            Note::Kind | Note::ApiVersion => return,
        };
        noted.clear();
        noted.extend_from_slice(value.filter(|value| value.len() <= LONGEST).unwrap_or_default());
        if note != Note::EnvName {
            self.object = None;
        }
    }

    /// The object's key, once it has said who it is.
    fn object(&mut self) -> Option<Key> {
        if self.object.is_none() && !self.uid.is_empty() && !self.version.is_empty() {
            self.object = Some(derive(&self.shown, &[&self.uid, &self.version]));
        }
        self.object
    }

    /// What binds the placeholder of the value under `key` at a place.
    pub(crate) fn tag(&mut self, place: u64, key: Option<&[u8]>) -> Option<Tag> {
        self.placed(place, key).map(base32)
    }

    /// Whether the value under `key` of the Secret is revealed.
    pub(crate) fn reveals(&mut self, key: Option<&[u8]>) -> bool {
        let Reveal { keys, others } = &self.reveal;
        let reveals =
            *others || key.is_some_and(|key| keys.iter().any(|revealed| revealed.as_bytes() == key));
        // Other placeholders are the same whether it is or not.
        self.places = self.places.saturating_add(u32::from(reveals));
        reveals
    }

    fn placed(&mut self, place: u64, key: Option<&[u8]>) -> Option<Hash128> {
        let ordinal = self.places;
        self.places = self.places.saturating_add(1);
        let (object, key) = (self.object()?, key?);
        let key_length = u32::try_from(key.len()).ok()?.to_le_bytes();
        self.message.clear();
        for part in [&place.to_le_bytes()[..], &ordinal.to_le_bytes(), &key_length, key, &self.variable] {
            self.message.extend_from_slice(part);
        }
        Some(SipHasher13::new_with_key(&object).hash(&self.message))
    }
}

/// A number that stands for a place's path.
pub(crate) fn place_digest(path: &str) -> u64 {
    Digest::new().hash(path.as_bytes())
}

/// A key that is `key` for what the parts name.
fn derive(key: &Key, parts: &[&[u8]]) -> Key {
    let mut hasher = SipHasher24::new_with_key(key);
    for part in parts {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part);
    }
    hasher.finish128().as_bytes()
}

/// The lower 90 of its bits in base32: twelve letters from one half, six from the other.
fn base32(hash: Hash128) -> Tag {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut tag = [0; 18];
    let (first, second) = tag.split_at_mut(12);
    for (letters, mut bits) in [(first, hash.h1), (second, hash.h2)] {
        for letter in letters {
            *letter = ALPHABET.get((bits & 31) as usize).copied().unwrap_or_default();
            bits >>= 5;
        }
    }
    tag
}
