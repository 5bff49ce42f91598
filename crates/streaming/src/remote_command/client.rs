//! The side that speaks to an API server.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{Error, Named};
use crate::{
    Endpoint,
    channel::{Closed, FromClient, FromServer},
    kind::{Asked, RemoteCommandStream},
    protocol::{RemoteCommand, Version},
    spdy::{Connection, Event, ResetStatus, Role, SendError, StreamId},
};

/// Speaks with a server that answered `101`.
#[derive(Debug)]
pub struct Client(Speaks);

#[derive(Debug)]
enum Speaks {
    Messages { version: Version, output: VecDeque<Bytes> },
    Streams(Box<Streams>),
}

/// What was opened, one after the other, as kubectl does.
#[derive(Debug)]
struct Streams {
    connection: Connection,
    open: BTreeMap<StreamId, RemoteCommandStream>,
    /// The one that the server has not accepted yet, and those that come after it.
    waiting: Option<StreamId>,
    to_open: VecDeque<RemoteCommandStream>,
    /// Outputs that may still come.
    outputs: Vec<StreamId>,
    over: bool,
}

impl Client {
    /// In an agreed protocol, for a request that asked for this.
    ///
    /// # Errors
    /// [`Error::Send`], which cannot be.
    pub fn new(protocol: RemoteCommand, asked: Asked) -> Result<Self, Error> {
        let version = match protocol {
            RemoteCommand::WebSocket(version) => version,
            RemoteCommand::Spdy => {
                return Streams::new(asked).map(|streams| Self(Speaks::Streams(Box::new(streams))));
            }
        };
        Ok(Self(Speaks::Messages { version, output: VecDeque::new() }))
    }

    /// Whether the server has accepted all streams, so that it can be told something.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match &self.0 {
            Speaks::Messages { .. } => true,
            Speaks::Streams(streams) => streams.waiting.is_none() && streams.to_open.is_empty(),
        }
    }

    /// Whether the server has said all.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Speaks::Messages { .. } => false,
            Speaks::Streams(streams) => streams.over || (self.is_ready() && streams.outputs.is_empty()),
        }
    }

    /// Says and hears nothing more. Of a WebSocket, the close is up to who carries it.
    pub fn leave(&mut self) {
        if let Speaks::Streams(streams) = &mut self.0 {
            streams.connection.end();
        }
    }
}

impl Endpoint for Client {
    type Hears = FromServer;
    type Says = FromClient;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromServer>, Error> {
        match &mut self.0 {
            Speaks::Messages { .. } if input.is_empty() => Ok(None),
            Speaks::Messages { .. } => Ok(Some(FromServer::decode(std::mem::take(input))?)),
            Speaks::Streams(streams) => streams.receive(input),
        }
    }

    fn send(&mut self, said: &FromClient) -> Result<(), Error> {
        match &mut self.0 {
            Speaks::Messages { version, output } => {
                output.push_back(said.encode(*version)?);
                Ok(())
            }
            Speaks::Streams(streams) => streams.send(said),
        }
    }

    fn take_output(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Speaks::Messages { output, .. } => output.pop_front(),
            Speaks::Streams(streams) => {
                Some(streams.connection.take_output()).filter(|bytes| !bytes.is_empty())
            }
        }
    }

    fn has_output(&self) -> bool {
        match &self.0 {
            Speaks::Messages { output, .. } => !output.is_empty(),
            Speaks::Streams(streams) => streams.connection.has_output(),
        }
    }
}

impl Streams {
    fn new(asked: Asked) -> Result<Self, Error> {
        let mut streams = Self {
            connection: Connection::new(Role::Client),
            open: BTreeMap::new(),
            waiting: None,
            to_open: asked.streams().collect(),
            outputs: Vec::new(),
            over: false,
        };
        streams.open_next()?;
        Ok(streams)
    }

    fn open_next(&mut self) -> Result<(), Error> {
        self.waiting = None;
        let Some(kind) = self.to_open.pop_front() else { return Ok(()) };
        let stream = self.connection.open(&kind.to_headers(), false)?;
        self.open.insert(stream, kind);
        self.waiting = Some(stream);
        if matches!(
            kind,
            RemoteCommandStream::Error | RemoteCommandStream::Stdout | RemoteCommandStream::Stderr
        ) {
            self.outputs.push(stream);
        }
        Ok(())
    }

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromServer>, Error> {
        while let Some(event) = self.connection.receive(input)? {
            match event {
                Event::Replied { stream, finished, .. } => {
                    if self.waiting == Some(stream) {
                        self.open_next()?;
                    }
                    self.finished(stream, finished);
                }
                Event::Data { stream, bytes, finished } => {
                    self.finished(stream, finished);
                    if let Some(said) = self.said(stream, bytes)? {
                        return Ok(Some(said));
                    }
                }
                Event::Reset { stream, .. } => {
                    if self.waiting == Some(stream)
                        && let Some(kind) = self.open.get(&stream)
                    {
                        return Err(Error::NotAccepted(Named(*kind)));
                    }
                    self.finished(stream, true);
                }
                Event::GoAway { .. } => self.over = true,
                // No server opens streams.
                Event::Opened { stream, .. } => self.connection.reset(stream, ResetStatus::REFUSED_STREAM),
                Event::Ponged { .. } => {}
            }
        }
        Ok(None)
    }

    fn said(&self, stream: StreamId, bytes: Bytes) -> Result<Option<FromServer>, Error> {
        Ok(match self.open.get(&stream) {
            _ if bytes.is_empty() => None,
            Some(RemoteCommandStream::Stdout) => Some(FromServer::Stdout(bytes)),
            Some(RemoteCommandStream::Stderr) => Some(FromServer::Stderr(bytes)),
            Some(RemoteCommandStream::Error) => Some(FromServer::Error(bytes)),
            Some(kind @ (RemoteCommandStream::Stdin | RemoteCommandStream::Resize)) => {
                return Err(Error::Direction(Named(*kind)));
            }
            None => None,
        })
    }

    fn finished(&mut self, stream: StreamId, finished: bool) {
        if finished {
            self.outputs.retain(|output| *output != stream);
        }
    }

    fn send(&mut self, said: &FromClient) -> Result<(), Error> {
        if self.waiting.is_some() || !self.to_open.is_empty() {
            return Err(Error::Early);
        }
        let size;
        let (kind, bytes, finish) = match said {
            FromClient::Stdin(bytes) => (RemoteCommandStream::Stdin, bytes.as_ref(), false),
            FromClient::Resize(told) => {
                size = told.to_json();
                (RemoteCommandStream::Resize, size.as_slice(), false)
            }
            FromClient::Close(Closed::Stdin) => (RemoteCommandStream::Stdin, &[][..], true),
            FromClient::Close(Closed::Resize) => (RemoteCommandStream::Resize, &[][..], true),
        };
        let Some((stream, _)) = self.open.iter().find(|(_, open)| **open == kind) else { return Ok(()) };
        match self.connection.send(*stream, bytes, finish) {
            // The server closes stdin when the process does.
            Ok(()) | Err(SendError::NotOpen | SendError::Finished) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
