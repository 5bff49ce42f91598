//! How long a stream lasts at most, by the rules that permit it.

use std::future::pending;

use parking_lot::Mutex;
use policy::Limits;
use tokio::time::{Instant, sleep_until};

use crate::outcome::Ending;

/// When something that goes on must end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    limits: Limits,
    opened: Instant,
    /// When something passed last.
    active: Instant,
}

/// The same of a stream whose parts are passed in several places.
#[derive(Debug)]
pub(crate) struct Lasting(Mutex<Clock>);

impl Clock {
    pub(crate) fn new(limits: Limits) -> Self {
        let now = Instant::now();
        Self { limits, opened: now, active: now }
    }

    /// Something passes.
    pub(crate) fn passes(&mut self) {
        self.active = Instant::now();
    }

    /// When it ends if nothing passes any more, and by what. `None`: nothing limits it.
    pub(crate) fn end(&self) -> Option<(Instant, Ending)> {
        let Limits { idle, longest } = self.limits;
        let idle = idle.map(|span| (self.active + span, Ending::Idle(span)));
        let longest = longest.map(|span| (self.opened + span, Ending::TooLong(span)));
        longest.into_iter().chain(idle).min_by_key(|(when, _)| *when)
    }
}

impl Lasting {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Mutex::new(Clock::new(limits)))
    }

    pub(crate) fn passes(&self) {
        self.0.lock().passes();
    }

    /// Resolves when it has lasted long enough.
    pub(crate) async fn over(&self) -> Ending {
        loop {
            let end = self.0.lock().end();
            let Some((when, ending)) = end else { return pending().await };
            // It is later by now if something has passed.
            if when <= Instant::now() {
                return ending;
            }
            sleep_until(when).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How a stream ends on which something passes every `between`, and after how many seconds.
    async fn ended(idle: Option<u64>, longest: Option<u64>, between: Option<u64>) -> (Ending, u64) {
        let begun = Instant::now();
        let limits =
            Limits { idle: idle.map(Duration::from_secs), longest: longest.map(Duration::from_secs) };
        let lasting = Arc::new(Lasting::new(limits));
        let passing = async {
            let Some(between) = between else { return pending().await };
            loop {
                tokio::time::sleep(Duration::from_secs(between)).await;
                lasting.passes();
            }
        };
        let ending = tokio::select! {
            biased;
            () = passing => unreachable!("it goes on"),
            ending = lasting.over() => ending,
        };
        (ending, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_what_comes_first() {
        let (idle, longest) = (Ending::Idle(10 * SECOND), Ending::TooLong(60 * SECOND));
        for (limits, between, end) in [
            ((Some(10), None), None, (idle, 10)),
            ((Some(10), Some(60)), None, (idle, 10)),
            ((Some(10), Some(60)), Some(20), (idle, 10)),
            ((Some(10), Some(60)), Some(9), (longest, 60)),
            ((None, Some(60)), None, (longest, 60)),
            ((None, Some(60)), Some(1), (longest, 60)),
        ] {
            assert_eq!(ended(limits.0, limits.1, between).await, end, "{limits:?} {between:?}");
        }
    }

    /// What passes counts from then on, to the moment.
    #[tokio::test(start_paused = true)]
    async fn what_passes_puts_the_end_off() {
        let mut clock = Clock::new(Limits { idle: Some(10 * SECOND), longest: Some(60 * SECOND) });
        let opened = Instant::now();
        tokio::time::advance(9 * SECOND).await;
        assert_eq!(clock.end(), Some((opened + 10 * SECOND, Ending::Idle(10 * SECOND))));
        clock.passes();
        assert_eq!(clock.end(), Some((opened + 19 * SECOND, Ending::Idle(10 * SECOND))));
        tokio::time::advance(46 * SECOND).await;
        clock.passes();
        assert_eq!(clock.end(), Some((opened + 60 * SECOND, Ending::TooLong(60 * SECOND))));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_it_goes_on() {
        let lasting = Lasting::new(Limits::default());
        let year = Duration::from_secs(365 * 24 * 3600);
        assert!(tokio::time::timeout(year, lasting.over()).await.is_err());
    }
}
