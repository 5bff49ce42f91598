//! What a file holds: 64 KiB at a time, each sealed with its place, and the last marked as such, so that nothing can be cut
//! off, added or moved.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// Adds what was sealed.
pub(super) fn seal(key: &[u8; 32], plain: &[u8], to: &mut Vec<u8>) -> Option<()> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    to.reserve(plain.len() + TAG * (plain.len() / CHUNK + 1));
    let mut chunks = plain.chunks(CHUNK).enumerate().peekable();
    if plain.is_empty() {
        return chunk(&key, 0, true, &[], to);
    }
    while let Some((place, plain)) = chunks.next() {
        chunk(&key, place, chunks.peek().is_none(), plain, to)?;
    }
    Some(())
}

fn chunk(key: &LessSafeKey, place: usize, is_last: bool, plain: &[u8], to: &mut Vec<u8>) -> Option<()> {
    let mut chunk = Vec::with_capacity(plain.len() + TAG);
    chunk.extend_from_slice(plain);
    key.seal_in_place_append_tag(nonce(place, is_last)?, Aad::empty(), &mut chunk).ok()?;
    to.extend_from_slice(&chunk);
    Some(())
}

/// What was sealed; all of it, or nothing.
pub(super) fn open(key: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let mut plain = Vec::with_capacity(sealed.len());
    let mut chunks = sealed.chunks(CHUNK + TAG).enumerate().peekable();
    chunks.peek()?;
    while let Some((place, chunk)) = chunks.next() {
        let mut chunk = chunk.to_vec();
        let opened =
            key.open_in_place(nonce(place, chunks.peek().is_none())?, Aad::empty(), &mut chunk).ok()?;
        // Only of an empty file.
        if opened.is_empty() && place > 0 {
            return None;
        }
        plain.extend_from_slice(opened);
    }
    Some(plain)
}

/// Eleven bytes of its place, and one that says whether it is the last.
fn nonce(place: usize, is_last: bool) -> Option<Nonce> {
    let place = u64::try_from(place).ok()?;
    let bytes = (u128::from(place) << 8 | u128::from(is_last)).to_be_bytes();
    Some(Nonce::assume_unique_for_key(*bytes.last_chunk::<12>()?))
}
