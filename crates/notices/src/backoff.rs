//! How long to wait after a failure.

use std::time::Duration;

use fastrand::Rng;

/// Twice as long after each failure, up to a limit; less up to a half of it, by chance, so that those who failed together do not return
/// together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

impl Backoff {
    /// How long to wait after this many failures in a row.
    pub(crate) fn after(self, failures: u32, rng: &mut Rng) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let whole = self.first.saturating_mul(doubled).min(self.most);
        whole.mul_f64(1.0 - rng.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_its_limit_and_differs_by_chance() {
        let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };
        let mut rng = Rng::with_seed(7);
        for (failures, whole) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60), (u32::MAX, 60)] {
            let waits: Vec<_> = (0..50).map(|_| backoff.after(failures, &mut rng)).collect();
            let whole = Duration::from_secs(whole);
            assert!(waits.iter().all(|wait| (whole / 2..=whole).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
        let of = |seed| backoff.after(3, &mut Rng::with_seed(seed));
        assert_eq!(of(1), of(1));
    }
}
