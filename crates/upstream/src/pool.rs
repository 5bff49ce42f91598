//! HTTP/2 connections to one API server, opened as their streams run out.
//!
//! A server allows so many concurrent streams a connection (Go: 250) and every open watch holds one, so a
//! pool of one connection hangs as soon as an agent has enough watches. A *lane* is one connection; a call
//! takes a place on the fullest lane that still has one, so that the others drain and close when load falls.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::TokioTimer;
use parking_lot::Mutex;
use tokio::time::{Instant, interval_at, timeout};

use crate::{
    connector::{ConnectError, Connection, Connector},
    flight::Flight,
    settled::Nudging,
};

/// Bytes a stream may have in flight before its client has read them; the most a slow client costs us.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Never more streams a connection than this, whatever the server allows.
const STREAMS_A_LANE: usize = 100;
/// Large enough that slow readers on every stream of a lane together cannot stall the others.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * 100;
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// The body of a request: judged, rebuilt, whole.
pub(crate) type RequestBody = Full<Bytes>;

type Http2 = http2::Connection<Connection, RequestBody, Nudging>;

/// The lanes to one API server.
#[derive(Debug)]
pub(crate) struct Pool {
    lanes: Arc<Lanes>,
    /// So that a burst of calls opens one connection and not one each, and so that all of them know at once when it
    /// cannot be opened.
    opening: Flight<Result<(), Arc<ConnectError>>>,
}

#[derive(Debug)]
struct Lanes {
    connector: Connector,
    /// Between two looks at whether a lane carries anything.
    idle_timeout: Duration,
    /// Streams are taken under this lock only, so that what is seen to carry nothing can be closed.
    open: Mutex<Vec<Lane>>,
}

#[derive(Debug)]
struct Lane {
    sender: http2::SendRequest<RequestBody>,
    load: Arc<Load>,
}

/// How full a lane is.
#[derive(Debug)]
struct Load {
    /// How many streams the server allows; kept up to date by [`Lanes::drive`].
    allowed: AtomicUsize,
    streams: AtomicUsize,
    /// Since it was last looked at for being idle.
    used: AtomicBool,
}

/// A place on a lane: one stream. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) sender: http2::SendRequest<RequestBody>,
    pub(crate) held: Held,
}

/// Counts one stream of a lane for as long as it lives; travels with the answer's body.
#[derive(Debug)]
pub(crate) struct Held(Arc<Load>);

// === impl Pool ===

impl Pool {
    /// A lane that carries nothing between two looks, `idle_timeout` apart, is closed, but for the last one.
    pub(crate) fn new(connector: Connector, idle_timeout: Duration) -> Self {
        let lanes = Lanes { connector, idle_timeout, open: Mutex::new(Vec::new()) };
        Self { lanes: Arc::new(lanes), opening: Flight::new() }
    }

    /// A place for one call, on a new connection if every lane is full; within the connect timeout, however many ask.
    ///
    /// # Errors
    /// No connection could be opened.
    pub(crate) async fn place(&self) -> Result<Place, Arc<ConnectError>> {
        match timeout(self.lanes.connector.deadline(), self.found()).await {
            Ok(found) => found,
            Err(_elapsed) => Err(Arc::new(self.lanes.connector.too_slow())),
        }
    }

    async fn found(&self) -> Result<Place, Arc<ConnectError>> {
        loop {
            if let Some(place) = self.lanes.vacant() {
                return Ok(place);
            }
            let opened = self.opening.join(|| Arc::clone(&self.lanes).add()).await;
            opened.unwrap_or_else(|| Err(Arc::new(self.lanes.connector.ended())))?;
        }
    }
}

// === impl Lanes ===

impl Lanes {
    fn vacant(&self) -> Option<Place> {
        let open = self.open.lock();
        let with_room = open.iter().filter(|lane| !lane.sender.is_closed() && lane.load.has_room());
        with_room.max_by_key(|lane| lane.load.streams.load(Ordering::Relaxed)).map(Lane::take)
    }

    async fn add(self: Arc<Self>) -> Result<(), Arc<ConnectError>> {
        match timeout(self.connector.deadline(), self.opened()).await {
            Ok(Ok(lane)) => {
                self.open.lock().push(lane);
                Ok(())
            }
            Ok(Err(error)) => Err(Arc::new(error)),
            Err(_elapsed) => Err(Arc::new(self.connector.too_slow())),
        }
    }

    async fn opened(self: &Arc<Self>) -> Result<Lane, ConnectError> {
        let io = self.connector.connect().await?;
        let nudging = Nudging::new();
        let (sender, mut connection) = http2::Builder::new(nudging.clone())
            .timer(TokioTimer::new())
            // None until the server has said how many it allows: what is above that would be refused.
            .initial_max_send_streams(0)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(64 * 1024)
            .max_header_list_size(64 * 1024)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIMEOUT)
            .keep_alive_while_idle(true)
            .handshake(io)
            .await
            .map_err(|error| self.connector.not_http2(error))?;
        while connection.current_max_send_streams() == 0 {
            tokio::select! {
                ended = &mut connection => {
                    return Err(match ended {
                        Ok(()) => self.connector.ended(),
                        Err(error) => self.connector.not_http2(error),
                    });
                }
                () = nudging.nudged() => {}
            }
        }
        nudging.settle();
        let load = Arc::new(Load::new(connection.current_max_send_streams()));
        let driven = Self::drive(Arc::downgrade(self), connection, Arc::clone(&load), self.idle_timeout);
        tokio::spawn(driven);
        Ok(Lane { sender, load })
    }

    /// Moves a connection's bytes until it ends, passes on how many streams its server allows, which changes with its
    /// `SETTINGS`, and lets go of it once it is idle or has ended.
    async fn drive(lanes: Weak<Self>, mut connection: Http2, load: Arc<Load>, idle_timeout: Duration) {
        let mut look = interval_at(Instant::now() + idle_timeout, idle_timeout);
        loop {
            let ended = poll_fn(|cx| {
                let polled = Pin::new(&mut connection).poll(cx);
                load.allowed.store(connection.current_max_send_streams(), Ordering::Relaxed);
                polled
            });
            let ended = tokio::select! {
                ended = ended => Some(ended),
                _now = look.tick() => None,
            };
            let lanes = lanes.upgrade();
            match ended {
                None => lanes.iter().for_each(|lanes| lanes.retire(&load)),
                Some(ended) => {
                    lanes.iter().for_each(|lanes| lanes.forget(&load));
                    if let Err(error) = ended {
                        tracing::debug!(%error, "upstream connection ended");
                    }
                    return;
                }
            }
        }
    }

    fn forget(&self, load: &Arc<Load>) {
        self.open.lock().retain(|lane| !Arc::ptr_eq(&lane.load, load));
    }

    /// Lets go of a lane that carried nothing since the last look; without a sender, its connection ends.
    fn retire(&self, load: &Arc<Load>) {
        let mut open = self.open.lock();
        let used = load.used.swap(false, Ordering::Relaxed) || load.streams.load(Ordering::Relaxed) > 0;
        if !used && open.len() > 1 {
            open.retain(|lane| !Arc::ptr_eq(&lane.load, load));
        }
    }
}

// === impl Lane ===

impl Lane {
    fn take(&self) -> Place {
        self.load.streams.fetch_add(1, Ordering::Relaxed);
        self.load.used.store(true, Ordering::Relaxed);
        Place { sender: self.sender.clone(), held: Held(Arc::clone(&self.load)) }
    }
}

impl Load {
    fn new(allowed: usize) -> Self {
        Self { allowed: allowed.into(), streams: 0.into(), used: true.into() }
    }

    fn has_room(&self) -> bool {
        let allowed = self.allowed.load(Ordering::Relaxed).min(STREAMS_A_LANE);
        self.streams.load(Ordering::Relaxed) < allowed
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A lane that has just become idle is not idle for long.
        self.0.used.store(true, Ordering::Relaxed);
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
