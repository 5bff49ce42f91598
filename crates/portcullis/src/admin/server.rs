//! The gate's side of the admin socket.

use std::{collections::BTreeMap, io, sync::Arc};

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
use gateway::freeze;
use identity::{
    Change, OpenError, Opened, Opening, Operator, Reason, Revocation, Session, SessionId, Sessions,
    State as SessionState, Which,
};
use inbox::Inbox;
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, leaf};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use crate::config::Approver;

use super::{
    approvals::{self, Account},
    socket::{self, Peer},
    types::{Because, ChangedSession, Listing, OpenSession, OpenedSession, Problem, SessionView},
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
    /// The sessions of the data path.
    pub sessions: Arc<Sessions>,
    /// What waits for humans.
    pub inbox: Arc<Inbox>,
    /// The humans who may decide, and their accounts on this machine.
    pub approvers: Arc<[Approver]>,
    /// Fired when the gate stops: nobody waits any longer.
    pub stopping: CancellationToken,
    /// Where what is done to sessions is recorded.
    pub ledger: Ledger,
    /// Each agent's groups, for the record.
    pub groups: BTreeMap<String, Vec<String>>,
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
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{id}", get(approvals::show))
        .route("/v1/approvals/{id}/decided", get(approvals::decided))
        .route("/v1/approvals/{id}/approve", post(approvals::approve))
        .route("/v1/approvals/{id}/refuse", post(approvals::refuse))
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
        match admin.sessions.open(Opening { agent, delegator, cluster, reason, ttl }).await {
            Ok(opened) => admin.record_and_show(opened, &actor).await,
            Err(OpenError::Refused(refusal)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()),
            Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    })
    .await
}

async fn list(State(admin): State<Admin>, Query(query): Query<Listing>) -> Response {
    let which = if query.all { Which::All } else { Which::Active };
    match admin.sessions.list(which, LISTED).await {
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
    to_the_end(async move { admin.end(&id, &actor, &why).await }).await
}

async fn freeze(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Stopping { id, why }: Stopping,
) -> Response {
    to_the_end(async move { admin.freeze(&id, &actor, &why).await }).await
}

async fn thaw(
    State(admin): State<Admin>,
    Extension(actor): Extension<Operator>,
    Path(id): Path<String>,
) -> Response {
    match SessionId::parse(&id) {
        Ok(id) => to_the_end(async move { admin.thaw(&id, &actor).await }).await,
        Err(error) => refuse(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    }
}

/// Which session is to be stopped, and why.
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
    /// The token is shown only once the ledger has the opening; before that, nobody can use the session.
    async fn record_and_show(&self, opened: Opened, actor: &Operator) -> Response {
        let Opened { session, token } = opened;
        if let Err(error) = self.record_opening(&session, actor).await {
            let id = SessionId::parse(&session.id);
            let why = Reason::parse("its opening could not be recorded");
            if let (Ok(id), Ok(why)) = (id, why) {
                // Should this fail too, the session stays without anyone who has its token.
                let _best_effort = self.sessions.revoke(&id, actor, &why).await;
            }
            return refuse(StatusCode::SERVICE_UNAVAILABLE, format!("no session was opened: {error}"));
        }
        let opened = OpenedSession {
            session: SessionView::of(session, Timestamp::now()),
            token: token.reveal().to_owned(),
            server: self.server.clone(),
            ca: self.ca.clone(),
        };
        (StatusCode::CREATED, Json(opened)).into_response()
    }

    /// The kill switch first: ending a session must not wait for a disk, and an end that cannot be recorded is still
    /// better than none.
    async fn end(&self, id: &SessionId, actor: &Operator, why: &Reason) -> Response {
        let (session, ended_now) = match self.sessions.revoke(id, actor, why).await {
            Ok(Revocation::Ended(session)) => (session, true),
            Ok(Revocation::AlreadyEnded(session)) => (session, false),
            Ok(Revocation::Unknown) => return unknown(id),
            Err(error) => {
                let told = format!(
                    "the session is ended until the gate restarts, but that could not be stored: {error}"
                );
                return refuse(StatusCode::SERVICE_UNAVAILABLE, told);
            }
        };
        let unrecorded =
            if ended_now { self.record_end(&session.id, actor, why.as_str()).await } else { None };
        if ended_now
            && let Err(error) = self.inbox.withdraw_all_of(&session.id, "the session was revoked").await
        {
            tracing::error!(session = session.id, %error, "what it asked humans for stays until its time is over");
        }
        changed(session, ended_now, unrecorded)
    }

    /// At once as well, and recorded after that.
    async fn freeze(&self, id: &SessionId, actor: &Operator, why: &Reason) -> Response {
        match freeze::freeze(&self.sessions, &self.ledger, id, actor, why).await {
            Ok(freeze::Told { change: Change::Made(session), unrecorded }) => {
                changed(session, true, unrecorded)
            }
            Ok(freeze::Told { change: Change::Needless(session), .. }) => changed(session, false, None),
            Ok(freeze::Told { change: Change::Unknown, .. }) => unknown(id),
            Err(error) => {
                let told = format!(
                    "the session is frozen until the gate restarts, but that could not be stored: {error}"
                );
                refuse(StatusCode::SERVICE_UNAVAILABLE, told)
            }
        }
    }

    /// The other way round: the ledger has the thaw before the session can be used.
    async fn thaw(&self, id: &SessionId, actor: &Operator) -> Response {
        let still = |error: String| {
            refuse(StatusCode::SERVICE_UNAVAILABLE, format!("the session is still frozen: {error}"))
        };
        let Some(thawing) = self.sessions.thaw(id).await else { return self.not_frozen(id).await };
        if let Err(error) = self.record_thaw(id, actor).await {
            return still(error);
        }
        match thawing.finish().await {
            Ok(Change::Made(session) | Change::Needless(session)) => {
                let active = session.state(Timestamp::now()) == SessionState::Active;
                changed(session, active, None)
            }
            Ok(Change::Unknown) => unknown(id),
            Err(error) => still(error.to_string()),
        }
    }

    async fn not_frozen(&self, id: &SessionId) -> Response {
        match self.sessions.find(id).await {
            Ok(Some(session)) => changed(session, false, None),
            Ok(None) => unknown(id),
            Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }

    async fn record_thaw(&self, id: &SessionId, actor: &Operator) -> Result<(), String> {
        // Frozen while the ledger took nothing: that comes first.
        let untold = self.sessions.unrecorded_freezes().await.map_err(|error| error.to_string())?;
        if let Some(session) = untold.iter().find(|session| session.id == id.as_str()) {
            freeze::record(&self.sessions, &self.ledger, session).await?;
        }
        let session = leaf::Id::new(id.as_str()).map_err(|error| error.to_string())?;
        let event = leaf::SessionThawed { session, by: actor.as_str().into() };
        self.append(leaf::Event::SessionThawed(event)).await
    }

    async fn record_opening(&self, session: &Session, actor: &Operator) -> Result<(), String> {
        let none = Vec::new();
        let groups = self.groups.get(&session.agent).unwrap_or(&none);
        let event = leaf::SessionOpened {
            session: leaf::Id::new(&session.id).map_err(|error| error.to_string())?,
            agent: (&session.agent).into(),
            groups: groups.iter().map(leaf::Name::from).collect(),
            delegator: (&session.delegator).into(),
            cluster: (&session.cluster).into(),
            reason: leaf::Asserted { self_asserted: (&session.reason).into() },
            by: actor.as_str().into(),
            expires: session.expires_at.to_string().into(),
        };
        self.append(leaf::Event::SessionOpened(Box::new(event))).await
    }

    /// Why the ledger does not have it, if so: then the next start records it.
    async fn record_end(&self, id: &str, actor: &Operator, why: &str) -> Option<String> {
        let session = match leaf::Id::new(id) {
            Ok(session) => session,
            Err(error) => return Some(error.to_string()),
        };
        let event = leaf::SessionRevoked { session, by: actor.as_str().into(), reason: Some(why.into()) };
        let unrecorded = self.append(leaf::Event::SessionRevoked(event)).await.err();
        if unrecorded.is_none()
            && let Err(error) = self.sessions.end_recorded(id).await
        {
            tracing::error!(session = id, %error, "the next start records this session's end once more");
        }
        unrecorded
    }

    async fn append(&self, event: leaf::Event) -> Result<(), String> {
        let receipt = self.ledger.append(event).await.map_err(|error| error.to_string())?;
        let _durable = receipt.index();
        Ok(())
    }
}

fn changed(session: Session, changed_now: bool, unrecorded: Option<String>) -> Response {
    let session = SessionView::of(session, Timestamp::now());
    Json(ChangedSession { session, changed_now, unrecorded }).into_response()
}

fn unknown(id: &SessionId) -> Response {
    refuse(StatusCode::NOT_FOUND, format!("there is no session `{id}`"))
}

pub(super) fn refuse(code: StatusCode, error: impl Into<String>) -> Response {
    (code, Json(Problem { error: error.into() })).into_response()
}
