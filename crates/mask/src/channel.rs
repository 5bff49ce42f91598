//! One channel of a stream (a terminal's output, an error's text), and the one way to show it.

use std::fmt;

use bytes::Bytes;

use crate::guard::Guard;
use crate::redact::{Content, Redactor};

/// A piece of a stream's channel as the API server sent it: nobody has looked at it, and nobody can.
///
/// It has no accessor, and does not show itself: only [`Channel`] leads on.
pub struct SealedPiece(Bytes);

/// Masks one channel of one stream, by value and by shape; how it is cut into pieces makes no difference.
pub struct Channel {
    redactor: Redactor,
}

impl SealedPiece {
    /// Seals what came.
    #[must_use]
    pub fn new(piece: Bytes) -> Self {
        Self(piece)
    }

    /// How many bytes came.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Channel {
    /// A channel at its beginning, of a stream of the cluster that `guard` is for.
    #[must_use]
    pub fn new(guard: &Guard) -> Self {
        Self { redactor: Redactor::new(guard.known().clone(), Content::Text) }
    }

    /// What may be shown of what was held back and of `piece`.
    pub fn push(&mut self, piece: SealedPiece) -> Bytes {
        self.redactor.push(piece.0, &[])
    }

    /// What may be shown of what was held back, if nothing more comes for a moment: all but the last word.
    pub fn pause(&mut self) -> Bytes {
        self.redactor.pause()
    }

    /// What was held back, masked, if nothing more comes for a while.
    pub fn idle(&mut self) -> Bytes {
        self.redactor.idle()
    }

    /// Whether something is held back that [`idle`](Self::idle) shows.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.redactor.is_holding()
    }

    /// What was held back until the channel's end.
    pub fn finish(&mut self) -> Bytes {
        self.redactor.finish()
    }

    /// How many placeholders have gone out so far.
    #[must_use]
    pub fn masked(&self) -> u64 {
        self.redactor.masked()
    }

    /// `piece`, which is all there is (an error's message), masked; and how many placeholders that put in.
    #[must_use]
    pub fn whole(guard: &Guard, piece: SealedPiece) -> (Bytes, u64) {
        Redactor::whole(guard.known(), Content::Text, piece.0, &[])
    }
}

impl fmt::Debug for SealedPiece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedPiece").field("len", &self.0.len()).finish()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("masked", &self.masked()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, KnownValues, SecretValue};

    const VALUE: &str = "Xk9fTq2Lm8Zr";

    fn guard() -> Guard {
        let known = KnownValues::none();
        assert_eq!(known.update([SecretValue::new(VALUE.into())]).known, 1);
        Guard::new("dev", Catalogue::builtin(), known, [7; 16])
    }

    fn piece(text: &str) -> SealedPiece {
        SealedPiece::new(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_value_in_pieces_is_masked() {
        let mut channel = Channel::new(&guard());
        let mut out = Vec::new();
        for text in ["a Xk9f", "Tq2L", "m8Zr b\nc"] {
            out.extend_from_slice(&channel.push(piece(text)));
        }
        out.extend_from_slice(&channel.finish());
        assert_eq!(String::from_utf8(out).unwrap(), "a masked-by-portcullis--not-the-real-value b\nc");
        assert_eq!(channel.masked(), 1);
    }

    #[test]
    fn a_prompt_is_shown_when_nothing_more_comes() {
        let mut channel = Channel::new(&guard());
        assert!(!channel.is_holding());
        assert_eq!(&*channel.push(piece("a\n/ # Xk9fT")), b"a\n");
        assert!(channel.is_holding());
        assert_eq!(&*channel.pause(), b"/ # ");
        assert!(channel.is_holding());
        assert_eq!(&*channel.idle(), b"Xk9fT");
        assert!(!channel.is_holding());
        assert_eq!(&*channel.finish(), b"");
    }

    #[test]
    fn what_is_all_there_is_masked_at_once() {
        let (message, masked) = Channel::whole(&guard(), piece("exec: \"Xk9fTq2Lm8Zr\": not found"));
        assert_eq!(
            (&*message, masked),
            (&b"exec: \"masked-by-portcullis--not-the-real-value\": not found"[..], 1)
        );
    }

    #[test]
    fn neither_shows_what_it_holds() {
        let sealed = piece(VALUE);
        assert_eq!((sealed.len(), sealed.is_empty()), (12, false));
        assert_eq!(format!("{sealed:?}"), "SealedPiece { len: 12 }");
        let mut channel = Channel::new(&guard());
        let _shown = channel.push(sealed);
        assert_eq!(format!("{channel:?}"), "Channel { masked: 0, .. }");
    }
}
