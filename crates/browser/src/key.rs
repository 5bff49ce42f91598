//! Keys by their names, as a keyboard of the United States has them.

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// One press of a key, perhaps with others held down: `j`, `?`, `Enter`, `Shift+Tab`, `Control+Enter`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Press {
    /// `KeyboardEvent.key`.
    key: String,
    /// `KeyboardEvent.code`, where the key is; empty for what needs a guess.
    code: String,
    /// `KeyboardEvent.keyCode`.
    number: u32,
    /// What it types, if anything.
    text: String,
    /// Alt 1, Control 2, Meta 4, Shift 8.
    modifiers: u8,
}

/// Keys that have a name and no character: name, number, text.
const NAMED: &[(&str, u32, &str)] = &[
    ("ArrowDown", 40, ""),
    ("ArrowLeft", 37, ""),
    ("ArrowRight", 39, ""),
    ("ArrowUp", 38, ""),
    ("Backspace", 8, ""),
    ("Delete", 46, ""),
    ("End", 35, ""),
    ("Enter", 13, "\r"),
    ("Escape", 27, ""),
    ("Home", 36, ""),
    ("PageDown", 34, ""),
    ("PageUp", 33, ""),
    ("Space", 32, " "),
    ("Tab", 9, ""),
];

const ALT: u8 = 1;
const CONTROL: u8 = 2;
const META: u8 = 4;
const SHIFT: u8 = 8;

// === impl Press ===

impl Press {
    pub(crate) fn parse(name: &str) -> anyhow::Result<Self> {
        let mut modifiers = 0;
        let mut rest = name;
        while let Some((modifier, key)) = rest.split_once('+').filter(|(_, key)| !key.is_empty()) {
            modifiers |= match modifier {
                "Alt" => ALT,
                "Control" => CONTROL,
                "Meta" => META,
                "Shift" => SHIFT,
                _other => bail!("no modifier of the key `{name}`: `{modifier}`"),
            };
            rest = key;
        }
        let mut press = Self::named(rest).or_else(|| Self::character(rest)).context("no such key")?;
        press.modifiers |= modifiers;
        if press.modifiers & (ALT | CONTROL | META) != 0 {
            press.text.clear();
        }
        Ok(press)
    }

    fn named(name: &str) -> Option<Self> {
        let (_, number, text) = NAMED.iter().find(|(key, _, _)| *key == name)?;
        let key = if name == "Space" { " " } else { name };
        let text = (*text).to_owned();
        Some(Self { key: key.to_owned(), code: name.to_owned(), number: *number, text, modifiers: 0 })
    }

    fn character(name: &str) -> Option<Self> {
        let mut chars = name.chars();
        let (character, None) = (chars.next()?, chars.next()) else { return None };
        let upper = character.to_ascii_uppercase();
        let (code, number) = match character {
            'a'..='z' | 'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
            '0'..='9' => (format!("Digit{character}"), u32::from(character)),
            _other => (String::new(), 0),
        };
        let modifiers = if character.is_ascii_uppercase() { SHIFT } else { 0 };
        Some(Self { key: name.to_owned(), code, number, text: name.to_owned(), modifiers })
    }

    /// The parameters of `Input.dispatchKeyEvent`, for the key going down and up again.
    pub(crate) fn events(&self) -> [Value; 2] {
        let event = |kind: &str, text: &str| {
            json!({
                "type": kind, "key": self.key, "code": self.code, "text": text,
                "windowsVirtualKeyCode": self.number, "modifiers": self.modifiers,
            })
        };
        [event(if self.text.is_empty() { "rawKeyDown" } else { "keyDown" }, &self.text), event("keyUp", "")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_names() {
        let press = |name: &str| {
            let press = Press::parse(name).unwrap();
            (press.key, press.code, press.number, press.text, press.modifiers)
        };
        let of = |key: &str, code: &str, number, text: &str, modifiers| {
            (key.to_owned(), code.to_owned(), number, text.to_owned(), modifiers)
        };
        assert_eq!(press("j"), of("j", "KeyJ", 74, "j", 0));
        assert_eq!(press("J"), of("J", "KeyJ", 74, "J", SHIFT));
        assert_eq!(press("7"), of("7", "Digit7", 55, "7", 0));
        assert_eq!(press("?"), of("?", "", 0, "?", 0));
        assert_eq!(press("+"), of("+", "", 0, "+", 0));
        assert_eq!(press("Enter"), of("Enter", "Enter", 13, "\r", 0));
        assert_eq!(press("Space"), of(" ", "Space", 32, " ", 0));
        assert_eq!(press("Shift+Tab"), of("Tab", "Tab", 9, "", SHIFT));
        assert_eq!(press("Control+Shift+a"), of("a", "KeyA", 65, "", CONTROL | SHIFT));
        assert_eq!(press("Control++"), of("+", "", 0, "", CONTROL));
        for unknown in ["", "F99", "Hyper+x", "Shift+", "ab"] {
            assert!(Press::parse(unknown).is_err(), "{unknown}");
        }
    }
}
