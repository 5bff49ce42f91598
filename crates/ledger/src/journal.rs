//! The journal's bytes: what makes an append durable before its leaf is in a tile. No I/O.
//!
//! A segment is a run of frames; a frame is what one `fdatasync` covered:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `PCJ2` |
//! | 8 | index of the first leaf, big-endian |
//! | 4 | number of leaves |
//! | 4 | bytes of payload |
//! | 32 | SHA-256 of the payload |
//! | 32 | the MAC of the frame before it; zeros in the first frame of a journal |
//! | 32 | the MAC: HMAC-SHA256 of all above under a key derived from the ledger's seed |
//! | 8 | the first bytes of the SHA-256 of all above |
//! | … | the payload: an entry bundle, each leaf behind its length as big-endian `uint16` |
//!
//! Only the gate can make a MAC, so nobody else can write leaves for it to sign when it starts again. What the MAC
//! cannot show is that frames were cut off the *end*: that looks like leaves that were never written.
//!
//! The next frame is begun only after the one before is on disk, so only the last frame can be torn. A frame that the
//! file ends in, or whose end or one of whose disk sectors was never written, is torn; one that is complete and wrong
//! was damaged, and its leaves may have been acknowledged.

use crate::mac::{MacKey, Tag};
use crate::tile;
use crate::tree::sha256;
use std::ops::Range;

/// The purpose of the key that frames are made with.
pub(crate) const PURPOSE: &str = "portcullis.dev/ledger journal v1";
/// In place of the MAC of the frame before, where there is none.
pub(crate) const NO_TAG: Tag = [0; 32];

/// Leaves in a frame, at most.
pub(crate) const MAX_LEAVES: usize = 1024;
/// Bytes of payload of a frame, at most: each leaf behind its length. No four bytes of text are as small a number, so a
/// leaf, which may quote an agent, cannot hold what looks like a frame's header.
const MAX_PAYLOAD: usize = MAX_LEAVES * (tile::MAX_ENTRY + 2);

const MAGIC: &[u8; 4] = b"PCJ2";
/// What the MAC is over.
const SIGNED: usize = 84;
const HEADER: usize = 124;
const SECTOR: usize = 512;

/// A frame found in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The index of its first leaf.
    pub(crate) first: u64,
    /// How many leaves it has.
    pub(crate) count: u64,
    /// Where in the segment it begins.
    pub(crate) at: usize,
    /// Where in the segment its payload is.
    pub(crate) payload: Range<usize>,
    /// The MAC of the frame before it.
    pub(crate) before: Tag,
    /// Its own, which nobody has checked.
    pub(crate) tag: Tag,
}

/// The frames of a journal in their order, each held against the one before.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    last: Option<Tag>,
}

/// A frame that is whole, and not one that the gate wrote at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Foreign {
    #[error("its MAC is not by this ledger's key")]
    Forged,
    #[error("it does not follow the frame before it")]
    Elsewhere,
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

/// The header of the frame around a payload, and its MAC.
pub(crate) fn header(
    first: u64,
    count: u32,
    payload: &[u8],
    before: &Tag,
    key: &MacKey,
) -> Option<([u8; HEADER], Tag)> {
    let len = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= MAX_PAYLOAD)?;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&first.to_be_bytes());
    header.extend_from_slice(&count.to_be_bytes());
    header.extend_from_slice(&len.to_be_bytes());
    header.extend_from_slice(&sha256(&[payload]).0);
    header.extend_from_slice(before);
    let tag = key.tag(&header);
    header.extend_from_slice(&tag);
    let check = sha256(&[&header]).0;
    header.extend(check.iter().take(8));
    Some((header.try_into().ok()?, tag))
}

impl Chain {
    /// Holds the next frame of the journal, which is in this segment, against the one before and, by whoever has it,
    /// against the key.
    ///
    /// # Errors
    /// [`Foreign`] for a frame that the gate did not write here.
    pub(crate) fn follow(
        &mut self,
        segment: &[u8],
        frame: &Frame,
        key: Option<&MacKey>,
    ) -> Result<(), Foreign> {
        let signed = segment.get(frame.at..frame.at + SIGNED).unwrap_or_default();
        if key.is_some_and(|key| !key.made(&frame.tag, signed)) {
            return Err(Foreign::Forged);
        }
        // A segment may begin a journal anew, beside what is left of an older one.
        let begins = frame.at == 0 && frame.before == NO_TAG;
        if !begins && self.last.is_some_and(|last| last != frame.before) {
            return Err(Foreign::Elsewhere);
        }
        self.last = Some(frame.tag);
        Ok(())
    }
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
            Ok(Found { first, count, len, before, tag }) => {
                let payload = at + HEADER..at + HEADER + len;
                let end = payload.end;
                frames.push(Frame { first, count, at, payload, before, tag });
                at = end;
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

/// What the header of a whole frame says.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    first: u64,
    count: u64,
    len: usize,
    before: Tag,
    tag: Tag,
}

/// The frame at the front.
fn frame(bytes: &[u8]) -> Result<Found, Wrong> {
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
    let Some((len, fields)) = fields.split_first_chunk::<4>() else { return Err(Wrong::Header) };
    let Some((digest, fields)) = fields.split_first_chunk::<32>() else { return Err(Wrong::Header) };
    let Some((before, tag)) = fields.split_first_chunk::<32>() else { return Err(Wrong::Header) };
    let Ok(tag) = Tag::try_from(tag) else { return Err(Wrong::Header) };
    let (count, len) = (u32::from_be_bytes(*count), u32::from_be_bytes(*len) as usize);
    if len > MAX_PAYLOAD {
        return Err(Wrong::Header);
    }
    let Some(payload) = rest.get(..len) else { return Err(Wrong::Short) };
    let entries: Result<Vec<_>, _> = tile::entries(payload).collect();
    if sha256(&[payload]).0 != *digest || entries.is_ok_and(|entries| entries.len() != count as usize) {
        return Err(Wrong::Payload { end: HEADER + len });
    }
    Ok(Found { first: u64::from_be_bytes(*first), count: u64::from(count), len, before: *before, tag })
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

    fn key() -> MacKey {
        MacKey::derive(&[7; 32], PURPOSE)
    }

    fn after(before: &Tag, first: u64, leaves: &[&str]) -> (Vec<u8>, Tag) {
        let mut payload = Vec::new();
        assert!(leaves.iter().all(|leaf| push_entry(&mut payload, leaf.as_bytes())));
        let (header, tag) = header(first, leaves.len() as u32, &payload, before, &key()).unwrap();
        let mut out = header.to_vec();
        out.extend(payload);
        (out, tag)
    }

    fn framed(first: u64, leaves: &[&str]) -> Vec<u8> {
        after(&NO_TAG, first, leaves).0
    }

    /// Text that has the form of a header, checksum and all, as an agent could find it in no time.
    fn header_in_text() -> String {
        let found = (0_u64..).find_map(|n| {
            let fields = format!("PCJ2{n:0>112}");
            let check = sha256(&[fields.as_bytes()]).0;
            let check = std::str::from_utf8(&check[..8]).ok()?;
            let told = check.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !br#""\"#.contains(&byte));
            told.then(|| format!("{fields}{check}"))
        });
        found.unwrap()
    }

    fn segment() -> (Vec<u8>, usize) {
        let (mut segment, tag) = after(&NO_TAG, 5, &["one", "two"]);
        let last = segment.len();
        segment.extend(after(&tag, 7, &[&"three".repeat(300)]).0);
        (segment, last)
    }

    /// How the frames of these segments follow each other.
    fn followed(segments: &[&[u8]], key: Option<&MacKey>) -> Result<(), Foreign> {
        let mut chain = Chain::default();
        segments.iter().try_for_each(|segment| {
            scan(segment).unwrap().frames.iter().try_for_each(|frame| chain.follow(segment, frame, key))
        })
    }

    #[test]
    fn a_frame_that_someone_else_wrote_or_moved_is_foreign() {
        let (segment, last) = segment();
        let (first, second) = segment.split_at(last);
        let (key, other) = (key(), MacKey::derive(&[8; 32], PURPOSE));
        assert_eq!(followed(&[&segment], Some(&key)), Ok(()));
        // The first segments go once they are sealed; a journal may begin anew.
        assert_eq!(followed(&[second], Some(&key)), Ok(()));
        assert_eq!(followed(&[first, second], Some(&key)), Ok(()));
        assert_eq!(followed(&[second, first], Some(&key)), Ok(()));
        assert_eq!(followed(&[&segment], Some(&other)), Err(Foreign::Forged));
        let twice = [second, second].concat();
        assert_eq!(followed(&[&twice], Some(&key)), Err(Foreign::Elsewhere));
        assert_eq!(followed(&[&twice], None), Err(Foreign::Elsewhere));
        let begun_within = [first, first].concat();
        assert_eq!(followed(&[&begun_within], Some(&key)), Err(Foreign::Elsewhere));
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
    fn a_header_that_an_agent_put_into_a_leaf_does_not_make_a_torn_write_damage() {
        assert!(MAX_PAYLOAD < u32::from_be_bytes(*b"    ") as usize);
        let planted = header_in_text();
        assert_eq!(planted.len(), HEADER);
        let mut torn = framed(0, &[&format!("{}{planted}{}", "x".repeat(1000), "x".repeat(1000))]);
        torn[..SECTOR].fill(0);
        assert_eq!(scan(&torn).unwrap(), Scan { frames: vec![], torn: torn.len() });
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
