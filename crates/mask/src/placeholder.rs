//! What stands where a secret stood.
//!
//! Placeholders do not depend on values: neither length, emptiness nor equality shows. One at a known place carries a tag that
//! binds it to the object, the place and whom it was shown to (see `binding`); the others are fixed. They are made of characters
//! that need no escaping in JSON, and begin with one that no JSON token outside a string can begin or go on with, so that
//! masking a masked document changes nothing (see `nested`).

use std::{borrow::Cow, sync::LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem::Finder;

/// The part of every placeholder by which it is recognised.
pub(crate) const MARK: &str = "masked-by-portcullis";

/// How many times over a placeholder may have been base64-encoded and still be recognised.
const ENCODINGS: usize = 2;

/// Which placeholder a place gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// For values that clients decode as base64, as in a Secret's `data`.
    Base64,
    /// For everything else.
    Text,
}

/// What binds a placeholder: 90 bits in base32 (RFC 4648 section 6, lower case).
pub(crate) type Tag = [u8; 18];

/// What stands around the tag. The first part has a length that base64 encodes without looking at what follows, and so has
/// the tag.
pub(crate) const BEFORE_TAG: &str = "masked-by-portcullis-";
pub(crate) const AFTER_TAG: &str = "-not-the-real-value";
pub(crate) const BASE64_BEFORE_TAG: &str = "bWFza2VkLWJ5LXBvcnRjdWxsaXMt";
pub(crate) const BASE64_AFTER_TAG: &str = "LW5vdC10aGUtcmVhbC12YWx1ZQ==";

impl Placeholder {
    /// Writes the placeholder, without quotes: bound if there is a `tag`, fixed if not.
    pub(crate) fn write(self, tag: Option<&Tag>, out: &mut Vec<u8>) {
        let Some(tag) = tag else { return out.extend_from_slice(self.as_str().as_bytes()) };
        match self {
            Self::Text => {
                out.extend_from_slice(BEFORE_TAG.as_bytes());
                out.extend_from_slice(tag);
                out.extend_from_slice(AFTER_TAG.as_bytes());
            }
            Self::Base64 => {
                let mut encoded = [0; 24];
                // Eighteen bytes are twenty-four characters.
                let length = STANDARD.encode_slice(tag, &mut encoded).unwrap_or_default();
                out.extend_from_slice(BASE64_BEFORE_TAG.as_bytes());
                out.extend_from_slice(encoded.get(..length).unwrap_or_default());
                out.extend_from_slice(BASE64_AFTER_TAG.as_bytes());
            }
        }
    }

    /// The fixed placeholder itself, without quotes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "bWFza2VkLWJ5LXBvcnRjdWxsaXMtLW5vdC10aGUtcmVhbC12YWx1ZQ==",
            Self::Text => "masked-by-portcullis--not-the-real-value",
        }
    }
}

/// Whether a placeholder, or a recognisable part of one, is anywhere in `text`: as it is, or within base64 (also wrapped into
/// lines) that was applied up to twice. Meant for the decoded strings of a write, which must then be refused: it would
/// store the placeholder in place of the value.
#[must_use]
pub fn placeholder_in(text: &str) -> bool {
    static FINDERS: LazyLock<Vec<Finder<'static>>> =
        LazyLock::new(|| patterns().into_iter().map(|pattern| Finder::new(&pattern).into_owned()).collect());
    let found = |haystack: &[u8]| FINDERS.iter().any(|finder| finder.find(haystack).is_some());
    if found(text.as_bytes()) {
        return true;
    }
    let wrapped = memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_some();
    wrapped && found(&text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>())
}

/// The same text with every placeholder bound to nothing: so two texts are the same if they differ by what their placeholders are bound
/// to. One that is encoded once more stays as it is.
#[must_use]
pub fn unbound(text: &str) -> Cow<'_, str> {
    let kinds = [
        (BEFORE_TAG, size_of::<Tag>(), AFTER_TAG, Placeholder::Text),
        (BASE64_BEFORE_TAG, size_of::<Tag>() / 3 * 4, BASE64_AFTER_TAG, Placeholder::Base64),
    ];
    let mut text = Cow::Borrowed(text);
    for (before, tag, after, placeholder) in kinds {
        let (mut out, mut rest, mut found) = (String::new(), &*text, false);
        while let Some((head, tail)) = rest.split_once(before) {
            out.push_str(head);
            match tail.split_at_checked(tag).and_then(|(_, tail)| tail.strip_prefix(after)) {
                Some(tail) => {
                    out.push_str(placeholder.as_str());
                    (rest, found) = (tail, true);
                }
                None => {
                    out.push_str(before);
                    rest = tail;
                }
            }
        }
        if found {
            out.push_str(rest);
            text = Cow::Owned(out);
        }
    }
    text
}

/// Whether a placeholder that is bound to nothing is in `text`.
pub(crate) fn is_fixed_in(text: &str) -> bool {
    [Placeholder::Text, Placeholder::Base64].iter().any(|placeholder| text.contains(placeholder.as_str()))
}

/// Every byte string that betrays the mark: itself, and what base64 makes of it at each alignment.
fn patterns() -> Vec<Vec<u8>> {
    let mut all = vec![MARK.as_bytes().to_vec()];
    let mut newest = all.clone();
    for _ in 0..ENCODINGS {
        newest = newest.iter().flat_map(|pattern| (0..3).map(|shift| base64_core(pattern, shift))).collect();
        all.extend(newest.iter().cloned());
    }
    all
}

/// The characters that base64 yields for `bytes` wherever `shift` bytes (mod 3) come before, whatever comes before and after.
pub(crate) fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    let mut shifted = vec![0; shift];
    shifted.extend_from_slice(bytes);
    let whole = shifted.len() * 8 / 6;
    STANDARD.encode(shifted).bytes().take(whole).skip(foreign_characters(shift)).collect()
}

/// How many characters of base64 hold bits of the `shift` bytes (mod 3) that come before.
pub(crate) fn foreign_characters(shift: usize) -> usize {
    (shift * 8).div_ceil(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_placeholder_is_the_text_encoded() {
        assert_eq!(STANDARD.encode(Placeholder::Text.as_str()), Placeholder::Base64.as_str());
    }

    #[test]
    fn texts_are_the_same_but_for_what_their_placeholders_are_bound_to() {
        let written = |placeholder: Placeholder, tag: &Tag| {
            let mut out = Vec::new();
            placeholder.write(Some(tag), &mut out);
            String::from_utf8(out).unwrap()
        };
        for placeholder in [Placeholder::Text, Placeholder::Base64] {
            let [one, other] =
                [b"abcdefghijklmno234", b"zzzzzzzzzzzzzzzzzz"].map(|tag| written(placeholder, tag));
            assert_ne!(one, other);
            let text = |value: &str| format!("é{value}é and {value}");
            assert_eq!(unbound(&text(&one)), unbound(&text(&other)));
            assert_eq!(unbound(&text(&one)), text(placeholder.as_str()));
            assert_ne!(unbound(&one), unbound(&format!("{one}x")));
            let mut cut = one;
            cut.pop();
            assert_eq!(unbound(&cut), cut);
        }
        assert_eq!(unbound("masked-by-portcullis-ééééééééé"), "masked-by-portcullis-ééééééééé");
    }

    #[test]
    fn a_bound_placeholder_is_the_text_encoded_too() {
        let written = |placeholder: Placeholder| {
            let mut out = Vec::new();
            placeholder.write(Some(b"abcdefghijklmno234"), &mut out);
            String::from_utf8(out).unwrap()
        };
        let text = written(Placeholder::Text);
        assert_eq!(text, "masked-by-portcullis-abcdefghijklmno234-not-the-real-value");
        assert_eq!(STANDARD.encode(&text), written(Placeholder::Base64));
        for text in [text.clone(), written(Placeholder::Base64), STANDARD.encode(STANDARD.encode(&text))] {
            assert!(placeholder_in(&text), "{text}");
        }
    }

    #[test]
    fn found_plain_and_encoded_at_every_alignment() {
        for before in ["", "a", "ab", "abc", "password="] {
            for after in ["", "z", "\n"] {
                let plain = format!("{before}{}{after}", Placeholder::Text.as_str());
                let once = STANDARD.encode(&plain);
                let twice = STANDARD.encode(format!("{before}{once}{after}"));
                for text in [&plain, &once, &twice] {
                    assert!(placeholder_in(text), "{text}");
                }
            }
        }
    }

    #[test]
    fn found_in_wrapped_base64() {
        let encoded = Placeholder::Base64.as_str();
        let wrapped: String = encoded
            .chars()
            .enumerate()
            .flat_map(|(n, c)| (n % 7 == 6).then_some('\n').into_iter().chain([c]))
            .collect();
        assert!(placeholder_in(&wrapped));
    }

    #[test]
    fn not_found_elsewhere() {
        for text in ["", "masked", "portcullis", "bWFza2Vk", "hunter2", "masked by portcullis"] {
            assert!(!placeholder_in(text), "{text}");
        }
    }

    #[test]
    fn needs_no_escaping_and_starts_no_token() {
        for placeholder in [Placeholder::Base64, Placeholder::Text] {
            let text = placeholder.as_str();
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'));
        }
        assert!(!b"\"\\/bfnrtu0123456789abcdefABCDEF+-.[{]}:, ".contains(&MARK.as_bytes()[0]));
    }
}
