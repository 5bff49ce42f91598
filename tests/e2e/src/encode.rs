//! Forms in which a value can be written.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};

/// In hexadecimal, in lower case.
#[must_use]
pub fn hex(text: &str) -> String {
    each(text, |byte| format!("{byte:02x}"))
}

/// Escaped as in a URL (RFC 3986): everything but unreserved characters.
#[must_use]
pub fn percent(text: &str) -> String {
    percent_but(text, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// As [`percent`], with other characters that stay as they are.
#[must_use]
pub fn percent_but(text: &str, kept: impl Fn(u8) -> bool) -> String {
    each(text, |byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
}

/// Its bytes as decimal numbers, as JSON and Go print a list of bytes, without the brackets.
#[must_use]
pub fn decimals(text: &str, between: &str) -> String {
    text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(between)
}

/// In one gzip member.
#[must_use]
pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Into memory: cannot fail.
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// As Helm and Rancher keep objects: base64 of gzip.
#[must_use]
pub fn packed(text: &str) -> String {
    STANDARD.encode(gzip(text))
}

fn each(text: &str, form: impl Fn(u8) -> String) -> String {
    text.bytes().map(form).collect()
}
