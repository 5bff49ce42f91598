//! The Merkle tree of RFC 6962 section 2.1: hashes, proofs and their verification. No I/O.
//!
//! A tree over `n` leaves is never held whole. Whatever stores it answers for *nodes*: the root of the perfect
//! subtree of a given height, aligned to its own size ([`Nodes`]). Roots and proofs are computed from those.

mod proof;

pub use proof::{
    ProofError, consistency_proof, inclusion_proof, subtree_root, verify_consistency, verify_inclusion,
};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;

/// A node of the tree: a SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1).
pub const EMPTY: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Answers for the nodes of a stored tree.
pub trait Nodes {
    /// Why a node could not be had.
    type Error;
    /// The root of the perfect subtree over leaves `index << height .. (index + 1) << height`.
    ///
    /// # Errors
    /// When the node cannot be read; only nodes wholly inside the tree are asked for.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The hash of a leaf: SHA-256 of `0x00` and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of an inner node: SHA-256 of `0x01`, the left and the right child.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left.0, &right.0])
}

/// SHA-256 over the parts, one after another.
pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Hash(out)
}

/// The root over perfect subtrees in order from the left, the tallest first; [`EMPTY`] for none.
#[must_use]
pub fn fold(subtrees: &[Hash]) -> Hash {
    let mut from_right = subtrees.iter().rev();
    let Some(last) = from_right.next() else { return EMPTY };
    from_right.fold(*last, |right, left| node_hash(left, &right))
}

/// Reduces a run of at most 255 sibling hashes to the perfect subtrees it holds, the tallest first.
pub(crate) fn perfect_subtrees(run: &[Hash]) -> Vec<Hash> {
    let (mut rest, mut out) = (run, Vec::new());
    while !rest.is_empty() {
        let tallest = 1_usize << rest.len().ilog2();
        let (perfect, after) = rest.split_at(tallest);
        out.push(perfect_root(perfect));
        rest = after;
    }
    out
}

/// The root over a power of two of hashes.
pub(crate) fn perfect_root(run: &[Hash]) -> Hash {
    let mut level = run.to_vec();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                _ => pair.first().copied().unwrap_or(EMPTY),
            })
            .collect();
    }
    level.first().copied().unwrap_or(EMPTY)
}

// === impl Hash ===

impl Hash {
    /// Reads the 44 characters of standard base64; `None` for anything else.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[cfg(test)]
mod tests;
