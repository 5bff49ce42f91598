//! Pages are told of what happens while they are open, and load what has changed.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use inbox::Waiting;
use serde::Deserialize;
use tokio::sync::watch;

use crate::{Console, signin::Visitor};

/// Proxies close what is silent for longer.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Of what a page wants to be told.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    /// One approval; without it, all of them.
    approval: Option<String>,
}

/// Steps of all approvals, or of one.
enum Steps {
    All(watch::Receiver<()>),
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

/// `GET /live`: an event `approvals` at once, since something may have happened after the page was made, and then whenever one
/// is asked for or takes a step. What happens while a page loads is one event. It ends with the gate, and with the sign-in.
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let steps = match wanted.approval {
        Some(id) => Steps::One(console.inbox().watch(&id)),
        None => Steps::All(console.inbox().changes()),
    };
    let begin = (steps, console, visitor, true);
    let events = stream::unfold(begin, |(mut steps, console, visitor, at_once)| async move {
        if !at_once {
            tokio::select! {
                next = steps.next() => next?,
                () = console.parts().stopping.cancelled() => return None,
            }
        }
        console.door().is_in(&visitor, console.now()).then_some(())?;
        Some((Ok(Event::default().event("approvals").data("changed")), (steps, console, visitor, false)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}
