//! Every form of a value, written by other code than what looks for them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use mask::Content;

use crate::support::{PLACEHOLDER, Rng, known, redact, redact_in_all_ways};

const PLAIN: &str = "Xk9fTq2Lm8Zr";
const SYMBOLS: &str = "hT7/x+9?k<2>&Lq8~m 5Zw";
const MIXED: &str = "q7\"Rt\\9zé/\tK2x\u{2028}w8Vb";

fn hex(value: &str, sign: &str, upper: bool) -> String {
    value.bytes().fold(String::new(), |mut out, byte| {
        let _ = if upper { write!(out, "{sign}{byte:02X}") } else { write!(out, "{sign}{byte:02x}") };
        out
    })
}

fn percent(value: &str, kept: &str, upper: bool) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || kept.contains(c);
    value.chars().map(|c| if keep(c) { c.to_string() } else { hex(&c.to_string(), "%", upper) }).collect()
}

/// JSON as `serde_json` writes it, with more escapes by replacement.
fn json(value: &str, more: &[(&str, &str)]) -> String {
    let mut text = serde_json::to_string(value).unwrap();
    text = text.get(1..text.len() - 1).unwrap().to_owned();
    more.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

const HTML: &[(&str, &str)] =
    &[("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u{2028}", "\\u2028")];
const ASCII: &[(&str, &str)] = &[("é", "\\u00e9"), ("\u{2028}", "\\u2028")];

fn forms(value: &str) -> Vec<String> {
    vec![
        hex(value, "", false),
        hex(value, "", true),
        hex(value, "%", false),
        hex(value, "%", true),
        percent(value, "-_.~", true),
        percent(value, "-_.~", false),
        percent(value, "-_.~", true).replace("%20", "+"),
        percent(value, "-_.~!'()*", true),
        json(value, &[]),
        json(value, HTML),
        json(value, ASCII),
        json(value, &[("é", "\\u00E9"), ("\u{2028}", "\\u2028")]),
        json(value, &[("/", "\\/")]),
        json(&json(value, ASCII), &[]),
        json(&json(value, &[]), &[]),
        json(&json(value, HTML), HTML),
        json(&json(value, HTML), &[]),
        json(&json(value, &[]), HTML),
    ]
}

#[test]
fn every_form_in_every_chunking() {
    for value in [PLAIN, SYMBOLS, MIXED] {
        let known = known(&[value]);
        for (n, form) in forms(value).iter().enumerate() {
            let text = format!(r#"{{"a":"b [{form}] c"}}"#);
            let out = redact_in_all_ways(&known, Content::Json, &text);
            assert_eq!(out, format!(r#"{{"a":"b [{PLACEHOLDER}] c"}}"#), "form {n} of {value}: {form}");
            assert_eq!(redact(&known, Content::Text, &text), out, "form {n} of {value}: {form}");
        }
    }
}

/// Only text can hold a quotation mark that ends no string.
#[test]
fn as_it_is() {
    for (value, in_json) in [(PLAIN, true), (SYMBOLS, true), (MIXED, false)] {
        let known = known(&[value]);
        let text = format!("a [{value}] b");
        let masked = format!("a [{PLACEHOLDER}] b");
        assert_eq!(redact_in_all_ways(&known, Content::Text, &text), masked);
        let json = redact_in_all_ways(&known, Content::Json, &text);
        assert_eq!(json, if in_json { masked } else { text.clone() });
        let opaque = redact_in_all_ways(&known, Content::Opaque, &text);
        assert_eq!(opaque, format!("a [{}] b", "*".repeat(value.len())));
    }
}

#[test]
fn base64_at_every_alignment() {
    for value in [PLAIN, "Xk9fTq2Lm8Zr5", "Xk9fTq2Lm8Zr5w", SYMBOLS, MIXED] {
        let known = known(&[value]);
        for before in ["", "a", "ab", "user", "user:"] {
            for after in ["", "z", "\n", "@db:5432/"] {
                for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
                    let encoded = engine.encode(format!("{before}{value}{after}"));
                    let from = before.len() * 8 / 6;
                    let to = ((before.len() + value.len()) * 8).div_ceil(6);
                    let text = format!(r#"{{"a":"{encoded}"}}"#);
                    let (before, after) = (encoded.get(..from).unwrap(), encoded.get(to..).unwrap());
                    let expected = format!(r#"{{"a":"{before}{PLACEHOLDER}{after}"}}"#);
                    let out = redact_in_all_ways(&known, Content::Json, &text);
                    assert_eq!(out, expected, "{before}{value}{after}");
                }
            }
        }
    }
}

#[test]
fn base64_in_lines() {
    let mut rng = Rng(7);
    let value = rng.text(160, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");
    let known = known(&[&value]);
    let encoded = STANDARD.encode(&value);
    for width in [64, 76] {
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
        let masked = vec![PLACEHOLDER; lines.len()];
        let out = redact_in_all_ways(&known, Content::Text, &lines.join("\n"));
        // A last line of few characters would stay; what fills it up to four does.
        assert!(lines.last().unwrap().len() > 20, "{width}");
        assert_eq!(out, format!("{}==", masked.join("\n")), "{width}");
        let out = redact_in_all_ways(&known, Content::Json, &format!("\"{}\"", lines.join("\\n")));
        assert_eq!(out, format!("\"{}==\"", masked.join("\\n")), "{width}");
    }
}

/// No byte of a long value comes out, in whatever form.
#[test]
fn long_values() {
    let mut rng = Rng(8);
    for length in [255, 257, 400, 600, 5000] {
        let value = rng.text(length, "abcdefghkmnpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ23456789\"\\<é");
        let known = known(&[&value]);
        for form in [
            hex(&value, "", false),
            json(&value, &[]),
            json(&json(&value, HTML), HTML),
            STANDARD.encode(&value),
        ] {
            let text = format!("[\"{form}\"]");
            let out = redact(&known, Content::Json, &text);
            let kept = out.replace(PLACEHOLDER, "");
            assert_eq!(kept.trim_end_matches(['=', '"', ']']), "[", "{length}");
            assert_eq!(out.matches(PLACEHOLDER).count(), 1);
        }
    }
}

#[test]
fn lines_right_hand_sides_and_leaves() {
    let known = known(&[
        "# the key\nAPI_KEY=Xk9fTq2Lm8Zr\nexport OTHER=\"w7Rt9zK2xw8Vb\"\r\nthird: 'p4Qm8Lz2Vt9K'\n",
        r#"{"auths":{"registry.example.com":{"username":"app","password":"hT7x9k2Lq8m5"}}}"#,
        "mode=production\nport=8080",
    ]);
    let text =
        "Xk9fTq2Lm8Zr w7Rt9zK2xw8Vb p4Qm8Lz2Vt9K hT7x9k2Lq8m5 mode=production port=8080 registry.example.com";
    let masked = [PLACEHOLDER; 4].join(" ");
    let expected = format!("{masked} mode=production port=8080 registry.example.com");
    assert_eq!(redact(&known, Content::Text, text), expected);
    assert_eq!(known.count_in(text.as_bytes()), 2);
}

#[test]
fn guessable_values_are_not_looked_for() {
    let values = [
        "administrator",
        "postgres.default.svc",
        "true",
        "production-database",
        "2024-01-15T10:00:00Z",
        "short-Xk9",
    ];
    let known = known(&values);
    let text = values.join(" ");
    assert_eq!(redact(&known, Content::Text, &text), text);
    assert_eq!(known.count_in(text.as_bytes()), 0);
}

#[test]
fn counts_values_not_places() {
    let known = known(&[PLAIN, SYMBOLS, MIXED]);
    let text = format!("{PLAIN} {PLAIN} {} {}", STANDARD.encode(PLAIN), hex(MIXED, "%", true));
    assert_eq!(known.count_in(text.as_bytes()), 2);
    assert_eq!(known.count_in(b"nothing of the kind"), 0);
}

/// Certificates are public: `caBundle` must stay.
#[test]
fn certificates_stay() {
    let mut rng = Rng(9);
    let mut line = || rng.text(64, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/");
    let (line, secret) = (line(), line());
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{line}\n-----END CERTIFICATE-----\n");
    let key = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n");
    let known = known(&[certificate.clone(), format!("{certificate}{key}")]);
    let bundle = STANDARD.encode(&certificate);
    assert_eq!(redact(&known, Content::Json, &bundle), bundle);
    // The line by itself, without what its shape says.
    assert_eq!(redact(&known, Content::Text, &format!("{secret}\n")), format!("{PLACEHOLDER}\n"));
}
