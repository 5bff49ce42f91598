//! Keys: which of them lead to a place.

use std::ops::Range;

use super::{Scanner, Sink, State};
use crate::malformed::Fault;
use crate::places::{ANYWHERE, MAX_KEY, NOTHING};

impl Scanner {
    /// The inside of a key; at its end `next` is where it leads.
    pub(super) fn key(&mut self, input: &[u8], at: usize) -> Result<usize, Fault> {
        let Some(end) = self.text.advance(input, at, &mut self.key)? else { return Ok(input.len()) };
        let object = self.stack.last().map_or(NOTHING, |frame| frame.node);
        self.next = self.rules.key(object, self.key.bytes());
        if self.next <= ANYWHERE {
            self.key.clear();
        }
        self.state = State::Colon;
        Ok(end + 1)
    }
}

/// Text of a string, unescaped, as far as it matters. A key stays until the next begins if it leads to a place.
#[derive(Debug, Clone)]
pub(super) struct Buffer {
    bytes: [u8; MAX_KEY],
    /// The text's length; beyond [`MAX_KEY`] it is longer than anything that is looked for.
    len: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: [0; MAX_KEY], len: 0 }
    }
}

impl Buffer {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text, unless it is longer than [`MAX_KEY`].
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }

    pub(super) fn set(&mut self, text: &[u8]) {
        self.clear();
        self.push(text);
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        self.len = end;
    }
}

impl Sink for Buffer {
    fn plain(&mut self, input: &[u8], range: Range<usize>) {
        self.push(input.get(range).unwrap_or_default());
    }

    fn escape(&mut self, character: char, _: &[u8]) {
        self.push(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
