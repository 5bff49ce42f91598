//! HTTP/2 connections to one API server, opened as their streams run out.
//!
//! A server allows so many concurrent streams a connection (Go: 250) and every open watch holds one, so a
//! pool of one connection hangs as soon as an agent has enough watches. A *lane* is one connection; a call
//! takes a place on the fullest lane that still has one, so that lanes drain and close when load falls.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::connector::{ConnectError, Connection, Connector};

/// Bytes a stream may have in flight before its client has read them; the most a slow client costs us.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Never more streams a connection than this, whatever the server allows.
const STREAMS_A_LANE: usize = 100;
/// Large enough that slow readers on every stream of a lane together cannot stall the others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * 100;
/// A lane other than the first is closed when it carried nothing for so long.
const IDLE: Duration = Duration::from_secs(60);
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// The body of a request: judged, rebuilt, whole.
pub(crate) type RequestBody = Full<Bytes>;

type Http2 = http2::Connection<Connection, RequestBody, TokioExecutor>;

/// The lanes to one API server.
#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    lanes: Mutex<Vec<Lane>>,
    /// Held while a lane is opened, so that a burst of calls opens one connection and not one each.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Lane {
    sender: http2::SendRequest<RequestBody>,
    /// How many streams the server allows; kept up to date by [`drive`].
    allowed: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
    last_used: Instant,
}

/// A place on a lane: one stream. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) sender: http2::SendRequest<RequestBody>,
    pub(crate) held: Held,
}

/// Counts one stream of a lane for as long as it lives; travels with the answer's body.
#[derive(Debug)]
pub(crate) struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, lanes: Mutex::new(Vec::new()), opening: tokio::sync::Mutex::new(()) }
    }

    /// A place for one call, on a new connection if every lane is full.
    ///
    /// # Errors
    /// No connection could be opened.
    pub(crate) async fn place(&self) -> Result<Place, ConnectError> {
        if let Some(place) = self.vacant() {
            return Ok(place);
        }
        let _opening = self.opening.lock().await;
        // Someone else may have opened a lane while this call waited for its turn.
        if let Some(place) = self.vacant() {
            return Ok(place);
        }
        let lane = self.open().await?;
        let place = lane.take();
        self.lanes.lock().push(lane);
        Ok(place)
    }

    fn vacant(&self) -> Option<Place> {
        let now = Instant::now();
        let mut lanes = self.lanes.lock();
        let mut first = true;
        lanes.retain(|lane| {
            let spare =
                !std::mem::take(&mut first) && lane.is_idle() && now.duration_since(lane.last_used) >= IDLE;
            !lane.sender.is_closed() && !spare
        });
        let lane = lanes.iter_mut().find(|lane| lane.has_room())?;
        lane.last_used = now;
        Some(lane.take())
    }

    async fn open(&self) -> Result<Lane, ConnectError> {
        let io = self.connector.connect().await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(64 * 1024)
            .max_header_list_size(64 * 1024)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .handshake(io)
            .await
            .map_err(ConnectError::Handshake)?;
        let allowed = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
        tokio::spawn(drive(connection, Arc::clone(&allowed)));
        Ok(Lane { sender, allowed, streams: Arc::new(AtomicUsize::new(0)), last_used: Instant::now() })
    }
}

/// Moves a connection's bytes until it ends, and passes on how many streams its server allows, which changes with its
/// `SETTINGS`.
async fn drive(mut connection: Http2, allowed: Arc<AtomicUsize>) {
    let ended = poll_fn(|cx| {
        let polled = Pin::new(&mut connection).poll(cx);
        allowed.store(connection.current_max_send_streams(), Ordering::Relaxed);
        polled
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "upstream connection ended");
    }
}

impl Lane {
    fn has_room(&self) -> bool {
        let allowed = self.allowed.load(Ordering::Relaxed).min(STREAMS_A_LANE);
        self.streams.load(Ordering::Relaxed) < allowed
    }

    fn is_idle(&self) -> bool {
        self.streams.load(Ordering::Relaxed) == 0
    }

    fn take(&self) -> Place {
        self.streams.fetch_add(1, Ordering::Relaxed);
        Place { sender: self.sender.clone(), held: Held(Arc::clone(&self.streams)) }
    }
}
