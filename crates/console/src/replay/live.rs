//! A stream that goes on, for the player: what it showed so far, and then what comes (server-sent events).

use std::{convert::Infallible, time::Duration};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header;
use identity::SessionId;
use recording::asciicast::Following;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

use crate::{Console, signin::Visitor};

/// How often it is looked what has come: a recording has a segment a second.
const EVERY: Duration = Duration::from_secs(1);
/// Proxies close what is silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// Bytes of what was shown before somebody came to look: enough for a screen.
const SO_FAR: usize = 1 << 20;

/// Somebody who looks on.
struct Watching {
    console: Console,
    visitor: Visitor,
    session: SessionId,
    number: u32,
    following: Option<Following>,
    /// The last segment that was read.
    after: u64,
    /// Whether the player has its first event.
    begun: bool,
    /// Whether it was looked before.
    waits: bool,
}

#[derive(Deserialize)]
struct Header {
    width: u16,
    height: u16,
}

/// It ends with the stream, with the gate, and with the sign-in.
pub(crate) fn follow(console: Console, visitor: Visitor, session: SessionId, number: u32) -> Response {
    let following = Some(Following::new());
    let watching =
        Watching { console, visitor, session, number, following, after: 0, begun: false, waits: false };
    let events = stream::unfold(Some(watching), |watching| async {
        let mut watching = watching?;
        loop {
            watching.wait().await?;
            let lines = watching.look().await?;
            let events = watching.events(&lines);
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
    /// The lines that have come since; `None`: it cannot be read.
    async fn look(&mut self) -> Option<String> {
        let mut following = self.following.take()?;
        let (number, after) = (self.number, self.after);
        let read = self.console.read(&self.session, move |opened| {
            let (recording, last) = opened.settled()?;
            let lines = following.more(recording.stream_after(number, after));
            Some((following, lines, last))
        });
        let (following, lines, last) = read.await.ok()??;
        (self.following, self.after) = (Some(following), last);
        String::from_utf8(lines).ok()
    }

    /// Whether to go on.
    async fn wait(&mut self) -> Option<()> {
        let pause = if std::mem::replace(&mut self.waits, true) { EVERY } else { Duration::ZERO };
        tokio::select! {
            () = sleep(pause) => {}
            () = self.console.parts().stopping.cancelled() => return None,
        }
        self.console.door().is_in(&self.visitor, self.console.now()).then_some(())
    }

    /// As the player takes them: what was shown so far is there at once.
    fn events(&mut self, lines: &str) -> Vec<Event> {
        if self.begun {
            let shown = lines.lines().filter(|line| !line.contains(", \"m\", "));
            return shown.map(|line| Event::default().data(line)).collect();
        }
        let mut lines = lines.lines();
        let Some(header) = lines.next().and_then(|line| serde_json::from_str::<Header>(line).ok()) else {
            return Vec::new();
        };
        self.begun = true;
        let (mut size, mut shown, mut time) = ((header.width, header.height), String::new(), 0.0);
        for (at, kind, data) in
            lines.filter_map(|line| serde_json::from_str::<(f64, String, String)>(line).ok())
        {
            time = at;
            match kind.as_str() {
                "o" => shown.push_str(&data),
                "r" => {
                    let sides = data.split_once('x').and_then(|(w, h)| w.parse().ok().zip(h.parse().ok()));
                    size = sides.unwrap_or(size);
                }
                _ => {}
            }
        }
        let last = shown.ceil_char_boundary(shown.len().saturating_sub(SO_FAR));
        let shown = shown.get(last..).unwrap_or_default();
        let first = json!({"cols": size.0, "rows": size.1, "time": time, "init": shown});
        vec![Event::default().data(first.to_string())]
    }
}
