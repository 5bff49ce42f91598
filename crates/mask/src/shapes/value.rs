//! Whether a value is a credential, or only stands where one could.

use std::sync::LazyLock;

use base64::engine::DecodePaddingMode::RequireNone;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use memchr::memmem::Finder;

use super::text::{Atom, ESCAPE, Text};
use crate::placeholder::{AFTER_TAG, BASE64_AFTER_TAG, BASE64_BEFORE_TAG, BEFORE_TAG, MARK, Tag};

/// How much is read of what comes before a shape: an escape, or the end of a placeholder.
pub(super) const MOST_BEFORE: usize = AFTER_TAG.len();
const _: () = assert!(ESCAPE <= MOST_BEFORE);

/// How much of a value is judged.
pub(super) const LOOK: usize = 64;

/// How a placeholder is spelled.
struct Form {
    before: &'static str,
    /// Length of the tag, where there is one.
    tag: usize,
    after: &'static str,
}

const FORMS: [Form; 2] = [
    Form { before: BEFORE_TAG, tag: size_of::<Tag>(), after: AFTER_TAG },
    Form { before: BASE64_BEFORE_TAG, tag: size_of::<Tag>() / 3 * 4, after: BASE64_AFTER_TAG },
];

/// Values that say that there is none, or what kind of value goes there.
const NO_VALUES: &[&str] = &[
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "empty",
    "string",
    "object",
    "optional",
    "required",
    "redacted",
    "example",
    "placeholder",
    "password",
    "pass",
    "passwd",
    "secret",
    "token",
    "changeme",
    "change-me",
    "enabled",
    "disabled",
    "default",
    "unknown",
    "hidden",
    "masked",
    "omitted",
    "removed",
    "missing",
    "invalid",
    "expired",
    "%s",
    "%v",
    "%q",
    "%d",
    "...",
];

/// Whether a value stands for another one: a variable, a template, a file, a word that says so, one of our placeholders.
pub(super) fn stands_for_another(value: &[u8]) -> bool {
    const BEGINNINGS: &[&str] = &["${", "$(", "{{", "./", "../", "~/", "your-", "your_", "YOUR_"];
    BEGINNINGS.iter().any(|beginning| value.starts_with(beginning.as_bytes()))
        || is_variable(value)
        || is_bracketed(value)
        || is_placeholder(&Text::new(value), 0)
        || is_absolute_path(value)
        || value.windows(3).any(|three| three == b"://")
        || is_no_value(value)
        || is_one_character(value)
}

/// Whether it looks as if drawn at random: letters and digits, and not words with dashes between, as names are.
pub(super) fn looks_random(value: &[u8]) -> bool {
    // Without branches this is vectorised.
    value.iter().fold(false, |any, byte| any | byte.is_ascii_digit())
        && value.iter().fold(false, |any, byte| any | byte.is_ascii_alphabetic())
        && !is_name(value)
}

/// Whether `text` is base64 of a user's name, a colon and a password.
pub(super) fn is_basic(text: &[u8]) -> bool {
    let decoded = decode(text);
    decoded.contains(&b':') && decoded.iter().all(|byte| !byte.is_ascii_control())
}

/// What `text` stands for up to its padding, in either base64; nothing if it is not base64. It may have been cut anywhere.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    const CUT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(RequireNone);
    const ENGINES: [GeneralPurpose; 2] =
        [GeneralPurpose::new(&alphabet::STANDARD, CUT), GeneralPurpose::new(&alphabet::URL_SAFE, CUT)];
    let mut end = text.iter().position(|&byte| byte == b'=').unwrap_or(text.len());
    if end % 4 == 1 {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    ENGINES.iter().find_map(|engine| engine.decode(text).ok()).unwrap_or_default()
}

/// Words, one of letters only at least, with dashes between: what Kubernetes calls things. What it makes up in names has up to
/// 12 characters between two dashes.
fn is_name(value: &[u8]) -> bool {
    let made_up = |part: &[u8]| part.len() >= 16 && part.iter().any(u8::is_ascii_digit);
    let lower = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    value.contains(&b'-')
        && value.iter().all(lower)
        && !value.split(|&byte| byte == b'-').any(made_up)
        && value
            .split(|&byte| byte == b'-')
            .any(|part| part.len() >= 4 && part.iter().all(u8::is_ascii_lowercase))
}

/// Whether one of our placeholders begins between `from` and `to`. Words that are only like one are whoever's who wrote them:
/// beside them everything is judged as ever.
pub(super) fn holds_mark(text: &Text<'_>, from: usize, to: usize) -> bool {
    static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
    let begun = to.saturating_sub(MARK.len() - 1).max(from);
    FINDER.find_iter(text.slice(from, to)).any(|at| is_placeholder(text, from + at))
        || (begun..to).any(|at| is_placeholder(text, at))
}

/// Whether the character at `at`, which may be written as an escape, is a placeholder's first.
pub(super) fn mark_at(text: &Text<'_>, at: usize) -> bool {
    matches!(text.atom(at), Atom::Char(b'm', len) if is_placeholder(text, at + len - 1))
}

/// Whether a placeholder's last character is at `at`: some shapes begin with that letter (`eyJ`).
pub(super) fn ends_mark(text: &Text<'_>, at: usize) -> bool {
    let before = AFTER_TAG.as_bytes().split_last().map(|(_, before)| before).unwrap_or_default();
    text.slice(at.saturating_sub(before.len()), at) == before
}

/// Whether a whole placeholder is at `at`, bound or not, as it is or in base64.
pub(super) fn is_placeholder(text: &Text<'_>, at: usize) -> bool {
    FORMS.iter().any(|form| {
        text.starts_with(at, form.before.as_bytes())
            && [0, form.tag].into_iter().any(|length| {
                let tag = at + form.before.len();
                (tag..tag + length).all(|at| text.at(at).is_some_and(|byte| byte.is_ascii_alphanumeric()))
                    && text.starts_with(tag + length, form.after.as_bytes())
            })
    })
}

/// `$NAME`.
fn is_variable(value: &[u8]) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    value.split_first().is_some_and(|(first, name)| *first == b'$' && name.iter().all(in_name))
}

/// `<password>`, also as Go writes it in JSON.
fn is_bracketed(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    let from = value.iter().position(|&byte| byte != b'\\').unwrap_or(0);
    let begins = value.first() == Some(&b'<') || value.get(from..).unwrap_or_default().starts_with(b"u003c");
    begins && (value.ends_with(b">") || value.ends_with(b"u003e"))
}

/// Without capitals: base64 may begin with a slash, and has some.
fn is_absolute_path(value: &[u8]) -> bool {
    let in_path = |byte: &u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'/')
    };
    value.first() == Some(&b'/')
        && value.iter().filter(|&&byte| byte == b'/').count() >= 2
        && value.iter().all(in_path)
}

fn is_no_value(value: &[u8]) -> bool {
    NO_VALUES.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// `xxxxx`, `-----`.
fn is_one_character(value: &[u8]) -> bool {
    value.first().is_none_or(|first| value.iter().all(|byte| byte == first))
}
