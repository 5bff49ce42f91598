//! PEM private keys (RFC 7468; RFC 1421 with its headers; RFC 9580 §6.2), in logs, in JSON strings, on one line.

use memchr::memmem;

use super::Found;
use super::text::{Atom, Text, is_base64, is_blank, is_upper_or_digit};
use super::value::mark_at;
use crate::redact::RunsOn;

/// How both lines end.
const KEY: &[u8] = b"PRIVATE KEY-----";
const BLOCK: &[u8] = b"PRIVATE KEY BLOCK-----";
const DASHES: &[u8] = b"-----";

/// Longest label: `ENCRYPTED `, `OPENSSH `, `RSA ` and the like before `PRIVATE KEY`.
const MAX_LABEL: usize = 24;

/// How much of a body is read within a JSON string, to find the end of one or the other: an RSA key of 4096 bits in PEM takes
/// 3.3 KB. A longer key is masked up to its last line, and it is left to the redactor to stop where the string ends.
const MAX_BODY: usize = 3840;

/// A run of base64 that makes text a body: prose has no words of this length.
const MIN_LINE: usize = 16;

/// The key whose first line begins at `begin` and whose label begins at `label`. The first line and the last go with it: they
/// would make whatever stands between them look like a damaged key, and a second masking take it for one.
pub(super) fn find(text: &Text<'_>, begin: usize, label: usize) -> Option<Found> {
    let (body, last) = first_line(text, label)?;
    let blank_end = text.run_of(body, is_blank, MAX_LABEL);
    if matches!(text.at(blank_end), Some(b'\n' | b'\r')) {
        // JSON strings have no raw line feeds: this is a log. Its lines may have anything before them, such as time stamps.
        return Some(through(text, begin, body, last));
    }
    in_string(text, begin, body, last)
}

/// Where the first line ends, and what the last line ends with.
fn first_line(text: &Text<'_>, label: usize) -> Option<(usize, &'static [u8])> {
    [KEY, BLOCK].into_iter().find_map(|last| Some((line_end(text, label, last)?, last)))
}

/// Where the line ends whose label begins at `label` and ends with `last`: words in capitals, with single spaces between.
fn line_end(text: &Text<'_>, label: usize, last: &[u8]) -> Option<usize> {
    let mut at = label;
    while at < label + MAX_LABEL {
        if text.starts_with(at, last) {
            return Some(at + last.len());
        }
        at = text.run_of(at, is_upper_or_digit, MAX_LABEL);
        if text.at(at)? != b' ' {
            return None;
        }
        at += 1;
    }
    None
}

fn through(text: &Text<'_>, begin: usize, body: usize, last: &'static [u8]) -> Found {
    match memmem::find(text.slice(body, text.len()), last) {
        Some(at) => Found { range: begin..body + at + last.len(), runs_on: None },
        None => Found { range: begin..text.len(), runs_on: Some(RunsOn::Through(last)) },
    }
}

fn in_string(text: &Text<'_>, begin: usize, body: usize, last: &'static [u8]) -> Option<Found> {
    let mut at = body;
    let mut run = 0;
    let mut is_body = false;
    while at < body + MAX_BODY {
        let ends = |end| is_body.then_some(Found { range: begin..end, runs_on: None });
        if text.at(at) == Some(b'-') && text.starts_with(at, DASHES) {
            return ends(last_line(text, at, last).unwrap_or(at));
        }
        at += match text.atom(at) {
            // A key that has been cut short ends with the string that it is in, or where something has been masked before.
            Atom::Quote(..) | Atom::End => return ends(at),
            Atom::Char(b'm', _) if mark_at(text, at) => return ends(at),
            Atom::Newline(backslashes) => {
                run = 0;
                backslashes + 1
            }
            Atom::Char(byte, len) => {
                run = if is_base64(byte) { run + 1 } else { 0 };
                len
            }
        };
        is_body |= run >= MIN_LINE;
    }
    is_body.then(|| through(text, begin, at, last))
}

/// Where the last line ends that begins at `at`, if it is one.
fn last_line(text: &Text<'_>, at: usize, last: &'static [u8]) -> Option<usize> {
    const END: &[u8] = b"-----END ";
    text.starts_with(at, END).then(|| line_end(text, at + END.len(), last)).flatten()
}
