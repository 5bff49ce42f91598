//! JSON patches (RFC 6902): operations, and nothing else in them.

use serde_json::{Map, Value};

/// What is wrong with a patch.
///
/// # Errors
/// It is no array of operations; an operation has other members than its own; a pointer (RFC 6901) is one that the
/// server reads in spite of its form: its library ignores whatever stands before the first slash, so that `x/data` is
/// `/data` there (`findObject` in gopkg.in/evanphx/json-patch); or a segment of it is an index only to the server, which
/// takes whatever Go's `strconv.Atoi` reads: `-1` is the last element, `+0` and `00` are the first.
pub(crate) fn check(patch: &Value) -> Result<(), &'static str> {
    patch.as_array().ok_or("it is no array")?.iter().try_for_each(|operation| {
        operation.as_object().ok_or("an operation is no object").and_then(check_operation)
    })
}

fn check_operation(operation: &Map<String, Value>) -> Result<(), &'static str> {
    let (from, value) = match operation.get("op").and_then(Value::as_str) {
        Some("add" | "replace" | "test") => (false, true),
        Some("remove") => (false, false),
        Some("move" | "copy") => (true, false),
        _ => return Err("an `op` is none of add, remove, replace, move, copy and test"),
    };
    for (name, value) in operation {
        match name.as_str() {
            "op" => {}
            "path" => check_pointer(value)?,
            "from" if from => check_pointer(value)?,
            // On the others it has no effect, and some clients send it as null.
            "value" => {}
            _ => return Err("an operation has a member other than op, path, from and value"),
        }
    }
    if !operation.contains_key("path") {
        return Err("an operation has no `path`");
    }
    if from && !operation.contains_key("from") {
        return Err("a move or copy has no `from`");
    }
    if value && !operation.contains_key("value") {
        return Err("an add, replace or test has no `value`");
    }
    Ok(())
}

fn check_pointer(pointer: &Value) -> Result<(), &'static str> {
    let pointer = pointer.as_str().ok_or("a pointer is no string")?;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err("a pointer does not begin with `/`");
    }
    if pointer.split('~').skip(1).any(|escape| !escape.starts_with(['0', '1'])) {
        return Err("a pointer has a `~` that is neither `~0` nor `~1`");
    }
    if pointer.split('/').skip(1).any(is_odd_index) {
        return Err(
            "a pointer has an index with a sign or a leading zero; count from 0, or use a merge patch",
        );
    }
    Ok(())
}

/// Whether `strconv.Atoi` reads a segment as a number that RFC 6901 does not.
fn is_odd_index(segment: &str) -> bool {
    let unsigned = segment.strip_prefix(['+', '-']);
    let digits = unsigned.unwrap_or(segment);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number && (unsigned.is_some() || (digits.len() > 1 && digits.starts_with('0')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_are_taken() {
        let patch = json!([
            {"op": "add", "path": "/a/-", "value": null},
            {"op": "replace", "path": "/a~1b/~0c", "value": {"x": 1}},
            {"op": "test", "path": "", "value": 1},
            {"op": "remove", "path": "/a", "value": null},
            {"op": "copy", "from": "/a", "path": "/b"},
            {"op": "move", "from": "/", "path": "/b"},
            {"op": "add", "path": "/a/0/10/-/1-/-a/+/0x1", "value": 1},
        ]);
        assert_eq!(check(&patch), Ok(()));
        assert_eq!(check(&json!([])), Ok(()));
    }

    #[test]
    fn anything_else_is_refused() {
        let mut told = Vec::new();
        for patch in [
            json!({"op": "remove", "path": "/a"}),
            json!([1]),
            json!([{"op": "patch", "path": "/a"}]),
            json!([{"op": "ADD", "path": "/a", "value": 1}]),
            json!([{"op": "remove"}]),
            json!([{"op": "remove", "path": 1}]),
            json!([{"op": "remove", "path": "x/data"}]),
            json!([{"op": "remove", "path": "data"}]),
            json!([{"op": "remove", "path": "/a~2"}]),
            json!([{"op": "remove", "path": "/a~"}]),
            json!([{"op": "remove", "path": "/a", "from": "/b"}]),
            json!([{"op": "add", "path": "/a"}]),
            json!([{"op": "copy", "path": "/a"}]),
            json!([{"op": "copy", "path": "/a", "from": "x/data"}]),
            json!([{"op": "remove", "path": "/a", "Path": "/b"}]),
            json!([{"op": "add", "path": "/a/-1", "value": 1}]),
            json!([{"op": "add", "path": "/a/+0/b", "value": 1}]),
            json!([{"op": "add", "path": "/a/00", "value": 1}]),
            json!([{"op": "copy", "path": "/a", "from": "/b/-2"}]),
        ] {
            told.push(format!("{patch}: {}", check(&patch).unwrap_err()));
        }
        insta::assert_snapshot!(told.join("\n"), @r#"
        {"op":"remove","path":"/a"}: it is no array
        [1]: an operation is no object
        [{"op":"patch","path":"/a"}]: an `op` is none of add, remove, replace, move, copy and test
        [{"op":"ADD","path":"/a","value":1}]: an `op` is none of add, remove, replace, move, copy and test
        [{"op":"remove"}]: an operation has no `path`
        [{"op":"remove","path":1}]: a pointer is no string
        [{"op":"remove","path":"x/data"}]: a pointer does not begin with `/`
        [{"op":"remove","path":"data"}]: a pointer does not begin with `/`
        [{"op":"remove","path":"/a~2"}]: a pointer has a `~` that is neither `~0` nor `~1`
        [{"op":"remove","path":"/a~"}]: a pointer has a `~` that is neither `~0` nor `~1`
        [{"op":"remove","path":"/a","from":"/b"}]: an operation has a member other than op, path, from and value
        [{"op":"add","path":"/a"}]: an add, replace or test has no `value`
        [{"op":"copy","path":"/a"}]: a move or copy has no `from`
        [{"op":"copy","path":"/a","from":"x/data"}]: a pointer does not begin with `/`
        [{"op":"remove","path":"/a","Path":"/b"}]: an operation has a member other than op, path, from and value
        [{"op":"add","path":"/a/-1","value":1}]: a pointer has an index with a sign or a leading zero; count from 0, or use a merge patch
        [{"op":"add","path":"/a/+0/b","value":1}]: a pointer has an index with a sign or a leading zero; count from 0, or use a merge patch
        [{"op":"add","path":"/a/00","value":1}]: a pointer has an index with a sign or a leading zero; count from 0, or use a merge patch
        [{"op":"copy","path":"/a","from":"/b/-2"}]: a pointer has an index with a sign or a leading zero; count from 0, or use a merge patch
        "#);
    }
}
