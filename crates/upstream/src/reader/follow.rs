//! Following one source: list, then watch, then watch on; list again where that is not possible.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};

use super::{
    Problem, Shared,
    ask::{self, Question, What},
    backoff::Backoff,
    held::Change,
    lines::{LONGEST, Lines},
    object::{Event, Page},
};

/// Secrets a page; fewer where a page of so many is too large.
const PAGE: u32 = 500;
/// The most bytes of a page.
const PAGE_BYTES: usize = 32 << 20;
/// How long a watch lasts: until then a connection that carries nothing could be one that is dead.
const WATCH: Duration = Duration::from_secs(240);
/// Beyond that, a server that does not end it is silent.
const GRACE: Duration = Duration::from_secs(15);
/// A watch that lasted so long, or told something, was no failure.
const LASTING: Duration = Duration::from_secs(5);

/// The task that follows one source.
pub(super) struct Follower {
    shared: Arc<Shared>,
    source: usize,
    /// `None`: all namespaces.
    namespace: Option<String>,
    backoff: Backoff,
    /// So that each problem is logged when it begins, and not each time it keeps something from going on.
    told: Option<Problem>,
}

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, source: usize, namespace: Option<String>) -> Self {
        Self { shared, source, namespace, backoff: Backoff::new(), told: None }
    }

    /// Never ends.
    pub(super) async fn run(mut self) {
        loop {
            let problem = match self.list().await {
                Ok(version) => self.watch(version).await,
                Err(problem) => problem,
            };
            self.lost(problem);
            self.backoff.wait().await;
        }
    }

    // --- list ---

    /// Takes every page; the version to go on from. Where there is no room for all, what is no longer there is found out all
    /// the same, so that the next time there may be.
    async fn list(&self) -> Result<String, Problem> {
        let (mut names, mut from, mut limit) = (HashSet::new(), None, PAGE);
        let mut full = None;
        loop {
            let page = match self.page(from.as_deref(), limit).await {
                Ok(page) => page,
                Err(Problem::TooLarge { .. }) if limit > 1 => {
                    limit = (limit / 4).max(1);
                    continue;
                }
                Err(problem) => return Err(problem),
            };
            let now = Instant::now();
            let Page { secrets, next, version } = page;
            from = next;
            let last = from.is_none();
            let listed = self.shared.change(|held| {
                for (name, values) in secrets {
                    names.insert(name.clone());
                    full = held.put(self.source, name, values, now).err().or_else(|| full.take());
                }
                if names.len() > held.most_secrets() {
                    // A list that goes on and on.
                    return Err(held.full());
                }
                if last {
                    held.keep_only(self.source, &names, now);
                    if let Some(full) = full.take() {
                        return Err(full);
                    }
                }
                Ok(held.generation())
            });
            let generation = listed?;
            if last {
                self.shared.sight.send_modify(|sight| sight.listed(self.source, generation));
                self.shared.changed.notify_one();
                return Ok(version);
            }
        }
    }

    async fn page(&self, from: Option<&str>, limit: u32) -> Result<Page, Problem> {
        let question = self.question(What::List { limit, from });
        let asked = async {
            let coming = ask::ask(&self.shared.link, question).await?;
            // A single Secret is bounded by what an event may be.
            coming.whole(PAGE_BYTES.max(LONGEST)).await
        };
        let text = timeout(self.shared.patience, asked).await.map_err(|_elapsed| Problem::Silent)??;
        let shared = Arc::clone(&self.shared);
        let parsed = spawn_blocking(move || Page::parse(&text, &shared.scope)).await;
        parsed.map_err(|_ended| Problem::NotUnderstood("reading it was ended"))?
    }

    // --- watch ---

    /// Goes from one watch to the next; why that is not possible any more.
    async fn watch(&mut self, mut version: String) -> Problem {
        loop {
            let (before, begun) = (version.clone(), Instant::now());
            let ended = self.watch_once(&mut version).await;
            if version != before || begun.elapsed() > LASTING {
                self.backoff.reset();
            }
            match ended {
                Ok(()) if version != before || begun.elapsed() > LASTING => self.lost_sight(None),
                Ok(()) => {
                    self.lost(Problem::Ended);
                    self.backoff.wait().await;
                }
                Err(problem) if problem.is_passing() => {
                    self.lost(problem);
                    self.backoff.wait().await;
                }
                Err(problem) => return problem,
            }
        }
    }

    async fn watch_once(&mut self, version: &mut String) -> Result<(), Problem> {
        let begun = Instant::now();
        let mut coming = {
            let question = self.question(What::Watch { version, seconds: WATCH.as_secs() });
            let asked = ask::ask(&self.shared.link, question);
            timeout(self.shared.patience, asked).await.map_err(|_elapsed| Problem::Silent)??
        };
        self.found();
        let end = begun + WATCH + GRACE;
        let mut lines = Lines::default();
        loop {
            let piece = timeout_at(end, coming.next()).await.map_err(|_elapsed| Problem::Silent)??;
            let Some(piece) = piece else { return Ok(()) };
            lines.push(&piece, |line| self.take(line, version))?;
        }
    }

    fn take(&self, line: &[u8], version: &mut String) -> Result<(), Problem> {
        let (event, newer) = Event::parse(line, &self.shared.scope)?;
        let now = Instant::now();
        let change = self.shared.change(|held| match event {
            // Where there is no room, that is told; what there was stays known.
            Event::Put(name, values) => held.put(self.source, name, values, now),
            Event::Gone(name) => match held.remove(self.source, &name, now) {
                // Its time runs from now on.
                Change::Nothing => Ok(Change::Known),
                change => Ok(change),
            },
            Event::Nothing => Ok(Change::Nothing),
        })?;
        *version = newer;
        self.shared.sight.send_if_modified(|sight| {
            sight.heard(self.source);
            // When it was last heard is read, and never waited for.
            false
        });
        if change != Change::Nothing {
            self.shared.changed.notify_one();
        }
        if change == Change::Room { Err(Problem::Room) } else { Ok(()) }
    }

    // --- telling ---

    fn question<'a>(&'a self, what: What<'a>) -> Question<'a> {
        Question { namespace: self.namespace.as_deref(), selector: &self.shared.selector, what }
    }

    fn found(&mut self) {
        self.shared.sight.send_modify(|sight| sight.follows(self.source));
        if self.told.take().is_some() {
            tracing::info!(cluster = self.shared.cluster, "its Secrets are followed again");
        }
    }

    fn lost(&mut self, problem: Problem) {
        // That a version is gone is usual where a cluster changes much, and put right at once.
        if self.told.as_ref() != Some(&problem) && !matches!(problem, Problem::Expired | Problem::Room) {
            let namespace = self.namespace.as_deref().unwrap_or("*");
            let cluster = &self.shared.cluster;
            tracing::warn!(cluster, namespace, %problem, "its Secrets are not followed; known values stay masked");
            self.told = Some(problem.clone());
        }
        self.lost_sight(Some(problem));
    }

    fn lost_sight(&self, problem: Option<Problem>) {
        self.shared.sight.send_modify(|sight| sight.lost(self.source, problem));
    }
}
