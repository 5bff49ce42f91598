//! The scanner: a strict pushdown automaton over JSON that knows at every value whether it is at a place.
//!
//! It reads in pieces of any size, keeps no content but the key it is reading and the few strings that say something about
//! what comes after them, and tells a [`Splice`] what to cut.

mod key;
mod noted;
mod number;
mod plain;
mod run;
mod text;
mod value;

use std::ops::Range;

use key::Buffer;
use number::Number;
pub(crate) use text::Sink;
use text::Text;

use crate::binding::Binding;
use crate::guard::Guard;
use crate::held::Held;
use crate::malformed::{Fault, What};
use crate::nested::Nested;
use crate::places::{NOTHING, Node, Note, ROOT, Rules};
use crate::splice::Splice;

/// How many objects and arrays may be open at once in one document. Kubernetes' own schemas stay below 64 and structural
/// custom resources far below this; Go decodes up to 10,000, `serde_json` up to 128.
pub const MAX_DEPTH: usize = 512;

/// No value is being cut or shown.
const NO_MARK: usize = usize::MAX;

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
    Key,
    Value,
    /// A value that holds a document.
    Embedded,
    /// A value that is held until it is clear what it is.
    Held,
    /// A value that says something about what comes after it.
    Note(Note),
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
    rules: Rules,
    /// Whether another document may follow.
    sequence: bool,
    state: State,
    text: Text,
    key: Buffer,
    noted: Buffer,
    /// INVARIANT: at most [`MAX_DEPTH`] long.
    stack: Vec<Frame>,
    /// The node of the next value.
    next: Node,
    /// How many objects and arrays were open when the value began that is being cut or shown whole, or [`NO_MARK`].
    mark: usize,
    /// Where in what goes out the value begins that is being shown; none: it is being cut.
    shown_from: Option<usize>,
    shown: Vec<Range<usize>>,
    nested: Option<Box<Nested>>,
    held: Option<Box<Held>>,
    binding: Option<Box<Binding>>,
    /// For what is masked by value within releases.
    guard: Option<Guard>,
    masked: u64,
}

impl Scanner {
    pub(crate) fn new(rules: Rules, sequence: bool) -> Self {
        Self {
            rules,
            sequence,
            state: State::Start,
            text: Text::new(),
            key: Buffer::default(),
            noted: Buffer::default(),
            stack: Vec::new(),
            next: NOTHING,
            mark: NO_MARK,
            shown_from: None,
            shown: Vec::new(),
            nested: None,
            held: None,
            binding: None,
            guard: None,
            masked: 0,
        }
    }

    /// The same for an answer of `guard`'s cluster, with placeholders that are bound.
    pub(crate) fn bound(mut self, guard: &Guard, binding: Binding) -> Self {
        self.binding = Some(Box::new(binding));
        self.guard = Some(guard.clone());
        self
    }

    /// Begins anew, keeping only the memory.
    pub(crate) fn restart(&mut self, rules: &Rules, binding: Option<Box<Binding>>) {
        if !self.rules.same(rules) {
            self.rules = rules.clone();
        }
        self.binding = binding;
        self.state = State::Start;
        self.text = Text::new();
        self.key.clear();
        self.stack.clear();
        self.next = NOTHING;
        self.mark = NO_MARK;
        self.masked = 0;
    }

    /// Whether a value is being cut, so that nothing of it has been or will be kept.
    pub(crate) fn cutting(&self) -> bool {
        self.mark != NO_MARK && self.shown_from.is_none()
            || matches!(self.state, State::Text(Role::Embedded | Role::Held))
    }

    /// Forgets what has been shown, since what goes out is another piece now.
    pub(crate) fn begin_piece(&mut self) {
        self.shown.clear();
        if self.shown_from.is_some() {
            self.shown_from = Some(0);
        }
    }

    /// The piece that went out is `length` long.
    pub(crate) fn end_piece(&mut self, length: usize) {
        if let Some(from) = self.shown_from {
            self.shown.push(from..length);
        }
    }

    /// The ranges of the piece that policy reveals.
    pub(crate) fn shown(&self) -> &[Range<usize>] {
        &self.shown
    }

    /// Whether a string is being read.
    pub(crate) fn in_text(&self) -> bool {
        matches!(self.state, State::Text(_))
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
    /// Most of a document is read by [`Self::run`] at once; the automaton takes the steps in between.
    pub(crate) fn feed(&mut self, input: &[u8], splice: &mut Splice<'_>) -> Result<(), Fault> {
        let mut at = 0;
        loop {
            if let State::After = self.state {
                at = self.run(input, at);
            }
            let Some(&byte) = input.get(at) else { return Ok(()) };
            at = match self.state {
                State::Text(Role::Key) => self.key(input, at)?,
                State::Text(Role::Value) => self.string(input, at, splice)?,
                State::Text(Role::Embedded) => self.embedded(input, at, splice)?,
                State::Text(Role::Note(note)) => self.note(note, input, at, splice)?,
                State::Text(Role::Held) => self.held(input, at, splice)?,
                State::Number(number) => self.number(number, input, at, splice)?,
                State::Literal(rest) => self.literal(rest, input, at, splice)?,
                _ if is_space(byte) => at + 1,
                _ => self.structure(byte, input, at, splice)?,
            };
        }
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
            (State::After, b',') => self.comma(),
            (State::After | State::FirstKey, b'}') => self.close(true, at, splice)?,
            (State::After | State::FirstElement, b']') => self.close(false, at, splice)?,
            (State::Key | State::FirstKey, b'"') => {
                self.key.clear();
                self.state = State::Text(Role::Key);
            }
            (State::Colon, b':') => self.state = State::Value,
            (State::Value | State::FirstElement, _) => return self.value(byte, input, at, splice),
            (State::Start, b'{') => {
                self.next = ROOT;
                return self.value(byte, input, at, splice);
            }
            (State::Start, _) => return Err(Fault::new(at, What::NotAnObject)),
            _ => return Err(Fault::new(at, What::Unexpected)),
        }
        Ok(at + 1)
    }

    /// A comma after a value.
    fn comma(&mut self) {
        self.state = match self.stack.last() {
            Some(Frame { object: false, node }) => {
                self.next = self.rules.element(*node);
                State::Value
            }
            _ => State::Key,
        };
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
