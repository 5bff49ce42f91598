//! Values that a gate keeps to itself: what an object held before a call changed it, encrypted to the gate's own key.
//!
//! ```text
//! portcullis kept values 1
//! (an age file: the values, a byte 0x80, and as many 0x00 as are wanting to one of few sizes)
//! ```
//!
//! Such a file stands beside the segments of its recording and goes with it; no reader of recordings needs it. `tail -n +2 CALL.kept |
//! age -d -i KEY` shows what is in it to whoever has the key.
//!
//! Nothing is compressed: an agent writes a part of what is kept, and the size of the file would tell how much of the rest is like it.

use std::fmt;
use std::io;

use zeroize::Zeroizing;

use crate::at_rest::{
    Identities, Identity, NotIdentities, Open as _, Recipient, Recipients, Unopened, encrypted,
};

const MAGIC: &[u8] = b"portcullis kept values 1\n";
/// The end of such a file's name.
const KEPT: &str = ".kept";
/// Bytes of what is kept of one call, with what pads it: an object as it is and as it is shown, of which etcd takes 1.5 MiB.
const MAX_PLAIN: usize = 5 << 20;
/// The least size, and the one from which on sizes are multiples of it: below, they are powers of two.
const LEAST: usize = 4 << 10;
const STEP: usize = 1 << 20;
/// What ends the values, before what pads them (as in ISO/IEC 7816-4).
const END: u8 = 0x80;
/// Bytes of such a file, at most: two fit the smallest queue.
pub(crate) const MAX_STORED: usize = 6 << 20;
/// Bytes of such files of one session: what fills a disk is a session that writes what others made.
pub(crate) const MAX_SESSION: u64 = 256 << 20;
/// The longest id of a call.
const LONGEST: usize = 64;
const TOO_MUCH: &str = "the object is larger than is kept of one call";

/// What a gate keeps values with.
#[derive(Debug)]
pub struct Keeper {
    to: Recipients,
    with: Identities,
}

/// What is kept, in the clear: it is not told, and gone from memory once it is dropped.
pub struct Values(Zeroizing<Vec<u8>>);

/// Why what was kept cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHad {
    /// Nothing is kept of such a call: it changed nothing that is masked, or it was erased.
    #[error("nothing is kept of that call")]
    None,
    /// The key file is another by now.
    #[error("it was kept with another key")]
    Key,
    /// It is not what was written.
    #[error("it is not what was kept: it was changed, or cut")]
    Changed,
}

impl Keeper {
    /// With an age identity file: the first identity is the one to which values are encrypted, and each of them opens what was
    /// encrypted to it.
    ///
    /// # Errors
    /// [`NotIdentities`], which has nothing of the file's content.
    pub fn parse(file: &str) -> Result<Self, NotIdentities> {
        let with = Identities::parse(file)?;
        let first = with.iter().next().map(Identity::recipient).ok_or(NotIdentities::None)?;
        let to = Recipients::new(vec![first]).map_err(|_| NotIdentities::None)?;
        Ok(Self { to, with })
    }

    /// To whom values are encrypted.
    #[must_use]
    pub fn recipient(&self) -> Option<&Recipient> {
        self.to.iter().next()
    }

    /// The file that is stored.
    ///
    /// # Errors
    /// It is more than is kept of a call, or cannot be encrypted.
    pub fn close(&self, values: &Values) -> io::Result<Vec<u8>> {
        let padded = values.padded().ok_or_else(|| io::Error::other(TOO_MUCH))?;
        let stored = [MAGIC, &self.to.seal(&padded)?].concat();
        if stored.len() > MAX_STORED {
            return Err(io::Error::other(TOO_MUCH));
        }
        Ok(stored)
    }

    /// What is in such a file.
    ///
    /// # Errors
    /// [`NotHad`].
    pub fn open(&self, stored: &[u8]) -> Result<Values, NotHad> {
        let sealed = stored.strip_prefix(MAGIC).ok_or(NotHad::Changed)?;
        let mut padded =
            self.with.open(encrypted(), sealed).map(Zeroizing::new).map_err(|why| match why {
                Unopened::Encrypted { .. } => NotHad::Key,
                Unopened::Form | Unopened::Changed(_) => NotHad::Changed,
            })?;
        let end = padded.iter().rposition(|byte| *byte != 0).filter(|at| padded.get(*at) == Some(&END));
        padded.truncate(end.ok_or(NotHad::Changed)?);
        Ok(Values(padded))
    }
}

impl Values {
    /// These, one after the other.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        // With room for all of them: what is moved leaves a copy behind.
        let mut values = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| values.extend_from_slice(part));
        Self(values)
    }

    /// With what makes them one of few sizes; `None`: they are too many.
    fn padded(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Self(values) = self;
        let least = values.len().checked_add(1)?;
        let size =
            if least <= STEP { least.next_power_of_two().max(LEAST) } else { least.next_multiple_of(STEP) };
        let mut padded = Zeroizing::new(Vec::with_capacity(Some(size).filter(|size| *size <= MAX_PLAIN)?));
        padded.extend_from_slice(values);
        padded.push(END);
        padded.resize(size, 0);
        Some(padded)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values")
    }
}

/// The name of the file with what is kept of a call; `None`: no call has such an id.
pub(crate) fn file_name(call: &str) -> Option<String> {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    let is_id = (1..=LONGEST).contains(&call.len()) && call.bytes().all(fits) && !call.starts_with('.');
    is_id.then(|| format!("{call}{KEPT}"))
}

/// Whether a file has that.
pub(crate) fn is_kept(file_name: &str) -> bool {
    file_name.strip_suffix(KEPT).and_then(self::file_name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
    const OTHER: &str = "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG";

    fn keeper(file: &str) -> Keeper {
        Keeper::parse(file).unwrap()
    }

    #[test]
    fn what_is_kept_is_read_with_its_key_and_no_other() {
        let values = Values::of(&[&b"CANARY".repeat(1000), b"and more"]);
        let stored = keeper(ONE).close(&values).unwrap();
        assert!(!stored.windows(6).any(|part| part == b"CANARY"));
        assert_eq!(keeper(ONE).open(&stored).unwrap().as_bytes(), values.as_bytes());
        assert_eq!(keeper(OTHER).open(&stored).unwrap_err(), NotHad::Key);
        // A key that takes the place of another stands before it.
        let both = keeper(&format!("{OTHER}\n{ONE}"));
        assert_eq!(both.open(&stored).unwrap().as_bytes(), values.as_bytes());
        assert_eq!(keeper(ONE).open(&both.close(&values).unwrap()).unwrap_err(), NotHad::Key);
        assert_eq!(format!("{values:?}"), "Values");
    }

    #[test]
    fn what_was_changed_is_not_read() {
        let stored = keeper(ONE).close(&Values::of(&[b"CANARY"])).unwrap();
        for end in (0..stored.len()).step_by(31) {
            assert_eq!(keeper(ONE).open(&stored[..end]).unwrap_err(), NotHad::Changed, "cut at {end}");
        }
        let mut changed = stored;
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(keeper(ONE).open(&changed).unwrap_err(), NotHad::Changed);
        assert!(keeper(ONE).close(&Values::of(&[&vec![0; MAX_PLAIN]])).is_err());
        let most = Values::of(&[&vec![0; MAX_PLAIN - 1]]);
        let stored = keeper(ONE).close(&most).unwrap();
        assert_eq!(keeper(ONE).open(&stored).unwrap().as_bytes(), most.as_bytes());
        assert!(Keeper::parse("# nothing").is_err());
        assert!(!format!("{:?}", keeper(ONE)).contains("SECRET"));
    }

    /// Whoever writes a part of an object and sees the sizes of files is told nothing of the rest of it.
    #[test]
    fn sizes_tell_nothing_of_what_is_alike_and_little_of_how_much_it_is() {
        let size = |parts: &[&[u8]]| keeper(ONE).close(&Values::of(parts)).unwrap().len();
        let guesses = [&b"password=hunter2 "[..], b"password=hunter3 ", b"zq8w1ksd=vb42ty0 "];
        let sizes = guesses.map(|guess| size(&[b"password=hunter2 ", &guess.repeat(200)]));
        assert_eq!(sizes[0], sizes[1]);
        assert_eq!(sizes[0], sizes[2]);
        assert_eq!(size(&[]), size(&[&[0x80; 4095]]));
        assert!(size(&[&[0; 4095]]) < size(&[&[0; 4096]]));
        assert_eq!(size(&[&vec![0; 1 << 20]]), size(&[&vec![1; (2 << 20) - 1]]));
        for values in [&b""[..], b"\x80", b"\x80\0\0", b"a\0"] {
            let stored = keeper(ONE).close(&Values::of(&[values])).unwrap();
            assert_eq!(keeper(ONE).open(&stored).unwrap().as_bytes(), values);
        }
    }

    #[test]
    fn names_are_those_of_calls() {
        for not in ["", ".", "..", "../c", "a/b", ".c", "c d", &"c".repeat(65)] {
            assert_eq!(file_name(not), None, "{not}");
        }
        assert_eq!(file_name("0197-ab").as_deref(), Some("0197-ab.kept"));
        assert!(is_kept("c-1.kept") && !is_kept(".kept") && !is_kept("c-1.kept.tmp") && !is_kept("c-1.seg"));
    }
}
