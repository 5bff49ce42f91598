//! The journal's bytes: what makes an append durable before its leaf is in a tile. No I/O.
//!
//! A segment is a run of frames; a frame is what one `fdatasync` covered:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `PCJ1` |
//! | 8 | index of the first leaf, big-endian |
//! | 4 | number of leaves |
//! | 4 | bytes of payload |
//! | 32 | SHA-256 of the payload |
//! | 8 | the first bytes of the SHA-256 of all above |
//! | … | the payload: an entry bundle, each leaf behind its length as big-endian `uint16` |
//!
//! The next frame is begun only after the one before is on disk, so only the last frame can be torn. A frame that the
//! file ends in, or whose end or one of whose disk sectors was never written, is torn; one that is complete and wrong
//! was damaged, and its leaves may have been acknowledged.

use crate::tile;
use crate::tree::sha256;
use std::ops::Range;

const MAGIC: &[u8; 4] = b"PCJ1";
const HEADER: usize = 60;
const SECTOR: usize = 512;

/// A frame found in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The index of its first leaf.
    pub(crate) first: u64,
    /// How many leaves it has.
    pub(crate) count: u64,
    /// Where in the segment its payload is.
    pub(crate) payload: Range<usize>,
}

/// What a segment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Its whole frames.
    pub(crate) frames: Vec<Frame>,
    /// Bytes at the end of a write that never finished.
    pub(crate) torn: usize,
}

/// A segment that was damaged after it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("damaged at byte {at}: {what}")]
pub(crate) struct Damaged {
    /// Where the frame begins.
    pub(crate) at: usize,
    /// What is wrong with it.
    pub(crate) what: &'static str,
}

/// The header of the frame around a payload.
pub(crate) fn header(first: u64, count: u32, payload: &[u8]) -> Option<[u8; HEADER]> {
    let len = u32::try_from(payload.len()).ok()?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&first.to_be_bytes());
    header.extend_from_slice(&count.to_be_bytes());
    header.extend_from_slice(&len.to_be_bytes());
    header.extend_from_slice(&sha256(&[payload]).0);
    let check = sha256(&[&header]).0;
    header.extend(check.iter().take(8));
    header.try_into().ok()
}

/// Finds the frames of a segment.
///
/// # Errors
/// [`Damaged`] at the first frame that is neither whole nor torn.
pub(crate) fn scan(segment: &[u8]) -> Result<Scan, Damaged> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Some(rest) = segment.get(at..).filter(|rest| !rest.is_empty()) {
        match frame(rest) {
            Ok((first, count, len)) => {
                let payload = at + HEADER..at + HEADER + len;
                at = payload.end;
                frames.push(Frame { first, count, payload });
            }
            Err(what) if torn(segment, at, what) => {
                return Ok(Scan { frames, torn: rest.len() });
            }
            Err(Wrong::Short) => return Err(Damaged { at, what: "cut, and more than a cut" }),
            Err(Wrong::Header) => return Err(Damaged { at, what: "the header's checksum is wrong" }),
            Err(Wrong::Payload { .. }) => {
                return Err(Damaged { at, what: "the payload's checksum is wrong" });
            }
        }
    }
    Ok(Scan { frames, torn: 0 })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// The file ends inside the frame, whose header, as far as it is there, is right.
    Short,
    Header,
    Payload {
        end: usize,
    },
}

/// The frame at the front: its first index, count, and payload length.
fn frame(bytes: &[u8]) -> Result<(u64, u64, usize), Wrong> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        let begins = bytes.iter().zip(MAGIC).all(|(found, magic)| found == magic);
        return Err(if begins { Wrong::Short } else { Wrong::Header });
    };
    let (fields, check) = header.split_at(HEADER - 8);
    if !sha256(&[fields]).0.starts_with(check) {
        return Err(Wrong::Header);
    }
    let Some((MAGIC, fields)) = fields.split_first_chunk::<4>() else { return Err(Wrong::Header) };
    let Some((first, fields)) = fields.split_first_chunk::<8>() else { return Err(Wrong::Header) };
    let Some((count, fields)) = fields.split_first_chunk::<4>() else { return Err(Wrong::Header) };
    let Some((len, digest)) = fields.split_first_chunk::<4>() else { return Err(Wrong::Header) };
    let (count, len) = (u32::from_be_bytes(*count), u32::from_be_bytes(*len) as usize);
    let Some(payload) = rest.get(..len) else { return Err(Wrong::Short) };
    let entries: Result<Vec<_>, _> = tile::entries(payload).collect();
    if sha256(&[payload]).0 != digest || entries.is_ok_and(|entries| entries.len() != count as usize) {
        return Err(Wrong::Payload { end: HEADER + len });
    }
    Ok((u64::from_be_bytes(*first), u64::from(count), len))
}

/// Whether what is wrong with the frame at `at` is how an interrupted write looks.
fn torn(segment: &[u8], at: usize, wrong: Wrong) -> bool {
    let end = match wrong {
        Wrong::Short => return true,
        // A header that was never written does not say where the frame ends; a frame behind it does.
        Wrong::Header if another_frame(segment, at + 1) => return false,
        Wrong::Header => segment.len(),
        Wrong::Payload { end } => at + end,
    };
    // Nothing is appended behind a write that did not finish, and no frame has a sector of nothing but zeros.
    let (Some(frame), Some(behind)) = (segment.get(at..end), segment.get(end..)) else { return false };
    let to_boundary = (SECTOR - at % SECTOR).min(frame.len());
    let (head, tail) = frame.split_at(to_boundary);
    let unwritten = |sector: &[u8]| !sector.is_empty() && sector.iter().all(|b| *b == 0);
    // Nor does one end in a zero, as a file does that grew before its data was written.
    let unfinished = frame.last() == Some(&0);
    behind.is_empty() && (unfinished || unwritten(head) || tail.chunks(SECTOR).any(unwritten))
}

/// Whether a frame with a right header begins at `from` or later.
fn another_frame(segment: &[u8], from: usize) -> bool {
    let rest = segment.get(from..).unwrap_or_default();
    let begins = |at: &usize| rest.get(*at..).is_some_and(|bytes| bytes.starts_with(MAGIC));
    let right = |at: usize| {
        rest.get(at..).is_some_and(|bytes| bytes.len() > HEADER && frame(bytes) != Err(Wrong::Header))
    };
    (0..rest.len()).filter(begins).any(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::push_entry;

    fn framed(first: u64, leaves: &[&str]) -> Vec<u8> {
        let mut payload = Vec::new();
        assert!(leaves.iter().all(|leaf| push_entry(&mut payload, leaf.as_bytes())));
        let mut out = header(first, leaves.len() as u32, &payload).unwrap().to_vec();
        out.extend(payload);
        out
    }

    fn segment() -> (Vec<u8>, usize) {
        let mut segment = framed(5, &["one", "two"]);
        let last = segment.len();
        segment.extend(framed(7, &[&"three".repeat(300)]));
        (segment, last)
    }

    #[test]
    fn frames_read_back() {
        let (segment, last) = segment();
        let Scan { frames, torn } = scan(&segment).unwrap();
        assert_eq!((frames.len(), torn), (2, 0));
        assert_eq!((frames[0].first, frames[0].count, frames[1].first), (5, 2, 7));
        assert_eq!(frames[1].payload, last + HEADER..segment.len());
    }

    #[test]
    fn a_segment_cut_anywhere_keeps_its_whole_frames() {
        let (segment, last) = segment();
        for len in 0..segment.len() {
            let Scan { frames, torn } = scan(&segment[..len]).unwrap();
            assert_eq!((frames.len(), torn), if len < last { (0, len) } else { (1, len - last) });
        }
    }

    #[test]
    fn a_changed_byte_anywhere_is_damage() {
        let (segment, last) = segment();
        for at in 0..segment.len() {
            let mut changed = segment.clone();
            changed[at] ^= 0x20;
            let begin = if at < last { 0 } else { last };
            assert_eq!(scan(&changed).unwrap_err().at, begin, "byte {at}");
        }
    }

    #[test]
    fn a_sector_never_written_is_a_torn_write_only_at_the_end() {
        let (segment, last) = segment();
        for from in (0..segment.len()).step_by(SECTOR) {
            let mut torn = segment.clone();
            torn[from.max(last)..(from + SECTOR).min(segment.len())].fill(0);
            assert_eq!(scan(&torn).unwrap().frames.len(), 1, "sector at {from}");
        }
        let mut damaged = framed(0, &[&"x".repeat(2000)]);
        damaged[..1024].fill(0);
        damaged.extend(framed(1, &["acknowledged"]));
        assert_eq!(scan(&damaged).unwrap_err().at, 0);
        let mut followed = framed(0, &[&"x".repeat(2000)]);
        followed[600..1800].fill(0);
        followed.extend(framed(1, &["acknowledged"]));
        assert_eq!(scan(&followed).unwrap_err().at, 0);
    }
}
