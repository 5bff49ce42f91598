//! The way most of a document goes: keys and values without escapes, whole in this input, and at no place.
//!
//! It is the automaton's own way, with its states left out. It decides nothing: before a token that is anything else, a fault
//! included, it stops, and the automaton goes on from there. Its tests hold it against the automaton alone.
//!
//! Everything is inlined into one loop, whose variables stay in registers (measure with the example `throughput`).

use std::ops::Range;

use super::{Frame, MAX_DEPTH, NO_MARK, Scanner, State, is_space, plain};
use crate::binding::Binding;
use crate::places::{ANYWHERE, MAX_KEY, NOTHING, Node, Rules};

/// Where the automaton goes on, and the node of the next value.
type Stop = (State, Node);

struct Run<'a> {
    rules: &'a Rules,
    input: &'a [u8],
    at: usize,
    stack: &'a mut Vec<Frame>,
    /// How many of these stay open: the document, and a value that is being cut or shown, are the automaton's to end.
    lowest: usize,
    binding: Option<&'a mut Binding>,
    /// INVARIANT: the last of `stack`.
    top: Frame,
    /// The last key, if one was read, and whether it leads to a place.
    key: Option<(Range<usize>, bool)>,
}

impl Scanner {
    /// Reads on from `at`, where a value has ended, and answers with where it has stopped.
    #[inline(never)]
    pub(super) fn run(&mut self, input: &[u8], at: usize) -> usize {
        #[cfg(test)]
        if tests::AUTOMATON_ALONE.get() {
            return at;
        }
        let Some(&top) = self.stack.last() else { return at };
        let lowest = if self.mark == NO_MARK { 1 } else { self.mark + 1 };
        let (stack, binding) = (&mut self.stack, self.binding.as_deref_mut());
        let mut run = Run { rules: &self.rules, input, at, stack, lowest, binding, top, key: None };
        let (state, next) = run.values();
        let (at, key) = (run.at, run.key);
        if let Some((range, leads)) = key {
            self.key.clear();
            if leads {
                self.key.set(input.get(range).unwrap_or_default());
            }
        }
        (self.state, self.next) = (state, next);
        at
    }
}

impl Run<'_> {
    #[inline(always)]
    fn values(&mut self) -> Stop {
        loop {
            let mut node = match self.peek() {
                b',' => {
                    self.at += 1;
                    if self.top.object {
                        match self.key() {
                            Some(node) => node,
                            None => return (State::Key, NOTHING),
                        }
                    } else {
                        self.rules.element(self.top.node)
                    }
                }
                close @ (b'}' | b']') if self.close(close) => continue,
                _ => return (State::After, NOTHING),
            };
            // Into objects and arrays, until a value has ended.
            let mut state = State::Value;
            loop {
                let byte = self.peek();
                if node > ANYWHERE && self.rules.treatment(node).is_some() {
                    return (state, node);
                }
                match byte {
                    b'"' if self.string() => break,
                    b'{' if self.open(true, node) => {
                        if self.peek() == b'}' && self.close(b'}') {
                            break;
                        }
                        match self.key() {
                            Some(next) => node = next,
                            None => return (State::FirstKey, NOTHING),
                        }
                        state = State::Value;
                    }
                    b'[' if self.open(false, node) => {
                        if self.peek() == b']' && self.close(b']') {
                            break;
                        }
                        node = self.rules.first(node);
                        state = State::FirstElement;
                    }
                    b't' if self.literal(b"true") => break,
                    b'f' if self.literal(b"false") => break,
                    b'n' if self.literal(b"null") => break,
                    b'0'..=b'9' if self.integer(byte) => break,
                    _ => return (state, node),
                }
            }
        }
    }

    /// The next byte that is not white space; NUL if there is none.
    #[inline(always)]
    fn peek(&mut self) -> u8 {
        match self.input.get(self.at) {
            Some(&byte) if byte > b' ' => byte,
            _ => {
                self.at = skip_space(self.input, self.at);
                self.input.get(self.at).copied().unwrap_or_default()
            }
        }
    }

    #[inline(always)]
    fn string(&mut self) -> bool {
        let whole = self.input.get(self.at + 1..).and_then(plain::whole);
        if let Some(len) = whole {
            self.at += len + 2;
        }
        whole.is_some()
    }

    /// Reads a key and its colon, and answers with where it leads. `None`: nothing is read, and the automaton reads it.
    #[inline(always)]
    fn key(&mut self) -> Option<Node> {
        if self.peek() != b'"' {
            return None;
        }
        let from = self.at + 1;
        let rest = self.input.get(from..)?;
        let len = plain::whole(rest).filter(|len| *len <= MAX_KEY)?;
        let colon = from + len + 1;
        if self.input.get(colon) != Some(&b':') {
            return None;
        }
        let node = match self.top.node {
            NOTHING => NOTHING,
            node => self.rules.key(node, rest.get(..len)),
        };
        self.at = colon + 1;
        self.key = Some((from..from + len, node > ANYWHERE));
        Some(node)
    }

    #[inline(always)]
    fn open(&mut self, object: bool, node: Node) -> bool {
        let room = self.stack.len() < MAX_DEPTH;
        if room {
            if object
                && node > ANYWHERE
                && self.rules.fresh(node)
                && let Some(binding) = self.binding.as_deref_mut()
            {
                binding.begin_object();
            }
            self.top = Frame { object, node };
            self.stack.push(self.top);
            self.at += 1;
        }
        room
    }

    /// The end of the innermost object or array, if this bracket is its own and the automaton need not see it.
    #[inline(always)]
    fn close(&mut self, byte: u8) -> bool {
        let depth = self.stack.len();
        if depth <= self.lowest || self.top.object != (byte == b'}') {
            return false;
        }
        self.stack.truncate(depth - 1);
        if let Some(outer) = self.stack.last() {
            self.top = *outer;
        }
        self.at += 1;
        true
    }

    #[inline(always)]
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        let same = self.input.get(self.at..).and_then(<[u8]>::first_chunk) == Some(literal);
        if same {
            self.at += N;
        }
        same
    }

    /// A number that is nothing but digits, and ends here.
    #[inline(always)]
    fn integer(&mut self, first: u8) -> bool {
        let mut end = self.at + 1;
        while let Some(byte) = self.input.get(end) {
            match byte {
                b'0'..=b'9' if first != b'0' => end += 1,
                b',' | b'}' | b']' => {
                    self.at = end;
                    return true;
                }
                _ => return false,
            }
        }
        false
    }
}

#[cold]
fn skip_space(input: &[u8], at: usize) -> usize {
    let rest = input.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests;
