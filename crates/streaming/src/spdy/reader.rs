//! Frames, out of bytes in any pieces.

use bytes::{Bytes, BytesMut};

use super::{Error, StreamId, control::Kind};

/// How long a control frame may be, its first 8 bytes not counted. kubectl's have less than 100.
pub const MAX_CONTROL_FRAME: usize = 16 * 1024;

/// The first bytes of every frame: what it is, its flags, and how long it is.
const HEAD: usize = 8;

/// What was read.
pub(super) enum Piece {
    Control {
        kind: Kind,
        flags: u8,
        body: Bytes,
    },
    /// A data frame, or some of it.
    Data {
        stream: StreamId,
        bytes: Bytes,
        finished: bool,
    },
}

/// Where it is in the bytes.
#[derive(Debug)]
pub(super) struct Reader {
    next: Next,
    /// The beginning of what is not complete. INVARIANT: shorter than the head or the body that is next.
    held: BytesMut,
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
enum Next {
    Head,
    Body { kind: Kind, flags: u8, length: usize },
    Data { stream: StreamId, left: usize, finish: bool },
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { next: Next::Head, held: BytesMut::new() }
    }

    /// Takes from `input` until there is a piece. Without one, all of `input` was taken.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Piece>, Error> {
        loop {
            match self.next {
                Next::Head => {
                    let Some(head) = self.gather(input, HEAD) else { return Ok(None) };
                    self.next = Next::read(&head)?;
                }
                Next::Body { kind, flags, length } => {
                    let Some(body) = self.gather(input, length) else { return Ok(None) };
                    self.next = Next::Head;
                    return Ok(Some(Piece::Control { kind, flags, body }));
                }
                Next::Data { stream, left, finish } => {
                    let bytes = input.split_to(left.min(input.len()));
                    let left = left.saturating_sub(bytes.len());
                    self.next = if left == 0 { Next::Head } else { Next::Data { stream, left, finish } };
                    let finished = left == 0 && finish;
                    if finished || !bytes.is_empty() {
                        return Ok(Some(Piece::Data { stream, bytes, finished }));
                    }
                    if left > 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// `length` bytes, once they are there; copied only where they came in more than one piece.
    fn gather(&mut self, input: &mut Bytes, length: usize) -> Option<Bytes> {
        if self.held.is_empty() && input.len() >= length {
            return Some(input.split_to(length));
        }
        let missing = length.saturating_sub(self.held.len());
        self.held.extend_from_slice(&input.split_to(missing.min(input.len())));
        (self.held.len() == length).then(|| std::mem::take(&mut self.held).freeze())
    }
}

impl Next {
    fn read(head: &[u8]) -> Result<Self, Error> {
        let &[a, b, c, d, flags, e, f, g] = head else { return Err(Error::Malformed("short")) };
        let length = usize::from(e) << 16 | usize::from(f) << 8 | usize::from(g);
        if a & 0x80 == 0 {
            let stream = u32::from_be_bytes([a, b, c, d]);
            let stream = StreamId::new(stream).ok_or(Error::Stream { frame: "DATA", stream })?;
            return match flags {
                0 | 1 => Ok(Self::Data { stream, left: length, finish: flags == 1 }),
                flags => Err(Error::Flags { frame: "DATA", flags }),
            };
        }
        match u16::from_be_bytes([a & 0x7f, b]) {
            3 if length <= MAX_CONTROL_FRAME => {
                Ok(Self::Body { kind: Kind::read(u16::from_be_bytes([c, d]))?, flags, length })
            }
            3 => Err(Error::ControlTooLarge(length)),
            version => Err(Error::Version(version)),
        }
    }
}
