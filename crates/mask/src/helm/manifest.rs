//! Rendered manifests: YAML documents, each masked by the places of its kind.
//!
//! A document with nothing to mask stays as it is written. One with something is written anew, without its comments but for those
//! at its beginning, where Helm notes the template. One that cannot be read, or is no object, is replaced.

use serde_json::{Map, Value};

use crate::placeholder::Placeholder;
use crate::places::Catalogue;
use crate::scan::Scanner;
use crate::splice::Splice;

/// The most documents of one manifest: reading one has its price, however short it is.
const MAX_DOCUMENTS: usize = 10_000;

/// `manifest` masked, and how many values were replaced; none if it has too many documents.
pub(super) fn masked(manifest: &str, catalogue: &Catalogue) -> Option<(String, u64)> {
    let (mut out, mut masked) = (String::new(), 0);
    for (begins, piece) in pieces(manifest)? {
        out.push_str(begins);
        if beginning(piece) == piece {
            out.push_str(piece);
            continue;
        }
        match rewritten(piece, catalogue) {
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

/// The text, if it is not too many pieces, cut before each line that begins with `---`, each piece with that mark apart. A line cannot begin so within a scalar
/// (YAML 1.2.2 section 9.1.2).
fn pieces(manifest: &str) -> Option<Vec<(&str, &str)>> {
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
                if pieces.len() >= MAX_DOCUMENTS {
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

/// The documents in `piece`, mostly one, written anew, and how many values were replaced.
fn rewritten(piece: &str, catalogue: &Catalogue) -> Option<(String, u64)> {
    let options = serde_saphyr::options! {
        // What is kept as it is written must stand where it counts.
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_merge_keys: 0, max_depth: 64 },
        with_snippet: false,
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(piece, options).ok()?;
    let mut masked = 0;
    let mut written = Vec::new();
    for document in documents {
        let (document, replaced) = by_place(kind_first(document), catalogue)?;
        masked += replaced;
        written.push(document);
    }
    let yaml = if masked == 0 { String::new() } else { serde_saphyr::to_string_multiple(&written).ok()? };
    Some((yaml, masked))
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
