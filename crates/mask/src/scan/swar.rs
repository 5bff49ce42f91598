//! Finding the next byte of interest in a string, eight bytes at a time.
//!
//! The bit tricks are exact for the lowest byte that is found, which is the only one used ("Bit Twiddling Hacks",
//! `hasless` and `haszero`): a borrow reaches a higher byte only from a byte that is a hit itself.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The number of bytes before the first that is `"`, `\`, a control character or not ASCII.
#[inline]
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    prefix(bytes, |word| stops(word) | word, |byte| is_stop(byte) || byte >= 0x80)
}

/// The number of bytes before the first that is `"`, `\` or a control character.
#[inline]
pub(crate) fn text_prefix(bytes: &[u8]) -> usize {
    prefix(bytes, stops, is_stop)
}

#[inline]
fn prefix(bytes: &[u8], stops: impl Fn(u64) -> u64, is_stop: impl Fn(u8) -> bool) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = stops(u64::from_le_bytes(*word)) & HIGHS;
        if hits != 0 {
            return index * 8 + (hits.trailing_zeros() / 8) as usize;
        }
    }
    words.len() * 8 + rest.iter().position(|byte| is_stop(*byte)).unwrap_or(rest.len())
}

/// The high bit of each byte (exact for the lowest) that is `"`, `\` or a control character.
#[inline]
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    (word.wrapping_sub(ONES * 0x20) & !word)
        | (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
}

#[inline]
fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_byte_at_every_place() {
        for byte in 0..=255u8 {
            for place in 0..20 {
                let mut bytes = [b'x'; 24];
                bytes[place] = byte;
                let plain = if is_stop(byte) || byte >= 0x80 { place } else { 24 };
                let text = if is_stop(byte) { place } else { 24 };
                assert_eq!(plain_prefix(&bytes), plain, "byte {byte} at {place}");
                assert_eq!(text_prefix(&bytes), text, "byte {byte} at {place}");
            }
        }
    }

    #[test]
    fn neighbours_do_not_mislead() {
        for first in 0..=255u8 {
            for second in 0..=255u8 {
                let bytes = [b'x', first, second, b'x', b'x', b'x', b'x', b'x'];
                let expected = bytes.iter().position(|byte| is_stop(*byte)).unwrap_or(8);
                assert_eq!(text_prefix(&bytes), expected, "{first} {second}");
            }
        }
    }
}
