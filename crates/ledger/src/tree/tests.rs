//! The tree against RFC 6962's own recursion and known answers, and its proofs against themselves and mutations.

use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

/// The tree held whole, as RFC 6962 section 2.1 writes it down.
struct Whole(Vec<Hash>);

impl Nodes for Whole {
    type Error = Infallible;
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Infallible> {
        let (lo, hi) = ((index << height) as usize, ((index + 1) << height) as usize);
        Ok(mth(&self.0[lo..hi]))
    }
}

fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY,
        [one] => *one,
        more => {
            let k = more.len().next_power_of_two() / 2;
            node_hash(&mth(&more[..k]), &mth(&more[k..]))
        }
    }
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn hex(hash: &Hash) -> String {
    hash.0.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn known_answers_of_the_certificate_transparency_test_tree() {
    // The reference inputs and roots of certificate-transparency's merkle_tree_test.
    let inputs: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let hashes: Vec<Hash> = inputs.iter().map(|input| leaf_hash(input)).collect();
    assert_eq!(fold(&[]), EMPTY);
    for (n, want) in (1..).zip(roots) {
        assert_eq!(hex(&subtree_root(&mut Whole(hashes.clone()), 0, n).unwrap()), want, "size {n}");
        assert_eq!(hex(&fold(&perfect_subtrees(&hashes[..n as usize]))), want, "size {n}, from subtrees");
    }
}

#[test]
fn every_inclusion_and_consistency_proof_of_small_trees_verifies() {
    for size in 1..=70 {
        let mut tree = Whole(leaves(size));
        let root = mth(&tree.0);
        for index in 0..size {
            let proof = inclusion_proof(&mut tree, index, size).unwrap();
            let leaf = tree.0[index as usize];
            assert_eq!(verify_inclusion(&proof, index, &leaf, size, &root), Ok(()), "{index} in {size}");
        }
        for old in 0..=size {
            let proof = consistency_proof(&mut tree, old, size).unwrap();
            let old_root = mth(&tree.0[..old as usize]);
            assert_eq!(verify_consistency(&proof, old, &old_root, size, &root), Ok(()), "{old} to {size}");
        }
    }
}

proptest! {
    #[test]
    fn a_changed_inclusion_proof_does_not_verify(
        size in 1_u64..2000, index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        byte in 0_usize..32, bit in 0_u32..8, kind in 0..5,
    ) {
        let mut tree = Whole(leaves(size));
        let root = mth(&tree.0);
        let mut index = index.index(size as usize) as u64;
        let mut leaf = tree.0[index as usize];
        let mut proof = inclusion_proof(&mut tree, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&proof, index, &leaf, size, &root), Ok(()));
        match kind {
            0 if !proof.is_empty() => { let at = at.index(proof.len()); proof[at].0[byte] ^= 1 << bit; }
            1 if !proof.is_empty() => { proof.remove(at.index(proof.len())); }
            2 => proof.insert(at.index(proof.len() + 1), leaf),
            3 if size > 1 => index = (index + 1) % size,
            _ => leaf.0[byte] ^= 1 << bit,
        }
        prop_assert!(verify_inclusion(&proof, index, &leaf, size, &root).is_err());
    }

    #[test]
    fn a_changed_consistency_proof_does_not_verify(
        new in 2_u64..2000, old in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        byte in 0_usize..32, bit in 0_u32..8, kind in 0..4,
    ) {
        let mut tree = Whole(leaves(new));
        let old = 1 + old.index(new as usize - 1) as u64;
        let (mut old_root, new_root) = (mth(&tree.0[..old as usize]), mth(&tree.0));
        let mut proof = consistency_proof(&mut tree, old, new).unwrap();
        prop_assert_eq!(verify_consistency(&proof, old, &old_root, new, &new_root), Ok(()));
        match kind {
            0 => { let at = at.index(proof.len()); proof[at].0[byte] ^= 1 << bit; }
            1 => { proof.remove(at.index(proof.len())); }
            2 => proof.insert(at.index(proof.len() + 1), new_root),
            _ => old_root.0[byte] ^= 1 << bit,
        }
        prop_assert!(verify_consistency(&proof, old, &old_root, new, &new_root).is_err());
    }
}

#[test]
fn proofs_outside_the_tree_are_refused() {
    assert_eq!(verify_inclusion(&[], 1, &EMPTY, 1, &EMPTY), Err(ProofError::OutOfRange));
    assert_eq!(verify_inclusion(&[], 0, &EMPTY, 0, &EMPTY), Err(ProofError::OutOfRange));
    assert_eq!(verify_consistency(&[], 2, &EMPTY, 1, &EMPTY), Err(ProofError::OutOfRange));
    assert_eq!(verify_inclusion(&vec![EMPTY; 200], 0, &EMPTY, u64::MAX, &EMPTY), Err(ProofError::Length));
}
