//! The connections of a port-forward that there are.

use std::collections::BTreeMap;

use ledger::leaf::Id;
use parking_lot::Mutex;
use streaming::port_forward::ConnectionId;
use tokio::{sync::Notify, time::Instant};

use super::fingerprint::Fingerprint;

/// By their numbers.
#[derive(Default)]
pub(super) struct Connections {
    /// Never locked while something is waited for.
    table: Mutex<Table>,
    /// Told after something was changed there.
    changed: Notify,
}

#[derive(Default)]
struct Table {
    all: BTreeMap<ConnectionId, State>,
    /// No more are opened.
    closed: bool,
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
    pub(super) tape: recording::Stream,
    pub(super) carries: Fingerprint,
    /// Bytes that the agent sent.
    pub(super) received: u64,
    /// Bytes that the agent was sent.
    pub(super) shown: u64,
    pub(super) masked: u64,
    /// Something may be said on it.
    pub(super) accepted: bool,
    /// Nothing more comes from the port.
    pub(super) finished: bool,
    /// How it went, once that was told; empty if well.
    pub(super) told: Option<String>,
}

impl Connections {
    /// One is asked for.
    pub(super) fn asked(&self, connection: ConnectionId) {
        self.table.lock().all.insert(connection, State::Judged);
    }

    /// It was refused.
    pub(super) fn refused(&self, connection: ConnectionId) {
        self.table.lock().all.remove(&connection);
        self.changed.notify_waiters();
    }

    /// Waits until it is known whether something can be said on it: until it is accepted, or is not there any more.
    pub(super) async fn settled(&self, connection: ConnectionId) {
        loop {
            // From here on, no change is missed.
            let changed = self.changed.notified();
            match self.table.lock().all.get(&connection) {
                Some(State::Judged) => {}
                Some(State::Open(open)) if !open.accepted && !open.finished && open.told.is_none() => {}
                Some(State::Open(_) | State::GivenUp) | None => return,
            }
            changed.await;
        }
    }

    /// Whether it is still wanted.
    pub(super) fn is_wanted(&self, connection: ConnectionId) -> bool {
        let table = self.table.lock();
        !table.closed && matches!(table.all.get(&connection), Some(State::Judged))
    }

    /// It was permitted, and is owed an outcome.
    ///
    /// # Errors
    /// Its client gave it up meanwhile.
    pub(super) fn opened(&self, number: ConnectionId, connection: Connection) -> Result<(), Box<Connection>> {
        let (mut table, connection) = (self.table.lock(), Box::new(connection));
        if let Some(State::GivenUp) = table.all.get(&number) {
            table.all.remove(&number);
            return Err(connection);
        }
        table.all.insert(number, State::Open(connection));
        Ok(())
    }

    /// Its client wants it no more. Whether it was open.
    pub(super) fn given_up(&self, connection: ConnectionId) -> bool {
        let mut table = self.table.lock();
        match table.all.get_mut(&connection) {
            Some(State::Open(_)) => true,
            Some(state) => {
                *state = State::GivenUp;
                self.changed.notify_waiters();
                false
            }
            None => false,
        }
    }

    /// Something happened on one that is open; it is taken out if it is over by that.
    pub(super) fn on(
        &self,
        connection: ConnectionId,
        happened: impl FnOnce(&mut Connection),
    ) -> Option<Box<Connection>> {
        let mut table = self.table.lock();
        let Some(State::Open(open)) = table.all.get_mut(&connection) else { return None };
        happened(open);
        self.changed.notify_waiters();
        if !(open.finished && open.told.is_some()) {
            return None;
        }
        match table.all.remove(&connection) {
            Some(State::Open(over)) => Some(over),
            Some(State::Judged | State::GivenUp) | None => None,
        }
    }

    /// No more are opened.
    pub(super) fn close(&self) {
        self.table.lock().closed = true;
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.table.lock().all.is_empty()
    }

    /// Those that are left.
    pub(super) fn take(&self) -> Vec<(ConnectionId, Option<Box<Connection>>)> {
        let all = std::mem::take(&mut self.table.lock().all);
        let open = |state| match state {
            State::Open(open) => Some(open),
            State::Judged | State::GivenUp => None,
        };
        all.into_iter().map(|(number, state)| (number, open(state))).collect()
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
        for settle in [Connections::refused, |all: &Connections, one| assert!(!all.given_up(one))] {
            connections.asked(connection);
            let mut waiting = std::pin::pin!(connections.settled(connection));
            assert!(waiting.as_mut().now_or_never().is_none());
            settle(&connections, connection);
            waiting.await;
        }
    }
}
