//! The scanner: a strict pushdown automaton over JSON that knows at every value whether it is at a place.
//!
//! It reads in pieces of any size, keeps no content but the key it is reading, and tells a [`Splice`] what to cut.

mod key;
mod number;
mod swar;
mod text;
mod value;

use key::KeyBuffer;
use number::Number;
pub(crate) use text::Sink;
use text::Text;

use crate::malformed::{Fault, What};
use crate::nested::Nested;
use crate::places::{NOTHING, Node, ROOT, Rules};
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
    ///
    /// Each step reads on to what mostly comes next, as far as this input goes, so that a member takes one step or two and
    /// not one for each of its bytes of structure. What a step consists of is always inlined, and what is rare never is:
    /// calls would cost as much as the work (measure with the example `throughput`).
    pub(crate) fn feed(&mut self, input: &[u8], splice: &mut Splice<'_>) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            at = match self.state {
                State::After if byte == b',' => self.comma(input, at, splice)?,
                State::Text(role @ (Role::Key | Role::OtherKey)) => self.key(role, input, at, splice)?,
                State::Text(Role::Value) => self.string(input, at, splice)?,
                State::Text(Role::Embedded) => self.embedded(input, at, splice)?,
                State::Number(number) => self.number(number, input, at, splice)?,
                State::Literal(rest) => self.literal(rest, input, at, splice)?,
                _ if is_space(byte) => at + 1,
                _ => self.structure(byte, input, at, splice)?,
            };
        }
        Ok(())
    }

    #[inline]
    fn structure(
        &mut self,
        byte: u8,
        input: &[u8],
        at: usize,
        splice: &mut Splice<'_>,
    ) -> Result<usize, Fault> {
        match (self.state, byte) {
            (State::After | State::FirstKey, b'}') => self.close(true, at, splice),
            (State::After | State::FirstElement, b']') => self.close(false, at, splice),
            (State::Key | State::FirstKey, b'"') => {
                let role = self.begin_key();
                self.key(role, input, at + 1, splice)
            }
            (State::Colon, b':') => self.begin_value(input, at + 1, splice),
            (State::Value | State::FirstElement, _) => self.value(byte, input, at, splice),
            (State::Start, b'{') => {
                self.next = ROOT;
                self.value(byte, input, at, splice)
            }
            (State::Start, _) => Err(Fault::new(at, What::NotAnObject)),
            _ => Err(Fault::new(at, What::Unexpected)),
        }
    }

    /// A comma after a value.
    #[inline]
    fn comma(&mut self, input: &[u8], at: usize, splice: &mut Splice<'_>) -> Result<usize, Fault> {
        match self.stack.last() {
            Some(Frame { object: false, node }) => {
                self.next = self.rules.element(*node);
                self.begin_value(input, at + 1, splice)
            }
            _ if input.get(at + 1) == Some(&b'"') => {
                let role = self.begin_key();
                self.key(role, input, at + 2, splice)
            }
            _ => {
                self.state = State::Key;
                Ok(at + 1)
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
