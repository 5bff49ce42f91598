//! Two objects held against each other, line by line.

use std::{fmt, ops::Range};

use imara_diff::{Algorithm, InternedInput, Token};
use serde_json::{Map, Value};

/// So many unchanged lines are shown around changes.
const AROUND: usize = 3;

/// What the API server sets by itself, and what says nothing about what is changed (`ObjectMeta` in
/// k8s.io/apimachinery/pkg/apis/meta/v1).
pub(crate) const NOISE: [&str; 5] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"];

/// How much of an object is shown as YAML, which may be many times its JSON.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Bytes of each.
    pub bytes: usize,
    /// Lines of each.
    pub lines: usize,
}

/// The lines of two objects in YAML, held against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// In their order.
    pub lines: Vec<Line>,
    /// What was left out of both: fields that the API server sets by itself.
    pub left_out: Vec<String>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// In both.
    Same(String),
    /// Only in what would be.
    Added(String),
    /// Only in what is.
    Removed(String),
    /// Lines that are in both, and far from any that is not.
    Folded(Vec<String>),
}

impl Diff {
    /// All of a text, as what goes.
    pub(crate) fn removed(text: &str) -> Self {
        Self { lines: folded(compared(text, "")), left_out: Vec::new() }
    }

    /// What differs between two objects; `null` is none. Fields that the API server sets by itself are left out, and named.
    #[must_use]
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut left_out = Vec::new();
        let mut text = |object| shown(object, &mut left_out, yaml);
        let (before, after) = (text(before), text(after));
        Self::of(&before, &after, left_out)
    }

    /// The same, if neither is more than this.
    #[must_use]
    pub fn within(before: &Value, after: &Value, most: Limit) -> Option<Self> {
        let mut left_out = Vec::new();
        let mut text = |object| shown(object, &mut left_out, |quiet| Bounded::yaml(quiet, most));
        let (before, after) = (text(before)?, text(after)?);
        Some(Self::of(&before, &after, left_out))
    }

    fn of(before: &str, after: &str, mut left_out: Vec<String>) -> Self {
        left_out.sort_unstable();
        left_out.dedup();
        Self { lines: folded(compared(before, after)), left_out }
    }
}

/// Both texts' lines, each said to be in both or in one. An agent chooses what is compared: an exact comparison would
/// take the square of its length, some seconds for what the gate lets pass.
fn compared(before: &str, after: &str) -> Vec<Line> {
    let input = InternedInput::new(before, after);
    let mut diff = imara_diff::Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let line = |token: &Token| input.interner[*token].trim_end_matches('\n').to_owned();
    let mut lines = Vec::new();
    let mut same = 0;
    for hunk in diff.hunks() {
        lines.extend(within(&input.before, same..hunk.before.start).map(line).map(Line::Same));
        lines.extend(within(&input.before, hunk.before.clone()).map(line).map(Line::Removed));
        lines.extend(within(&input.after, hunk.after).map(line).map(Line::Added));
        same = hunk.before.end;
    }
    lines.extend(within(&input.before, same..u32::MAX).map(line).map(Line::Same));
    lines
}

fn within(tokens: &[Token], range: Range<u32>) -> impl Iterator<Item = &Token> {
    tokens.iter().take(range.end as usize).skip(range.start as usize)
}

fn without_noise(object: &Value, left_out: &mut Vec<String>) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in NOISE {
            if metadata.remove(name).is_some() {
                left_out.push(format!("metadata.{name}"));
            }
        }
    }
    sorted(object)
}

/// The object without noise as text; nothing of `null`.
fn shown<T: From<String>>(object: &Value, left_out: &mut Vec<String>, text: impl FnOnce(&Value) -> T) -> T {
    let quiet = without_noise(object, left_out);
    if quiet.is_null() { String::new().into() } else { text(&quiet) }
}

/// Takes so much and no more.
struct Bounded {
    text: String,
    left: Limit,
}

impl Bounded {
    fn yaml(value: &Value, left: Limit) -> Option<String> {
        let mut bounded = Self { text: String::new(), left };
        serde_saphyr::to_fmt_writer(&mut bounded, value).ok()?;
        Some(bounded.text)
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let lines = part.matches('\n').count();
        let left = self.left.bytes.checked_sub(part.len()).zip(self.left.lines.checked_sub(lines));
        let (bytes, lines) = left.ok_or(fmt::Error)?;
        self.left = Limit { bytes, lines };
        self.text.push_str(part);
        Ok(())
    }
}

/// With its keys in their order, so that only what differs differs.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// In YAML; in JSON if that cannot be written.
pub(crate) fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value)
        .or_else(|_| serde_json::to_string_pretty(value))
        .unwrap_or_else(|_| "(cannot be shown)".to_owned())
}

/// Folds what is unchanged and far from any change.
fn folded(lines: Vec<Line>) -> Vec<Line> {
    let changed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)))
        .map(|(at, _)| at)
        .collect();
    let mut out = Vec::new();
    let mut hidden: Vec<String> = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let next = changed.partition_point(|change| *change < at);
        let near = |index: Option<&usize>| index.is_some_and(|change| change.abs_diff(at) <= AROUND);
        if near(changed.get(next)) || near(next.checked_sub(1).and_then(|last| changed.get(last))) {
            if !hidden.is_empty() {
                out.push(Line::Folded(std::mem::take(&mut hidden)));
            }
            out.push(line);
        } else if let Line::Same(line) = line {
            hidden.push(line);
        }
    }
    if !hidden.is_empty() {
        out.push(Line::Folded(hidden));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_of_much_that_changes() {
        let text = |seed: u64| {
            let mut state = seed;
            let mut line = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{}", (state >> 33) % 13)
            };
            (0..3_000).map(|_| line()).collect::<Vec<_>>()
        };
        let (before, after) = (text(1), text(2));
        let lines = compared(&before.join("\n"), &after.join("\n"));
        let of = |side: fn(&Line) -> Option<&String>| lines.iter().filter_map(side).collect::<Vec<_>>();
        let was = of(|line| match line {
            Line::Same(line) | Line::Removed(line) => Some(line),
            _ => None,
        });
        let is = of(|line| match line {
            Line::Same(line) | Line::Added(line) => Some(line),
            _ => None,
        });
        assert_eq!((was, is), (before.iter().collect(), after.iter().collect()));
        assert!(lines.len() < 6_000, "none is the same");
    }
}
