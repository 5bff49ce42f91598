//! The pages: one module each, with what is looked up for it and what is shown.

pub(crate) mod approval;
pub(crate) mod decided;
pub(crate) mod inbox;
pub(crate) mod ledger;
pub(crate) mod passkeys;
pub(crate) mod policy;
pub(crate) mod refusals;
pub(crate) mod reviews;
pub(crate) mod session;
pub(crate) mod sessions;

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use jiff::Timestamp;

use crate::{Console, assets, signin::Visitor};

/// What is around every page.
#[derive(Debug)]
pub(crate) struct Frame {
    /// In the addresses of the files that it uses.
    pub(crate) version: &'static str,
    /// Who is signed in, if anybody is.
    pub(crate) who: String,
    /// For their forms.
    pub(crate) form: String,
    /// The part of the console that it belongs to.
    pub(crate) part: Part,
}

/// The parts of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Inbox,
    Decided,
    Reviews,
    Sessions,
    Refusals,
    Policy,
    Ledger,
    None,
}

/// A time, as pages show it: in UTC, which a script puts into the reader's zone.
#[derive(Debug, Clone)]
pub(crate) struct When {
    machine: String,
    utc: String,
}

/// A link of the navigation.
pub(crate) struct Entry {
    pub(crate) part: Part,
    pub(crate) name: &'static str,
    pub(crate) to: &'static str,
}

const NAVIGATION: [Entry; 7] = [
    Entry { part: Part::Inbox, name: "Inbox", to: "/" },
    Entry { part: Part::Decided, name: "Approvals", to: "/approvals" },
    Entry { part: Part::Reviews, name: "Reviews", to: "/reviews" },
    Entry { part: Part::Sessions, name: "Sessions", to: "/sessions" },
    Entry { part: Part::Refusals, name: "Refusals", to: "/refusals" },
    Entry { part: Part::Policy, name: "Policy", to: "/policy" },
    Entry { part: Part::Ledger, name: "Ledger", to: "/ledger" },
];

impl Frame {
    pub(crate) fn of(visitor: &Visitor, part: Part) -> Self {
        let (who, form) = (visitor.human.subject.clone(), visitor.form().to_owned());
        Self { version: assets::version(), who, form, part }
    }

    pub(crate) fn of_nobody() -> Self {
        Self { version: assets::version(), who: String::new(), form: String::new(), part: Part::None }
    }

    pub(crate) fn navigation(&self) -> &'static [Entry] {
        if self.who.is_empty() { &[] } else { &NAVIGATION }
    }
}

impl From<Timestamp> for When {
    fn from(time: Timestamp) -> Self {
        let seconds = format!("{time:.0}");
        let utc = seconds.replace('T', " ").replace('Z', " UTC");
        Self { machine: time.to_string(), utc }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    frame: Frame,
    title: &'a str,
    why: &'a str,
}

/// A page, or that it could not be made.
pub(crate) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page that says why there is no other.
pub(crate) fn problem(status: StatusCode, why: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("This did not work");
    let mut response = render(&Problem { frame: Frame::of_nobody(), title, why });
    *response.status_mut() = status;
    response
}

/// What could not be looked up; the log says why.
pub(crate) fn failed(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "a page could not be shown");
    problem(StatusCode::SERVICE_UNAVAILABLE, "The gate could not look this up. Its log says why.")
}

/// There is no such page.
pub(crate) async fn missing() -> Response {
    problem(StatusCode::NOT_FOUND, "There is no such page.")
}

/// A caller who goes away must not leave a change half made or unrecorded.
pub(crate) async fn to_the_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work).await.unwrap_or_else(|error| failed(&error))
}

impl Console {
    /// By which name what a visitor does to sessions is recorded.
    pub(crate) fn operator(visitor: &Visitor) -> Result<identity::Operator, Box<Response>> {
        identity::Operator::parse(&visitor.human.subject).map_err(|error| Box::new(failed(&error)))
    }
}
