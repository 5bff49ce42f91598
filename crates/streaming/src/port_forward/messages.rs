//! What is said in messages of `v4.channel.k8s.io`: the connections are those that the request names ports for, and are there from
//! the beginning.
//!
//! A message begins with the number of its channel: of the first port, 0 is its bytes and 1 tells what went wrong; 2 and 3 are those
//! of the second, and so on. The first message of each has the port, in two bytes, the lower first. No channel can be closed: a server
//! closes the WebSocket when all connections are over, a client when it wants none of them any more (`handleWebSocketStreams` in
//! k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go).

use std::collections::VecDeque;

use bytes::Bytes;

use super::{ConnectionId, Error, FromClient, FromServer, Ports};
use crate::{Endpoint, channel};

/// Speaks with a client.
#[derive(Debug)]
pub(super) struct Messages {
    pairs: Vec<Pair>,
    /// Those that were not told yet.
    opening: VecDeque<FromClient>,
    output: VecDeque<Bytes>,
}

/// The two channels of a connection.
#[derive(Debug)]
struct Pair {
    data: u8,
    error: u8,
    told: bool,
    finished: bool,
}

impl Messages {
    pub(super) fn new(ports: &Ports) -> Self {
        let pairs: Vec<Pair> =
            (0..=u8::MAX).step_by(2).zip(&ports.0).map(|(data, _)| Pair::new(data)).collect();
        let opening = pairs.iter().zip(&ports.0);
        let opening =
            opening.map(|(pair, port)| FromClient::Open { connection: pair.connection(), port: *port });
        let opening = opening.collect();
        // As a kubelet: before it is known what becomes of the connection.
        let named = pairs.iter().zip(&ports.0).flat_map(|(pair, port)| {
            [pair.data, pair.error].map(|channel| channel::join(channel, &port.get().to_le_bytes()))
        });
        let output = named.collect();
        Self { pairs, opening, output }
    }

    /// Whether all connections are over.
    pub(super) fn is_over(&self) -> bool {
        self.pairs.iter().all(Pair::is_over)
    }
}

impl Endpoint for Messages {
    type Hears = FromClient;
    type Says = FromServer;
    type Error = Error;

    fn receive(&mut self, input: &mut Bytes) -> Result<Option<FromClient>, Error> {
        if let Some(opened) = self.opening.pop_front() {
            return Ok(Some(opened));
        }
        let mut bytes = std::mem::take(input);
        let Some(channel) = bytes.first().copied() else { return Ok(None) };
        let bytes = bytes.split_off(1);
        let pair = self.pairs.iter().find(|pair| pair.data == channel || pair.error == channel);
        let pair = pair.ok_or(Error::Channel(channel))?;
        if bytes.is_empty() || pair.is_over() {
            // What comes too late is for nobody.
            return Ok(None);
        }
        if channel == pair.error {
            return Err(Error::Direction);
        }
        Ok(Some(FromClient::Data { connection: pair.connection(), bytes }))
    }

    fn send(&mut self, said: &FromServer) -> Result<(), Error> {
        let connection = said.connection();
        let pair = self.pairs.iter_mut().find(|pair| pair.connection() == connection);
        let Some(pair) = pair.filter(|pair| !pair.is_over()) else { return Ok(()) };
        match said {
            FromServer::Accepted(_) => {}
            FromServer::Data { bytes, .. } => self.output.push_back(channel::join(pair.data, bytes)),
            FromServer::Finished(_) => pair.finished = true,
            FromServer::Told { text, .. } => {
                pair.told = true;
                // Whatever comes there is a failure to clients.
                if !text.is_empty() {
                    self.output.push_back(channel::join(pair.error, text));
                }
            }
            FromServer::Reset(_) => (pair.told, pair.finished) = (true, true),
        }
        Ok(())
    }

    fn take_output(&mut self) -> Option<Bytes> {
        self.output.pop_front()
    }

    fn has_output(&self) -> bool {
        !self.output.is_empty()
    }
}

impl Pair {
    /// `data` is even.
    fn new(data: u8) -> Self {
        Self { data, error: data | 1, told: false, finished: false }
    }

    fn connection(&self) -> ConnectionId {
        ConnectionId(u32::from(self.data / 2) + 1)
    }

    fn is_over(&self) -> bool {
        self.told && self.finished
    }
}

#[cfg(test)]
mod tests;
