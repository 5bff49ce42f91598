//! What a client opens and says over SPDY.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
};

use bytes::Bytes;
use http::HeaderMap;

use super::{ConnectionId, Error, FromClient, FromServer, MAX_CONNECTIONS};
use crate::{
    Endpoint,
    kind::{PortForwardKind, PortForwardStream, RequestId},
    spdy::{Connection, Event, ResetStatus, Role, SendError, StreamId},
};

/// Speaks SPDY with a client: two streams for each connection, which it opens when it likes.
#[derive(Debug)]
pub(super) struct Streams {
    connection: Connection,
    pub(super) open: BTreeMap<ConnectionId, Pair>,
    pub(super) streams: BTreeMap<StreamId, (ConnectionId, PortForwardKind)>,
    /// How many connections there were.
    count: u32,
    /// Said with the last piece, and not told yet.
    said: VecDeque<FromClient>,
    left: bool,
}

/// The two streams of a connection.
#[derive(Debug)]
pub(super) struct Pair {
    request: RequestId,
    port: NonZeroU16,
    error: StreamId,
    /// `None` until it is opened.
    data: Option<StreamId>,
    accepted: bool,
    /// Nothing can be told any more of how it went.
    told: bool,
    they_finished: bool,
    /// They finished before it was accepted: that is told then.
    finished_early: bool,
    we_finished: bool,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            connection: Connection::new(Role::Server),
            open: BTreeMap::new(),
            streams: BTreeMap::new(),
            count: 0,
            said: VecDeque::new(),
            left: false,
        }
    }
}

impl Streams {
    /// Whether the client says and hears nothing more.
    pub(super) fn has_left(&self) -> bool {
        self.left && self.said.is_empty()
    }

    /// All was said.
    pub(super) fn finish(&mut self) {
        self.connection.end();
    }

    fn opened(&mut self, stream: StreamId, headers: &HeaderMap, finished: bool) -> Result<(), Error> {
        let PortForwardStream { request, port, kind } = PortForwardStream::from_headers(headers)?;
        let is_full = self.open.len() >= MAX_CONNECTIONS;
        let known = self.open.iter_mut().find(|(_, pair)| pair.request == request);
        match (kind, known) {
            (PortForwardKind::Error, Some(_)) => return Err(Error::Twice(request.to_string())),
            (PortForwardKind::Error, None) if is_full => {
                self.connection.reset(stream, ResetStatus::REFUSED_STREAM);
            }
            (PortForwardKind::Error, None) => {
                self.connection.reply(stream)?;
                self.count = self.count.saturating_add(1);
                let connection = ConnectionId(self.count);
                self.streams.insert(stream, (connection, kind));
                self.open.insert(connection, Pair::new(request, port, stream));
            }
            (PortForwardKind::Data, None) => return Err(Error::Alone(request.to_string())),
            (PortForwardKind::Data, Some((_, Pair { data: Some(_), .. }))) => {
                return Err(Error::Twice(request.to_string()));
            }
            (PortForwardKind::Data, Some((_, pair))) if pair.port != port => {
                return Err(Error::Ports(request.to_string()));
            }
            (PortForwardKind::Data, Some((connection, pair))) => {
                let connection = *connection;
                pair.data = Some(stream);
                self.streams.insert(stream, (connection, kind));
                self.said.push_back(FromClient::Open { connection, port });
                if finished {
                    self.finished(connection);
                }
            }
        }
        Ok(())
    }

    fn data(&mut self, stream: StreamId, bytes: Bytes, finished: bool) -> Result<(), Error> {
        let Some((connection, kind)) = self.streams.get(&stream).copied() else { return Ok(()) };
        match kind {
            PortForwardKind::Error if bytes.is_empty() => {}
            PortForwardKind::Error => return Err(Error::Direction),
            PortForwardKind::Data => {
                let accepted = self.open.get(&connection).is_some_and(|pair| pair.accepted);
                if !bytes.is_empty() {
                    if !accepted {
                        return Err(Error::Early);
                    }
                    self.said.push_back(FromClient::Data { connection, bytes });
                }
                if finished {
                    self.finished(connection);
                }
            }
        }
        Ok(())
    }

    fn finished(&mut self, connection: ConnectionId) {
        if let Some(pair) = self.open.get_mut(&connection) {
            pair.they_finished = true;
            pair.finished_early = !pair.accepted;
            if pair.accepted {
                self.said.push_back(FromClient::Finished(connection));
            }
        }
        self.tidy(connection);
    }

    fn reset(&mut self, stream: StreamId) {
        let Some((connection, kind)) = self.streams.get(&stream).copied() else { return };
        let Some(pair) = self.open.get_mut(&connection) else { return };
        match kind {
            // kubectl wants nothing more of what has ended, and goes on waiting for how it went.
            PortForwardKind::Data if pair.we_finished && !pair.told => {
                if !std::mem::replace(&mut pair.they_finished, true) {
                    self.said.push_back(FromClient::Finished(connection));
                }
            }
            PortForwardKind::Data => {
                (pair.they_finished, pair.finished_early, pair.we_finished) = (true, false, true);
                if !std::mem::replace(&mut pair.told, true) {
                    // kubectl waits for this to end, whatever it told.
                    let _ended_already = self.connection.send(pair.error, &[], true);
                }
                self.said.push_back(FromClient::Reset(connection));
            }
            // Nobody listens to how it went.
            PortForwardKind::Error => pair.told = true,
        }
        if pair.data.is_none() {
            (pair.they_finished, pair.we_finished) = (true, true);
        }
        self.tidy(connection);
    }

    /// Forgets a connection that is over.
    fn tidy(&mut self, connection: ConnectionId) {
        if self.open.get(&connection).is_some_and(Pair::is_over) {
            self.open.remove(&connection);
            self.streams.retain(|_, (of, _)| *of != connection);
        }
    }
}

impl Endpoint for Streams {
    type Hears = FromClient;
    type Says = FromServer;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromClient>, Error> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(Some(said));
            }
            let Some(event) = self.connection.receive(input)? else { return Ok(None) };
            match event {
                Event::Opened { stream, headers, finished } => self.opened(stream, &headers, finished)?,
                Event::Data { stream, bytes, finished } => self.data(stream, bytes, finished)?,
                Event::Reset { stream, .. } => self.reset(stream),
                Event::GoAway { .. } => self.left = true,
                // We open none, and headers say nothing here.
                Event::Replied { .. } | Event::Ponged { .. } => {}
            }
        }
    }

    fn send(&mut self, said: &FromServer) -> Result<(), Error> {
        let connection = said.connection();
        let Some(pair) = self.open.get_mut(&connection) else { return Ok(()) };
        let Some(data) = pair.data else { return Err(Error::Early) };
        let sent = match said {
            FromServer::Accepted(_) if pair.accepted => Ok(()),
            FromServer::Accepted(_) => {
                pair.accepted = true;
                if std::mem::take(&mut pair.finished_early) {
                    self.said.push_back(FromClient::Finished(connection));
                }
                self.connection.reply(data)
            }
            FromServer::Data { bytes, .. } => self.connection.send(data, bytes, false),
            FromServer::Finished(_) => {
                pair.we_finished = true;
                self.connection.send(data, &[], true)
            }
            FromServer::Told { text, .. } => {
                pair.told = true;
                self.connection.send(pair.error, text, true)
            }
            FromServer::Reset(_) => {
                (pair.they_finished, pair.we_finished) = (true, true);
                self.connection.reset(data, ResetStatus::CANCEL);
                Ok(())
            }
        };
        self.tidy(connection);
        match sent {
            // The client has ended it meanwhile.
            Ok(()) | Err(SendError::NotOpen | SendError::Finished) => Ok(()),
            Err(SendError::NotReplied) => Err(Error::Early),
            Err(error) => Err(error.into()),
        }
    }

    fn has_said(&self) -> bool {
        !self.said.is_empty()
    }

    fn take_output(&mut self) -> Option<Bytes> {
        Some(self.connection.take_output()).filter(|bytes| !bytes.is_empty())
    }

    fn has_output(&self) -> bool {
        self.connection.has_output()
    }
}

impl Pair {
    fn new(request: RequestId, port: NonZeroU16, error: StreamId) -> Self {
        Self {
            request,
            port,
            error,
            data: None,
            accepted: false,
            told: false,
            they_finished: false,
            finished_early: false,
            we_finished: false,
        }
    }

    fn is_over(&self) -> bool {
        self.told && self.they_finished && self.we_finished
    }
}
