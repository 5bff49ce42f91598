//! Keys: which of them lead to a place.

use std::ops::Range;

use super::{Role, Scanner, Sink, State, text::Ignore};
use crate::malformed::Fault;
use crate::places::{ANYWHERE, MAX_KEY, NOTHING, Node};
use crate::splice::Splice;

impl Scanner {
    /// After the opening quotation mark of a key.
    #[inline]
    pub(super) fn begin_key(&mut self) -> Role {
        let role = if self.object() == NOTHING { Role::OtherKey } else { Role::Key };
        self.state = State::Text(role);
        self.key.clear();
        role
    }

    /// The inside of a key, and if it ends here, what follows.
    #[inline(always)]
    pub(super) fn key(
        &mut self,
        role: Role,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        let rest = input.get(at..).unwrap_or_default();
        let end = match self.text.whole(rest) {
            Some(len) if self.key.is_empty() => {
                self.next = match role {
                    Role::Key => self.rules.key(self.object(), rest.get(..len)),
                    _ => NOTHING,
                };
                if self.next > ANYWHERE {
                    self.key.set(rest.get(..len).unwrap_or_default());
                }
                Some(at + len)
            }
            _ => self.key_in_parts(role, input, at)?,
        };
        match end {
            None => Ok(input.len()),
            // Mostly a colon comes at once.
            Some(end) if input.get(end + 1) == Some(&b':') => self.begin_value(input, end + 2, splice),
            Some(end) => {
                self.state = State::Colon;
                Ok(end + 1)
            }
        }
    }

    /// The end of a key that has escapes or comes in several inputs, if it is in this one; then `next` is where it leads.
    #[inline(never)]
    fn key_in_parts(&mut self, role: Role, input: &[u8], at: usize) -> Result<Option<usize>, Fault> {
        let Role::Key = role else {
            self.next = NOTHING;
            return self.text.advance(input, at, &mut Ignore);
        };
        let end = self.text.advance(input, at, &mut self.key)?;
        if end.is_some() {
            self.next = self.rules.key(self.object(), self.key.bytes());
            if self.next <= ANYWHERE {
                self.key.clear();
            }
        }
        Ok(end)
    }

    /// The node of the innermost open object or array.
    #[inline]
    fn object(&self) -> Node {
        self.stack.last().map_or(NOTHING, |frame| frame.node)
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
