//! What is decoded beside SPDY's frames: what is said is heard, and nothing that comes does harm.
//!
//! `PORTCULLIS_CASES` and `PORTCULLIS_SEED` choose how many cases and which; `cargo xtask fuzz` sets them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

mod ends;
mod exits;
mod messages;
mod negotiation;
#[path = "../spdy/rng.rs"]
mod rng;

use bytes::Bytes;
use rng::Rng;

/// Bytes that may mean something: some of `known`, cut and changed, and some that are made up.
fn damaged(rng: &mut Rng, known: &[u8]) -> Vec<u8> {
    let mut bytes = known.to_vec();
    for _ in 0..rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.byte()),
            2 => bytes.extend_from_within(at..),
            3 => {
                bytes.drain(..at);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.byte();
                }
            }
        }
    }
    bytes
}

fn some_bytes(rng: &mut Rng, most: usize) -> Bytes {
    (0..rng.below(most)).map(|_| rng.byte()).collect()
}

/// These bytes in pieces of any length.
fn pieces<'b>(rng: &mut Rng, mut bytes: &'b [u8]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(1 + rng.below(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
