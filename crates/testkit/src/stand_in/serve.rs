//! The connections of a stand-in.

use std::{future::pending, io, pin::Pin, sync::Arc, task};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Seen, Shared,
    heard::Heard,
    reply::{Body, Broken, What},
};

/// No request of a test is larger.
const MOST: usize = 8 * 1024 * 1024;

pub(super) async fn serve(listener: std::net::TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut connection = 0;
    while let Ok((tcp, _peer)) = listener.accept().await {
        connection += 1;
        shared.observed.send_modify(|observed| {
            observed.connections += 1;
            observed.open += 1;
        });
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let mut ended = shared.ended.subscribe();
            tokio::select! {
                () = speak(connection, tcp, tls, &shared) => {}
                _ended = ended.changed() => {}
            }
            shared.observed.send_modify(|observed| observed.open -= 1);
        });
    }
}

async fn speak(connection: usize, tcp: TcpStream, tls: TlsAcceptor, shared: &Arc<Shared>) {
    if shared.habits.mute {
        return pending().await;
    }
    let Ok(stream) = tls.accept(tcp).await else { return };
    let certified = stream.get_ref().1.peer_certificates().is_some();
    let hung_up = Arc::new(Notify::new());
    let service = service_fn(|mut request: Request<Incoming>| {
        let (shared, hung_up) = (Arc::clone(shared), Arc::clone(&hung_up));
        let upgraded = hyper::upgrade::on(&mut request);
        async move {
            if shared.habits.listening {
                tokio::spawn(async move {
                    if let Ok(upgraded) = upgraded.await {
                        let _ended =
                            tokio::io::copy(&mut TokioIo::new(upgraded), &mut tokio::io::sink()).await;
                    }
                });
            }
            let seen = whole(connection, certified, request).await?;
            answer(&shared, seen, &hung_up).await
        }
    });
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(Heard { io: stream, connection, shared: Arc::clone(shared) });
    let serving = async {
        if http2 {
            let mut server = http2::Builder::new(TokioExecutor::new());
            server.max_concurrent_streams(shared.habits.streams).serve_connection(io, service).await
        } else {
            http1::Builder::new().serve_connection(io, service).with_upgrades().await
        }
    };
    tokio::select! {
        _ended = serving => {}
        () = hung_up.notified() => {}
    }
}

#[expect(clippy::disallowed_methods, reason = "collects a body that `Limited` bounds")]
async fn whole(connection: usize, certified: bool, request: Request<Incoming>) -> io::Result<Seen> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST).collect().await.map_err(io::Error::other)?.to_bytes();
    let (version, method, uri, headers) = (head.version, head.method, head.uri, head.headers);
    Ok(Seen { connection, version, method, uri, headers, body, certified })
}

async fn answer(shared: &Arc<Shared>, seen: Seen, hung_up: &Notify) -> io::Result<Response<Counted>> {
    let reply = (shared.script)(&seen);
    let answering = Answering::begun(shared, seen);
    if let Some(hold) = reply.hold {
        hold.released().await;
    }
    match reply.what {
        What::Answer(response) => Ok(response.map(|body| Counted { body, _answering: answering })),
        What::HangUp => {
            hung_up.notify_one();
            pending().await
        }
    }
}

/// Counts an answer for as long as it lives.
struct Answering(Arc<Shared>);

impl Answering {
    fn begun(shared: &Arc<Shared>, seen: Seen) -> Self {
        shared.observed.send_modify(|observed| {
            observed.requests.push(seen);
            observed.answering += 1;
        });
        Self(Arc::clone(shared))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.observed.send_modify(|observed| observed.answering -= 1);
    }
}

/// An answer's body, which is dropped once it was sent or nobody wants it any more.
struct Counted {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
