//! The JSON schema of the file, and the check of a file against it.
//!
//! Understands what [`schemars`] writes for the structs of [`super::raw`]: types, properties, required, closed
//! objects, items, bounds, `$ref` and nullable fields.

use schemars::schema_for;
use serde_json::{Map, Value as Json};

use super::{
    position::FieldPath,
    problems::{Collector, Problem},
    raw,
    suggest::suggestion,
    tree::{Entry, Node, Value},
};

/// The JSON schema (draft 2020-12) of `portcullis.yaml`.
#[must_use]
pub fn json_schema() -> Json {
    schema_for!(raw::Config).to_value()
}

/// What of `root` fits the schema, with everything else reported and left out.
///
/// The result always deserialises into [`raw::Config`].
pub(super) fn check(root: &Node, problems: &mut Collector) -> Json {
    let schema = json_schema();
    let mut walk = Walk { root: &schema, problems };
    walk.value(&schema, root, &FieldPath::root()).unwrap_or_else(|| Json::Object(Map::new()))
}

struct Walk<'a> {
    root: &'a Json,
    problems: &'a mut Collector,
}

impl Walk<'_> {
    /// `None`: nothing there, or nothing that fits; the latter is reported.
    fn value(&mut self, schema: &Json, node: &Node, path: &FieldPath) -> Option<Json> {
        let nullable = is_nullable(schema);
        let schema = self.resolve(schema);
        match (&node.value, kind(&schema)) {
            (Value::Null, _) if nullable => None,
            (Value::Map(entries), Some("object")) => Some(self.object(&schema, entries, node, path)),
            (Value::List(items), Some("array")) => self.list(&schema, items, node, path),
            (Value::Text(text), Some("string")) => Some(Json::String(text.clone())),
            (Value::Bool(truth), Some("boolean")) => Some(Json::Bool(*truth)),
            (Value::Number(number), Some("integer")) => self.integer(&schema, number, node, path),
            (found, expected) => {
                self.problems.add(Problem::new(Some(node.at), path, mismatch(found, expected, &schema)));
                None
            }
        }
    }

    fn object(&mut self, schema: &Json, entries: &[Entry], node: &Node, path: &FieldPath) -> Json {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&empty);
        let mut fitting = Map::new();
        for entry in entries {
            let path = path.key(&entry.key);
            let Some(property) = properties.get(&entry.key) else {
                let known = properties.keys().map(String::as_str);
                let message = format!("unknown field; {}", suggestion(&entry.key, known));
                self.problems.add(Problem::new(Some(entry.at), &path, message));
                continue;
            };
            if let Some(value) = self.value(property, &entry.node, &path) {
                fitting.insert(entry.key.clone(), value);
            }
        }
        let required = schema.get("required").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        for name in required.iter().filter_map(Json::as_str) {
            if !entries.iter().any(|entry| entry.key == name) {
                let what = properties.get(name).and_then(|property| self.description(property));
                let message = what.map_or_else(|| "missing".to_owned(), |what| format!("missing: {what}"));
                self.problems.add(Problem::new(Some(node.at), &path.key(name), message));
            }
        }
        Json::Object(fitting)
    }

    /// An item that does not fit stays as an empty object where items are objects, so that the others keep
    /// their places; a list of plain values with one that does not fit is left out whole.
    fn list(&mut self, schema: &Json, items: &[Node], node: &Node, path: &FieldPath) -> Option<Json> {
        if let Some(least) = schema.get("minItems").and_then(Json::as_u64)
            && u64::try_from(items.len()).unwrap_or(u64::MAX) < least
        {
            self.problems.add(Problem::new(Some(node.at), path, format!("needs at least {least}")));
        }
        let item_schema = schema.get("items").cloned().unwrap_or(Json::Null);
        let objects = kind(&self.resolve(&item_schema)) == Some("object");
        let mut fitting = Vec::with_capacity(items.len());
        let mut whole = true;
        for (index, item) in items.iter().enumerate() {
            match self.value(&item_schema, item, &path.index(index)) {
                Some(value) => fitting.push(value),
                None if objects => fitting.push(Json::Object(Map::new())),
                None => whole = false,
            }
        }
        whole.then_some(Json::Array(fitting))
    }

    fn integer(
        &mut self,
        schema: &Json,
        number: &serde_json::Number,
        node: &Node,
        path: &FieldPath,
    ) -> Option<Json> {
        let least = schema.get("minimum").and_then(Json::as_u64).unwrap_or(0);
        let most = schema.get("maximum").and_then(Json::as_u64).unwrap_or(u64::MAX);
        if number.as_u64().is_some_and(|number| (least..=most).contains(&number)) {
            return Some(Json::Number(number.clone()));
        }
        let message = format!("`{number}` is out of range; give a whole number from {least} to {most}");
        self.problems.add(Problem::new(Some(node.at), path, message));
        None
    }

    /// Follows `$ref`, and picks the side of a nullable `anyOf` that is not null.
    fn resolve(&self, schema: &Json) -> Json {
        let schema = match schema.get("anyOf").and_then(Json::as_array) {
            Some(sides) => sides.iter().find(|side| kind(side) != Some("null")).unwrap_or(schema),
            None => schema,
        };
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema).clone()
    }

    fn description(&self, schema: &Json) -> Option<String> {
        let of = |schema: &Json| schema.get("description").and_then(Json::as_str).map(str::to_owned);
        let text = of(schema).or_else(|| of(&self.resolve(schema)))?;
        Some(text.trim_end_matches('.').to_owned())
    }
}

/// The one type that a schema allows beside null.
fn kind(schema: &Json) -> Option<&str> {
    match schema.get("type") {
        Some(Json::String(kind)) => Some(kind),
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null"),
        _ => None,
    }
}

fn is_nullable(schema: &Json) -> bool {
    let is_null = |kind: &Json| kind.as_str() == Some("null");
    let by_type = schema.get("type").and_then(Json::as_array).is_some_and(|kinds| kinds.iter().any(is_null));
    let sides = schema.get("anyOf").and_then(Json::as_array);
    by_type || sides.is_some_and(|sides| sides.iter().any(|side| side.get("type").is_some_and(is_null)))
}

fn mismatch(found: &Value, expected: Option<&str>, schema: &Json) -> String {
    let expected = match expected {
        Some("object") => "a mapping",
        Some("array") => "a list",
        Some("string") => "a string",
        Some("boolean") => "`true` or `false`",
        Some("integer") => "a whole number",
        _ => "another value",
    };
    let example = schema.get("examples").and_then(|examples| examples.get(0)).and_then(Json::as_str);
    let such_as = example.map_or_else(String::new, |example| format!(" such as `{example}`"));
    let quote = matches!((found, expected), (Value::Number(_) | Value::Bool(_), "a string"));
    let remedy = if quote && example.is_none() { "; put it in quotes" } else { "" };
    format!("expected {expected}{such_as}, found {}{remedy}", found.kind())
}
