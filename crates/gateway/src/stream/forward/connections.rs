//! The connections of a port-forward that there are.

use std::collections::BTreeMap;

use ledger::leaf::Id;
use mask::KnownValues;
use parking_lot::Mutex;
use streaming::port_forward::{ConnectionId, MAX_CONNECTIONS};
use tokio::{sync::Notify, time::Instant};

use super::fingerprint::Fingerprint;
use crate::{lasting::Clock, outcome::Ending, tripwire::Overlap};

/// What the pod's side told of a connection that did not go well.
const FAILED: Ending = Ending::Failed("the connection could not be opened, or broke");

/// By their numbers.
#[derive(Default)]
pub(super) struct Connections {
    /// Never locked while something is waited for.
    all: Mutex<BTreeMap<ConnectionId, State>>,
    /// Told after something was changed there.
    changed: Notify,
}

enum State {
    /// It is being judged.
    Judged,
    /// Its client gave it up meanwhile.
    GivenUp,
    /// Its intent is in the ledger, which is owed an outcome.
    Open(Box<Connection>),
}

/// One that was permitted.
pub(super) struct Connection {
    pub(super) id: Id,
    pub(super) started: Instant,
    /// When it must end.
    pub(super) clock: Clock,
    pub(super) tape: recording::Stream,
    pub(super) carries: Fingerprint,
    /// Of what the agent sent last: a known value may come in pieces.
    overlap: Overlap,
    /// Bytes that the agent sent.
    pub(super) received: u64,
    /// Bytes that the agent was sent.
    pub(super) shown: u64,
    pub(super) masked: u64,
    /// Something may be said on it.
    pub(super) accepted: bool,
    /// The pod's side was asked for it.
    pub(super) sent: bool,
    /// The client wanted no more of it before it had ended.
    given_up: bool,
    /// Nothing more comes from the port.
    pub(super) finished: bool,
    /// How it went, once that was told; empty if well.
    pub(super) told: Option<String>,
}

impl Connections {
    /// One is asked for.
    pub(super) fn asked(&self, connection: ConnectionId) {
        self.all.lock().insert(connection, State::Judged);
    }

    /// Whether there are more than there may be. The client's side does not count those that it gave up.
    pub(super) fn are_too_many(&self) -> bool {
        self.all.lock().len() > MAX_CONNECTIONS
    }

    /// It is none: it was refused.
    pub(super) fn forget(&self, connection: ConnectionId) {
        self.all.lock().remove(&connection);
        self.changed.notify_waiters();
    }

    /// Waits until it is known whether something can be said on it: until it is accepted, or is not there any more.
    pub(super) async fn settled(&self, connection: ConnectionId) {
        loop {
            // From here on, no change is missed.
            let changed = self.changed.notified();
            match self.all.lock().get(&connection) {
                Some(State::Judged) => {}
                Some(State::Open(open)) if !open.accepted && !open.finished && open.told.is_none() => {}
                Some(State::Open(_) | State::GivenUp) | None => return,
            }
            changed.await;
        }
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.all.lock().is_empty()
    }

    /// It was permitted, and is owed an outcome.
    ///
    /// # Errors
    /// Its client gave it up meanwhile.
    pub(super) fn opened(&self, number: ConnectionId, connection: Connection) -> Result<(), Box<Connection>> {
        let (mut all, mut connection) = (self.all.lock(), Box::new(connection));
        if let Some(State::GivenUp) = all.get(&number) {
            all.remove(&number);
            connection.given_up = true;
            return Err(connection);
        }
        all.insert(number, State::Open(connection));
        Ok(())
    }

    /// Its client wants it no more: it is taken out, if it was open.
    pub(super) fn given_up(&self, connection: ConnectionId) -> Option<Box<Connection>> {
        let mut all = self.all.lock();
        let state = all.remove(&connection)?;
        self.changed.notify_waiters();
        match state {
            State::Open(mut open) => {
                // kubectl resets what has come to its end, too.
                open.given_up = !open.finished && open.told.is_none();
                Some(open)
            }
            State::Judged | State::GivenUp => {
                all.insert(connection, State::GivenUp);
                None
            }
        }
    }

    /// Something happened on one that is open. Whether it is.
    pub(super) fn on(&self, connection: ConnectionId, happened: impl FnOnce(&mut Connection)) -> bool {
        match self.all.lock().get_mut(&connection) {
            Some(State::Open(open)) => {
                happened(open);
                self.changed.notify_waiters();
                true
            }
            Some(State::Judged | State::GivenUp) | None => false,
        }
    }

    /// The same of what may end it: it is taken out if it is over by that.
    pub(super) fn over(
        &self,
        connection: ConnectionId,
        happened: impl FnOnce(&mut Connection),
    ) -> Option<Box<Connection>> {
        let mut is_over = false;
        self.on(connection, |open| {
            happened(open);
            is_over = open.finished && open.told.is_some();
        });
        if !is_over {
            return None;
        }
        match self.all.lock().remove(&connection) {
            Some(State::Open(over)) => Some(over),
            Some(State::Judged | State::GivenUp) | None => None,
        }
    }

    /// What is to be held against known values with the next piece that the agent sends on it; empty if it is not open.
    pub(super) fn take_overlap(&self, connection: ConnectionId) -> Overlap {
        let mut overlap = Overlap::default();
        self.on(connection, |open| overlap = std::mem::take(&mut open.overlap));
        overlap
    }

    /// The agent sends so many bytes more on it, which leave this overlap. Whether it is open.
    pub(super) fn receives(
        &self,
        connection: ConnectionId,
        overlap: Overlap,
        bytes: &[u8],
        known: &KnownValues,
    ) -> bool {
        self.on(connection, |open| {
            open.clock.passes();
            open.overlap = overlap;
            open.received += bytes.len() as u64;
            open.carries.push(bytes, known);
        })
    }

    /// When the first of those that are open must end, unless something passes on it.
    pub(super) fn first_end(&self) -> Option<Instant> {
        self.all.lock().values().filter_map(State::end).map(|(when, _)| when).min()
    }

    /// Takes out one that must end by now.
    pub(super) fn take_ended(&self) -> Option<(ConnectionId, Box<Connection>, Ending)> {
        let now = Instant::now();
        let mut all = self.all.lock();
        let mut ends = all.iter().filter_map(|(number, state)| Some((*number, state.end()?)));
        let (number, (_, ending)) = ends.find(|(_, (when, _))| *when <= now)?;
        self.changed.notify_waiters();
        match all.remove(&number) {
            Some(State::Open(open)) => Some((number, open, ending)),
            Some(State::Judged | State::GivenUp) | None => None,
        }
    }

    /// Those that are left.
    pub(super) fn take(&self) -> Vec<(ConnectionId, Option<Box<Connection>>)> {
        let all = std::mem::take(&mut *self.all.lock());
        let open = |state| match state {
            State::Open(open) => Some(open),
            State::Judged | State::GivenUp => None,
        };
        all.into_iter().map(|(number, state)| (number, open(state))).collect()
    }
}

impl State {
    fn end(&self) -> Option<(Instant, Ending)> {
        match self {
            Self::Open(open) => open.clock.end(),
            Self::Judged | Self::GivenUp => None,
        }
    }
}

impl Connection {
    pub(super) fn new(id: Id, started: Instant, clock: Clock, tape: recording::Stream) -> Self {
        Self {
            id,
            started,
            clock,
            tape,
            carries: Fingerprint::default(),
            overlap: Overlap::default(),
            received: 0,
            shown: 0,
            masked: 0,
            accepted: false,
            sent: false,
            given_up: false,
            finished: false,
            told: None,
        }
    }

    /// How it ended, if nothing else ended it.
    pub(super) fn ending(&self) -> Ending {
        match &self.told {
            Some(told) if !told.is_empty() => FAILED,
            _ if self.given_up => Ending::ClientLeft,
            Some(_) | None => Ending::Completed,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use streaming::{
        Endpoint,
        port_forward::{FromClient, Ports, Server},
    };

    use super::*;

    fn one() -> ConnectionId {
        let ports = Ports::new(std::num::NonZeroU16::new(80)).unwrap();
        let opened = Server::messages(&ports).receive(&mut bytes::Bytes::new());
        opened.unwrap().as_ref().map(FromClient::connection).unwrap()
    }

    #[tokio::test]
    async fn what_is_being_judged_is_waited_for() {
        let (connections, connection) = (Connections::default(), one());
        connections.settled(connection).await;
        for settle in [Connections::forget, |all: &Connections, one| assert!(all.given_up(one).is_none())] {
            connections.asked(connection);
            let mut waiting = std::pin::pin!(connections.settled(connection));
            assert!(waiting.as_mut().now_or_never().is_none());
            settle(&connections, connection);
            waiting.await;
        }
    }
}
