//! Values of Secrets are in no memory that the process writes to once they are known no longer, or who knows them is gone: all
//! of that memory is looked through. Of a few that are gone, some are known until all are indexed anew.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mask::{KnownValues, SecretValue};
use zeroize::Zeroizing;

/// What is looked for is nowhere as it is, or it would find itself.
const KEY: u8 = 0xA5;

/// Each byte combined with [`KEY`].
const HIDDEN: [u8; 27] = hide(*b"canary-kT8vQz3mWx5nR2pLb7yJ");

const fn hide<const LENGTH: usize>(mut text: [u8; LENGTH]) -> [u8; LENGTH] {
    let mut at = 0;
    while at < text.len() {
        text[at] ^= KEY;
        at += 1;
    }
    text
}

fn shown(hidden: &[u8]) -> Vec<u8> {
    let key = black_box(KEY);
    hidden.iter().map(|byte| byte ^ key).collect()
}

/// Whether the text is in memory that can be written to.
fn is_in_memory(hidden: &[u8]) -> bool {
    const PIECE: usize = 1 << 16;
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut piece = vec![0; PIECE];
    let mut found = false;
    for region in
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw")))
    {
        let (from, to) = region.split_once(' ').unwrap().0.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        // What begins in one piece and ends in the next is in the one that begins between them.
        for at in (from..to).step_by(PIECE / 2) {
            // What was read before must not be found in the buffer itself.
            piece.fill(0);
            let length = usize::try_from(to - at).unwrap().min(PIECE);
            let read = memory.read_at(&mut black_box(&mut piece)[..length], at).unwrap();
            let rest_is_hidden = |at: usize| {
                let text = piece[at..read].iter().take(hidden.len());
                text.len() == hidden.len() && text.zip(hidden).all(|(one, other)| one ^ KEY == *other)
            };
            found |= memchr::memchr_iter(hidden[0] ^ KEY, &piece[..read]).any(rest_is_hidden);
        }
    }
    piece.fill(0);
    black_box(&piece);
    found
}

#[test]
fn what_is_known_no_longer_is_in_no_memory() {
    let base64 = {
        let text = Zeroizing::new(shown(&HIDDEN));
        let encoded = Zeroizing::new(STANDARD.encode(&*text));
        encoded.bytes().map(|byte| byte ^ KEY).collect::<Vec<_>>()
    };
    let is_known = || [is_in_memory(&HIDDEN), is_in_memory(&base64)];
    assert_eq!(is_known(), [false, false]);
    let known = KnownValues::none();
    for round in 0..3 {
        // Beside so many others that they are not kept when they are gone.
        let number = |n: u64| (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let other = |n| SecretValue::new(format!("kX4-{:016x}", number(n)).into_bytes());
        let others = (0..300 * (round + 1)).map(other);
        let updated = known.update(others.chain([SecretValue::new(shown(&HIDDEN))]));
        assert!(updated.known > 256 && updated.left_out == 0);
        assert_eq!(is_known(), [true, true], "the search finds nothing");
        let _none = known.update(std::iter::empty());
        assert_eq!(is_known(), [false, false], "round {round}");
    }
    assert_eq!(known.update([SecretValue::new(shown(&HIDDEN))]).known, 1);
    assert_eq!(is_known(), [true, true]);
    drop(known);
    assert_eq!(is_known(), [false, false]);
}
