//! The value that must not be seen, and looking for it.

use std::path::Path;

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};

/// In every Secret of these tests. Nothing that an agent, a record or a log sees may contain it, in any encoding.
pub const CANARY: &str = "canary-7c1d94e0b25f4a8e-value";

/// How what stands in its place begins where clients expect base64, such as a Secret's `data`. What follows differs between
/// places, objects and sessions.
pub const MASKED_DATA: &str = "bWFza2VkLWJ5LXBvcnRjdWxsaXMt";

/// How it begins elsewhere.
pub const MASKED_TEXT: &str = "masked-by-portcullis-";

/// Every form in which the canary could be recognised: raw, base64 at its three alignments, hex, reversed.
fn canary_forms() -> Vec<Vec<u8>> {
    let raw = CANARY.as_bytes();
    let mut forms = vec![raw.to_vec(), raw.iter().rev().copied().collect()];
    forms.push(raw.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for shift in 0..3 {
        let shifted: Vec<u8> = std::iter::repeat_n(b'x', shift).chain(raw.iter().copied()).collect();
        let encoded = STANDARD.encode(shifted);
        // The first and last characters also depend on what stands beside the value.
        let inner = encoded.get(4..encoded.len() - 4).unwrap_or_default();
        forms.push(inner.as_bytes().to_vec());
    }
    forms
}

/// Whether bytes contain the canary in any form in which it could be recognised.
#[must_use]
pub fn contains_canary(bytes: &[u8]) -> bool {
    canary_forms().iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// Files below a folder that contain the canary.
///
/// # Errors
/// A file cannot be read.
pub fn sweep(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sweep(&path)?);
        } else if path.is_file() && contains_canary(&std::fs::read(&path)?) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_is_recognised_wherever_it_stands() {
        for before in ["", "x", "xy"] {
            let text = format!("{before}{CANARY}{before}");
            assert!(contains_canary(text.as_bytes()));
            assert!(contains_canary(STANDARD.encode(&text).as_bytes()), "{before:?}");
        }
        assert!(!contains_canary(MASKED_DATA.as_bytes()) && !contains_canary(MASKED_TEXT.as_bytes()));
        assert_eq!(STANDARD.encode(MASKED_TEXT), MASKED_DATA);
    }
}
