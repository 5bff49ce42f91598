//! Ways into the console, for whoever has an account on this machine.

use axum::{
    Json,
    extract::{Extension, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    approvals::Account,
    server::{Admin, refuse},
    types::ConsoleLink,
};

/// `POST /v1/console/links`: a link that signs in the approver whose account this is.
pub(super) async fn link(State(admin): State<Admin>, Extension(account): Extension<Account>) -> Response {
    let Some(console) = &admin.console else {
        return refuse(
            StatusCode::NOT_FOUND,
            "this gate has no console: write `console` in its configuration",
        );
    };
    let human = match admin.human(account) {
        Ok(human) => human,
        Err(nobody) => return *nobody,
    };
    let who = human.subject.clone();
    match console.link_for(human) {
        Ok(link) => {
            (StatusCode::CREATED, Json(ConsoleLink { url: link.url, until: link.until, who })).into_response()
        }
        Err(error) => refuse(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}
