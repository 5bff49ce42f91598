//! Whether a shape is really there where it might begin.

use super::search::Trigger;
use super::table::{Follows, SHAPES};
use super::text::{Atom, Set, Text, is_any_base64, is_base64, is_base64url, is_dotted, is_plain, is_token68};
use super::value::{LOOK, decode, ends_mark, holds_mark, is_basic, looks_random, stands_for_another};
use super::{Found, named, pem};
use crate::placeholder::foreign_characters;

/// Longest header of a JWT; certificates (`x5c`) make longer ones, which no Kubernetes token has.
const MAX_HEADER: usize = 2048;
/// What of a JWT must follow its header.
const MIN_CLAIMS: usize = 16;
/// Longest user's name and password in a URL.
const MAX_USERINFO: usize = 512;
/// Longest user's name that is shown; `BEFORE` allows no more.
const MAX_USER: usize = 48;
const MIN_BEARER: usize = 16;
/// Most base64 of Basic credentials that is decoded.
const MAX_BASIC: usize = 256;
const MIN_BASIC: usize = 8;
/// Most base64 that is decoded to see what a run is: more than a PEM file's first line.
const MAX_ENCODED: usize = 96;

/// What the shape masks that begins with `trigger` at `begin`, if it is there. Reads no more than 4 KiB.
pub(super) fn verify(text: &Text<'_>, begin: usize, trigger: &Trigger) -> Option<Found> {
    let follows = SHAPES.get(trigger.shape)?.follows;
    let after = begin + trigger.text.len();
    if trigger.encoded && text.is_masked(begin, after, is_any_base64) {
        return None;
    }
    // What a placeholder was put in the place of had another end.
    if ends_mark(text, begin) {
        return None;
    }
    match follows {
        Follows::Run { set, least } => run(text, begin, after, set, least, |_| true),
        Follows::RandomRun { set, least } => run(text, begin, after, set, least, looks_random),
        Follows::Jwt => jwt(text, begin),
        Follows::PemKey => pem::find(text, begin, after),
        Follows::EncodedPemKey => {
            let first = decoded(text, begin, trigger);
            let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let is_key = memchr::memmem::find(line, b"PRIVATE KEY").is_some();
            is_key.then(|| Found::run(text, begin, after, is_any_base64))
        }
        Follows::EncodedValue => {
            let value = decoded(text, begin, trigger);
            let value = value.splitn(2, |&byte| byte == b':').nth(1).unwrap_or_default();
            is_random_value(value).then(|| Found::run(text, begin, after, is_any_base64))
        }
        Follows::EncodedAny => Some(Found::run(text, begin, after, is_any_base64)),
        Follows::Named(value) => named::find(text, name_end(after, &trigger.text), value, false),
        Follows::Flag(value) => named::find(text, after, value, true),
        Follows::Userinfo => userinfo(text, after),
        Follows::Bearer => {
            if text.is_masked(after, after, is_token68) {
                return None;
            }
            let end = text.run_of(after, is_token68, LOOK);
            let token = text.slice(after, end);
            let is_token = token.len() >= MIN_BEARER && looks_random(token) && !holds_mark(text, after, end);
            is_token.then(|| Found::run(text, after, end, is_token68))
        }
        Follows::Basic => {
            let end = text.run_of(after, is_base64, MAX_BASIC);
            let is_basic = end >= after + MIN_BASIC && is_basic(text.slice(after, end));
            (is_basic && !holds_mark(text, after, end)).then(|| Found::run(text, after, end, is_base64))
        }
    }
}

fn run(
    text: &Text<'_>,
    begin: usize,
    after: usize,
    set: Set,
    least: usize,
    is_it: impl FnOnce(&[u8]) -> bool,
) -> Option<Found> {
    if text.is_masked(begin, after, set) || !text.word_begins(begin) {
        return None;
    }
    let end = text.run_of(after, set, least);
    let read = text.slice(after, end);
    (end == after + least && is_it(read) && !holds_mark(text, after, end))
        .then(|| Found::run(text, begin, end, set))
}

fn jwt(text: &Text<'_>, begin: usize) -> Option<Found> {
    if text.is_masked(begin, begin, is_dotted) || !text.word_begins(begin) {
        return None;
    }
    let dot = text.run_of(begin, is_base64url, MAX_HEADER);
    if text.at(dot)? != b'.' {
        return None;
    }
    let end = text.run_of(dot + 1, is_dotted, MIN_CLAIMS);
    let is_header = || memchr::memmem::find(&decode(text.slice(begin, dot)), b"\"alg\"").is_some();
    let is_whole = end == dot + 1 + MIN_CLAIMS && !holds_mark(text, begin, end);
    (is_whole && is_header()).then(|| Found::run(text, begin, end, is_dotted))
}

/// Where a name ends of which the trigger holds the end and perhaps what comes after.
fn name_end(after: usize, trigger: &[u8]) -> usize {
    after - trigger.iter().rev().take_while(|byte| !byte.is_ascii_alphanumeric()).count()
}

/// What base64 holds from the trigger's first whole byte on.
fn decoded(text: &Text<'_>, begin: usize, trigger: &Trigger) -> Vec<u8> {
    let foreign = foreign_characters(trigger.shift);
    let end = text.run_of(begin, is_any_base64, MAX_ENCODED - foreign);
    let mut quanta = vec![b'A'; foreign];
    if !holds_mark(text, begin, end) {
        quanta.extend_from_slice(text.slice(begin, end));
    }
    decode(&quanta).get((foreign * 6).div_ceil(8)..).unwrap_or_default().to_vec()
}

/// Whether a value, perhaps quoted, looks random as far as it is there.
fn is_random_value(value: &[u8]) -> bool {
    const MIN: usize = 16;
    let begin = value.iter().position(|byte| !matches!(byte, b' ' | b'"' | b'\'')).unwrap_or(value.len());
    let value = value.get(begin..).unwrap_or_default();
    let end = value.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b'"').unwrap_or(value.len());
    let value = value.get(..end).unwrap_or_default();
    value.len() >= MIN && looks_random(value) && !stands_for_another(value)
}

/// The password in `USER:PASSWORD@HOST`. It may itself hold `@`, but nothing that ends the authority.
fn userinfo(text: &Text<'_>, begin: usize) -> Option<Found> {
    // Nearly all URLs have none: their authority is a host's name.
    let authority = text.run_of(begin, is_authority, MAX_USERINFO);
    if text.at(authority) != Some(b'\\') && !text.slice(begin, authority).contains(&b'@') {
        return None;
    }
    let mut at = begin;
    let (mut colon, mut last_at) = (None, None);
    while at < begin + MAX_USERINFO {
        at += match text.atom(at) {
            Atom::Quote(..)
            | Atom::Newline(_)
            | Atom::End
            | Atom::Char(b'/' | b'?' | b'#' | b' ' | b'\t' | b'<' | b'>', _) => {
                break;
            }
            Atom::Char(byte, len) => {
                match byte {
                    b':' if colon.is_none() && last_at.is_none() => colon = Some(at + len),
                    b'@' => last_at = Some(at),
                    _ => {}
                }
                len
            }
        };
    }
    let (colon, end) = (colon?, last_at?);
    let is_password =
        colon < end && !stands_for_another(text.slice(colon, end)) && !holds_mark(text, begin, end);
    // A name that is longer goes too: a match must not be further from its beginning.
    let start = if colon > begin + MAX_USER { begin } else { colon };
    is_password.then_some(Found { range: start..end, runs_on: None })
}

fn is_authority(byte: u8) -> bool {
    is_plain(byte) && !matches!(byte, b'/' | b'?' | b'#' | b'<' | b'>')
}
