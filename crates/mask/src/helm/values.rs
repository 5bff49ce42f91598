//! Values of charts, which tell by their keys what they are.

use serde_json::{Map, Value};

use crate::placeholder::Placeholder;
use crate::places::{Catalogue, Telling};

/// Replaces every text and number under a telling key, as `rootPassword`, beside a telling `name`, as in lists of variables, and
/// in the data of Secrets. Truth and nothing stay. Says how many.
pub(super) fn mask(value: &mut Value, catalogue: &Catalogue) -> u64 {
    Walk { catalogue, masked: 0 }.run(value)
}

struct Walk<'a> {
    catalogue: &'a Catalogue,
    masked: u64,
}

impl Walk<'_> {
    fn run(mut self, value: &mut Value) -> u64 {
        self.value(value, false);
        self.masked
    }

    /// A value that is `secret` unless a key within tells otherwise. As deep as JSON is read.
    fn value(&mut self, value: &mut Value, secret: bool) {
        match value {
            Value::Object(members) => self.object(members, secret),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, secret)),
            Value::String(_) | Value::Number(_) if secret => self.replace(value),
            Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn object(&mut self, members: &mut Map<String, Value>, secret: bool) {
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        let named = text("name").is_some_and(|name| self.catalogue.name_tells(name));
        let is_secret = text("kind") == Some("Secret");
        for (key, member) in members {
            if named && key == "value" || is_secret && matches!(key.as_str(), "data" | "stringData") {
                self.everything(member);
                continue;
            }
            let secret = match self.catalogue.key_tells(key) {
                Some(telling) => telling == Telling::Secret,
                None => secret,
            };
            self.value(member, secret);
        }
    }

    fn everything(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => members.values_mut().for_each(|member| self.everything(member)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.everything(item)),
            Value::Null => {}
            Value::String(_) | Value::Number(_) | Value::Bool(_) => self.replace(value),
        }
    }

    fn replace(&mut self, value: &mut Value) {
        *value = Value::String(Placeholder::Text.as_str().to_owned());
        self.masked += 1;
    }
}
