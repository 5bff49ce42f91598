//! Strings that are held until it is clear what they are: packed documents, Helm releases, certificate signing requests.
//!
//! What is too large to hold or to unpack, or cannot be unpacked, is replaced. What becomes of releases is in `helm`. Memory is bounded by the limits here.

use std::io::Read;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::MultiGzDecoder;

use crate::placeholder::{Placeholder, Tag};
use crate::places::{Check, Rules, Whose, Wrapped};
use crate::scan::{Scanner, Sink};
use crate::splice::Splice;

/// The longest string that is held, in bytes of what it means. All annotations of an object together have at most 256 KiB
/// (`k8s.io/apimachinery/pkg/api/validation`, `TotalAnnotationSizeLimitB`).
const MAX_HELD: usize = 256 << 10;

/// The same of a Helm release. An object has 1 MiB of data (`k8s.io/api/core/v1`, `MaxSecretSize`), which base64 makes a third longer.
const MAX_RELEASE: usize = 2 << 20;

/// The longest document that is unpacked. Whoever writes an annotation can make it a bomb.
const MAX_UNPACKED: usize = 4 << 20;

/// How base64 of gzip begins: the bytes `1f 8b 08`.
const GZIP: &[u8] = b"H4sI";

/// The DER of `challengePassword` (RFC 2985 section 5.4.1), 1.2.840.113549.1.9.7.
const CHALLENGE_PASSWORD: &[u8] = &[0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x07];

/// Base64 as others write it, with padding or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A string that is being held.
#[derive(Debug, Default)]
pub(crate) struct Held {
    check: Option<Check>,
    /// As it was written, where it can be kept: at most six bytes for each of `text`.
    raw: Vec<u8>,
    /// What it means, up to [`MAX_HELD`] or [`MAX_RELEASE`].
    text: Vec<u8>,
    /// Whether it is longer.
    too_long: bool,
    tag: Option<Tag>,
}

/// What becomes of a held string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is not yet clear.
    Wait,
    /// It goes out as it came.
    Keep,
    Replace,
    /// It may be a Helm release: masked within, or replaced.
    Release(Wrapped),
}

impl Held {
    /// A string begins whose placeholder would have this tag.
    pub(crate) fn begin(&mut self, check: Check, tag: Option<Tag>) {
        self.clear();
        self.check = Some(check);
        self.tag = tag;
    }

    /// Forgets the string and gives its memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a part of the string as it was written, as long as it is not clear what it is.
    pub(crate) fn keep_raw(&mut self, raw: &[u8]) {
        let kept = match self.check {
            Some(Check::Release(Wrapped::Twice)) => false,
            Some(Check::Release(Wrapped::Once)) => self.text.len() < GZIP.len(),
            Some(Check::Packed(_) | Check::Request) | None => true,
        };
        if kept {
            self.raw.extend_from_slice(raw);
        }
    }

    /// What it means, if it is not too long.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    pub(crate) fn placeholder(&self) -> Placeholder {
        match self.check {
            Some(check) => check.placeholder(),
            None => Placeholder::Text,
        }
    }

    /// What becomes of the string, of which this is all if it is `complete`. Independent of how it was cut into pieces.
    pub(crate) fn judge(&self, rules: &Rules, complete: bool) -> Verdict {
        let keep = match self.check {
            // The beginning decides, however long the rest is.
            Some(Check::Release(Wrapped::Once)) if self.is_no_gzip() => true,
            Some(_) if self.too_long => false,
            Some(_) if !complete => return Verdict::Wait,
            Some(Check::Release(Wrapped::Once)) if self.text.len() < GZIP.len() => true,
            Some(Check::Release(wrapped)) => return Verdict::Release(wrapped),
            Some(Check::Request) => is_harmless_request(&self.text),
            Some(Check::Packed(whose)) => is_harmless_document(&self.text, rules, whose),
            None => false,
        };
        if keep { Verdict::Keep } else { Verdict::Replace }
    }

    fn is_no_gzip(&self) -> bool {
        self.text.len() >= GZIP.len() && !self.text.starts_with(GZIP)
    }

    fn push(&mut self, bytes: &[u8]) {
        let most = if matches!(self.check, Some(Check::Release(_))) { MAX_RELEASE } else { MAX_HELD };
        let room = most.saturating_sub(self.text.len());
        self.too_long |= bytes.len() > room;
        self.text.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }
}

impl Sink for Held {
    fn plain(&mut self, input: &[u8], range: Range<usize>) {
        self.push(input.get(range).unwrap_or_default());
    }

    fn escape(&mut self, character: char, _: &[u8]) {
        self.push(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Whether `text` is a certificate signing request in PEM in base64, as Kubernetes wants it, without a challenge password.
fn is_harmless_request(text: &[u8]) -> bool {
    let Some(pem) = decode(text) else { return false };
    let body: Vec<u8> = pem
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"-----"))
        .flatten()
        .copied()
        .collect();
    decode(&body).is_some_and(|der| memchr::memmem::find(&der, CHALLENGE_PASSWORD).is_none())
}

/// Whether `text` is a document, or base64 of one, or of its gzip, in which nothing has to be masked. Nothing at all is harmless.
fn is_harmless_document(text: &[u8], rules: &Rules, whose: Whose) -> bool {
    let Some(rules) = rules.embedded(whose) else { return false };
    if text.is_empty() || text.trim_ascii_start().starts_with(b"{") {
        return text.is_empty() || nothing_to_mask(text, rules);
    }
    let Some(decoded) = decode(text) else { return false };
    if decoded.starts_with(&[0x1F, 0x8B]) {
        return nothing_to_mask(MultiGzDecoder::new(decoded.as_slice()), rules);
    }
    nothing_to_mask(decoded.as_slice(), rules)
}

/// Whether what is read is one document, of a length that is allowed, with nothing in it to mask.
fn nothing_to_mask(mut document: impl Read, rules: &Rules) -> bool {
    let mut scanner = Scanner::new(rules.clone(), false);
    let (mut piece, mut dropped, mut total) = ([0; 8 << 10], Vec::new(), 0);
    loop {
        let length = match document.read(&mut piece) {
            Ok(0) => return scanner.complete(),
            Ok(length) => length,
            Err(_) => return false,
        };
        total += length;
        let piece = piece.get(..length).unwrap_or_default();
        let fed = scanner.feed(piece, &mut Splice::document(piece, false, &mut dropped));
        if total > MAX_UNPACKED || fed.is_err() || scanner.masked() > 0 {
            return false;
        }
    }
}

/// What base64 stands for, in whatever lines it is written.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let joined: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(joined).ok()
}
