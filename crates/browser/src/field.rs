//! Fields of Chromium's messages by their JSON pointer (RFC 6901). A message may lack any of them.

use anyhow::Context;
use serde_json::Value;

/// What is there, or null.
pub(crate) fn at<'a>(message: &'a Value, pointer: &str) -> &'a Value {
    message.pointer(pointer).unwrap_or(&Value::Null)
}

/// The text that is there.
pub(crate) fn text<'a>(message: &'a Value, pointer: &str) -> Option<&'a str> {
    at(message, pointer).as_str()
}

/// The text that has to be there.
pub(crate) fn name(message: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = text(message, pointer).with_context(|| format!("Chromium's answer has no `{pointer}`"))?;
    Ok(text.to_owned())
}

/// What is there, or null, without the rest.
pub(crate) fn take(mut message: Value, pointer: &str) -> Value {
    message.pointer_mut(pointer).map(Value::take).unwrap_or_default()
}
