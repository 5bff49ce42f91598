//! The side that speaks to a client.

use bytes::Bytes;

use super::{Error, FromClient, FromServer, Ports, messages::Messages, streams::Streams};
use crate::Endpoint;

/// Speaks with a client that was answered `101`.
#[derive(Debug)]
pub struct Server(Speaks);

#[derive(Debug)]
enum Speaks {
    Messages(Messages),
    Streams(Box<Streams>),
}

impl Server {
    /// Over SPDY, whatever carries that.
    #[must_use]
    pub fn streams() -> Self {
        Self(Speaks::Streams(Box::default()))
    }

    /// In messages, for a request that named these ports.
    #[must_use]
    pub fn messages(ports: &Ports) -> Self {
        Self(Speaks::Messages(Messages::new(ports)))
    }

    /// Whether the client says and hears nothing more.
    #[must_use]
    pub fn has_left(&self) -> bool {
        match &self.0 {
            Speaks::Messages(_) => false,
            Speaks::Streams(streams) => streams.has_left(),
        }
    }

    /// Whether there will never be anything more to say: all that could be opened is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Speaks::Messages(messages) => messages.is_over(),
            Speaks::Streams(_) => false,
        }
    }

    /// All was said. Of a WebSocket, the close is up to who carries it.
    pub fn finish(&mut self) {
        match &mut self.0 {
            Speaks::Messages(_) => {}
            Speaks::Streams(streams) => streams.finish(),
        }
    }
}

impl Endpoint for Server {
    type Hears = FromClient;
    type Says = FromServer;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromClient>, Error> {
        match &mut self.0 {
            Speaks::Messages(messages) => messages.receive(input),
            Speaks::Streams(streams) => streams.receive(input),
        }
    }

    fn send(&mut self, said: &FromServer) -> Result<(), Error> {
        match &mut self.0 {
            Speaks::Messages(messages) => messages.send(said),
            Speaks::Streams(streams) => streams.send(said),
        }
    }

    fn has_said(&self) -> bool {
        match &self.0 {
            Speaks::Messages(messages) => messages.has_said(),
            Speaks::Streams(streams) => streams.has_said(),
        }
    }

    fn take_output(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Speaks::Messages(messages) => messages.take_output(),
            Speaks::Streams(streams) => streams.take_output(),
        }
    }

    fn has_output(&self) -> bool {
        match &self.0 {
            Speaks::Messages(messages) => messages.has_output(),
            Speaks::Streams(streams) => streams.has_output(),
        }
    }
}
