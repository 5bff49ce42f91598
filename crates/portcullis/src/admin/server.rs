//! The gate's side of the admin socket.

use std::{io, sync::Arc};

use ::console::Console;
use axum::{
    Json, Router,
    extract::{
        ConnectInfo, DefaultBodyLimit, Extension, FromRequest, FromRequestParts, Path, Query, Request, State,
        rejection::JsonRejection,
    },
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use control::{Changed, Control, NotOpened};
use identity::{OpenError, Opened, Opening, Operator, Reason, SessionId, Which};
use inbox::Inbox;
use jiff::{SignedDuration, Timestamp};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Approver,
    erasing::{Erased, Eraser},
};

use super::{
    approvals::{self, Account},
    console,
    socket::{self, Peer},
    types::{
        Because, ChangedSession, ErasedRecording, Listing, OpenSession, OpenedSession, Problem, SessionView,
    },
};

/// More than any request of ours has.
const LARGEST_BODY: usize = 16 * 1024;
/// The newest that a list shows.
const LISTED: u32 = 1_000;
/// Root may do anything anyway.
const ROOT: u32 = 0;

/// What the admin API works on.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The sessions, in people's hands.
    pub control: Control,
    /// What waits for humans.
    pub inbox: Arc<Inbox>,
    /// What takes recordings away.
    pub eraser: Eraser,
    /// The humans who may decide, and their accounts on this machine.
    pub approvers: Arc<[Approver]>,
    /// Where they decide in a browser, if there is such a place.
    pub console: Option<Console>,
    /// Fired when the gate stops: nobody waits any longer.
    pub stopping: CancellationToken,
    /// The gate's address, for kubeconfigs.
    pub server: String,
    /// PEM of the CA that kubeconfigs embed.
    pub ca: Option<String>,
}

/// Answers on `listener` until `shutdown` is done, then lets open requests finish.
///
/// # Errors
/// The socket's owner cannot be told.
pub async fn serve(
    listener: UnixListener,
    admin: Admin,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let owner = socket::owner(&listener)?;
    let service = router(admin, owner).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
}

fn router(admin: Admin, owner: u32) -> Router {
    let only_owner = middleware::from_fn(move |peer: ConnectInfo<Peer>, request: Request, next: Next| {
        let peer = peer.0;
        async move { admit(peer, owner, request, next).await }
    });
    Router::new()
        .route("/v1/sessions", get(list).post(open))
        .route("/v1/sessions/{id}/revoke", post(revoke))
        .route("/v1/sessions/{id}/freeze", post(freeze))
        .route("/v1/sessions/{id}/thaw", post(thaw))
        .route("/v1/sessions/{id}/recording/erase", post(erase))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::show))
        .route("/v1/approvals/{id}/decided", get(approvals::decided))
        .route("/v1/approvals/{id}/approve", post(approvals::approve))
        .route("/v1/approvals/{id}/refuse", post(approvals::refuse))
        .route("/v1/approvals/{id}/end", post(approvals::end))
        .route("/v1/approvals/{id}/review", post(approvals::review))
        .route("/v1/console/links", post(console::link))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(only_owner)
        .with_state(admin)
}

/// Lets the owner and root in, and tells the handlers who it is.
async fn admit(peer: Peer, owner: u32, mut request: Request, next: Next) -> Response {
    match peer.uid {
        Some(uid) if uid == owner || uid == ROOT => {
            let Ok(actor) = Operator::parse(&format!("local user {uid}")) else {
                return refuse(StatusCode::INTERNAL_SERVER_ERROR, "the caller has no name");
            };
            request.extensions_mut().insert(actor);
            request.extensions_mut().insert(Account(uid));
            next.run(request).await
        }
        _ => refuse(StatusCode::FORBIDDEN, "only the owner of the socket may use it"),
    }
}

async fn open(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    body: Result<Json<OpenSession>, JsonRejection>,
) -> Response {
    let wanted = match body {
        Ok(Json(wanted)) => wanted,
        Err(rejection) => return refuse(rejection.status(), rejection.body_text()),
    };
    let OpenSession { agent, delegator, cluster, reason, ttl_seconds } = wanted;
    let ttl = SignedDuration::from_secs(i64::from(ttl_seconds));
    to_the_end(async move {
        match admin.control.open(Opening { agent, delegator, cluster, reason, ttl }, &actor).await {
            Ok(opened) => admin.opened(opened),
            Err(NotOpened::Open(OpenError::Refused(refusal))) => {
                refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string())
            }
            Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    })
    .await
}

async fn list(State(admin): State<Admin>, Query(query): Query<Listing>) -> Response {
    let which = if query.all { Which::All } else { Which::Active };
    match admin.control.sessions().list(which, LISTED).await {
        Ok(sessions) => {
            let now = Timestamp::now();
            let views: Vec<_> = sessions.into_iter().map(|session| SessionView::of(session, now)).collect();
            Json(views).into_response()
        }
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

async fn revoke(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Stopping { id, why }: Stopping,
) -> Response {
    to_the_end(async move { changed(admin.control.revoke(&id, &actor, &why).await) }).await
}

async fn freeze(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Stopping { id, why }: Stopping,
) -> Response {
    to_the_end(async move { changed(admin.control.freeze(&id, &actor, &why).await) }).await
}

async fn thaw(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Path(id): Path<String>,
) -> Response {
    match SessionId::parse(&id) {
        Ok(id) => to_the_end(async move { changed(admin.control.thaw(&id, &actor).await) }).await,
        Err(error) => refuse(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    }
}

async fn erase(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Stopping { id, why }: Stopping,
) -> Response {
    let Ok(session) = id.as_str().parse() else {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "the session's id names no recording");
    };
    to_the_end(async move {
        match admin.eraser.erase(&session, &actor, &why).await {
            Ok(Erased { tombstone, unrecorded }) => {
                Json(ErasedRecording { erased: tombstone, unrecorded }).into_response()
            }
            Err(error @ recording::Refused::None { .. }) => refuse(StatusCode::NOT_FOUND, error.to_string()),
            Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    })
    .await
}

/// Which session is to be stopped, or its recording erased, and why.
struct Stopping {
    id: SessionId,
    why: Reason,
}

impl<S: Send + Sync> FromRequest<S> for Stopping {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let id = Path::<String>::from_request_parts(&mut parts, state).await;
        let Path(id) = id.map_err(IntoResponse::into_response)?;
        let id = SessionId::parse(&id)
            .map_err(|error| refuse(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
        let because = Json::from_request(Request::from_parts(parts, body), state).await;
        let Json(Because { why }) =
            because.map_err(|rejection: JsonRejection| refuse(rejection.status(), rejection.body_text()))?;
        Ok(Self { id, why })
    }
}

/// A caller who goes away must not leave a change half made or unrecorded.
pub(super) async fn to_the_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

impl Admin {
    fn opened(&self, opened: Opened) -> Response {
        let Opened { session, token } = opened;
        let opened = OpenedSession {
            session: SessionView::of(session, Timestamp::now()),
            token: token.reveal().to_owned(),
            server: self.server.clone(),
            ca: self.ca.clone(),
        };
        (StatusCode::CREATED, Json(opened)).into_response()
    }
}

fn changed(changed: Result<Changed, control::Error>) -> Response {
    match changed {
        Ok(Changed { session, now, unrecorded }) => {
            let session = SessionView::of(session, Timestamp::now());
            Json(ChangedSession { session, changed_now: now, unrecorded }).into_response()
        }
        Err(error @ control::Error::Unknown(_)) => refuse(StatusCode::NOT_FOUND, error.to_string()),
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

pub(super) fn refuse(code: StatusCode, error: impl Into<String>) -> Response {
    (code, Json(Problem { error: error.into() })).into_response()
}
