//! YAML and JSON, read as kubectl reads them (sigs.k8s.io/yaml): YAML of version 1.1, whose `0644` is octal and whose `yes` is true.

use serde_json::{Number, Value};
use visible::visible;

/// The documents of a text, without empty ones. The error is for people, and quotes nothing that stands there.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    // YAML may begin with a brace, too.
    let json = if text.trim_start().starts_with('{') { json(text) } else { None };
    let mut documents = json.map_or_else(|| yaml(text), Ok)?;
    documents.retain(|document| !document.is_null());
    documents.iter_mut().for_each(whole_numbers);
    Ok(documents)
}

/// One JSON document after the other, if that is what it is.
fn json(text: &str) -> Option<Vec<Value>> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().collect::<Result<_, _>>().ok()
}

fn yaml(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::Reject,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| visible(&error.to_string()))
}

/// `2.0` is `2`, as it is for Go, which writes floats without a fraction so.
fn whole_numbers(value: &mut Value) {
    // Below it, every whole float is exactly one integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) => {
            let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
            if let Some(float) = float.filter(|float| float.abs() < EXACT) {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
                let whole = Number::from(float as i64);
                *number = whole;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
