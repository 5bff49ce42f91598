//! Connections for reads: HTTP/1.1, each driven by the call it carries.
//!
//! Reads are short and many. On a lane their bytes pass through the task that drives the connection, which costs each
//! call a change of threads on the way there and back; on a *line* they do not, and the API server has less to do as well.
//! Writes stay on lanes: only HTTP/2 tells which requests a closing server did not begin, and a write that may have been
//! begun is never repeated. A call does not wait for a line to be opened, it takes a lane; so a server without
//! HTTP/1.1, or none at all, is no special case.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::{Request, Response, header::HOST};
use hyper::{body::Incoming, client::conn::http1};
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, interval_at, sleep, timeout},
};

use crate::{
    connector::{Connection, Connector},
    pool::RequestBody,
};

/// Lines at most; further reads take lanes.
const MOST: usize = 64;
/// A line that carried nothing for so long is closed. An API server closes its own only later (Go: 90 s), so that one
/// which is taken is rarely about to close.
const KEPT: Duration = Duration::from_secs(30);
/// Before a line is opened again after one could not be.
const PAUSE: Duration = Duration::from_secs(30);

/// The lines to one API server.
#[derive(Debug)]
pub(crate) struct Lines(Arc<Shared>);

struct Shared {
    connector: Connector,
    /// The one used last is the one taken next, so that the others can close.
    kept: Mutex<Vec<Line>>,
    room: Arc<Semaphore>,
    /// At most one is being opened.
    opening: AtomicBool,
}

/// A connection with nobody else on it.
pub(crate) struct Line {
    sender: http1::SendRequest<RequestBody>,
    /// Until it has ended.
    connection: Option<Pin<Box<http1::Connection<Connection, RequestBody>>>>,
    used: Instant,
    home: Weak<Shared>,
    _room: OwnedSemaphorePermit,
}

// === impl Lines ===

impl Lines {
    /// `connector` must offer HTTP/1.1.
    pub(crate) fn new(connector: Connector) -> Self {
        let room = Arc::new(Semaphore::new(MOST));
        Self(Arc::new(Shared { connector, kept: Mutex::default(), room, opening: false.into() }))
    }

    /// A line, if one is there and open.
    pub(crate) fn take(&self) -> Option<Line> {
        loop {
            let mut line = self.0.kept.lock().pop()?;
            if line.used.elapsed() < KEPT && line.is_ready() {
                return Some(line);
            }
        }
    }

    /// Opens another for later reads, since one had to take a lane, and was answered there.
    pub(crate) fn want_more(&self) {
        self.0.open_one();
    }
}

// === impl Shared ===

impl Shared {
    fn open_one(self: &Arc<Self>) {
        if self.opening.swap(true, Ordering::AcqRel) {
            return;
        }
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            self.opening.store(false, Ordering::Release);
            return;
        };
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            match timeout(shared.connector.deadline(), shared.opened(room)).await {
                Ok(Some(line)) => shared.keep(line),
                // The lanes say why, if they cannot be opened either.
                Ok(None) | Err(_) => sleep(PAUSE).await,
            }
            shared.opening.store(false, Ordering::Release);
        });
    }

    async fn opened(self: &Arc<Self>, room: OwnedSemaphorePermit) -> Option<Line> {
        let first = self.room.available_permits() + 1 == MOST;
        let io = self.connector.connect().await.ok()?;
        let (sender, connection) = http1::handshake(io).await.ok()?;
        if first {
            tokio::spawn(Self::close_unused(Arc::downgrade(self)));
        }
        let connection = Some(Box::pin(connection));
        Some(Line { sender, connection, used: Instant::now(), home: Arc::downgrade(self), _room: room })
    }

    fn keep(&self, mut line: Line) {
        if line.is_ready() {
            line.used = Instant::now();
            self.kept.lock().push(line);
        }
    }

    /// Until there is no line left.
    async fn close_unused(shared: Weak<Self>) {
        let mut look = interval_at(Instant::now() + KEPT, KEPT);
        loop {
            look.tick().await;
            let Some(shared) = shared.upgrade() else { return };
            shared.kept.lock().retain(|line| line.used.elapsed() < KEPT);
            if shared.room.available_permits() == MOST {
                return;
            }
        }
    }
}

// === impl Line ===

impl Line {
    /// Sends a read.
    ///
    /// # Errors
    /// No answer: the connection broke, perhaps because the server closed it just now.
    pub(crate) async fn send(
        mut self,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Self), hyper::Error> {
        let mut answer = std::pin::pin!(self.sender.send_request(request));
        let connection = &mut self.connection;
        let answer = std::future::poll_fn(|cx| {
            if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                return Poll::Ready(answer);
            }
            drive(connection, cx);
            answer.as_mut().poll(cx)
        });
        let response = answer.await?;
        Ok((response, self))
    }

    /// Moves the connection's bytes.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.connection, cx);
    }

    /// Whether it can carry another call: the answer to the last one has come to its end, and nobody has closed it.
    fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Keeps it for another call if it can carry one.
    pub(crate) fn hang_up(self) {
        if let Some(home) = self.home.upgrade() {
            home.keep(self);
        }
    }
}

fn drive(
    connection: &mut Option<Pin<Box<http1::Connection<Connection, RequestBody>>>>,
    cx: &mut Context<'_>,
) {
    let ended = connection.as_mut().is_some_and(|connection| connection.as_mut().poll(cx).is_ready());
    if ended {
        *connection = None;
    }
}

/// A request for a lane as HTTP/1.1 has it: origin form, and the authority in `Host` (RFC 9112 section 3.2).
///
/// # Errors
/// The authority or the target fits no header.
pub(crate) fn http1(request: &Request<RequestBody>) -> Result<Request<RequestBody>, http::Error> {
    let mut line = request.clone();
    let uri = request.uri();
    *line.version_mut() = http::Version::HTTP_11;
    *line.uri_mut() = uri.path_and_query().map_or("/", |target| target.as_str()).parse()?;
    line.headers_mut().insert(HOST, uri.authority().map_or("", |host| host.as_str()).parse()?);
    Ok(line)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("kept", &self.kept.lock().len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}
