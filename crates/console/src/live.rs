//! Pages are told of what happens while they are open, and load what has changed.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use http::header;
use inbox::Waiting;
use serde::Deserialize;
use tokio::{sync::watch, time::sleep};

use crate::{Console, signin::Visitor};

/// Proxies close what is silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Of what a page wants to be told.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// One approval; without it, all of them.
    approval: Option<String>,
    /// What the page shows: how many steps of the one, or changes of all, it has seen.
    #[serde(default)]
    seen: u64,
}

/// Steps of all approvals, or of one.
enum Steps {
    All(watch::Receiver<u64>),
    One(Waiting),
}

impl Steps {
    async fn next(&mut self) -> Option<()> {
        match self {
            Self::All(changes) => changes.changed().await.ok(),
            Self::One(waiting) => {
                waiting.step().await;
                Some(())
            }
        }
    }
}

/// `GET /live`: an event `approvals` whenever one is asked for or takes a step, and at once if the page has not seen the last.
/// What happens while a page loads is one event. It ends with the gate, and with the sign-in.
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(Wanted { approval, seen }): Query<Wanted>,
) -> impl IntoResponse {
    // What is listened for comes before what is looked at: nothing falls in between.
    let (steps, now) = match approval {
        Some(id) => {
            let steps = Steps::One(console.inbox().watch(&id));
            let found = console.inbox().get(&id).await;
            (steps, found.map_or(0, |stored| stored.approval.steps().into()))
        }
        None => {
            let mut changes = console.inbox().changes();
            let now = *changes.borrow_and_update();
            (Steps::All(changes), now)
        }
    };
    let begin = (steps, console, visitor, now != seen);
    let events = stream::unfold(begin, |(mut steps, console, visitor, at_once)| async move {
        let mut told = at_once;
        while !told {
            tokio::select! {
                next = steps.next() => { next?; told = true; }
                // Whoever is signed out meanwhile is not kept.
                () = sleep(HEARTBEAT) => {}
                () = console.parts().stopping.cancelled() => return None,
            }
            console.door().is_in(&visitor, console.now()).then_some(())?;
        }
        let event = Event::default().event("approvals").data("changed");
        Some((Ok::<_, Infallible>(event), (steps, console, visitor, false)))
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Event streams would say `no-cache`, by which they can be kept.
    ([(header::CACHE_CONTROL, "no-store")], sse)
}
