//! A stream for the player, piece by piece: a slow browser makes the reader wait, and is given up on when it is too slow.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use recording::asciicast::{self, ExportError};
use recording::record::{Record, What};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use super::{Opened, Place};

/// Bytes that are sent at a time.
const PIECE: usize = 64 << 10;
/// Pieces that wait for the browser.
const PIECES: usize = 4;
/// How long a reader waits for the browser to take a piece.
const PATIENCE: Duration = Duration::from_secs(30);

type Piece = Result<Bytes, io::Error>;

/// Sends what is written on.
struct Sending {
    to: Sender<Piece>,
    piece: Vec<u8>,
    runtime: Handle,
}

/// The cast's body, once it is sure that there is one; `None`: there is no such stream. Within a blocking task of a runtime.
pub(crate) fn body(opened: &Opened, stream: u32, place: Place) -> Option<Body> {
    let (recording, _) = opened.settled()?;
    let is_its_beginning = |record: Record| matches!(record.what, What::Opened(_));
    recording.stream(stream).any(|record| record.is_ok_and(is_its_beginning)).then_some(())?;
    let (to, pieces) = channel(PIECES);
    let runtime = Handle::current();
    // It keeps its place for as long as it reads.
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut sending = Sending { to, piece: Vec::with_capacity(PIECE), runtime };
        match asciicast::play(recording.stream(stream), &mut sending) {
            Ok(_) => {}
            Err(error @ ExportError::NoStream) => sending.break_off(io::Error::other(error)),
            Err(ExportError::Io(error)) => sending.break_off(error),
        }
    });
    Some(Body::from_stream(stream::unfold(pieces, |mut pieces: Receiver<Piece>| async {
        pieces.recv().await.map(|piece| (piece, pieces))
    })))
}

impl Sending {
    fn send(&self, piece: Piece) -> io::Result<()> {
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let sent = self.runtime.block_on(timeout(PATIENCE, self.to.send(piece)));
        sent.map_err(|_| late())?.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }

    /// A body that is not whole must not look as if it were.
    fn break_off(&self, error: io::Error) {
        let _gone = self.send(Err(error));
    }
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.send(Ok(piece.into()))
    }
}
