//! The text before a file's payload.
//!
//! ```text
//! age-encryption.org/v1
//! -> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc      a stanza for each recipient: its kind, arguments,
//! hjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FLE                and a body in lines of 64, the last one shorter
//! --- WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcNg            the MAC of all before the space
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

const VERSION: &str = "age-encryption.org/v1";
const STANZA: &str = "-> ";
const END: &str = "---";
/// Characters of a full line of a body.
const COLUMNS: usize = 64;

/// A header that was read.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) stanzas: Vec<Stanza<'a>>,
    /// What its MAC is of.
    pub(super) signed: &'a [u8],
    pub(super) mac: [u8; 32],
}

/// What one recipient needs.
#[derive(Debug)]
pub(super) struct Stanza<'a> {
    /// Its kind, and what belongs to that.
    pub(super) arguments: Vec<&'a str>,
    pub(super) body: Vec<u8>,
}

/// The header with these stanzas, each of a line and a body.
pub(super) fn write(
    stanzas: &[(String, Vec<u8>)],
    mac: impl FnOnce(&[u8]) -> Option<[u8; 32]>,
) -> Option<Vec<u8>> {
    let mut text = format!("{VERSION}\n");
    for (arguments, body) in stanzas {
        text.push_str(&format!("{STANZA}{arguments}\n"));
        let body = encode(body);
        let (full, last) = body.as_bytes().as_chunks::<COLUMNS>();
        for line in full.iter().map(<[u8; COLUMNS]>::as_slice).chain([last]) {
            text.push_str(std::str::from_utf8(line).ok()?);
            text.push('\n');
        }
    }
    text.push_str(END);
    let mac = mac(text.as_bytes())?;
    text.push_str(&format!(" {}\n", encode(&mac)));
    Some(text.into_bytes())
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// The bytes, of which there is one text only.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

/// The next line, without its end.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (line, after) = rest.split_at_checked(memchr::memchr(b'\n', rest)?)?;
    *rest = after.get(1..)?;
    std::str::from_utf8(line).ok()
}

// === impl Header ===

impl<'a> Header<'a> {
    /// Reads the header that a file begins with; answers with what comes after.
    pub(super) fn read(file: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = file;
        (line(&mut rest)? == VERSION).then_some(())?;
        let mut stanzas = Vec::new();
        loop {
            let before = file.len() - rest.len();
            let text = line(&mut rest)?;
            if let Some(mac) = text.strip_prefix(END) {
                let mac = decode(mac.strip_prefix(' ')?)?.try_into().ok()?;
                let signed = file.get(..before + END.len())?;
                return (!stanzas.is_empty()).then_some((Self { stanzas, signed, mac }, rest));
            }
            stanzas.push(Stanza::read(text, &mut rest)?);
        }
    }
}

// === impl Stanza ===

impl<'a> Stanza<'a> {
    fn read(text: &'a str, rest: &mut &'a [u8]) -> Option<Self> {
        let arguments: Vec<_> = text.strip_prefix(STANZA)?.split(' ').collect();
        let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        arguments.iter().all(is_word).then_some(())?;
        let mut body = Vec::new();
        loop {
            let text = line(rest)?;
            (text.len() <= COLUMNS).then_some(())?;
            body.extend(decode(text)?);
            if text.len() < COLUMNS {
                return Some(Self { arguments, body });
            }
        }
    }

    pub(super) fn kind(&self) -> &'a str {
        self.arguments.first().copied().unwrap_or_default()
    }
}
