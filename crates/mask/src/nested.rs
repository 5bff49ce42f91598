//! A document within a string of another document, masked in place.
//!
//! The string's characters go unescaped through a scanner of their own; what is kept goes out as it was written, escapes and
//! all. Text that is not a document is no reason to withhold the answer around it (anyone may write any annotation), but
//! none of it may pass unseen: what comes before the fault has been masked by the same rules, and everything after it is
//! replaced by one placeholder, which no JSON token can go on with, so that masking again finds the same fault at the same place.
//! A document begins with its brace (`kubectl` writes it compact): other text is replaced whole.

use std::ops::Range;

use crate::binding::Binding;
use crate::malformed::{Fault, What};
use crate::placeholder::Placeholder;
use crate::places::Rules;
use crate::scan::{Scanner, Sink};
use crate::splice::Splice;

/// The document in the string that is being read.
#[derive(Debug)]
pub(crate) struct Nested {
    scanner: Scanner,
    /// Whether the text turned out not to be a document: the rest of it is dropped.
    given_up: bool,
    replaced_rest: bool,
}

impl Nested {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { scanner: Scanner::new(rules.clone(), false), given_up: false, replaced_rest: false }
    }

    /// A string begins.
    pub(crate) fn begin(&mut self, rules: &Rules, binding: Option<Box<Binding>>) {
        self.scanner.restart(rules, binding);
        self.given_up = false;
        self.replaced_rest = false;
    }

    /// How many values of the string's document have been replaced, its unreadable rest counting as one.
    pub(crate) fn masked(&self) -> u64 {
        self.scanner.masked() + u64::from(self.replaced_rest)
    }

    /// Takes the string's characters and writes what is kept to `out`.
    pub(crate) fn sink<'a>(&'a mut self, out: &'a mut Vec<u8>) -> NestedSink<'a> {
        NestedSink { nested: self, out }
    }

    fn feed(&mut self, characters: &[u8], mut splice: Splice<'_>) {
        let fed = match characters.first() {
            Some(first) if self.scanner.at_start() && *first != b'{' => Err(Fault::new(0, What::NotAnObject)),
            _ => self.scanner.feed(characters, &mut splice),
        };
        match fed {
            Ok(()) if self.scanner.cutting() => {}
            Ok(()) => splice.finish(characters.len()),
            Err(fault) => {
                self.given_up = true;
                // Within a cut, a placeholder stands there already.
                if !self.scanner.cutting() {
                    self.replaced_rest = true;
                    splice.cut(fault.at);
                    // What the text ends with is judged by its shape as it is: a line ends where it does. There a document that
                    // has been masked is at fault again.
                    if self.scanner.in_text() {
                        splice.output().extend_from_slice(b"\\n");
                    }
                    splice.insert(Placeholder::Text, self.scanner.tag_of_rest().as_ref());
                }
            }
        }
    }
}

/// Where the characters of a string with a document in it go.
#[derive(Debug)]
pub(crate) struct NestedSink<'a> {
    nested: &'a mut Nested,
    out: &'a mut Vec<u8>,
}

impl Sink for NestedSink<'_> {
    fn plain(&mut self, input: &[u8], range: Range<usize>) {
        if !self.nested.given_up {
            let raw = input.get(range).unwrap_or_default();
            let cutting = self.nested.scanner.cutting();
            self.nested.feed(raw, Splice::quoted(raw, cutting, self.out));
        }
    }

    fn escape(&mut self, character: char, raw: &[u8]) {
        if !self.nested.given_up {
            let cutting = self.nested.scanner.cutting();
            let mut utf8 = [0; 4];
            self.nested
                .feed(character.encode_utf8(&mut utf8).as_bytes(), Splice::escape(raw, cutting, self.out));
        }
    }
}
