//! The scanner: a strict pushdown automaton over JSON that knows at every value whether it is at a place.
//!
//! It reads in pieces of any size, keeps no content but the key it is reading, and tells a [`Splice`] what to cut.

mod number;
mod swar;
mod text;

use number::Number;
pub(crate) use text::Sink;
use text::{Ignore, Text};

use crate::malformed::{Fault, What};
use crate::nested::Nested;
use crate::placeholder::Placeholder;
use crate::places::{MAX_KEY, NOTHING, Node, ROOT, Rules, Treatment};
use crate::splice::Splice;

/// How many objects and arrays may be open at once in one document. Kubernetes' own schemas stay below 64 and structural
/// custom resources far below this; Go decodes up to 10,000, `serde_json` up to 128.
pub const MAX_DEPTH: usize = 512;

/// No value is being cut.
const NO_CUT: usize = usize::MAX;

/// What may come next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// Before a document.
    Start,
    /// After the only document.
    End,
    /// A value.
    Value,
    /// A value or `]`.
    FirstElement,
    /// A key or `}`.
    FirstKey,
    /// A key.
    Key,
    /// The colon after a key.
    Colon,
    /// After a value: a comma, or the end of what the value is in.
    After,
    /// The inside of a string.
    Text(Role),
    /// The inside of a number.
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Literal(&'static [u8]),
}

/// What the string that is being read is for.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// A key that may lead to a place.
    Key,
    /// A key that leads nowhere.
    OtherKey,
    Value,
    /// A value that holds a document.
    Embedded,
}

/// An open object or array.
#[derive(Debug, Clone, Copy)]
struct Frame {
    object: bool,
    node: Node,
}

/// Reads documents, and says where they must be edited.
#[derive(Debug)]
pub(crate) struct Scanner {
    rules: &'static Rules,
    /// Whether another document may follow.
    sequence: bool,
    state: State,
    text: Text,
    key: KeyBuffer,
    /// INVARIANT: at most [`MAX_DEPTH`] long.
    stack: Vec<Frame>,
    /// The node of the next value.
    next: Node,
    /// How many objects and arrays were open when the value began that is being cut, or [`NO_CUT`].
    cut: usize,
    nested: Option<Box<Nested>>,
    masked: u64,
}

impl Scanner {
    pub(crate) fn new(rules: &'static Rules, sequence: bool) -> Self {
        Self {
            rules,
            sequence,
            state: State::Start,
            text: Text::new(),
            key: KeyBuffer::default(),
            stack: Vec::new(),
            next: NOTHING,
            cut: NO_CUT,
            nested: None,
            masked: 0,
        }
    }

    /// Begins anew, keeping only the rules and the memory.
    pub(crate) fn reset(&mut self) {
        let stack = std::mem::take(&mut self.stack);
        *self = Self { stack, ..Self::new(self.rules, self.sequence) };
        self.stack.clear();
    }

    /// Whether a value is being cut, so that nothing of it has been or will be kept.
    pub(crate) fn cutting(&self) -> bool {
        self.cut != NO_CUT || matches!(self.state, State::Text(Role::Embedded))
    }

    /// Whether nothing of a document has been read.
    pub(crate) fn at_start(&self) -> bool {
        matches!(self.state, State::Start)
    }

    /// How many values have been replaced.
    pub(crate) fn masked(&self) -> u64 {
        self.masked
    }

    /// Whether the answer may end here.
    pub(crate) fn complete(&self) -> bool {
        match self.state {
            State::Start => self.sequence,
            State::End => true,
            _ => false,
        }
    }

    /// Reads `input`, of which `splice` makes what goes out.
    pub(crate) fn feed(&mut self, input: &[u8], splice: &mut Splice<'_>) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            at = match self.state {
                State::Text(role) => self.text(role, input, at, splice)?,
                State::Number(number) => self.number(number, input, at, splice)?,
                State::Literal(rest) => self.literal(rest, input, at, splice)?,
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => at + 1,
                State::After if byte == b',' => self.comma(input, at),
                _ => self.structure(byte, at, splice)?,
            };
        }
        Ok(())
    }

    #[inline]
    fn structure(&mut self, byte: u8, at: usize, splice: &mut Splice<'_>) -> Result<usize, Fault> {
        match (self.state, byte) {
            (State::Key | State::FirstKey, b'"') => self.begin_key(),
            (State::Colon, b':') => self.state = State::Value,
            (State::FirstElement, b']') => self.close(false, at, splice)?,
            (State::Value | State::FirstElement, _) => self.value(byte, at, splice)?,
            (State::After | State::FirstKey, b'}') => self.close(true, at, splice)?,
            (State::After, b']') => self.close(false, at, splice)?,
            (State::Start, b'{') => {
                self.next = ROOT;
                self.value(byte, at, splice)?;
            }
            (State::Start, _) => return Err(Fault::new(at, What::NotAnObject)),
            _ => return Err(Fault::new(at, What::Unexpected)),
        }
        Ok(at + 1)
    }

    #[inline]
    fn begin_key(&mut self) {
        let node = self.stack.last().map_or(NOTHING, |frame| frame.node);
        self.state = State::Text(if node == NOTHING { Role::OtherKey } else { Role::Key });
        self.key.clear();
    }

    /// A comma after a value; in an object, mostly a key comes at once.
    #[inline]
    fn comma(&mut self, input: &[u8], at: usize) -> usize {
        match self.stack.last() {
            Some(Frame { object: false, node }) => {
                self.next = self.rules.element(*node);
                self.state = State::Value;
            }
            _ if input.get(at + 1) == Some(&b'"') => {
                self.begin_key();
                return at + 2;
            }
            _ => self.state = State::Key,
        }
        at + 1
    }

    /// The first byte of a value.
    #[inline]
    fn value(&mut self, byte: u8, at: usize, splice: &mut Splice<'_>) -> Result<(), Fault> {
        let node = self.next;
        let state = match byte {
            b'"' => State::Text(Role::Value),
            b'{' => State::FirstKey,
            b'[' => State::FirstElement,
            b't' => State::Literal(b"rue"),
            b'f' => State::Literal(b"alse"),
            b'n' => State::Literal(b"ull"),
            _ => State::Number(Number::begin(byte).ok_or_else(|| Fault::new(at, What::Unexpected))?),
        };
        self.state = state;
        if node != NOTHING
            && let Some(treatment) = self.rules.treatment(node)
        {
            self.treat(treatment, byte, at, splice);
        }
        if matches!(byte, b'{' | b'[') { self.open(byte == b'{', node, at) } else { Ok(()) }
    }

    /// Begins the edit of the value whose first byte is `byte`.
    fn treat(&mut self, treatment: Treatment, byte: u8, at: usize, splice: &mut Splice<'_>) {
        let placeholder = match treatment {
            _ if byte == b'n' => return,
            Treatment::ReplaceMembers(_) if byte == b'{' => return,
            Treatment::ReplaceMembers(_) => Placeholder::Text,
            Treatment::Replace(placeholder) => placeholder,
            Treatment::Embedded if byte == b'"' => {
                splice.cut(at + 1);
                self.nested.get_or_insert_with(|| Box::new(Nested::new())).begin();
                self.state = State::Text(Role::Embedded);
                return;
            }
            Treatment::Embedded => Placeholder::Text,
        };
        self.masked += 1;
        self.cut = self.stack.len();
        if byte == b'"' {
            splice.cut(at + 1);
            splice.insert(placeholder.as_str());
        } else {
            splice.cut(at);
            splice.insert_string(placeholder.as_str());
        }
    }

    fn open(&mut self, object: bool, node: Node, at: usize) -> Result<(), Fault> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(Fault::new(at, What::TooDeep));
        }
        // A replaced value has no places in it, whatever its node leads to.
        let node = if self.cut == NO_CUT { node } else { NOTHING };
        self.next = if object { NOTHING } else { self.rules.element(node) };
        self.stack.push(Frame { object, node });
        Ok(())
    }

    #[inline]
    fn close(&mut self, object: bool, at: usize, splice: &mut Splice<'_>) -> Result<(), Fault> {
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
    fn end_value(&mut self, kept_from: usize, splice: &mut Splice<'_>) {
        self.state = State::After;
        if self.cut == self.stack.len() {
            self.cut = NO_CUT;
            splice.resume(kept_from);
        }
    }

    #[inline]
    fn text(&mut self, role: Role, input: &[u8], at: usize, splice: &mut Splice<'_>) -> Result<usize, Fault> {
        let end = match (role, self.nested.as_deref_mut()) {
            (Role::Key, _) => self.text.advance(input, at, &mut self.key)?,
            (Role::Embedded, Some(nested)) => {
                self.text.advance(input, at, &mut nested.sink(splice.output()))?
            }
            _ => self.text.advance(input, at, &mut Ignore)?,
        };
        let Some(end) = end else { return Ok(input.len()) };
        match role {
            Role::Key => {
                let node = self.stack.last().map_or(NOTHING, |frame| frame.node);
                self.next = self.rules.key(node, self.key.bytes());
                return Ok(self.colon(input, end + 1));
            }
            Role::OtherKey => {
                self.next = NOTHING;
                return Ok(self.colon(input, end + 1));
            }
            // The quotation mark is kept.
            Role::Value => self.end_value(end, splice),
            Role::Embedded => {
                self.masked += self.nested.as_deref().map_or(0, Nested::masked);
                splice.resume(end);
                self.state = State::After;
            }
        }
        Ok(end + 1)
    }

    /// After a key; mostly a colon comes at once.
    #[inline]
    fn colon(&mut self, input: &[u8], at: usize) -> usize {
        let colon = input.get(at) == Some(&b':');
        self.state = if colon { State::Value } else { State::Colon };
        at + usize::from(colon)
    }

    fn number(
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

    fn literal(
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

/// The key being read, unescaped, as far as it can still lead to a place.
#[derive(Debug)]
struct KeyBuffer {
    bytes: [u8; MAX_KEY],
    /// The key's length; beyond [`MAX_KEY`] it is longer than any place's.
    len: usize,
}

impl Default for KeyBuffer {
    fn default() -> Self {
        Self { bytes: [0; MAX_KEY], len: 0 }
    }
}

impl KeyBuffer {
    fn clear(&mut self) {
        self.len = 0;
    }

    /// The key, unless it is longer than any that a place names.
    fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        }
        self.len = end;
    }
}

impl Sink for KeyBuffer {
    fn plain(&mut self, input: &[u8], range: std::ops::Range<usize>) {
        self.push(input.get(range).unwrap_or_default());
    }

    fn escape(&mut self, character: char, _: &[u8]) {
        self.push(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
