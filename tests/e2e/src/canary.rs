//! The values that must not be seen, and looking for them.

use std::{io::Read, path::Path, sync::OnceLock};

use anyhow::Context;
use base64::{
    Engine,
    alphabet::{STANDARD as STANDARD_ALPHABET, URL_SAFE as URL_ALPHABET},
    engine::DecodePaddingMode,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE},
};
use flate2::read::MultiGzDecoder;
use regex::bytes::{Regex, RegexBuilder};

use crate::{decimals, hex, percent, percent_but};

/// In every Secret of these tests. Nothing that an agent, a record or a log sees may contain it, in any encoding.
pub const CANARY: &str = "canary-7c1d94e0b25f4a8e-value";

/// The lines of a second value, beside [`CANARY`] in the Secrets of the attack suite: each with characters that encodings write
/// in ways of their own.
pub const SPIKY: [&str; 2] = ["spiky:3f\"a8+4b/e1\\c7&d5 <92>=é", "second%line;5e81b7{c09a}?'~'"];

/// Stands in no Secret: what is masked of it is masked by its place or its shape.
pub const PLANTED: &str = "planted-e83b16d5f9a24c70-value";

/// Stands in no Secret and looks like no credential: what is masked of it is masked by its place alone.
pub const LITERAL: &str = "literal7quiet3xyz";

/// Stands in a Secret whose values policy lets be shown by name: nowhere else.
pub const SHOWN: &str = "shown-9d41c7e6a05b4f38-value";

/// All of them.
const ALL: [&str; 6] = [CANARY, SPIKY[0], SPIKY[1], PLANTED, LITERAL, SHOWN];

/// How what stands in its place begins where clients expect base64, such as a Secret's `data`. What follows differs between
/// places, objects and sessions.
pub const MASKED_DATA: &str = "bWFza2VkLWJ5LXBvcnRjdWxsaXMt";

/// How it begins elsewhere.
pub const MASKED_TEXT: &str = "masked-by-portcullis-";

/// What is decompressed of one gzip stream, at most.
const MOST: u64 = 32 << 20;

/// How many encodings deep is looked: gzip in base64 in base64 is two.
const DEPTH: usize = 4;

/// Forms in which a value could be recognised.
struct Forms {
    /// All of them.
    any: Regex,
    /// Those that may be wrapped into lines.
    base64: Regex,
}

/// Whether bytes contain a canary in any form in which it could be recognised: raw, reversed, hexadecimal, as decimal numbers,
/// percent-encoded, escaped for JSON once or twice, base64 and base64 of it at their three alignments (standard and URL-safe,
/// wrapped, percent-encoded or not), either half of it as it is or in base64, and all of those in gzip, in base64 or by
/// itself.
#[must_use]
pub fn contains_canary(bytes: &[u8]) -> bool {
    looked(bytes, DEPTH)
}

/// Files below a folder that contain a canary, or are named by one.
///
/// # Errors
/// A file cannot be read.
pub fn sweep(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            found.extend(sweep(&path)?);
        }
        if contains_canary(name.as_encoded_bytes())
            || path.is_file() && contains_canary(&std::fs::read(&path)?)
        {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

fn looked(bytes: &[u8], depth: usize) -> bool {
    let forms = forms();
    let unwrapped = unwrapped(bytes);
    if forms.any.is_match(bytes) || forms.base64.is_match(&unwrapped) {
        return true;
    }
    depth > 0 && packed(bytes).chain(packed_in_base64(&unwrapped)).any(|inner| looked(&inner, depth - 1))
}

fn forms() -> &'static Forms {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    FORMS.get_or_init(|| {
        let plain: Vec<Vec<u8>> = ALL.into_iter().flat_map(plain_forms).collect();
        let halves = ALL.into_iter().flat_map(halves);
        let values: Vec<&[u8]> = ALL.into_iter().chain(halves.clone()).map(str::as_bytes).collect();
        let once: Vec<Vec<u8>> = values.into_iter().flat_map(base64_cores).collect();
        let twice: Vec<Vec<u8>> = once.iter().flat_map(|core| base64_cores(core)).collect();
        let base64 = [once, twice].concat();
        let in_url = |core: &Vec<u8>| percent(&String::from_utf8_lossy(core)).into_bytes();
        // Escapes are written in capitals, mostly.
        let in_small = |core: &Vec<u8>| {
            let text = String::from_utf8_lossy(core);
            text.replace('+', "%2b").replace('/', "%2f").into_bytes()
        };
        let in_urls = base64.iter().flat_map(|core| [in_url(core), in_small(core)]);
        let halves = halves.map(|half| half.as_bytes().to_vec());
        let any = plain.into_iter().chain(base64.iter().cloned()).chain(in_urls).chain(halves).collect();
        Forms { any: one_of(any), base64: one_of(base64) }
    })
}

#[expect(clippy::expect_used, reason = "an alternative of literals is a regular expression")]
fn one_of(mut forms: Vec<Vec<u8>>) -> Regex {
    forms.sort_unstable();
    forms.dedup();
    let literal = |form: &Vec<u8>| form.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let pattern = forms.iter().map(literal).collect::<Vec<_>>().join("|");
    RegexBuilder::new(&pattern).unicode(false).size_limit(64 << 20).build().expect("literals")
}

fn plain_forms(value: &str) -> Vec<Vec<u8>> {
    let json = |text: &str| serde_json::Value::from(text).to_string().trim_matches('"').to_owned();
    // As Go writes it for the sake of HTML (`encoding/json`, `HTMLEscape`).
    let go = |text: &str| json(text).replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    let utf16 = value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let form = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~ ".contains(&byte);
    let all_percent = percent_but(value, |_byte| false);
    let texts = [
        value.to_owned(),
        value.chars().rev().collect(),
        hex(value),
        hex(value).to_uppercase(),
        decimals(value, ","),
        decimals(value, ", "),
        decimals(value, " "),
        all_percent.to_lowercase(),
        all_percent,
        percent(value),
        percent(value).to_lowercase(),
        percent_but(value, form).replace(' ', "+"),
        json(value),
        go(value),
        json(&json(value)),
        go(&json(value)),
        json(&go(value)),
        utf16,
    ];
    texts.into_iter().map(String::into_bytes).collect()
}

/// Either is enough to guess the other, or to find it.
fn halves(value: &'static str) -> [&'static str; 2] {
    let middle = (value.len() / 2..value.len()).find(|at| value.is_char_boundary(*at)).unwrap_or_default();
    let (first, second) = value.split_at(middle);
    [first, second]
}

/// The characters that base64 yields for these bytes, whatever comes before and after them.
fn base64_cores(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut cores = Vec::new();
    for shift in 0..3 {
        let shifted = [&vec![0; shift][..], bytes].concat();
        // A character that holds bits of a neighbour's differs with it.
        let (from, to) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
        for engine in [STANDARD, URL_SAFE] {
            let encoded = engine.encode(&shifted);
            cores.push(encoded.get(from..to).unwrap_or_default().as_bytes().to_vec());
        }
    }
    cores
}

/// Without line breaks, as they are and as JSON escapes them.
fn unwrapped(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = first == b'\\' && matches!(after.first(), Some(b'n' | b'r'));
        if !escaped && !matches!(first, b'\n' | b'\r') {
            kept.push(first);
        }
        rest = if escaped { after.get(1..).unwrap_or_default() } else { after };
    }
    kept
}

/// What is in gzip streams.
fn packed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    memchr::memmem::find_iter(bytes, b"\x1f\x8b\x08").map(|at| {
        let mut content = Vec::new();
        // What comes before a fault counts.
        let _fault =
            MultiGzDecoder::new(bytes.get(at..).unwrap_or_default()).take(MOST).read_to_end(&mut content);
        content
    })
}

/// What is in base64 that begins as a gzip stream does, or as base64 of such base64.
fn packed_in_base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engines = [&STANDARD_ALPHABET, &URL_ALPHABET].map(|alphabet| GeneralPurpose::new(alphabet, config));
    let beginnings =
        ["H4sI", "SDRzS"].map(|beginning| memchr::memmem::find_iter(bytes, beginning.as_bytes()));
    beginnings.into_iter().flatten().flat_map(move |at| {
        let rest = bytes.get(at..).unwrap_or_default();
        let of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
        let end = rest.iter().position(|byte| !of_base64(byte)).unwrap_or(rest.len());
        // One character over is no byte.
        let end = if end % 4 == 1 { end - 1 } else { end };
        let run = rest.get(..end).unwrap_or_default();
        engines.iter().filter_map(|engine| engine.decode(run).ok()).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{gzip, packed};

    #[test]
    fn the_canary_is_recognised_wherever_it_stands() {
        for value in ALL {
            for before in ["", "x", "xy"] {
                let text = format!("{before}{value}{before}");
                assert!(contains_canary(text.as_bytes()));
                for engine in [STANDARD, URL_SAFE] {
                    let once = engine.encode(&text);
                    assert!(contains_canary(once.as_bytes()), "{before:?}");
                    assert!(contains_canary(engine.encode(&once).as_bytes()), "{before:?}");
                    let wrapped: Vec<&[u8]> = once.as_bytes().chunks(7).collect();
                    assert!(contains_canary(&wrapped.join(&b"\n"[..])));
                    assert!(contains_canary(&wrapped.join(&b"\\n"[..])));
                    assert!(contains_canary(percent(&once).as_bytes()));
                }
                assert!(contains_canary(&gzip(&text)));
                let packed = packed(&text);
                assert!(contains_canary(format!("{before}\"{packed}\"").as_bytes()));
                assert!(contains_canary(STANDARD.encode(&packed).as_bytes()));
            }
            for half in halves(value) {
                assert!(
                    contains_canary(half.as_bytes()) && contains_canary(STANDARD.encode(half).as_bytes())
                );
            }
            assert!(contains_canary(serde_json::json!(value.as_bytes()).to_string().as_bytes()));
            assert!(contains_canary(hex(value).as_bytes()) && contains_canary(percent(value).as_bytes()));
            let json = serde_json::json!({ "a": value }).to_string();
            assert!(contains_canary(json.as_bytes()));
            assert!(contains_canary(serde_json::json!({ "a": json }).to_string().as_bytes()));
        }
        assert!(!contains_canary(MASKED_DATA.as_bytes()) && !contains_canary(MASKED_TEXT.as_bytes()));
        assert!(!contains_canary(&gzip("nothing")));
        assert_eq!(STANDARD.encode(MASKED_TEXT), MASKED_DATA);
    }
}
