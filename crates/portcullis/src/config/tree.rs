//! YAML as a tree that remembers where everything stands.
//!
//! A configuration is plain data, so what makes YAML hard to read safely is refused: anchors, aliases, tags,
//! merge keys, repeated keys, several documents.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Number;

use super::{
    position::{FieldPath, Position, Step},
    problems::{Collector, Problem},
};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) node: Node,
}

/// The first document of `text`. Problems go to `problems`; `None` when the text is not YAML at all.
pub(super) fn parse(text: &str, problems: &mut Collector) -> Option<Node> {
    let options =
        granit_parser::options! { emit_comments: false, block_nesting_limit: 32, flow_nesting_limit: 32 };
    let mut builder = Builder { events: Parser::new_from_str_with_options(text, options), problems };
    match builder.stream() {
        Ok(node) => node,
        Err(broken) => {
            builder.problems.add(broken);
            None
        }
    }
}

impl Node {
    /// The value, if it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of `key`, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// Where `path` stands: the value itself, or the nearest thing around it that exists.
    pub(super) fn locate(&self, path: &FieldPath) -> Position {
        let mut node = self;
        let mut at = self.at;
        for step in path.steps() {
            let inner = match (step, &node.value) {
                (Step::Key(key), _) => node.entry(key).map(|entry| (entry.at, &entry.node)),
                (Step::Index(index), Value::List(items)) => items.get(*index).map(|item| (item.at, item)),
                (Step::Index(_), _) => None,
            };
            let Some((key_at, inner)) = inner else { return at };
            // A mapping or list below a key is best shown by its key.
            at = if matches!(inner.value, Value::List(_) | Value::Map(_)) { key_at } else { inner.at };
            node = inner;
        }
        at
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }
}

impl Value {
    /// With its article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

struct Builder<'a, 'text> {
    events: Parser<'text, granit_parser::StrInput<'text>>,
    problems: &'a mut Collector,
}

type Next<'text> = (Event<'text>, Position);

impl<'text> Builder<'_, 'text> {
    fn next(&mut self) -> Result<Next<'text>, Problem> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, position(&span))),
            Some(Err(error)) => {
                let mark = error.marker();
                let at = Position { line: mark.line(), column: mark.col() + 1 };
                Err(Problem::new(Some(at), &FieldPath::root(), format!("not YAML: {}", error.kind())))
            }
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    fn stream(&mut self) -> Result<Option<Node>, Problem> {
        let mut first = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(first),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if first.is_some() => {
                    let message = "a second document; keep everything in one";
                    return Err(Problem::new(Some(at), &FieldPath::root(), message));
                }
                event => first = Some(self.node((event, at), &FieldPath::root())?),
            }
        }
    }

    fn node(&mut self, (event, at): Next<'text>, path: &FieldPath) -> Result<Node, Problem> {
        let refuse = |what: &str| {
            Problem::new(Some(at), path, format!("{what} are not supported; write the value out"))
        };
        match event {
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(refuse("aliases (`*name`)")),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                Err(refuse("anchors (`&name`)"))
            }
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(.., Some(_))
            | Event::MappingStart(.., Some(_)) => Err(refuse("tags (`!name`)")),
            Event::Scalar(text, style, ..) => Ok(Node { at, value: scalar(&text, style) }),
            Event::SequenceStart(..) => self.list(at, path),
            Event::MappingStart(..) => self.map(at, path),
            _ => Err(Problem::new(Some(at), path, "not YAML: a value was expected here")),
        }
    }

    fn list(&mut self, at: Position, path: &FieldPath) -> Result<Node, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node { at, value: Value::List(items) }),
                next => {
                    let item = self.node(next, &path.index(items.len()))?;
                    items.push(item);
                }
            }
        }
    }

    fn map(&mut self, at: Position, path: &FieldPath) -> Result<Node, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, key_at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Node { at, value: Value::Map(entries) }),
                Event::Scalar(key, _, 0, None) => Cow::into_owned(key),
                _ => {
                    let message = "a key must be a plain word";
                    return Err(Problem::new(Some(key_at), path, message));
                }
            };
            let path = path.key(&key);
            let next = self.next()?;
            let node = self.node(next, &path)?;
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let message = format!("given twice; the first is at {}", first.at);
                self.problems.add(Problem::new(Some(key_at), &path, message));
            } else {
                entries.push(Entry { key, at: key_at, node });
            }
        }
    }
}

fn position(span: &Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

/// The YAML 1.2 core schema: quoted text is text; `yes`, `no`, `on` and `off` are text too.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if !matches!(style, ScalarStyle::Plain) {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let integer = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    integer.ok().or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
}
