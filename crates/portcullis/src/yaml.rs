//! YAML that we write.

/// `text` as a JSON string, which YAML reads alike whatever it holds.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
