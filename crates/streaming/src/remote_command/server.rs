//! The side that a client speaks to.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use http::HeaderMap;

use super::{Error, Named};
use crate::{
    Endpoint,
    channel::{Closed, FromClient, FromServer},
    kind::{Asked, RemoteCommandStream},
    protocol::{RemoteCommand, Version},
    resize::Sizes,
    spdy::{Connection, Event, Role, SendError, StreamId},
};

/// Speaks with a client that was answered `101`.
#[derive(Debug)]
pub struct Server {
    asked: Asked,
    speaks: Speaks,
}

#[derive(Debug)]
enum Speaks {
    Messages { version: Version, output: VecDeque<Bytes> },
    Streams(Box<Streams>),
}

/// What a client opened.
#[derive(Debug)]
struct Streams {
    connection: Connection,
    open: BTreeMap<StreamId, RemoteCommandStream>,
    /// Those that it did not open yet.
    missing: Vec<RemoteCommandStream>,
    sizes: Sizes,
    /// Said with the last piece, and not told yet.
    said: VecDeque<FromClient>,
    left: bool,
}

impl Server {
    /// In an agreed protocol, for a request that asked for this.
    #[must_use]
    pub fn new(protocol: RemoteCommand, asked: Asked) -> Self {
        let speaks = match protocol {
            RemoteCommand::WebSocket(version) => {
                Speaks::Messages { version, output: [stands(asked).encode()].into() }
            }
            RemoteCommand::Spdy => Speaks::Streams(Box::new(Streams {
                connection: Connection::new(Role::Server),
                open: BTreeMap::new(),
                missing: asked.streams().collect(),
                sizes: Sizes::default(),
                said: VecDeque::new(),
                left: false,
            })),
        };
        Self { asked, speaks }
    }

    /// Whether the client has opened all that it asked for, so that it can be told something.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match &self.speaks {
            Speaks::Messages { .. } => true,
            Speaks::Streams(streams) => streams.missing.is_empty(),
        }
    }

    /// Whether the client says and hears nothing more.
    #[must_use]
    pub fn has_left(&self) -> bool {
        match &self.speaks {
            Speaks::Messages { .. } => false,
            Speaks::Streams(streams) => streams.left,
        }
    }

    /// All was said. Of a WebSocket, the close is up to who carries it.
    pub fn finish(&mut self) {
        if let Speaks::Streams(streams) = &mut self.speaks {
            streams.connection.end();
        }
    }
}

impl Endpoint for Server {
    type Hears = FromClient;
    type Says = FromServer;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromClient>, Error> {
        let said = match &mut self.speaks {
            Speaks::Messages { .. } if input.is_empty() => return Ok(None),
            Speaks::Messages { version, .. } => Some(FromClient::decode(std::mem::take(input), *version)?),
            Speaks::Streams(streams) => streams.receive(input)?,
        };
        match &said {
            Some(FromClient::Stdin(_)) if !self.asked.stdin => {
                Err(Error::NotAsked(Named(RemoteCommandStream::Stdin)))
            }
            Some(FromClient::Stdin(_) | FromClient::Resize(_) | FromClient::Close(_)) | None => Ok(said),
        }
    }

    fn send(&mut self, said: &FromServer) -> Result<(), Error> {
        match &mut self.speaks {
            Speaks::Messages { output, .. } => {
                output.push_back(said.encode());
                Ok(())
            }
            Speaks::Streams(streams) => streams.send(said),
        }
    }

    fn take_output(&mut self) -> Option<Bytes> {
        match &mut self.speaks {
            Speaks::Messages { output, .. } => output.pop_front(),
            Speaks::Streams(streams) => {
                Some(streams.connection.take_output()).filter(|bytes| !bytes.is_empty())
            }
        }
    }

    fn has_output(&self) -> bool {
        match &self.speaks {
            Speaks::Messages { output, .. } => !output.is_empty(),
            Speaks::Streams(streams) => streams.connection.has_output(),
        }
    }
}

/// A server's first message: nothing, on the first channel that there is.
fn stands(asked: Asked) -> FromServer {
    match asked {
        Asked { stdout: true, .. } => FromServer::Stdout(Bytes::new()),
        Asked { stderr: true, tty: false, .. } => FromServer::Stderr(Bytes::new()),
        Asked { .. } => FromServer::Error(Bytes::new()),
    }
}

impl Streams {
    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromClient>, Error> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(Some(said));
            }
            let Some(event) = self.connection.receive(input)? else { return Ok(None) };
            match event {
                Event::Opened { stream, headers, finished } => self.opened(stream, &headers, finished)?,
                Event::Data { stream, bytes, finished } => self.data(stream, bytes, finished)?,
                Event::Reset { stream, .. } => self.finished(stream),
                Event::GoAway { .. } => self.left = true,
                // We open none, and headers say nothing here.
                Event::Replied { .. } | Event::Ponged { .. } => {}
            }
        }
    }

    fn opened(&mut self, stream: StreamId, headers: &HeaderMap, finished: bool) -> Result<(), Error> {
        let kind = RemoteCommandStream::from_headers(headers)?;
        let Some(place) = self.missing.iter().position(|missing| *missing == kind) else {
            let twice = self.open.values().any(|open| *open == kind);
            return Err(if twice { Error::Twice(Named(kind)) } else { Error::NotAsked(Named(kind)) });
        };
        self.connection.reply(stream)?;
        self.missing.remove(place);
        self.open.insert(stream, kind);
        if finished {
            self.finished(stream);
        }
        Ok(())
    }

    fn data(&mut self, stream: StreamId, bytes: Bytes, finished: bool) -> Result<(), Error> {
        let kind = self.open.get(&stream).copied();
        match kind {
            _ if bytes.is_empty() => {}
            Some(_) if !self.missing.is_empty() => return Err(Error::Early),
            Some(RemoteCommandStream::Stdin) => self.said.push_back(FromClient::Stdin(bytes)),
            Some(RemoteCommandStream::Resize) => {
                self.said.extend(self.sizes.push(&bytes)?.into_iter().map(FromClient::Resize));
            }
            Some(
                kind @ (RemoteCommandStream::Error
                | RemoteCommandStream::Stdout
                | RemoteCommandStream::Stderr),
            ) => return Err(Error::Direction(Named(kind))),
            None => {}
        }
        if finished {
            self.finished(stream);
        }
        Ok(())
    }

    /// The client says nothing more there.
    fn finished(&mut self, stream: StreamId) {
        match self.open.get(&stream) {
            Some(RemoteCommandStream::Stdin) => self.said.push_back(FromClient::Close(Closed::Stdin)),
            Some(RemoteCommandStream::Resize) => self.said.push_back(FromClient::Close(Closed::Resize)),
            Some(RemoteCommandStream::Error | RemoteCommandStream::Stdout | RemoteCommandStream::Stderr)
            | None => {}
        }
    }

    fn send(&mut self, said: &FromServer) -> Result<(), Error> {
        let (kind, bytes) = match said {
            FromServer::Stdout(bytes) => (RemoteCommandStream::Stdout, bytes),
            FromServer::Stderr(bytes) => (RemoteCommandStream::Stderr, bytes),
            FromServer::Error(bytes) => (RemoteCommandStream::Error, bytes),
        };
        if self.missing.contains(&kind) {
            return Err(Error::Early);
        }
        let Some((stream, _)) = self.open.iter().find(|(_, open)| **open == kind) else { return Ok(()) };
        match self.connection.send(*stream, bytes, false) {
            Ok(()) | Err(SendError::NotOpen) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
