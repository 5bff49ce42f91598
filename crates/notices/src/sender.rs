//! Telling what is in the outbox, one task a target.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use store::OwedNotice;
use tokio::select;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::failure::Failure;
use crate::outbox::before;
use crate::targets::Opened;
use crate::{Notice, Outbox, Targets};

/// How long a notice is tried after it was added.
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// How long a target is left alone that did not take what it was told.
const TARGET: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// How long a notice is left alone that was not taken.
const NOTICE: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(300) };

/// Tells each target what it is owed.
#[derive(Debug)]
pub struct Sender {
    outbox: Arc<Outbox>,
    targets: Targets,
    rng: Rng,
}

/// What tells one target. Notices go out in order of time. One that fails lets those behind it pass: an agent could otherwise write
/// something over which a receiver stumbles, and nobody would be told what else it does.
struct Teller {
    outbox: Arc<Outbox>,
    target: Opened,
    rng: Rng,
    /// How often in a row it did not take what it was told.
    failures: u32,
    /// The notice that it has, though that could not be kept yet.
    told: Option<i64>,
}

/// What to do next.
enum Next {
    /// Look for what else there is.
    Look,
    /// Leave the target alone until then.
    Pause(Timestamp),
    /// Wait until this is due, or something is added.
    Due(Timestamp),
    /// Wait until something is added.
    Added,
}

// === impl Sender ===

impl Sender {
    /// A sender to the targets that `outbox` was made for.
    #[must_use]
    pub fn new(outbox: Arc<Outbox>, targets: Targets) -> Self {
        Self { outbox, targets, rng: Rng::new() }
    }

    /// Waits by chance, but the same chance each time.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), ..self }
    }

    /// Tells what is owed and what is added, until `stop`. What is being told at that moment may be told again at the next start.
    pub async fn run(self, stop: CancellationToken) {
        let Self { outbox, targets: Targets(targets), mut rng } = self;
        let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
        match outbox.store.keep_notices_for(&names).await {
            Ok(0) => {}
            Ok(gone) => {
                tracing::warn!(notices = gone, "given up, since their targets are no longer configured")
            }
            Err(error) => tracing::error!(%error, "what targets that are gone are owed cannot be given up"),
        }
        let mut tasks = JoinSet::new();
        for target in targets {
            let teller = Teller { outbox: outbox.clone(), target, rng: rng.fork(), failures: 0, told: None };
            tasks.spawn(stop.clone().run_until_cancelled_owned(teller.run()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a target is told nothing until the gate is restarted");
            }
        }
    }
}

// === impl Teller ===

impl Teller {
    async fn run(mut self) {
        let mut additions = self.outbox.additions();
        let clock = self.outbox.clock.clone();
        loop {
            // Before looking, so that what is added meanwhile is looked for again.
            additions.mark_unchanged();
            let next = self.step().await.unwrap_or_else(|error| {
                tracing::error!(to = self.target.name, %error, "what a target is owed is not known");
                self.pause(None)
            });
            match next {
                Next::Look => {}
                Next::Pause(until) => {
                    while clock.now() < until {
                        clock.until(until).await;
                    }
                }
                Next::Due(at) => select! {
                    () = clock.until(at) => {}
                    _ = additions.changed() => {}
                },
                Next::Added => {
                    // The outbox lives as long as this.
                    let _open = additions.changed().await;
                }
            }
        }
    }

    /// Tells the next notice that is due, if there is one.
    async fn step(&mut self) -> Result<Next, store::Error> {
        let (outbox, target) = (self.outbox.clone(), &self.target);
        let Some(owed) = outbox.store.next_notice(&target.name).await? else { return Ok(Next::Added) };
        let now = outbox.clock.now();
        if self.told != Some(owed.number) {
            if owed.due > now {
                return Ok(Next::Due(owed.due));
            }
            let told = match serde_json::from_str::<Notice>(&owed.notice) {
                Ok(notice) => target.tell(&notice, now).await,
                Err(_) => Err(Failure::never("this release cannot read it")),
            };
            if let Err(failure) = told {
                return self.failed(&owed, failure).await;
            }
            tracing::debug!(to = target.name, notice = owed.id, "told");
        }
        self.told = Some(owed.number);
        outbox.store.notice_settled(&self.target.name, owed.number).await?;
        (self.told, self.failures) = (None, 0);
        Ok(Next::Look)
    }

    async fn failed(&mut self, owed: &OwedNotice, failure: Failure) -> Result<Next, store::Error> {
        let OwedNotice { number, id, added_at, attempts, .. } = owed;
        let (outbox, name) = (self.outbox.clone(), self.target.name.clone());
        let (why, after) = match failure {
            Failure::Never { why } => {
                tracing::error!(to = name, notice = id, why, "a notice is given up");
                outbox.store.notice_settled(&name, *number).await?;
                return Ok(self.pause(None));
            }
            Failure::Later { why, after } => (why, after),
        };
        tracing::warn!(to = name, notice = id, attempt = attempts + 1, why, "a notice is tried again later");
        let oldest = before(outbox.clock.now(), GIVE_UP_AFTER);
        if *added_at <= oldest {
            let notices = outbox.store.give_up_notices(&name, oldest).await?;
            tracing::error!(to = name, notices, "given up, since they are a day old");
        } else {
            let wait = NOTICE.after(attempts.saturating_add(1), &mut self.rng).max(after.unwrap_or_default());
            outbox.store.notice_failed(&name, *number, later(outbox.clock.now(), wait)).await?;
        }
        Ok(self.pause(after))
    }

    /// One more failure: the target is left alone.
    fn pause(&mut self, after: Option<Duration>) -> Next {
        self.failures = self.failures.saturating_add(1);
        let wait = TARGET.after(self.failures, &mut self.rng).max(after.unwrap_or_default());
        Next::Pause(later(self.outbox.clock.now(), wait))
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
