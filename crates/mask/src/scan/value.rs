//! Values: their beginnings, ends, and what is cut of them.

use super::{Frame, MAX_DEPTH, NO_MARK, Number, Role, Scanner, State, text::Ignore};
use crate::malformed::{Fault, What};
use crate::nested::Nested;
use crate::placeholder::{Placeholder, Tag};
use crate::places::{NOTHING, Treatment};
use crate::splice::Splice;

impl Scanner {
    /// A value begins, whose first byte is `byte`.
    #[inline]
    pub(super) fn value(
        &mut self,
        byte: u8,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        if let Some(treatment) = self.rules.treatment(self.next) {
            if !begins_value(byte) {
                return Err(Fault::new(at, What::Unexpected));
            }
            if self.treat(treatment, byte, at, splice) {
                return Ok(at + 1);
            }
        }
        self.state = match byte {
            b'"' => {
                self.state = State::Text(Role::Value);
                return self.string(input, at + 1, splice);
            }
            b'{' | b'[' => return self.open(byte == b'{', at),
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            _ => State::Number(Number::begin(byte).ok_or_else(|| Fault::new(at, What::Unexpected))?),
        };
        Ok(at + 1)
    }

    /// Begins what happens to the value whose first byte is `byte`, and says whether it is a string of a role of its own.
    fn treat(&mut self, treatment: Treatment, byte: u8, at: usize, splice: &mut Splice<'_>) -> bool {
        let string = byte == b'"';
        let placeholder = match treatment {
            _ if byte == b'n' => return false,
            Treatment::ReplaceMembers(_) if byte == b'{' => return false,
            Treatment::Note(_) if !string => return false,
            Treatment::Note(note) => {
                self.noted.clear();
                self.state = State::Text(Role::Note(note));
                return true;
            }
            Treatment::Revealable(_) | Treatment::RevealableHeld(_) if self.reveals() => {
                self.mark = self.stack.len();
                self.shown_from = Some(splice.going_to(at + usize::from(string)));
                return false;
            }
            Treatment::Embedded(whose) if string => {
                splice.cut(at + 1);
                let place = self.rules.place(self.next);
                let binding = self
                    .binding
                    .as_deref_mut()
                    .map(|binding| Box::new(binding.within(place, self.key.bytes())));
                let rules = self.rules.embedded(whose).unwrap_or(&self.rules);
                self.nested.get_or_insert_with(|| Box::new(Nested::new(rules))).begin(rules, binding);
                self.state = State::Text(Role::Embedded);
                return true;
            }
            Treatment::Held(check) | Treatment::RevealableHeld(check) if string => {
                splice.cut(at + 1);
                self.hold(check);
                return true;
            }
            Treatment::Emptied if !string => {
                self.mark = self.stack.len();
                splice.cut(at);
                splice.insert_empty_list();
                return false;
            }
            Treatment::Held(check) | Treatment::RevealableHeld(check) => check.placeholder(),
            Treatment::ReplaceMembers(_) | Treatment::Embedded(_) | Treatment::Emptied => Placeholder::Text,
            Treatment::Replace(placeholder) | Treatment::Revealable(placeholder) => placeholder,
        };
        self.masked += 1;
        self.mark = self.stack.len();
        let tag = self.tag();
        if string {
            splice.cut(at + 1);
            splice.insert(placeholder, tag.as_ref());
        } else {
            splice.cut(at);
            splice.insert_string(placeholder, tag.as_ref());
        }
        false
    }

    /// What binds the placeholder of the next value.
    fn tag(&mut self) -> Option<Tag> {
        let place = self.rules.place(self.next);
        self.binding.as_deref_mut().and_then(|binding| binding.tag(place, self.key.bytes()))
    }

    /// Whether policy reveals the next value.
    fn reveals(&mut self) -> bool {
        self.binding.as_deref_mut().is_some_and(|binding| binding.reveals(self.key.bytes()))
    }

    fn open(&mut self, object: bool, at: usize) -> Result<usize, Fault> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Fault::new(at, What::TooDeep));
        }
        // A value that is replaced or shown has no places in it, whatever its node leads to.
        let node = if self.mark == NO_MARK { self.next } else { NOTHING };
        self.next = if object { NOTHING } else { self.rules.first(node) };
        if object && self.rules.fresh(node) {
            self.begin_object();
        }
        self.state = if object { State::FirstKey } else { State::FirstElement };
        self.stack.push(Frame { object, node });
        Ok(at + 1)
    }

    pub(super) fn close(&mut self, object: bool, at: usize, splice: &mut Splice<'_>) -> Result<(), Fault> {
        match self.stack.pop() {
            Some(frame) if frame.object == object => {}
            _ => return Err(Fault::new(at, What::Unexpected)),
        }
        self.end_value(at + 1, splice);
        if self.stack.is_empty() {
            self.state = if self.sequence { State::Start } else { State::End };
        }
        Ok(())
    }

    /// A value has ended, and `kept_from` is the first byte that is not its own.
    #[inline]
    pub(super) fn end_value(&mut self, kept_from: usize, splice: &mut Splice<'_>) {
        self.state = State::After;
        if self.mark == self.stack.len() {
            self.end_marked(kept_from, splice);
        }
    }

    /// The value that was cut or shown whole has ended.
    #[inline(never)]
    fn end_marked(&mut self, kept_from: usize, splice: &mut Splice<'_>) {
        self.mark = NO_MARK;
        match self.shown_from.take() {
            Some(from) => self.shown.push(from..splice.going_to(kept_from)),
            None => splice.resume(kept_from),
        }
    }

    /// The inside of a string that is a value.
    #[inline]
    pub(super) fn string(
        &mut self,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        let end = match self.text.whole(input.get(at..).unwrap_or_default()) {
            Some(len) => at + len,
            None => match self.text.advance(input, at, &mut Ignore)? {
                Some(end) => end,
                None => return Ok(input.len()),
            },
        };
        // The quotation mark is kept.
        self.end_value(end, splice);
        Ok(end + 1)
    }

    /// The inside of a string that holds a document.
    pub(super) fn embedded(
        &mut self,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        let end = match self.nested.as_deref_mut() {
            Some(nested) => self.text.advance(input, at, &mut nested.sink(splice.output()))?,
            None => self.text.advance(input, at, &mut Ignore)?,
        };
        let Some(end) = end else { return Ok(input.len()) };
        self.masked += self.nested.as_deref().map_or(0, Nested::masked);
        splice.resume(end);
        self.state = State::After;
        Ok(end + 1)
    }

    /// The rest of a number, as far as it is in `input`.
    pub(super) fn number(
        &mut self,
        mut number: Number,
        input: &[u8],
        mut at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        while let Some(&byte) = input.get(at) {
            match number.next(byte) {
                Some(next) => number = next,
                None if number.complete() => {
                    self.end_value(at, splice);
                    return Ok(at);
                }
                None => return Err(Fault::new(at, What::BadNumber)),
            }
            at += 1;
        }
        self.state = State::Number(number);
        Ok(at)
    }

    /// The rest of a literal, as far as it is in `input`.
    pub(super) fn literal(
        &mut self,
        rest: &'static [u8],
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        let here = input.get(at..).unwrap_or_default();
        let same = rest.iter().zip(here).take_while(|(expected, byte)| expected == byte).count();
        let end = at + same;
        match rest.get(same..) {
            Some([]) => self.end_value(end, splice),
            Some(missing) if end == input.len() => self.state = State::Literal(missing),
            _ => return Err(Fault::new(end, What::BadLiteral)),
        }
        Ok(end)
    }
}

/// Whether a value can begin so.
fn begins_value(byte: u8) -> bool {
    matches!(byte, b'"' | b'{' | b'[' | b't' | b'f' | b'n') || Number::begin(byte).is_some()
}
