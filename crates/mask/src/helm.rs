//! Helm's releases, masked within and packed again, so that Helm can read through the gate.
//!
//! A release (`helm.sh/helm/v3/pkg/release`, `Release`) is JSON, packed with gzip and in base64
//! (`helm.sh/helm/v3/pkg/storage/driver`, `encodeRelease`). Gzip hides from every other look what is in it: rendered manifests
//! with Secrets, the user's values, notes. So it is all done here: manifests by the places of their kinds, values by their keys,
//! and then everything by value and by shape. What cannot be read, or is no release, is not shown at all.
//!
//! The same release becomes the same bytes. A comment in gzip's header, which readers skip, is a placeholder, so that a masked
//! release that is written back is found, as every other value is.

mod manifest;
mod values;

use std::io::{Read, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::de::IgnoredAny;
use serde_json::Value;

use self::manifest::Manifests;
use crate::guard::Guard;
use crate::held;
use crate::known::KnownValues;
use crate::placeholder::Placeholder;
use crate::places::{Catalogue, Wrapped};
use crate::redact::{Content, Redactor};

/// The longest release that is unpacked, in bytes of JSON.
const MAX_UNPACKED: usize = 8 << 20;

/// The most values that are read of one: memory is in proportion to them rather than to bytes.
const MAX_VALUES: usize = 200_000;

/// A release that may be shown.
#[derive(Debug)]
pub(crate) struct Masked {
    /// As it stands in the object.
    pub(crate) text: String,
    /// How many values in it were replaced.
    pub(crate) masked: u64,
}

/// The release in `text` masked within, by what `guard` knows. None if it cannot be read, is too large, or is no release.
pub(crate) fn masked(text: &[u8], wrapped: Wrapped, guard: Option<&Guard>) -> Option<Masked> {
    let catalogue = guard.map_or_else(Catalogue::builtin, |guard| guard.catalogue().clone());
    let known = guard.map_or_else(KnownValues::none, |guard| guard.known().clone());
    let json = unpacked(text, wrapped)?;
    let mut release: Value = serde_json::from_slice(&json).ok().filter(is_release)?;
    drop(json);
    let by_key = values::mask(&mut release, &catalogue);
    let by_place = manifests(&mut release, &catalogue);
    let in_files = files(&mut release, &known);
    let json = serde_json::to_vec(&release).ok()?;
    let (json, by_value) = Redactor::whole(&known, Content::Json, json.into(), &[]);
    // Values that are spelled as JSON's own characters: what is left must be what Helm can read.
    serde_json::from_slice::<IgnoredAny>(&json).ok()?;
    let text = packed(&json, wrapped)?;
    Some(Masked { text, masked: by_key + by_place + in_files + by_value })
}

fn unpacked(text: &[u8], wrapped: Wrapped) -> Option<Vec<u8>> {
    let packed = match wrapped {
        Wrapped::Once => held::decode(text)?,
        Wrapped::Twice => held::decode(&held::decode(text)?)?,
    };
    let mut json = Vec::new();
    MultiGzDecoder::new(packed.as_slice()).take(MAX_UNPACKED as u64 + 1).read_to_end(&mut json).ok()?;
    (json.len() <= MAX_UNPACKED && values_in(&json) <= MAX_VALUES).then_some(json)
}

/// How many values and keys a JSON document has at most.
fn values_in(json: &[u8]) -> usize {
    let (mut values, mut string, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = string,
            b'"' => string = !string,
            b',' | b':' | b'[' | b'{' if !string => values += 1,
            _ => {}
        }
    }
    values
}

/// What every release has, of whatever version of Helm 3.
fn is_release(release: &Value) -> bool {
    let has = |key: &str, is: fn(&Value) -> bool| release.get(key).is_some_and(is);
    has("name", Value::is_string) && has("info", Value::is_object) && has("chart", Value::is_object)
}

/// Masks what was rendered: the release's own manifest and those of its hooks.
fn manifests(release: &mut Value, catalogue: &Catalogue) -> u64 {
    let mut masked = 0;
    let mut manifests = Manifests::new(catalogue);
    let mut mask = |holder: &mut Value| {
        if let Some(manifest) = holder.get_mut("manifest").filter(|manifest| !manifest.is_null()) {
            let text = manifest.as_str().and_then(|text| manifests.masked(text));
            let (text, replaced) = text.unwrap_or_else(|| (Placeholder::Text.as_str().to_owned(), 1));
            *manifest = Value::String(text);
            masked += replaced;
        }
    };
    mask(release);
    let hooks = release.get_mut("hooks").and_then(Value::as_array_mut);
    hooks.into_iter().flatten().for_each(mask);
    masked
}

/// Masks the chart's own files by value and by shape. They are bytes in base64.
fn files(release: &mut Value, known: &KnownValues) -> u64 {
    let mut masked = 0;
    let Some(chart) = release.get_mut("chart") else { return 0 };
    for list in ["templates", "files"] {
        let files = chart.get_mut(list).and_then(Value::as_array_mut);
        for file in files.into_iter().flatten().filter_map(|file| file.get_mut("data")) {
            let Some(content) = file.as_str().and_then(|text| held::decode(text.as_bytes())) else {
                continue;
            };
            let (content, replaced) = Redactor::whole(known, Content::Text, content.into(), &[]);
            if replaced > 0 {
                *file = Value::String(STANDARD.encode(content));
                masked += replaced;
            }
        }
    }
    masked
}

fn packed(json: &[u8], wrapped: Wrapped) -> Option<String> {
    let gzip = GzBuilder::new().comment(Placeholder::Text.as_str());
    let mut encoder = gzip.write(Vec::new(), Compression::default());
    encoder.write_all(json).ok()?;
    let once = STANDARD.encode(encoder.finish().ok()?);
    Some(match wrapped {
        Wrapped::Once => once,
        Wrapped::Twice => STANDARD.encode(once),
    })
}

#[cfg(test)]
mod tests;
