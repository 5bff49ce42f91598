//! Checkpoints as C2SP tlog-checkpoint lays them out: origin, size and root, signed as a note. No I/O.

use crate::note::{self, Signer, Verified, Verifier};
use crate::tree::Hash;

/// A tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many leaves the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// A checkpoint whose signature verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The tree head.
    pub checkpoint: Checkpoint,
    /// The names on signatures by other keys, unverified.
    pub others: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] note::Error),
    /// A signed text that is no checkpoint.
    #[error("the signed text is not a checkpoint: {0}")]
    Malformed(&'static str),
    /// A checkpoint of another log.
    #[error("a checkpoint of `{found}` where one of `{wanted}` belongs")]
    Origin {
        /// The origin found.
        found: String,
        /// The key's name.
        wanted: String,
    },
}

impl Checkpoint {
    /// The signed note.
    ///
    /// # Errors
    /// When the origin has characters that a note cannot carry.
    pub fn sign(&self, signer: &Signer) -> Result<String, note::Error> {
        signer.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, self.root))
    }

    /// Opens a checkpoint that this key must have signed, under its own name as origin.
    ///
    /// # Errors
    /// When the signature, the form or the origin is not what it must be.
    pub fn open(note: &[u8], verifier: &Verifier) -> Result<Opened, Error> {
        let Verified { text, others } = verifier.open(note)?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(Error::Malformed("fewer than three lines"));
        };
        // What follows is extension lines and the empty string behind the last newline; extensions are not ours to
        // read, and none may be empty.
        let rest: Vec<&str> = lines.collect();
        if rest.split_last().is_none_or(|(_, extensions)| extensions.contains(&"")) {
            return Err(Error::Malformed("an empty line"));
        }
        let canonical = size == "0" || (!size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit()));
        let size =
            size.parse().ok().filter(|_| canonical).ok_or(Error::Malformed("the size is no decimal"))?;
        let root = Hash::from_base64(root).ok_or(Error::Malformed("the root is not 32 bytes in base64"))?;
        if origin != verifier.name() {
            return Err(Error::Origin { found: origin.to_owned(), wanted: verifier.name().to_owned() });
        }
        Ok(Opened { checkpoint: Self { origin: origin.to_owned(), size, root }, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::EMPTY;
    use zeroize::Zeroizing;

    fn signer() -> Signer {
        Signer::from_seed("example.com/log", Zeroizing::new([7; 32])).unwrap()
    }

    #[test]
    fn a_checkpoint_reads_back() {
        let checkpoint = Checkpoint { origin: "example.com/log".to_owned(), size: 20_852_163, root: EMPTY };
        let note = checkpoint.sign(&signer()).unwrap();
        insta::assert_snapshot!(note.split("\n—").next().unwrap(), @r"
        example.com/log
        20852163
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        ");
        let opened = Checkpoint::open(note.as_bytes(), signer().verifier()).unwrap();
        assert_eq!(opened, Opened { checkpoint, others: Vec::new() });
    }

    #[test]
    fn texts_that_are_no_checkpoint_are_refused() {
        let root = EMPTY.to_string();
        let refuse = |text: &str| {
            let note = signer().sign(text).unwrap();
            Checkpoint::open(note.as_bytes(), signer().verifier()).unwrap_err().to_string()
        };
        insta::assert_snapshot!(refuse("example.com/log\n1\n"), @"the signed text is not a checkpoint: an empty line");
        insta::assert_snapshot!(refuse(&format!("example.com/log\n01\n{root}\n")), @"the signed text is not a checkpoint: the size is no decimal");
        insta::assert_snapshot!(refuse(&format!("example.com/log\n+1\n{root}\n")), @"the signed text is not a checkpoint: the size is no decimal");
        insta::assert_snapshot!(refuse(&format!("example.com/other\n1\n{root}\n")), @"a checkpoint of `example.com/other` where one of `example.com/log` belongs");
        let extended = signer().sign(&format!("example.com/log\n1\n{root}\nmore\n")).unwrap();
        assert!(Checkpoint::open(extended.as_bytes(), signer().verifier()).is_ok());
    }
}
