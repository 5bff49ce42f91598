//! Rendered manifests: YAML documents, each masked by the places of its kind.
//!
//! A document with nothing to mask stays as it is written. One with something is written anew, without its comments but for those
//! at its beginning, where Helm notes the template. One that cannot be read, or is no object, is replaced.

use serde_json::{Map, Value};

use crate::placeholder::Placeholder;
use crate::places::Catalogue;
use crate::scan::Scanner;
use crate::splice::Splice;

/// The most documents of one release: reading one has its price, however short it is.
const MAX_DOCUMENTS: usize = 2_000;

/// The most values in them, for the same reason.
const MAX_VALUES: usize = 200_000;

/// Reads the manifests of one release.
#[derive(Debug)]
pub(super) struct Manifests<'a> {
    catalogue: &'a Catalogue,
    documents_left: usize,
    values_left: usize,
}

impl<'a> Manifests<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self { catalogue, documents_left: MAX_DOCUMENTS, values_left: MAX_VALUES }
    }

    /// `manifest` masked, and how many values were replaced; none if there are too many documents.
    pub(super) fn masked(&mut self, manifest: &str) -> Option<(String, u64)> {
        let (mut out, mut masked) = (String::new(), 0);
        let pieces = pieces(manifest, self.documents_left)?;
        self.documents_left = self.documents_left.saturating_sub(pieces.len());
        for (begins, piece) in pieces {
            out.push_str(begins);
            if beginning(piece) == piece {
                out.push_str(piece);
                continue;
            }
            match self.rewritten(piece) {
                Some((_, 0)) => out.push_str(piece),
                Some((yaml, replaced)) => {
                    out.push_str(beginning(piece));
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    out.push_str(&yaml);
                    masked += replaced;
                }
                None => {
                    out.push('\n');
                    out.push_str(Placeholder::Text.as_str());
                    out.push('\n');
                    masked += 1;
                }
            }
        }
        Some((out, masked))
    }

    /// The documents in `piece`, mostly one, written anew, and how many values were replaced.
    fn rewritten(&mut self, piece: &str) -> Option<(String, u64)> {
        let options = serde_saphyr::options! {
            // What is kept as it is written must stand where it counts.
            budget: serde_saphyr::budget! {
                max_aliases: 0, max_anchors: 0, max_merge_keys: 0, max_depth: 64, max_nodes: self.values_left
            },
            with_snippet: false,
        };
        let read = serde_saphyr::from_multiple_with_options::<Value>(piece, options);
        // How much of what cannot be read was read is not known: no value is shorter than a byte.
        let values = read.as_ref().map_or(piece.len(), |documents| documents.iter().map(values_in).sum());
        self.values_left = self.values_left.saturating_sub(values);
        let mut masked = 0;
        let mut written = Vec::new();
        for document in read.ok()? {
            let (document, replaced) = by_place(kind_first(document), self.catalogue)?;
            masked += replaced;
            written.push(document);
        }
        let yaml =
            if masked == 0 { String::new() } else { serde_saphyr::to_string_multiple(&written).ok()? };
        Some((yaml, masked))
    }
}

/// The text, if it is not too many pieces, cut before each line that begins with `---`, each piece with that mark apart. A line cannot begin so within a scalar
/// (YAML 1.2.2 section 9.1.2).
fn pieces(manifest: &str, most: usize) -> Option<Vec<(&str, &str)>> {
    const MARK: &str = "---";
    let (mut pieces, mut rest, mut begins) = (Vec::new(), manifest, "");
    if let Some(after) = rest.strip_prefix(MARK).filter(|after| ends_mark(after)) {
        (begins, rest) = (MARK, after);
    }
    let mut from = 0;
    while let Some(found) = rest.get(from..).and_then(|text| text.find("\n---")) {
        let line = from + found + 1;
        let (piece, after) = (rest.get(..line), rest.get(line + MARK.len()..));
        match (piece, after) {
            (Some(piece), Some(after)) if ends_mark(after) => {
                pieces.push((begins, piece));
                if pieces.len() >= most {
                    return None;
                }
                (begins, rest, from) = (MARK, after, 0);
            }
            _ => from = line,
        }
    }
    pieces.push((begins, rest));
    Some(pieces)
}

fn ends_mark(after: &str) -> bool {
    after.is_empty() || after.starts_with([' ', '\t', '\r', '\n'])
}

/// The comments and empty lines that a document begins with.
fn beginning(document: &str) -> &str {
    let says_nothing = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let length = document.split_inclusive('\n').take_while(says_nothing).map(str::len).sum();
    document.get(..length).unwrap_or_default()
}

/// How many values and keys a document has.
fn values_in(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(|member| 1 + values_in(member)).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(values_in).sum::<usize>(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => 1,
    }
}

/// An object masked by the places of the kind that it says it is.
fn by_place(object: Value, catalogue: &Catalogue) -> Option<(Value, u64)> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let rules = catalogue.rules_of_kind(text("apiVersion"), text("kind"))?;
    let json = serde_json::to_vec(&object).ok()?;
    let mut scanner = Scanner::new(rules, false);
    let mut out = Vec::new();
    let mut splice = Splice::document(&json, false, &mut out);
    scanner.feed(&json, &mut splice).ok().filter(|()| scanner.complete())?;
    if scanner.masked() == 0 {
        return Some((object, 0));
    }
    splice.finish(json.len());
    Some((serde_json::from_slice(&out).ok()?, scanner.masked()))
}

/// The same with every object saying first what it is, so that its places are known before they come.
fn kind_first(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(key, member)| (key, kind_first(member))).collect();
            members.sort_by_key(|(key, _)| {
                !(key.eq_ignore_ascii_case("apiVersion") || key.eq_ignore_ascii_case("kind"))
            });
            Value::Object(Map::from_iter(members))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(kind_first).collect()),
        scalar => scalar,
    }
}
