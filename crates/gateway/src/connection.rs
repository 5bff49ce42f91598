//! One connection: TLS, then HTTP/1.1 or HTTP/2, each with its limits.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use door::Slot;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    Gate,
    activity::{Activity, Answer, Busy},
    call::{self, Peer},
    limits::Limits,
    outcome::Ending,
    refuse::Refused,
    reply::Reply,
    upgrade,
};

/// Bytes of a request body that one HTTP/2 stream may have in flight.
const STREAM_WINDOW: u32 = 256 * 1024;
const STREAMS_A_CONNECTION: u32 = 250;
/// hyper's own lower bound for [`http1::Builder::max_buf_size`].
const MIN_BUFFER: usize = 8 * 1024;

/// A client's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) gate: Arc<Gate>,
    pub(crate) peer: SocketAddr,
    pub(crate) places: Places,
}

/// What a connection counts as, until all of these are dropped: its own, and that of the stream that it may become.
pub(crate) type Places = Arc<(OwnedSemaphorePermit, Slot)>;

impl Connection {
    /// Serves its calls until the client leaves, it is idle for too long, it carries no valid token, or the gate stops.
    pub(crate) async fn run(self, stream: TcpStream, tls: TlsAcceptor) {
        let limits = self.gate.limits();
        let Some(stream) = handshake(stream, tls, &limits).await else { return };
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        let activity = Activity::new();
        let service = service_fn(|request| self.call(request, &activity));
        let served = if http2 {
            let served = http2_server(&limits).serve_connection(io, service);
            self.until_done(served, |served| served.graceful_shutdown(), &activity).await
        } else {
            let served = http1_server(&limits).serve_connection(io, service).with_upgrades();
            self.until_done(served, |served| served.graceful_shutdown(), &activity).await
        };
        if let Err(error) = served {
            tracing::debug!(peer = %self.peer, %error, "connection ended with an error");
        }
    }

    /// The future must not borrow: HTTP/2 calls run on tasks of their own.
    fn call(
        &self,
        request: Request<Incoming>,
        activity: &Activity,
    ) -> impl Future<Output = Result<Response<Counted>, Infallible>> + use<> {
        let (gate, activity) = (Arc::clone(&self.gate), activity.clone());
        let peer = Peer { address: self.peer, places: Arc::clone(&self.places) };
        async move {
            // After the drain time nothing more begins, so that what is open can be told to its end.
            if gate.cut().is_cancelled() {
                let refused = Refused::Cut(Ending::GateStopping).answer(None);
                return Ok(refused.map(|body| Counted { body, answer: activity.answer(), _busy: None }));
            }
            let busy = activity.busy();
            let bodiless = request.method() == Method::HEAD;
            let upgrades = upgrade::is_asked(&request);
            let mut response = call::serve(gate, peer, request).await;
            if upgrades {
                upgrade::closes(&mut response);
            }
            // Who has no session must not hold a place: neither longer than to be told, nor by not taking what is told.
            let welcome = !matches!(
                response.status(),
                StatusCode::UNAUTHORIZED | StatusCode::HTTP_VERSION_NOT_SUPPORTED
            );
            if !welcome {
                activity.dismiss();
            }
            Ok(response.map(|body| Counted {
                body: if bodiless { body.without_content() } else { body },
                answer: activity.answer(),
                _busy: welcome.then_some(busy),
            }))
        }
    }

    /// `shut` has it take no more calls and end.
    async fn until_done<C: Future<Output = hyper::Result<()>>>(
        &self,
        connection: C,
        shut: impl FnOnce(Pin<&mut C>),
        activity: &Activity,
    ) -> hyper::Result<()> {
        let limits = self.gate.limits();
        let mut connection = pin!(connection);
        let last_call = async {
            tokio::select! {
                () = activity.idle(limits.header_timeout, limits.idle_timeout) => {}
                () = activity.dismissed() => {}
                () = self.gate.stopping().cancelled() => {}
            }
        };
        // The answers of a client that takes nothing cannot be ended, but its connection can.
        let mut stalled = pin!(activity.stalled(limits.write_timeout));
        tokio::select! {
            served = connection.as_mut() => return served,
            () = stalled.as_mut() => return Ok(()),
            () = last_call => shut(connection.as_mut()),
        }
        // HTTP/2 asks the client whether more calls are on their way; one that does not answer is not waited for.
        tokio::select! {
            served = connection => served,
            () = stalled => Ok(()),
            () = activity.idle(limits.header_timeout, limits.header_timeout) => Ok(()),
        }
    }
}

/// An answer's body, which tells what becomes of it, and keeps its connection busy until it is dropped.
struct Counted {
    body: Reply,
    answer: Arc<Answer>,
    _busy: Option<Busy>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.answer.has_stalled() {
            self.body.stalled();
        }
    }
}

impl Body for Counted {
    type Data = <Reply as Body>::Data;
    type Error = <Reply as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_pending() {
            self.answer.awaited();
        } else {
            self.answer.given();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn handshake(stream: TcpStream, tls: TlsAcceptor, limits: &Limits) -> Option<TlsStream<TcpStream>> {
    watch_over(&stream, limits).ok()?;
    timeout(limits.header_timeout, tls.accept(stream)).await.ok()?.ok()
}

/// Lets the kernel end a connection whose client is gone without a word, or takes nothing for too long (RFC 5482).
fn watch_over(stream: &TcpStream, limits: &Limits) -> rustix::io::Result<()> {
    sockopt::set_tcp_nodelay(stream, true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, limits.keep_alive)?;
    sockopt::set_tcp_keepintvl(stream, limits.keep_alive)?;
    #[cfg(target_os = "linux")]
    {
        // Later than the connection itself is ended, with the reason in the ledger.
        let milliseconds =
            u32::try_from((limits.write_timeout * 2 + limits.header_timeout).as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(stream, milliseconds)?;
    }
    Ok(())
}

fn http1_server(limits: &Limits) -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        // hyper counts from the end of the call before; that the first head comes soon is seen to by `Activity`.
        .header_read_timeout(limits.header_timeout.max(limits.idle_timeout))
        .max_buf_size(limits.header_bytes.max(MIN_BUFFER))
        .max_headers(100)
        .half_close(false);
    server
}

fn http2_server(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_A_CONNECTION)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(STREAM_WINDOW * 4)
        .keep_alive_interval(limits.keep_alive)
        .keep_alive_timeout(limits.header_timeout);
    server
}
