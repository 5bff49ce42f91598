//! How segments are stored: as they are, or encrypted to people.
//!
//! A gate has recipients, which are public: it can write and go on with recordings, and cannot read them. Readers have
//! identities. The chain and the ledger have digests of what is stored, so they hold for encrypted segments, without a key.
//! Each segment's header names its form, so those of before and after a change of the gate's configuration are read alike.

mod age;

pub use age::{Identity, NotARecipient, NotIdentities, Recipient};

use std::fmt::Debug;
use std::io;

/// A zstd frame.
const ZSTD: &str = "zstd";
/// An age file of a zstd frame.
const AGE: &str = "zstd+age";

/// How a recorder stores segments.
pub trait Close: Debug + Send + Sync {
    /// What a segment's header calls it; at most 128 bytes.
    fn form(&self) -> &'static str;

    /// What to store.
    ///
    /// # Errors
    /// Nothing is stored then, and the recording stops.
    fn close(&self, compressed: Vec<u8>) -> io::Result<Vec<u8>>;
}

/// What a reader has to open segments with.
pub trait Open: Debug + Send + Sync {
    /// What was closed, in the form that its header names.
    ///
    /// # Errors
    /// [`Unopened`].
    fn open(&self, form: &str, stored: &[u8]) -> Result<Vec<u8>, Unopened>;
}

/// Why a segment stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// Its form is not known here.
    Form,
    /// It is encrypted; `tried`: none of the identities at hand belongs to its recipients, rather than that there are none.
    Encrypted {
        /// Whether there was any to try.
        tried: bool,
    },
    /// It is not what was closed.
    Changed(&'static str),
}

/// As it is; or of a reader: without a key.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// To whom segments are encrypted: whoever has the identity of any of them reads all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients(Vec<Recipient>);

/// What a reader of encrypted segments has.
#[derive(Debug)]
pub struct Identities(Vec<Identity>);

/// A number of recipients that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there must be from 1 to {} recipients", Recipients::MOST)]
pub struct HowMany;

/// The form of what is encrypted.
pub(crate) fn encrypted() -> &'static str {
    AGE
}

/// A segment encrypted or not, as its header says.
pub(crate) fn is_encrypted(form: &str) -> bool {
    form == AGE
}

// === impl Plain ===

impl Close for Plain {
    fn form(&self) -> &'static str {
        ZSTD
    }

    fn close(&self, compressed: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(compressed)
    }
}

impl Open for Plain {
    fn open(&self, form: &str, stored: &[u8]) -> Result<Vec<u8>, Unopened> {
        open(form, stored, &[])
    }
}

// === impl Recipients ===

impl Recipients {
    /// Each takes a hundred bytes of every segment.
    pub const MOST: usize = 16;

    /// These recipients.
    ///
    /// # Errors
    /// There are none, or more than [`Recipients::MOST`].
    pub fn new(recipients: Vec<Recipient>) -> Result<Self, HowMany> {
        if (1..=Self::MOST).contains(&recipients.len()) { Ok(Self(recipients)) } else { Err(HowMany) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Recipient> {
        self.0.iter()
    }

    /// An age file of this, for each of them.
    pub(crate) fn seal(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        age::encrypt(&self.0, plain).ok_or_else(|| io::Error::other("it cannot be encrypted"))
    }
}

impl Close for Recipients {
    fn form(&self) -> &'static str {
        AGE
    }

    fn close(&self, compressed: Vec<u8>) -> io::Result<Vec<u8>> {
        self.seal(&compressed)
    }
}

// === impl Identities ===

impl Identities {
    /// Those in an identity file, as `age-keygen` makes it.
    ///
    /// # Errors
    /// [`NotIdentities`], which has nothing of the file's content.
    pub fn parse(file: &str) -> Result<Self, NotIdentities> {
        age::identities(file).map(Self)
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Identity> {
        self.0.iter()
    }
}

impl Open for Identities {
    fn open(&self, form: &str, stored: &[u8]) -> Result<Vec<u8>, Unopened> {
        open(form, stored, &self.0)
    }
}

fn open(form: &str, stored: &[u8], identities: &[Identity]) -> Result<Vec<u8>, Unopened> {
    match form {
        ZSTD => Ok(stored.to_vec()),
        AGE if identities.is_empty() => Err(Unopened::Encrypted { tried: false }),
        AGE => age::decrypt(identities, stored).map_err(|error| match error {
            age::Error::NoMatch => Unopened::Encrypted { tried: true },
            age::Error::Header => Unopened::Changed("it is no age file"),
            age::Error::Mac => Unopened::Changed("the header of its age file was changed"),
            age::Error::Payload => Unopened::Changed("its age file was changed, or cut"),
        }),
        _ => Err(Unopened::Form),
    }
}
