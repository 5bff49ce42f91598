//! A Bloom filter whose bits for one hash are in one word.

/// Which hashes there may be.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// A power of two.
    words: Vec<u64>,
}

impl Filter {
    /// One that `hashes` are to be put into: 16 to 32 bits for each, so that one in some fifty others passes.
    pub(super) fn for_hashes(hashes: usize) -> Self {
        Self { words: vec![0; (hashes / 4).max(64).next_power_of_two()] }
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(word) = self.words.get_mut(place) {
            *word |= bits(hash);
        }
    }

    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words.get(self.place(hash)).is_some_and(|word| word & bits == bits)
    }

    pub(super) fn memory(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
        let hash = hash as usize;
        hash & self.words.len().wrapping_sub(1)
    }
}

/// Two bits, by other bits of the hash than the place.
#[inline]
fn bits(hash: u64) -> u64 {
    (1 << (hash >> 58)) | (1 << (hash >> 52 & 63))
}
