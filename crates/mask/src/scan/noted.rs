//! Strings that say something about what comes after them, and strings that are held until it is clear what they are.

use super::{Role, Scanner, State};
use crate::held::Verdict;
use crate::helm;
use crate::malformed::Fault;
use crate::placeholder::Tag;
use crate::places::{Check, MAX_KEY, Note};
use crate::splice::Splice;

impl Scanner {
    /// The inside of a string that says something.
    pub(super) fn note(
        &mut self,
        note: Note,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        // What is whole in this input and has no escapes need not be copied; it is as long as `noted` may be, or too long.
        let rest = input.get(at..).unwrap_or_default();
        let (value, end) = match self.text.whole(rest).filter(|_| self.noted.is_empty()) {
            Some(len) => (rest.get(..len).filter(|value| value.len() <= MAX_KEY), at + len),
            None => {
                let end = self.text.advance(input, at, &mut self.noted)?;
                let Some(end) = end else { return Ok(input.len()) };
                (self.noted.bytes(), end)
            }
        };
        if let Some(binding) = self.binding.as_deref_mut() {
            binding.note(note, value);
        }
        if let Some(frame) = self.stack.last_mut() {
            frame.node = self.rules.turn(frame.node, note, value);
        }
        self.end_value(end, splice);
        Ok(end + 1)
    }

    /// An object begins that is somebody.
    #[inline(never)]
    pub(super) fn begin_object(&mut self) {
        if let Some(binding) = self.binding.as_deref_mut() {
            binding.begin_object();
        }
    }

    /// What binds the placeholder of the rest of a text that is no document.
    pub(crate) fn tag_of_rest(&mut self) -> Option<Tag> {
        self.binding.as_deref_mut().and_then(|binding| binding.tag(0, Some(b"")))
    }

    /// Begins to hold a string.
    pub(super) fn hold(&mut self, check: Check) {
        let tag = self.binding.as_deref_mut().and_then(|binding| {
            // It is counted whether it is replaced or not, so that what comes after it does not depend on that.
            binding.tag(self.rules.place(self.next), self.key.bytes())
        });
        self.held.get_or_insert_with(Box::default).begin(check, tag);
        self.state = State::Text(Role::Held);
    }

    /// The inside of a string that is held.
    pub(super) fn held(&mut self, input: &[u8], at: usize, splice: &mut Splice<'_>) -> Result<usize, Fault> {
        let Some(held) = self.held.as_deref_mut() else { return Ok(input.len()) };
        let end = self.text.advance(input, at, held)?;
        let piece_end = end.unwrap_or(input.len());
        let piece = input.get(at..piece_end).unwrap_or_default();
        let release = match held.judge(&self.rules, end.is_some()) {
            Verdict::Wait => {
                held.keep_raw(piece);
                return Ok(piece_end);
            }
            Verdict::Keep => {
                splice.output().extend_from_slice(held.raw());
                splice.output().extend_from_slice(piece);
                splice.resume(piece_end);
                held.clear();
                self.state = State::Text(Role::Value);
                return Ok(piece_end);
            }
            Verdict::Replace => None,
            Verdict::Release(wrapped) => helm::masked(held.text(), wrapped, self.guard.as_ref()),
        };
        if let Some(release) = release {
            splice.output().extend_from_slice(release.text.as_bytes());
            self.masked += release.masked;
        } else {
            splice.insert(held.placeholder(), held.tag());
            self.masked += 1;
        }
        held.clear();
        // What is left of it is cut. What remains, if only the quotation mark, is read as any string.
        self.mark = self.stack.len();
        self.state = State::Text(Role::Value);
        Ok(piece_end)
    }
}
