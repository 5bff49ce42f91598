//! Approvals over the admin socket: who connects is known by their account on this machine.

use approval::{Assurance, Human, Shown, State, What};
use axum::{
    Json,
    extract::{Extension, Path, Query, State as FromState, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use inbox::Error;
use store::StoredApproval;

use super::{
    server::{Admin, refuse as no, to_the_end},
    types::{ApprovalDetail, ApprovalView, Because, ReviewView, Which},
};

/// The most that a list shows.
const LISTED: u32 = 1_000;

/// The account that connected, as the kernel says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account(pub(super) u32);

pub(super) async fn list(FromState(admin): FromState<Admin>, Query(query): Query<Which>) -> Response {
    let listed = match query.unreviewed {
        true => admin.inbox.unreviewed(LISTED).await,
        false => admin.inbox.list(query.all, LISTED).await,
    };
    match listed {
        Ok(stored) => Json(stored.iter().map(view).collect::<Vec<_>>()).into_response(),
        Err(error) => failed(&error),
    }
}

pub(super) async fn show(FromState(admin): FromState<Admin>, Path(id): Path<String>) -> Response {
    admin.detailed(&id).await
}

/// Answers once it is pending no longer.
pub(super) async fn decided(FromState(admin): FromState<Admin>, Path(id): Path<String>) -> Response {
    let mut steps = admin.inbox.watch(&id);
    loop {
        match admin.inbox.get(&id).await {
            Ok(stored) if *stored.approval.state() == State::Pending => tokio::select! {
                () = steps.step() => {}
                () = admin.stopping.cancelled() => {
                    return no(StatusCode::SERVICE_UNAVAILABLE, "the gate is stopping; wait again once it is back");
                }
            },
            Ok(stored) => return Json(view(&stored)).into_response(),
            Err(error) => return failed(&error),
        }
    }
}

pub(super) async fn approve(
    FromState(admin): FromState<Admin>,
    Extension(account): Extension<Account>,
    Path(id): Path<String>,
) -> Response {
    let by = match admin.human(account) {
        Ok(human) => human,
        Err(nobody) => return *nobody,
    };
    to_the_end(async move {
        let yes = What::Approved { by, assurance: Assurance::LocalAccount };
        admin.decide(&id, yes).await
    })
    .await
}

pub(super) async fn refuse(
    FromState(admin): FromState<Admin>,
    Extension(account): Extension<Account>,
    Path(id): Path<String>,
    because: Result<Json<Because>, JsonRejection>,
) -> Response {
    admin.with_a_word(account, id, because, |by, why| What::Refused { by, why }).await
}

/// Whoever has an account here may take away what others gave.
pub(super) async fn end(
    FromState(admin): FromState<Admin>,
    Extension(account): Extension<Account>,
    Path(id): Path<String>,
    because: Result<Json<Because>, JsonRejection>,
) -> Response {
    admin.with_a_word(account, id, because, |by, why| What::Withdrawn { why, by: Some(by) }).await
}

pub(super) async fn review(
    FromState(admin): FromState<Admin>,
    Extension(account): Extension<Account>,
    Path(id): Path<String>,
    because: Result<Json<Because>, JsonRejection>,
) -> Response {
    let assurance = Assurance::LocalAccount;
    admin.with_a_word(account, id, because, |by, note| What::Reviewed { by, note, assurance }).await
}

impl Admin {
    pub(super) fn human(&self, Account(account): Account) -> Result<Human, Box<Response>> {
        let found = self.approvers.iter().find(|approver| approver.account == Some(account));
        found.map(|approver| approver.human.clone()).ok_or_else(|| {
            Box::new(no(
                StatusCode::FORBIDDEN,
                format!(
                    "account {account} is no approver's: name it as `account` under `approvers` in the configuration"
                ),
            ))
        })
    }

    async fn with_a_word(
        self,
        account: Account,
        id: String,
        because: Result<Json<Because>, JsonRejection>,
        what: impl FnOnce(Human, String) -> What,
    ) -> Response {
        let why = match because {
            Ok(Json(Because { why })) => why.as_str().to_owned(),
            Err(rejection) => return no(rejection.status(), rejection.body_text()),
        };
        let what = match self.human(account) {
            Ok(by) => what(by, why),
            Err(nobody) => return *nobody,
        };
        to_the_end(async move { self.decide(&id, what).await }).await
    }

    async fn decide(&self, id: &str, what: What) -> Response {
        match self.inbox.step(id, what).await {
            Ok(_) => self.detailed(id).await,
            Err(error) => failed(&error),
        }
    }

    async fn detailed(&self, id: &str) -> Response {
        let (stored, shown) = match (self.inbox.get(id).await, self.inbox.shown(id).await) {
            (Ok(stored), Ok(shown)) => (stored, shown),
            (Err(error), _) | (_, Err(error)) => return failed(&error),
        };
        let shown: Vec<Shown> = match serde_json::from_str(&shown) {
            Ok(shown) => shown,
            Err(error) => {
                let told = format!("what is shown of it cannot be read back: {error}");
                return no(StatusCode::INTERNAL_SERVER_ERROR, told);
            }
        };
        let bound = stored.approval.asked().bound.clone();
        let digest = bound.digest().to_string();
        Json(ApprovalDetail { approval: view(&stored), bound, digest, shown }).into_response()
    }
}

fn view(stored: &StoredApproval) -> ApprovalView {
    let StoredApproval { approval, act, reason } = stored;
    let asked = approval.asked();
    ApprovalView {
        id: asked.id.clone(),
        state: approval.state().as_str().to_owned(),
        how: approval.state().told(),
        asked_at: asked.at,
        deadline: approval.deadline(),
        act: act.clone(),
        agent: asked.bound.agent.clone(),
        delegator: asked.bound.delegator.clone(),
        session: asked.bound.session.clone(),
        reason: reason.clone(),
        demands: asked.demands.clone(),
        missing: approval.missing().map(|(demand, lacking)| (lacking, demand.rule.clone())).collect(),
        votes: approval.votes().iter().map(|vote| (vote.by.subject.clone(), vote.at)).collect(),
        reviewers: match asked.bound.access().and_then(|access| access.break_glass.as_ref()) {
            Some(glass) if approval.owes_review() => glass.reviewers.clone(),
            _ => Vec::new(),
        },
        review: approval.review().map(|review| ReviewView {
            by: review.by.subject.clone(),
            at: review.at,
            found: review.note.clone(),
        }),
    }
}

fn failed(error: &Error) -> Response {
    let code = match error {
        Error::Unknown(_) => StatusCode::NOT_FOUND,
        Error::Refused(_) | Error::Busy => StatusCode::CONFLICT,
        Error::TooMany { .. } | Error::TooManyInAll { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Store(_) | Error::Unrecorded(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    no(code, error.to_string())
}
