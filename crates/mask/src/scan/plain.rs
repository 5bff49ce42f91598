//! Finding the next byte of interest in a string, sixteen bytes at a time.

use wide::i8x16;

const LANES: usize = 16;

/// The length of the rest of a string, if it is all of `rest` up to a quotation mark and has nothing in it that must be
/// understood: the way most strings go.
#[inline(always)]
pub(super) fn whole(rest: &[u8]) -> Option<usize> {
    let len = match rest.first_chunk::<LANES>().map(plain_stops) {
        Some(hits) if hits != 0 => hits.trailing_zeros() as usize,
        _ => prefix(rest),
    };
    (rest.get(len) == Some(&b'"')).then_some(len)
}

/// The number of bytes before the first that is `"`, `\`, a control character or not ASCII.
pub(super) fn prefix(bytes: &[u8]) -> usize {
    until(bytes, plain_stops, |byte| is_stop(byte) || byte >= 0x80)
}

/// The number of bytes before the first that is `"`, `\` or a control character.
pub(super) fn text_prefix(bytes: &[u8]) -> usize {
    until(bytes, text_stops, is_stop)
}

#[inline(always)]
fn until(bytes: &[u8], stops: impl Fn(&[u8; LANES]) -> u32, is_stop: impl Fn(u8) -> bool) -> usize {
    let (blocks, rest) = bytes.as_chunks::<LANES>();
    for (index, block) in blocks.iter().enumerate() {
        let hits = stops(block);
        if hits != 0 {
            return index * LANES + hits.trailing_zeros() as usize;
        }
    }
    blocks.len() * LANES + rest.iter().position(|byte| is_stop(*byte)).unwrap_or(rest.len())
}

/// A bit for each byte that is `"`, `\`, a control character or not ASCII: the last two are less than a space, as signed numbers.
#[inline(always)]
fn plain_stops(block: &[u8; LANES]) -> u32 {
    let lanes = i8x16::new(block.map(u8::cast_signed));
    (lanes.simd_lt(splat(b' ')) | lanes.simd_eq(splat(b'"')) | lanes.simd_eq(splat(b'\\'))).to_bitmask()
}

/// A bit for each byte that is `"`, `\` or a control character.
#[inline(always)]
fn text_stops(block: &[u8; LANES]) -> u32 {
    let lanes = i8x16::new(block.map(u8::cast_signed));
    plain_stops(block) & !lanes.to_bitmask()
}

#[inline(always)]
fn splat(byte: u8) -> i8x16 {
    i8x16::splat(byte.cast_signed())
}

fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_byte_at_every_place() {
        for byte in 0..=255u8 {
            for place in 0..40 {
                let mut bytes = [b'x'; 44];
                bytes[place] = byte;
                let plain = if is_stop(byte) || byte >= 0x80 { place } else { 44 };
                let text = if is_stop(byte) { place } else { 44 };
                assert_eq!(prefix(&bytes), plain, "byte {byte} at {place}");
                assert_eq!(text_prefix(&bytes), text, "byte {byte} at {place}");
                assert_eq!(whole(&bytes), (byte == b'"').then_some(place), "byte {byte} at {place}");
            }
        }
    }
}
