//! Bytes as text, as WebAuthn's JSON has them: base64url without padding (RFC 4648 §5).

use std::ops::RangeInclusive;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Refusal;

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of `part`: as many as `sizes` allows, and one text for the same bytes only.
pub(crate) fn decode(
    part: &'static str,
    text: &str,
    sizes: RangeInclusive<usize>,
) -> Result<Vec<u8>, Refusal> {
    // Four letters are three bytes: what is too long for any is not decoded.
    if text.len() / 4 * 3 > *sizes.end() + 3 {
        return Err(Refusal::Size { part, least: *sizes.start(), most: *sizes.end() });
    }
    sized(part, URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::NotBase64Url(part))?, sizes)
}

/// The bytes, if they are as many as `sizes` allows.
pub(crate) fn sized(
    part: &'static str,
    bytes: Vec<u8>,
    sizes: RangeInclusive<usize>,
) -> Result<Vec<u8>, Refusal> {
    if !sizes.contains(&bytes.len()) {
        return Err(Refusal::Size { part, least: *sizes.start(), most: *sizes.end() });
    }
    Ok(bytes)
}
