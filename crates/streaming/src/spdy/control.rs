//! Control frames: SPDY/3.1 draft, section 2.6; moby/spdystream/spdy/{read,write}.go.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;

use super::{Error, StreamId, headers::Inflater, reader::Piece};

/// Which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    SynStream = 1,
    SynReply = 2,
    RstStream = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 9,
}

/// What is in them.
pub(super) enum Frame {
    SynStream {
        stream: StreamId,
        headers: HeaderMap,
        finished: bool,
    },
    SynReply {
        stream: StreamId,
        headers: HeaderMap,
        finished: bool,
    },
    Data {
        stream: StreamId,
        bytes: Bytes,
        finished: bool,
    },
    RstStream {
        stream: StreamId,
        status: u32,
    },
    Ping(u32),
    GoAway {
        last: Option<StreamId>,
        status: u32,
    },
    /// SETTINGS and WINDOW_UPDATE, which nobody heeds.
    Ignored,
}

pub(super) const FINISH: u8 = 1;

impl Kind {
    pub(super) fn read(number: u16) -> Result<Self, Error> {
        match number {
            1 => Ok(Self::SynStream),
            2 => Ok(Self::SynReply),
            3 => Ok(Self::RstStream),
            4 => Ok(Self::Settings),
            6 => Ok(Self::Ping),
            7 => Ok(Self::GoAway),
            // HEADERS: nobody in Kubernetes sends more of them than a stream is opened with. Each is a block to inflate, and could be for
            // a stream that is over.
            9 => Ok(Self::WindowUpdate),
            other => Err(Error::Type(other)),
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::SynStream => "SYN_STREAM",
            Self::SynReply => "SYN_REPLY",
            Self::RstStream => "RST_STREAM",
            Self::Settings => "SETTINGS",
            Self::Ping => "PING",
            Self::GoAway => "GOAWAY",
            Self::WindowUpdate => "WINDOW_UPDATE",
        }
    }
}

impl Frame {
    /// Reads what came. Header blocks have to be read in the order in which they come, wanted or not.
    pub(super) fn read(piece: Piece, inflater: &mut Inflater) -> Result<Self, Error> {
        let (kind, flags, body) = match piece {
            Piece::Data { stream, bytes, finished } => return Ok(Self::Data { stream, bytes, finished }),
            Piece::Control { kind, flags, body } => (kind, flags, body),
        };
        let frame = Body { kind, rest: &body };
        let finished = flags == FINISH;
        let may_be_flagged = match kind {
            Kind::SynStream | Kind::SynReply => flags <= FINISH,
            // The one flag of SETTINGS asks to forget what nobody keeps.
            Kind::Settings => true,
            Kind::RstStream | Kind::Ping | Kind::GoAway | Kind::WindowUpdate => flags == 0,
        };
        if !may_be_flagged {
            return Err(Error::Flags { frame: kind.as_str(), flags });
        }
        match kind {
            Kind::SynStream => frame.syn_stream(inflater, finished),
            Kind::SynReply => {
                let (stream, headers) = frame.headers(inflater)?;
                Ok(Self::SynReply { stream, headers, finished })
            }
            Kind::RstStream => frame.rst_stream(),
            Kind::Ping => frame.ping(),
            Kind::GoAway => frame.go_away(),
            Kind::Settings => frame.settings(),
            Kind::WindowUpdate => frame.numbers::<2>().map(|_| Self::Ignored),
        }
    }
}

/// What is left of a control frame.
struct Body<'b> {
    kind: Kind,
    rest: &'b [u8],
}

impl Body<'_> {
    fn malformed(&self) -> Error {
        Error::Malformed(self.kind.as_str())
    }

    fn number(&mut self) -> Result<u32, Error> {
        let (number, rest) = self.rest.split_first_chunk().ok_or_else(|| self.malformed())?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn stream(&mut self) -> Result<StreamId, Error> {
        let stream = self.number()?;
        StreamId::new(stream).ok_or(Error::Stream { frame: self.kind.as_str(), stream })
    }

    /// `N` numbers and nothing else.
    fn numbers<const N: usize>(mut self) -> Result<[u32; N], Error> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        if self.rest.is_empty() { Ok(numbers) } else { Err(self.malformed()) }
    }

    fn syn_stream(mut self, inflater: &mut Inflater, finished: bool) -> Result<Frame, Error> {
        let stream = self.stream()?;
        // Not with another stream. After it come a priority and a slot for certificates, which have no effect.
        let (0, Some((_, block))) = (self.number()?, self.rest.split_first_chunk::<2>()) else {
            return Err(self.malformed());
        };
        Ok(Frame::SynStream { stream, headers: inflater.read(block)?, finished })
    }

    fn headers(mut self, inflater: &mut Inflater) -> Result<(StreamId, HeaderMap), Error> {
        Ok((self.stream()?, inflater.read(self.rest)?))
    }

    fn rst_stream(self) -> Result<Frame, Error> {
        let (kind, malformed) = (self.kind.as_str(), self.malformed());
        match self.numbers()? {
            [_, 0] => Err(malformed),
            [stream, status] => {
                let stream = StreamId::new(stream).ok_or(Error::Stream { frame: kind, stream })?;
                Ok(Frame::RstStream { stream, status })
            }
        }
    }

    fn ping(self) -> Result<Frame, Error> {
        let malformed = self.malformed();
        match self.numbers()? {
            [0] => Err(malformed),
            [ping] => Ok(Frame::Ping(ping)),
        }
    }

    fn go_away(self) -> Result<Frame, Error> {
        let [last, status] = self.numbers()?;
        Ok(Frame::GoAway { last: StreamId::new(last), status })
    }

    fn settings(mut self) -> Result<Frame, Error> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count.checked_mul(8) == Some(self.rest.len()) { Ok(Frame::Ignored) } else { Err(self.malformed()) }
    }
}

/// Writes a control frame: numbers, then a header block or nothing. `false` if it is too long, and nothing was written.
pub(super) fn write(output: &mut BytesMut, kind: Kind, flags: u8, numbers: &[u32], rest: &[u8]) -> bool {
    let Some(length) = frame_length(numbers.len() * 4 + rest.len()) else { return false };
    output.put_u16(0x8003);
    output.put_u16(kind as u16);
    output.put_u32(u32::from(flags) << 24 | length);
    numbers.iter().for_each(|number| output.put_u32(*number));
    output.put_slice(rest);
    true
}

/// Writes a data frame. `false` if it is too long, and nothing was written.
pub(super) fn write_data(output: &mut BytesMut, stream: StreamId, bytes: &[u8], finish: bool) -> bool {
    let Some(length) = frame_length(bytes.len()) else { return false };
    output.put_u32(stream.get());
    output.put_u32(u32::from(finish) << 24 | length);
    output.put_slice(bytes);
    true
}

/// 24 bits.
fn frame_length(length: usize) -> Option<u32> {
    u32::try_from(length).ok().filter(|length| *length < 1 << 24)
}
