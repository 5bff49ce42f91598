//! A request body as policy looks at it: an object, a fragment of one, or a list of patch operations.

use std::borrow::Cow;

use serde_json::Value;

/// Longest JSON Patch path that is looked into, in segments; what is deeper is not judged but refused.
const MAX_SEGMENTS: usize = 64;

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object as it shall be.
    Whole,
    /// Server-side apply: the parts that shall be so.
    Fragment,
    /// RFC 7386: the parts that shall change; a list replaces the list there was.
    Merge,
    /// Strategic merge patch: the parts that shall change; lists merge by key, and `$patch` can replace.
    Strategic,
    /// RFC 6902 operations.
    JsonPatch,
}

/// A decoded body and how to read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) value: &'a Value,
    pub(crate) form: Form,
}

/// One JSON Patch operation.
#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) op: &'a str,
    pub(crate) path: Vec<Cow<'a, str>>,
    pub(crate) value: Option<&'a Value>,
}

/// Why a JSON Patch cannot be judged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opaque {
    /// `copy` or `move`: what is written is whatever the object holds elsewhere.
    Copies,
    /// Not a list of well-formed operations.
    Malformed,
}

impl<'a> Body<'a> {
    /// The operations of a JSON Patch; none for other forms.
    pub(crate) fn operations(&self) -> Result<Vec<Operation<'a>>, Opaque> {
        if self.form != Form::JsonPatch {
            return Ok(Vec::new());
        }
        let list = self.value.as_array().ok_or(Opaque::Malformed)?;
        list.iter().map(operation).collect()
    }

    /// The values this body puts at `path` (object keys from the root). A JSON Patch may put several.
    /// An opaque patch yields none: it is refused before anyone asks.
    pub(crate) fn assigned(&self, path: &[&str]) -> Vec<&'a Value> {
        if self.form != Form::JsonPatch {
            return descend(self.value, path).into_iter().collect();
        }
        let operations = self.operations().unwrap_or_default();
        operations.iter().filter(|operation| operation.writes()).filter_map(|o| o.value_at(path)).collect()
    }

    /// Whether this body sets, removes or reaches into `path`.
    pub(crate) fn touches(&self, path: &[&str]) -> bool {
        if self.form != Form::JsonPatch {
            return descend(self.value, path).is_some();
        }
        let Ok(operations) = self.operations() else { return true };
        operations.iter().any(|operation| {
            let inside = starts_with(&operation.path, path);
            let above = operation.path.iter().zip(path).all(|(a, b)| a == b);
            inside || (above && (operation.op == "remove" || operation.value_at(path).is_some()))
        })
    }
}

impl<'a> Operation<'a> {
    /// Whether it puts a value anywhere.
    pub(crate) fn writes(&self) -> bool {
        matches!(self.op, "add" | "replace")
    }

    fn value_at(&self, path: &[&str]) -> Option<&'a Value> {
        let prefix = path.get(..self.path.len())?;
        let rest = path.get(self.path.len()..)?;
        let matches = self.path.iter().zip(prefix).all(|(a, b)| a == b);
        if matches { descend(self.value?, rest) } else { None }
    }
}

fn operation(value: &Value) -> Result<Operation<'_>, Opaque> {
    let op = value.get("op").and_then(Value::as_str).ok_or(Opaque::Malformed)?;
    let path = value.get("path").and_then(Value::as_str).ok_or(Opaque::Malformed)?;
    match op {
        "add" | "replace" if value.get("value").is_none() => return Err(Opaque::Malformed),
        "add" | "replace" | "remove" | "test" => {}
        "copy" | "move" => return Err(Opaque::Copies),
        _ => return Err(Opaque::Malformed),
    }
    Ok(Operation { op, path: pointer(path)?, value: value.get("value") })
}

/// RFC 6901 segments. A pointer without its leading slash is refused: the server's library
/// (`evanphx/json-patch`) drops its first segment, another would not.
fn pointer(path: &str) -> Result<Vec<Cow<'_, str>>, Opaque> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let rest = path.strip_prefix('/').ok_or(Opaque::Malformed)?;
    if rest.split('/').count() > MAX_SEGMENTS {
        return Err(Opaque::Malformed);
    }
    Ok(rest.split('/').map(unescape).collect())
}

fn unescape(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') {
        Cow::Owned(segment.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(segment)
    }
}

fn descend<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.as_object()?.get(*key))
}

fn starts_with(path: &[Cow<'_, str>], prefix: &[&str]) -> bool {
    path.len() >= prefix.len() && path.iter().zip(prefix).all(|(a, b)| a == b)
}
