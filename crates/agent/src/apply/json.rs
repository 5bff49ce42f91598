//! JSON as Go's `encoding/json` writes it: keys in order, and no character that HTML knows.

use serde_json::Value;

/// In one line, with its end.
pub(super) fn line(value: &Value) -> String {
    let mut out = text(value);
    out.push('\n');
    out
}

/// Without a line end.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // serde_json keeps an order of its own if any crate of the program asks for that.
            fields.sort_unstable_by_key(|(field, _value)| *field);
            separated('{', '}', fields, out, |(field, value), out| {
                string(field, out);
                out.push(':');
                write(value, out);
            });
        }
        Value::Array(items) => separated('[', ']', items, out, write),
        Value::String(text) => string(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn separated<T>(
    begin: char,
    end: char,
    parts: impl IntoIterator<Item = T>,
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(begin);
    for (part, number) in parts.into_iter().zip(0_usize..) {
        if number > 0 {
            out.push(',');
        }
        write(part, out);
    }
    out.push(end);
}

fn string(text: &str, out: &mut String) {
    for c in Value::from(text).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&visible::escape(c)),
            other => out.push(other),
        }
    }
}
