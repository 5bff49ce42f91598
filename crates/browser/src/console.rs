//! What a page's console would show in red or yellow.

use std::fmt;

use serde_json::Value;

use crate::{bounded, field};

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who complains.
    pub source: Source,
    /// In words, with the place if Chromium tells it.
    pub text: String,
}

/// Who complains about a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The page, by `console.error`, `console.warn` or `console.assert`.
    Console,
    /// An exception or a rejected promise that nothing caught.
    Exception,
    /// The browser, about what breaks the Content Security Policy and the like.
    Security,
    /// The browser, about requests that failed or were answered with an error.
    Network,
    /// The browser, about anything else.
    Browser,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::Console => "console",
            Source::Exception => "exception",
            Source::Security => "security",
            Source::Network => "network",
            Source::Browser => "browser",
        };
        write!(f, "{source}: {}", self.text)
    }
}

/// The message of an event, if it is one that complains.
pub(crate) fn message(method: &str, params: &Value) -> Option<Message> {
    match method {
        "Runtime.consoleAPICalled" => {
            let complains = matches!(field::text(params, "/type")?, "error" | "warning" | "assert");
            let words: Vec<String> = field::at(params, "/args").as_array()?.iter().map(argument).collect();
            complains.then(|| Message { source: Source::Console, text: bounded(&words.join(" ")) })
        }
        "Runtime.exceptionThrown" => {
            let text = exception(field::at(params, "/exceptionDetails"));
            Some(Message { source: Source::Exception, text })
        }
        "Log.entryAdded" => entry(field::at(params, "/entry")),
        _other => None,
    }
}

/// An exception in words: `ExceptionDetails` of the protocol.
pub(crate) fn exception(details: &Value) -> String {
    let described = field::text(details, "/exception/description").map(str::to_owned);
    // What was thrown need not be an `Error`.
    let thrown = || details.pointer("/exception/value").map(ToString::to_string);
    let text = described.or_else(thrown);
    bounded(&text.unwrap_or_else(|| field::at(details, "/text").to_string()))
}

/// An argument in words: `RemoteObject` of the protocol.
fn argument(argument: &Value) -> String {
    match (field::at(argument, "/value"), field::at(argument, "/description")) {
        (Value::String(text), _) | (Value::Null, Value::String(text)) => text.clone(),
        (value, _) => value.to_string(),
    }
}

/// A message of the browser's own: `LogEntry` of the protocol.
fn entry(entry: &Value) -> Option<Message> {
    if !matches!(field::text(entry, "/level")?, "error" | "warning") {
        return None;
    }
    let source = match field::text(entry, "/source") {
        Some("security") => Source::Security,
        Some("network") => Source::Network,
        _other => Source::Browser,
    };
    let text = field::text(entry, "/text").unwrap_or_default();
    let text = match field::text(entry, "/url").filter(|url| !url.is_empty()) {
        Some(url) => format!("{text} ({url})"),
        None => text.to_owned(),
    };
    Some(Message { source, text: bounded(&text) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_complains_becomes_a_message() {
        let said = |method, params| message(method, &params).map(|message| message.to_string());
        let console = |kind: &str| {
            let args = json!([{ "value": "lost" }, { "value": 3 }, { "description": "Error: why" }, { "type": "undefined" }]);
            said("Runtime.consoleAPICalled", json!({ "type": kind, "args": args }))
        };
        assert_eq!(console("error").as_deref(), Some("console: lost 3 Error: why null"));
        assert_eq!(console("log"), None);
        let thrown = |exception| {
            said(
                "Runtime.exceptionThrown",
                json!({ "exceptionDetails": { "text": "Uncaught", "exception": exception } }),
            )
        };
        assert_eq!(
            thrown(json!({ "description": "Error: x\n    at f" })).unwrap(),
            "exception: Error: x\n    at f"
        );
        assert_eq!(thrown(json!({ "value": "x" })).unwrap(), "exception: \"x\"");
        let entry = |entry| said("Log.entryAdded", json!({ "entry": entry }));
        assert_eq!(
            entry(json!({ "source": "network", "level": "error", "text": "404", "url": "/x" })).unwrap(),
            "network: 404 (/x)"
        );
        assert_eq!(entry(json!({ "source": "network", "level": "info", "text": "fine" })), None);
        assert_eq!(said("Page.loadEventFired", json!({})), None);
    }
}
