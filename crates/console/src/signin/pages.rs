//! The pages around signing in.

use approval::Assurance;
use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{StatusCode, header};
use serde::Deserialize;

use super::{Visitor, cookies};
use crate::{
    Console,
    page::{Frame, problem, render},
    posted::Posted,
    serve::Peer,
};

const USED_UP: &str =
    "This link was used, or its five minutes are over. Get another by `portcullis console login`.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct ByLink {
    frame: Frame,
    who: String,
    link: String,
}

/// Where somebody wanted to go.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    to: Option<String>,
}

/// `GET /sign-in`
pub(crate) async fn get(visitor: Option<Visitor>, Query(wanted): Query<Wanted>) -> Response {
    if visitor.is_some() {
        return Redirect::to(page(wanted.to.as_deref())).into_response();
    }
    render(&SignIn { frame: Frame::of_nobody() })
}

/// `GET /sign-in/{link}`: asks whether to sign in. Looking at a link does not use it: programs that preview links look at them.
pub(crate) async fn link(State(console): State<Console>, Path(link): Path<String>) -> Response {
    match console.door().links.whose(&link, console.now()) {
        Some(human) => render(&ByLink { frame: Frame::of_nobody(), who: human.subject, link }),
        None => problem(StatusCode::NOT_FOUND, USED_UP),
    }
}

/// `POST /sign-in/{link}`
pub(crate) async fn enter(
    State(console): State<Console>,
    Path(link): Path<String>,
    Extension(Peer(peer)): Extension<Peer>,
) -> Response {
    let Some(human) = console.door().links.take(&link, console.now()) else {
        return problem(StatusCode::NOT_FOUND, USED_UP);
    };
    match console.sign_in(human, Assurance::Link, &peer.to_string()).await {
        Ok(secret) => {
            ([(header::SET_COOKIE, cookies::set(&console, &secret))], Redirect::to("/")).into_response()
        }
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why),
    }
}

/// Nothing beside the button.
#[derive(Debug, Deserialize)]
pub(crate) struct Pressed {}

/// `POST /sign-out`
pub(crate) async fn leave(
    State(console): State<Console>,
    Posted { visitor, form: Pressed {} }: Posted<Pressed>,
) -> Response {
    console.door().visitors.leave(&visitor);
    ([(header::SET_COOKIE, cookies::unset(&console))], Redirect::to("/sign-in")).into_response()
}

/// A page of ours, and of nobody else (`//elsewhere`, `/\elsewhere`).
fn page(to: Option<&str>) -> &str {
    let ours = |to: &&str| {
        let mut bytes = to.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    to.filter(ours).unwrap_or("/")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_is_sent_elsewhere() {
        for to in
            ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\t/evil.example", "evil"]
        {
            assert_eq!(super::page(Some(to)), "/", "{to}");
        }
        assert_eq!(super::page(Some("/approvals/a-1?x=1")), "/approvals/a-1?x=1");
        assert_eq!(super::page(None), "/");
    }
}
