//! Inclusion and consistency proofs: making them from stored nodes (RFC 6962 sections 2.1.1 and 2.1.2) and verifying
//! them (RFC 9162 sections 2.1.3.2 and 2.1.4.2).

use super::{EMPTY, Hash, Nodes, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not in a tree of that size, or the older tree is larger than the newer.
    #[error("the proof is for a place outside the tree")]
    OutOfRange,
    /// More or fewer hashes than the two positions need.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root: the entry or the tree is not what was signed")]
    Mismatch,
}

/// The root over leaves `lo..hi`, where `lo` is aligned as a subtree of the RFC's recursion.
///
/// # Errors
/// Whatever [`Nodes::node`] answers.
pub fn subtree_root<N: Nodes>(nodes: &mut N, lo: u64, hi: u64) -> Result<Hash, N::Error> {
    let len = hi.saturating_sub(lo);
    if len == 0 {
        return Ok(EMPTY);
    }
    if len.is_power_of_two() {
        let height = len.ilog2();
        return nodes.node(height, lo >> height);
    }
    let middle = lo + split(len);
    let left = subtree_root(nodes, lo, middle)?;
    let right = subtree_root(nodes, middle, hi)?;
    Ok(node_hash(&left, &right))
}

/// The hashes that lead from leaf `index` to the root of the tree of `size` leaves, the lowest first; empty when
/// `index` is outside the tree.
///
/// # Errors
/// Whatever [`Nodes::node`] answers.
pub fn inclusion_proof<N: Nodes>(nodes: &mut N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let (mut lo, mut hi) = (0, size);
    let mut proof = Vec::new();
    while index < size && hi - lo > 1 {
        let middle = lo + split(hi - lo);
        if index < middle {
            proof.push(subtree_root(nodes, middle, hi)?);
            hi = middle;
        } else {
            proof.push(subtree_root(nodes, lo, middle)?);
            lo = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show the tree of `old` leaves to be a prefix of the tree of `new` leaves; empty when `old` is
/// zero or not smaller than `new`.
///
/// # Errors
/// Whatever [`Nodes::node`] answers.
pub fn consistency_proof<N: Nodes>(nodes: &mut N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut lo, mut hi) = (0, new);
    // INVARIANT: lo < old <= hi, and the old tree's part of lo..hi is lo..old.
    while hi != old {
        let middle = lo + split(hi - lo);
        if old <= middle {
            proof.push(subtree_root(nodes, middle, hi)?);
            hi = middle;
        } else {
            proof.push(subtree_root(nodes, lo, middle)?);
            lo = middle;
        }
    }
    if lo != 0 {
        proof.push(subtree_root(nodes, lo, hi)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Verifies that the entry with hash `leaf` is at `index` of the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] says what does not hold.
pub fn verify_inclusion(
    proof: &[Hash],
    index: u64,
    leaf: &Hash,
    size: u64,
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let up = node.trailing_zeros();
            if node & 1 == 0 {
                node = node.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Mismatch) }
}

/// Verifies that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
///
/// # Errors
/// [`ProofError`] says what does not hold.
pub fn verify_consistency(
    proof: &[Hash],
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange);
    }
    if old == 0 || old == new {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        let holds = if old == 0 { *old_root == EMPTY } else { old_root == new_root };
        return if holds { Ok(()) } else { Err(ProofError::Mismatch) };
    }
    let up = (old - 1).trailing_ones();
    let (mut node, mut last) =
        ((old - 1).checked_shr(up).unwrap_or(0), (new - 1).checked_shr(up).unwrap_or(0));
    let mut hashes = proof.iter();
    // The old tree is a perfect subtree of the new one: its root opens the path and is not sent.
    let first = if old.is_power_of_two() { *old_root } else { *hashes.next().ok_or(ProofError::Length)? };
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            if node & 1 == 0 {
                let up = node.trailing_zeros();
                node = node.checked_shr(up).unwrap_or(0);
                last = last.checked_shr(up).unwrap_or(0);
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::Mismatch) }
}

/// The largest power of two smaller than `len`, which is at least 2.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}
