//! SPDY/3.1, as Kubernetes speaks it: what `moby/spdystream` sends is understood, and what is sent here it understands.
//!
//! ```no_run
//! # fn main() -> Result<(), streaming::spdy::Error> {
//! # fn read() -> bytes::Bytes { bytes::Bytes::new() }
//! # fn write(_: bytes::Bytes) {}
//! # fn act_on(_: streaming::spdy::Event) {}
//! # let (mut connection, open) = (streaming::spdy::Connection::new(streaming::spdy::Role::Server), true);
//! while open {
//!     let mut input = read(); // some KiB
//!     while let Some(event) = connection.receive(&mut input)? {
//!         act_on(event); // reply, send, reset …; wait for the other leg if need be
//!         write(connection.take_output());
//!     }
//!     write(connection.take_output()); // pings were answered
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Memory and back-pressure
//! A [`Connection`] reads no further than the next event, and copies no data: [`Event::Data`] is a part of `input`. Besides,
//! it holds one control frame that is not complete ([`MAX_CONTROL_FRAME`]), a few bytes a stream ([`MAX_STREAMS`]), zlib's
//! windows (a third of a MiB), and what was sent and not taken: at most as much as was received (answers to pings, resets)
//! and as the driver gave to [`Connection::send`]. So who takes the output and waits until it is written before going on,
//! holds no more than one `input` each way; and who does not receive makes the other side wait, by TCP.
//!
//! There is no other flow control: spdystream sends no `WINDOW_UPDATE` and no `SETTINGS`, and ignores those that come, as
//! is done here. One stream that is not read from stops them all, in Kubernetes too.
//!
//! # What spdystream does, and is relied on or put up with
//! - It drops data that comes before the reply to the stream that it is on, in both directions. [`Connection::send`] refuses
//!   to lose it so.
//! - It may send data after it has finished the stream or reset it: two goroutines share the end. It is passed over here.
//! - It does not reset a stream that it has finished: given up so, it is half open here until we finish or reset it.
//! - To it, `GOAWAY` is the last frame: it stops reading at once. Send it when all has been said and heard.
//! - Pings are odd from clients and even from servers, like streams.
//!
//! What it does not send is refused: other versions, unidirectional and pushed streams, frames on streams that never were.

mod connection;
mod control;
mod dictionary;
mod error;
mod event;
mod headers;
mod reader;
mod stream;

pub use connection::{Connection, MAX_STREAMS, Role};
pub use error::{Error, SendError};
pub use event::{Event, GoAwayStatus, ResetStatus};
pub use headers::{MAX_HEADER_BLOCK, MAX_HEADERS};
pub use reader::MAX_CONTROL_FRAME;
pub use stream::StreamId;
