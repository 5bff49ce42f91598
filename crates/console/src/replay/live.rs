//! A stream that goes on, for the player: what it showed so far, and then what comes (server-sent events).

use std::{convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header;
use identity::SessionId;
use recording::asciicast::{Following, News};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{Console, signin::Visitor};

/// How often it is looked what has come: a recording has a segment a second.
pub(crate) const EVERY: Duration = Duration::from_secs(1);
/// Proxies close what is silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// After that it is looked though the ledger has nothing new: a recording may have been erased.
const AT_LEAST: Duration = Duration::from_secs(20);

/// Somebody who looks on.
struct Watching {
    console: Console,
    visitor: Visitor,
    session: SessionId,
    following: Option<Following>,
    /// The last segment that the ledger had when all of it was read, and when that was.
    read: Option<(u64, Instant)>,
    /// Whether the player has its first event.
    begun: bool,
    /// Whether all was read when it was last looked.
    waits: bool,
}

/// It ends with the stream, with the gate, and with the sign-in.
pub(crate) fn follow(console: Console, visitor: Visitor, session: SessionId, number: u32) -> Response {
    let following = Some(Following::new(number));
    let watching = Watching { console, visitor, session, following, read: None, begun: false, waits: false };
    let events = stream::unfold(Some(watching), |watching| async {
        let mut watching = watching?;
        loop {
            watching.wait().await?;
            let Some(news) = watching.look().await? else { continue };
            let events = watching.events(news);
            let ended = watching.following.as_ref().is_none_or(Following::has_ended);
            if ended {
                let done = Event::default().event("done").data("ended");
                let events: Vec<_> = events.into_iter().chain([done]).map(Ok::<_, Infallible>).collect();
                return Some((stream::iter(events), None));
            }
            if !events.is_empty() {
                let events: Vec<_> = events.into_iter().map(Ok).collect();
                return Some((stream::iter(events), Some(watching)));
            }
        }
    });
    let events = futures_util::StreamExt::flatten(events);
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    ([(header::CACHE_CONTROL, "no-store")], sse).into_response()
}

impl Watching {
    /// What has come since, if that is all; `None`: it cannot be read.
    async fn look(&mut self) -> Option<Option<News>> {
        if self.is_at_the_end().await {
            return Some(None);
        }
        let mut following = self.following.take()?;
        let read = self.console.read(&self.session, move |opened| {
            let (recording, last) = opened.settled()?;
            // What is not in the ledger yet is looked at once it is.
            let news = following.look(&recording.up_to(last));
            Some((following, news, last))
        });
        let (following, news, last) = read.await.ok()??;
        self.following = Some(following);
        self.waits = news.is_some();
        self.read = self.waits.then(|| (last, Instant::now()));
        Some(news)
    }

    /// Whether the ledger has no more than was read a moment ago.
    async fn is_at_the_end(&self) -> bool {
        let Some((last, _)) = self.read.filter(|(_, at)| at.elapsed() < AT_LEAST) else { return false };
        let known = self.console.chronicle().last_segment_of(self.session.as_str()).await;
        known.is_ok_and(|known| known == last)
    }

    /// Whether to go on.
    async fn wait(&self) -> Option<()> {
        let pause = if self.waits { self.console.replay().every } else { Duration::ZERO };
        tokio::select! {
            biased;
            () = self.console.parts().stopping.cancelled() => return None,
            () = sleep(pause) => {}
        }
        self.console.door().is_in(&self.visitor, self.console.now()).then_some(())
    }

    /// As the player takes them: what was shown so far is there at once. So is what follows on what was left out.
    fn events(&mut self, news: News) -> Vec<Event> {
        let (Some(size), Ok(lines)) = (self.size(), String::from_utf8(news.lines)) else { return Vec::new() };
        if self.begun && !news.cut {
            let shown = lines.lines().filter(|line| !line.contains(", \"m\", "));
            return shown.map(|line| Event::default().data(line)).collect();
        }
        self.begun = true;
        let (mut shown, mut time) = (String::new(), 0.0);
        for line in lines.lines() {
            // The header is no event.
            let Ok((at, kind, data)) = serde_json::from_str::<(f64, &str, String)>(line) else { continue };
            time = at;
            if kind == "o" {
                shown.push_str(&data);
            }
        }
        let first = json!({"cols": size.0, "rows": size.1, "time": time, "init": shown});
        vec![Event::default().data(first.to_string())]
    }

    fn size(&self) -> Option<(u16, u16)> {
        self.following.as_ref()?.size()
    }
}
