//! Both ends of a connection.

use std::{collections::BTreeMap, fmt};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{
    Error, Event, GoAwayStatus, ResetStatus, SendError, StreamId,
    control::{self, FINISH, Frame, Kind},
    headers::{Deflater, Inflater},
    reader::Reader,
    stream::Stream,
};

/// How many streams of the other side may be open at once; more are reset. A port-forward has two for each connection.
pub const MAX_STREAMS: usize = 256;

/// How much goes into one data frame: as much as `io.Copy` puts there.
const DATA: usize = 32 * 1024;

/// Which end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Opens the streams, in Kubernetes.
    Client,
    /// Replies to them.
    Server,
}

/// A connection: see [the module](super).
pub struct Connection {
    role: Role,
    reader: Reader,
    inflater: Inflater,
    deflater: Deflater,
    streams: BTreeMap<StreamId, Stream>,
    /// The next stream that we open, if it can be.
    next: u32,
    /// The last stream that they opened.
    last: Option<StreamId>,
    next_ping: u32,
    /// Whether either side opens nothing more.
    going_away: bool,
    /// What they did that cannot be understood.
    failed: Option<Error>,
    output: BytesMut,
}

impl Connection {
    /// A connection that was just upgraded.
    #[must_use]
    pub fn new(role: Role) -> Self {
        let first = match role {
            Role::Client => 1,
            Role::Server => 2,
        };
        Self {
            role,
            reader: Reader::new(),
            inflater: Inflater::new(),
            deflater: Deflater::new(),
            streams: BTreeMap::new(),
            next: first,
            last: None,
            next_ping: first,
            going_away: false,
            failed: None,
            output: BytesMut::new(),
        }
    }

    /// Reads on until something happens that matters. `None`: all of `input` was read, and more is needed.
    ///
    /// # Errors
    /// The other side broke the rules; now and whenever this is called again.
    pub fn receive(&mut self, input: &mut Bytes) -> Result<Option<Event>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.read(input).inspect_err(|error| self.failed = Some(*error))
    }

    fn read(&mut self, input: &mut Bytes) -> Result<Option<Event>, Error> {
        while let Some(piece) = self.reader.next(input)? {
            let frame = Frame::read(piece, &mut self.inflater)?;
            if let Some(event) = self.take(frame)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Event>, Error> {
        match frame {
            Frame::SynStream { stream, headers, finished } => self.opened(stream, headers, finished),
            Frame::SynReply { stream, headers, finished } => self.replied(stream, headers, finished),
            Frame::Data { stream, bytes, finished } => {
                Ok(self.heard("DATA", stream, finished)?.then_some(Event::Data { stream, bytes, finished }))
            }
            Frame::RstStream { stream, status } => {
                self.check_known(Kind::RstStream.as_str(), stream)?;
                let was_open = self.streams.remove(&stream).is_some();
                Ok(was_open.then_some(Event::Reset { stream, status: ResetStatus(status) }))
            }
            Frame::Ping(ping) if ping % 2 == self.next_ping % 2 => Ok(Some(Event::Ponged { ping })),
            Frame::Ping(ping) => {
                self.write(Kind::Ping, 0, &[ping]);
                Ok(None)
            }
            Frame::GoAway { last, status } => {
                self.going_away = true;
                Ok(Some(Event::GoAway { last, status: GoAwayStatus(status) }))
            }
            Frame::Ignored => Ok(None),
        }
    }

    fn opened(
        &mut self,
        stream: StreamId,
        headers: HeaderMap,
        finished: bool,
    ) -> Result<Option<Event>, Error> {
        if stream.opened_by() == self.role || self.last >= Some(stream) {
            return Err(Error::Stream { frame: Kind::SynStream.as_str(), stream: stream.get() });
        }
        self.last = Some(stream);
        if self.going_away {
            return Ok(None);
        }
        let theirs = self.streams.keys().filter(|open| open.opened_by() != self.role).count();
        if theirs >= MAX_STREAMS {
            self.write(Kind::RstStream, 0, &[stream.get(), ResetStatus::REFUSED_STREAM.0]);
            return Ok(None);
        }
        self.streams.insert(stream, Stream { they_finished: finished, ..Stream::default() });
        Ok(Some(Event::Opened { stream, headers, finished }))
    }

    fn replied(
        &mut self,
        stream: StreamId,
        headers: HeaderMap,
        finished: bool,
    ) -> Result<Option<Event>, Error> {
        let frame = Kind::SynReply.as_str();
        self.check_known(frame, stream)?;
        if stream.opened_by() != self.role {
            return Err(Error::Stream { frame, stream: stream.get() });
        }
        match self.streams.get_mut(&stream) {
            None => return Ok(None),
            Some(open) if open.replied => return Err(Error::Order { frame, stream: stream.get() }),
            Some(open) => open.replied = true,
        }
        self.heard(frame, stream, finished)?;
        Ok(Some(Event::Replied { stream, headers, finished }))
    }

    /// Whether anybody still wants to hear what came on a stream.
    fn heard(&mut self, frame: &'static str, stream: StreamId, finished: bool) -> Result<bool, Error> {
        self.check_known(frame, stream)?;
        let Some(open) = self.streams.get_mut(&stream) else { return Ok(false) };
        if !open.replied && stream.opened_by() == self.role {
            return Err(Error::Order { frame, stream: stream.get() });
        }
        if open.they_finished {
            return Ok(false);
        }
        open.they_finished = finished;
        if open.is_over() {
            self.streams.remove(&stream);
        }
        Ok(true)
    }

    /// Streams that are over are known; those that never were are not.
    fn check_known(&self, frame: &'static str, stream: StreamId) -> Result<(), Error> {
        let known = if stream.opened_by() == self.role {
            stream.get() < self.next
        } else {
            self.last >= Some(stream)
        };
        if known { Ok(()) } else { Err(Error::Stream { frame, stream: stream.get() }) }
    }

    /// Opens a stream; `finish`: nothing will be sent on it. Data can be sent after [`Event::Replied`].
    ///
    /// # Errors
    /// [`SendError::GoingAway`] (or all numbers were used) and [`SendError::Headers`].
    pub fn open(&mut self, headers: &HeaderMap, finish: bool) -> Result<StreamId, SendError> {
        let stream = StreamId::new(self.next).filter(|_| !self.going_away).ok_or(SendError::GoingAway)?;
        let block = self.deflater.write(headers)?;
        // Priority 0, slot 0.
        let rest = [&[0, 0], block.as_slice()].concat();
        let numbers = [stream.get(), 0];
        if !control::write(&mut self.output, Kind::SynStream, u8::from(finish) * FINISH, &numbers, &rest) {
            return Err(SendError::Headers);
        }
        self.next = self.next.saturating_add(2);
        self.streams.insert(stream, Stream { we_finished: finish, ..Stream::default() });
        Ok(stream)
    }

    /// Accepts a stream that they opened, without headers, as Kubernetes does.
    ///
    /// # Errors
    /// [`SendError::NotOpen`] and [`SendError::Replied`].
    pub fn reply(&mut self, stream: StreamId) -> Result<(), SendError> {
        let open = self.streams.get_mut(&stream).ok_or(SendError::NotOpen)?;
        if open.replied || stream.opened_by() == self.role {
            return Err(SendError::Replied);
        }
        let block = self.deflater.write(&HeaderMap::new())?;
        if !control::write(&mut self.output, Kind::SynReply, 0, &[stream.get()], &block) {
            return Err(SendError::Headers);
        }
        open.replied = true;
        Ok(())
    }

    /// Sends data; `finish`: nothing more will be sent on the stream.
    ///
    /// # Errors
    /// [`SendError::NotOpen`], [`SendError::Finished`] and [`SendError::NotReplied`].
    pub fn send(&mut self, stream: StreamId, bytes: &[u8], finish: bool) -> Result<(), SendError> {
        let open = self.streams.get_mut(&stream).ok_or(SendError::NotOpen)?;
        open.may_send()?;
        let mut pieces = bytes.chunks(DATA).peekable();
        while let Some(piece) = pieces.next() {
            control::write_data(&mut self.output, stream, piece, finish && pieces.peek().is_none());
        }
        if finish && bytes.is_empty() {
            control::write_data(&mut self.output, stream, &[], true);
        }
        open.we_finished = finish;
        if open.is_over() {
            self.streams.remove(&stream);
        }
        Ok(())
    }

    /// Ends a stream in both directions; nothing if it is over.
    pub fn reset(&mut self, stream: StreamId, status: ResetStatus) {
        if self.streams.remove(&stream).is_some() {
            self.write(Kind::RstStream, 0, &[stream.get(), status.0]);
        }
    }

    /// Asks whether they are still there: they answer with [`Event::Ponged`]. kubectl does every 10 seconds while it forwards
    /// ports, API servers every 5.
    pub fn ping(&mut self) -> u32 {
        let ping = self.next_ping;
        self.next_ping = ping.checked_add(2).unwrap_or(ping % 2 + 2);
        self.write(Kind::Ping, 0, &[ping]);
        ping
    }

    /// Ends the connection: spdystream hears nothing after it. What they open from now on is passed over.
    pub fn go_away(&mut self, status: GoAwayStatus) {
        self.going_away = true;
        let last = self.last.map_or(0, StreamId::get);
        self.write(Kind::GoAway, 0, &[last, status.0]);
    }

    /// Ends what is open, and the connection.
    pub fn end(&mut self) {
        let open: Vec<StreamId> = self.streams().collect();
        for stream in open {
            self.reset(stream, ResetStatus::CANCEL);
        }
        self.go_away(GoAwayStatus::OK);
    }

    /// What is to be sent, in any pieces; empty if there is nothing.
    pub fn take_output(&mut self) -> Bytes {
        self.output.split().freeze()
    }

    /// Whether there is something to be sent.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// The streams that are open in one direction at least.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> {
        self.streams.keys().copied()
    }

    /// Writes a short control frame.
    fn write(&mut self, kind: Kind, flags: u8, numbers: &[u32]) {
        control::write(&mut self.output, kind, flags, numbers, &[]);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("role", &self.role)
            .field("streams", &self.streams.len())
            .field("going_away", &self.going_away)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
