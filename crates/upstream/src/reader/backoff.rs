//! How long to wait before trying again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::sleep;

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(30);

/// Doubles from a quarter of a second to half a minute. Waits between half and all of it, so that gates which lost the same
/// API server do not come back at once.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    pub(super) fn reset(&mut self) {
        self.0 = FIRST;
    }

    pub(super) async fn wait(&mut self) {
        // Each of these is seeded by the operating system's randomness.
        let random = RandomState::new().hash_one(());
        sleep(self.next(random)).await;
    }

    fn next(&mut self, random: u64) -> Duration {
        let (half, share) = (self.0 / 2, u32::try_from(random % 1024).unwrap_or(0));
        self.0 = (self.0 * 2).min(MOST);
        half + half * share / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute() {
        let mut backoff = Backoff::new();
        let waits: Vec<_> = (0..9).map(|_try| backoff.next(0).as_millis()).collect();
        assert_eq!(waits, [125, 250, 500, 1000, 2000, 4000, 8000, 15000, 15000]);
        assert!(backoff.next(u64::MAX) > MOST * 9 / 10 && backoff.next(u64::MAX) < MOST);
        backoff.reset();
        assert_eq!(backoff.next(512).as_micros(), 187_500);
    }
}
