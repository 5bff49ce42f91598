//! The side that speaks to an API server.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
};

use bytes::{Bytes, BytesMut};

use super::{ConnectionId, Error, FromClient, FromServer, MAX_TEXT};
use crate::{
    Endpoint,
    kind::{PortForwardKind, PortForwardStream, RequestId},
    spdy::{Connection, Event, ResetStatus, Role, SendError, StreamId},
};

/// Speaks with a server that answered `101`.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    pub(super) open: BTreeMap<ConnectionId, Pair>,
    pub(super) streams: BTreeMap<StreamId, (ConnectionId, PortForwardKind)>,
    /// Said with the last piece, and not told yet.
    said: VecDeque<FromServer>,
    over: bool,
}

/// The two streams of a connection: the one for errors is opened first, and the one for data once that was accepted.
#[derive(Debug)]
pub(super) struct Pair {
    port: NonZeroU16,
    error: StreamId,
    data: Option<StreamId>,
    /// What was told of how it went, so far.
    text: BytesMut,
    told: bool,
    they_finished: bool,
}

/// What is told of a connection of which the server told nothing before it reset it: that it went well is not to be thought.
const RESET: &[u8] = b"the connection was reset";

impl Default for Client {
    fn default() -> Self {
        Self {
            connection: Connection::new(Role::Client),
            open: BTreeMap::new(),
            streams: BTreeMap::new(),
            said: VecDeque::new(),
            over: false,
        }
    }
}

impl Client {
    /// Whether the server says nothing more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over && self.said.is_empty()
    }

    /// Says and hears nothing more. Of a WebSocket, the close is up to who carries it.
    pub fn leave(&mut self) {
        self.connection.end();
    }

    fn open(&mut self, connection: ConnectionId, port: NonZeroU16) -> Result<(), Error> {
        if self.open.contains_key(&connection) {
            return Err(Error::Twice(connection.to_string()));
        }
        let kind = PortForwardKind::Error;
        let error = self.open_stream(connection, port, kind)?;
        self.open.insert(connection, Pair::new(port, error));
        Ok(())
    }

    fn open_stream(
        &mut self,
        connection: ConnectionId,
        port: NonZeroU16,
        kind: PortForwardKind,
    ) -> Result<StreamId, SendError> {
        let asked = PortForwardStream { request: RequestId::from(connection.0), port, kind };
        let stream = self.connection.open(&asked.to_headers(), false)?;
        self.streams.insert(stream, (connection, kind));
        Ok(stream)
    }

    fn replied(&mut self, stream: StreamId, finished: bool) -> Result<(), Error> {
        let Some((connection, kind)) = self.streams.get(&stream).copied() else { return Ok(()) };
        let Some(port) = self.open.get(&connection).map(|pair| pair.port) else { return Ok(()) };
        match kind {
            PortForwardKind::Error => {
                // As kubectl: nothing is ever sent on it.
                ended_already(self.connection.send(stream, &[], true))?;
                let data = self.open_stream(connection, port, PortForwardKind::Data)?;
                if let Some(pair) = self.open.get_mut(&connection) {
                    pair.data = Some(data);
                }
            }
            PortForwardKind::Data => self.said.push_back(FromServer::Accepted(connection)),
        }
        if finished {
            self.finished(connection, kind);
        }
        Ok(())
    }

    fn data(&mut self, stream: StreamId, bytes: Bytes, finished: bool) {
        let Some((connection, kind)) = self.streams.get(&stream).copied() else { return };
        let Some(pair) = self.open.get_mut(&connection) else { return };
        match kind {
            PortForwardKind::Error => {
                let room = MAX_TEXT.saturating_sub(pair.text.len()).min(bytes.len());
                pair.text.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
            PortForwardKind::Data if bytes.is_empty() => {}
            PortForwardKind::Data => self.said.push_back(FromServer::Data { connection, bytes }),
        }
        if finished {
            self.finished(connection, kind);
        }
    }

    fn finished(&mut self, connection: ConnectionId, kind: PortForwardKind) {
        let Some(pair) = self.open.get_mut(&connection) else { return };
        match kind {
            PortForwardKind::Data => {
                pair.they_finished = true;
                self.said.push_back(FromServer::Finished(connection));
            }
            PortForwardKind::Error => {
                pair.told = true;
                let text = std::mem::take(&mut pair.text).freeze();
                self.said.push_back(FromServer::Told { connection, text });
            }
        }
        self.tidy(connection);
    }

    fn reset(&mut self, stream: StreamId) {
        let Some((connection, kind)) = self.streams.get(&stream).copied() else { return };
        let Some(pair) = self.open.get_mut(&connection) else { return };
        let goes_on = kind == PortForwardKind::Error && pair.data.is_some();
        if !pair.told {
            // What was told of it is all that will be.
            if pair.text.is_empty() {
                pair.text.extend_from_slice(RESET);
            }
            self.finished(connection, PortForwardKind::Error);
        }
        if goes_on {
            return;
        }
        self.said.push_back(FromServer::Reset(connection));
        if let Some(pair) = self.open.get_mut(&connection) {
            pair.they_finished = true;
        }
        self.tidy(connection);
    }

    /// Forgets a connection that is over. Nothing more is said on it: nobody would hear it.
    fn tidy(&mut self, connection: ConnectionId) {
        let Some(pair) = self.open.get(&connection).filter(|pair| pair.is_over()) else { return };
        for stream in [Some(pair.error), pair.data].into_iter().flatten() {
            self.connection.reset(stream, ResetStatus::CANCEL);
        }
        self.open.remove(&connection);
        self.streams.retain(|_, (of, _)| *of != connection);
    }
}

impl Endpoint for Client {
    type Hears = FromServer;
    type Says = FromClient;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromServer>, Error> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(Some(said));
            }
            let Some(event) = self.connection.receive(input)? else { return Ok(None) };
            match event {
                Event::Replied { stream, finished, .. } => self.replied(stream, finished)?,
                Event::Data { stream, bytes, finished } => self.data(stream, bytes, finished),
                Event::Reset { stream, .. } => self.reset(stream),
                Event::GoAway { .. } => self.over = true,
                // No server opens streams.
                Event::Opened { stream, .. } => self.connection.reset(stream, ResetStatus::REFUSED_STREAM),
                Event::Ponged { .. } => {}
            }
        }
    }

    fn send(&mut self, said: &FromClient) -> Result<(), Error> {
        let connection = said.connection();
        if let FromClient::Open { port, .. } = said {
            return self.open(connection, *port);
        }
        let Some(pair) = self.open.get_mut(&connection) else { return Ok(()) };
        let sent = match (said, pair.data) {
            (FromClient::Open { .. }, _) => Ok(()),
            (FromClient::Data { bytes, .. }, Some(data)) => self.connection.send(data, bytes, false),
            (FromClient::Finished(_), Some(data)) => self.connection.send(data, &[], true),
            (FromClient::Data { .. } | FromClient::Finished(_), None) => Err(SendError::NotReplied),
            // Nobody waits for how it goes, either.
            (FromClient::Reset(_), _) => {
                (pair.they_finished, pair.told) = (true, true);
                Ok(())
            }
        };
        self.tidy(connection);
        ended_already(sent)
    }

    fn take_output(&mut self) -> Option<Bytes> {
        Some(self.connection.take_output()).filter(|bytes| !bytes.is_empty())
    }

    fn has_output(&self) -> bool {
        self.connection.has_output()
    }
}

impl Pair {
    fn new(port: NonZeroU16, error: StreamId) -> Self {
        let (text, data) = (BytesMut::new(), None);
        Self { port, error, data, text, told: false, they_finished: false }
    }

    /// The server says nothing more of it.
    fn is_over(&self) -> bool {
        self.told && self.they_finished
    }
}

/// The server ends what it likes whenever it likes.
fn ended_already(sent: Result<(), SendError>) -> Result<(), Error> {
    match sent {
        Ok(()) | Err(SendError::NotOpen | SendError::Finished) => Ok(()),
        Err(SendError::NotReplied) => Err(Error::Early),
        Err(error) => Err(error.into()),
    }
}
