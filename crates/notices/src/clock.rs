use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

/// The most that [`SystemClock`] sleeps at a time, so that a wall clock which is put right is soon looked at again.
const NAP: Duration = Duration::from_secs(60);

/// What time it is, and waiting; tests bring their own.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time, UTC.
    fn now(&self) -> Timestamp;

    /// Waits until then, or a shorter time: whoever waits looks at the clock again.
    fn until(&self, then: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn until(&self, then: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let left = Duration::try_from(then.duration_since(self.now())).unwrap_or(Duration::ZERO);
        Box::pin(tokio::time::sleep(left.min(NAP)))
    }
}
