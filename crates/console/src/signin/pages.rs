//! The pages around signing in.

use approval::Assurance;
use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, RawQuery, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{
    Entry, Visitor,
    cookies::{self, Purpose},
    oidc::Known,
};
use crate::{
    Console,
    page::{Frame, failed, missing, problem, render},
    posted::Posted,
    serve::Peer,
};

const USED_UP: &str =
    "This link was used, or its five minutes are over. Get another by `portcullis console login`.";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    /// Where to go for the provider, if there is one.
    provider: String,
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
    /// Whether they are to prove again who they are.
    #[serde(default)]
    anew: bool,
}

/// `GET /sign-in`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Option<Visitor>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let to = page(wanted.to.as_deref());
    if visitor.is_some() {
        return Redirect::to(to).into_response();
    }
    let provider = console.parts().provider.as_ref();
    let begin = |_| format!("/sign-in/oidc?to={}", utf8_percent_encode(to, NON_ALPHANUMERIC));
    render(&SignIn { frame: Frame::of_nobody(), provider: provider.map(begin).unwrap_or_default() })
}

/// `GET /sign-in/oidc`: goes to the provider. By a link and not a form, since a form of ours goes nowhere else.
pub(crate) async fn begin(State(console): State<Console>, Query(wanted): Query<Wanted>) -> Response {
    let Some(provider) = &console.parts().provider else { return missing().await };
    match provider.begin(page(wanted.to.as_deref()), wanted.anew, console.entropy(), console.now()).await {
        Ok((url, attempt)) => {
            let cookie = cookies::set(&console, Purpose::Attempt, &attempt);
            ([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response()
        }
        Err(why) => {
            tracing::error!(why, "nobody can sign in by the provider");
            problem(StatusCode::BAD_GATEWAY, &format!("Nobody can sign in there now: {why}."))
        }
    }
}

/// `GET /sign-in/oidc/callback`: back from the provider.
pub(crate) async fn come_back(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let Some(provider) = &console.parts().provider else { return missing().await };
    let shown = cookies::value(&console, Purpose::Attempt, &headers).unwrap_or_default();
    match provider.finish(&shown, &query.unwrap_or_default(), console.now()).await {
        Ok(known) => console.known(known, &headers, &peer.to_string()).await,
        Err(why) => {
            tracing::warn!(why, %peer, "a sign-in by the provider was refused");
            problem(StatusCode::FORBIDDEN, &format!("{why}."))
        }
    }
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
    headers: HeaderMap,
) -> Response {
    match console.door().links.take(&link, console.now()) {
        Some(human) => {
            let entry = Entry { human, assurance: Assurance::Link, proven: console.now() };
            console.come_in(entry, &headers, &peer.to_string(), "/").await
        }
        None => problem(StatusCode::NOT_FOUND, USED_UP),
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

impl Console {
    /// Lets in whom the provider vouches for, under every name that they were ever known by there.
    async fn known(&self, known: Known, headers: &HeaderMap, src: &str) -> Response {
        let Known { mut human, person, proven, to } = known;
        let names: Vec<String> =
            [&human.subject].into_iter().chain(&human.aliases).chain(&human.claimed).cloned().collect();
        match self.inbox().remember_names(&person, &names).await {
            Ok(ever) => human.claimed.extend(ever.into_iter().filter(|name| !names.contains(name))),
            Err(error) => return failed(&error),
        }
        // What is not told was long ago.
        let proven = proven.unwrap_or(Timestamp::UNIX_EPOCH);
        self.come_in(Entry { human, assurance: Assurance::Provider, proven }, headers, src, &to).await
    }

    /// Whoever was signed in by this browser no longer is.
    async fn come_in(&self, entry: Entry, headers: &HeaderMap, src: &str, to: &str) -> Response {
        match self.sign_in(entry, src).await {
            Ok(secret) => {
                if let Some(before) = cookies::visitor(self, headers) {
                    self.door().visitors.leave(&before);
                }
                let cookie = cookies::set(self, Purpose::Visitor, secret.reveal());
                ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
            }
            Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why),
        }
    }
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
