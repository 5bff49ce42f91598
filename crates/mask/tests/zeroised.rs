//! Values of Secrets that are known no longer are in no memory of the process: all of it is looked through.
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

/// `canary-kT8vQz3mWx5nR2pLb7yJ`, each byte combined with [`KEY`].
fn hidden() -> Vec<u8> {
    const TEXT: [u8; 27] = hide(*b"canary-kT8vQz3mWx5nR2pLb7yJ");
    TEXT.to_vec()
}

const fn hide(mut text: [u8; 27]) -> [u8; 27] {
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

/// How often the text is in memory that can be written to.
fn occurrences(hidden: &[u8]) -> usize {
    const PIECE: usize = 1 << 16;
    let memory = File::open("/proc/self/mem").unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut piece = vec![0; PIECE];
    let mut found = 0;
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
            let Ok(read) = memory.read_at(&mut black_box(&mut piece)[..length], at) else { continue };
            let rest_is_hidden = |at: usize| {
                let text = piece[at..read].iter().take(hidden.len());
                text.len() == hidden.len() && text.zip(hidden).all(|(one, other)| one ^ KEY == *other)
            };
            let is_here = memchr::memchr_iter(hidden[0] ^ KEY, &piece[..read]).any(rest_is_hidden);
            found += usize::from(is_here);
        }
    }
    piece.fill(0);
    black_box(&piece);
    found
}

#[test]
fn what_is_known_no_longer_is_in_no_memory() {
    let raw = hidden();
    let base64 = {
        let text = Zeroizing::new(shown(&raw));
        let encoded = Zeroizing::new(STANDARD.encode(&*text));
        encoded.bytes().map(|byte| byte ^ KEY).collect::<Vec<_>>()
    };
    assert_eq!((occurrences(&raw), occurrences(&base64)), (0, 0));
    let known = KnownValues::none();
    for round in 0..3 {
        // Beside others: of a few that are gone, some may be looked for until later.
        let number = |n: u64| (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let other = |n| SecretValue::new(format!("kX4-{:016x}", number(n)).into_bytes());
        let others = (0..300 * (round + 1)).map(other);
        let updated = known.update(others.chain([SecretValue::new(shown(&raw))]));
        assert!(updated.known > 256 && updated.left_out == 0);
        assert!(occurrences(&raw) > 0 && occurrences(&base64) > 0, "the search finds nothing");
        let _none = known.update(std::iter::empty());
        assert_eq!((occurrences(&raw), occurrences(&base64)), (0, 0), "round {round}");
    }
    assert_eq!(known.update([SecretValue::new(shown(&raw))]).known, 1);
    assert!(occurrences(&raw) > 0);
    drop(known);
    assert_eq!((occurrences(&raw), occurrences(&base64)), (0, 0));
}
