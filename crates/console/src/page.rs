//! The pages: one module each, with what is looked up for it and what is shown.

pub(crate) mod approval;
pub(crate) mod call;
pub(crate) mod decided;
mod diff;
pub(crate) mod inbox;
pub(crate) mod ledger;
pub(crate) mod passkeys;
pub(crate) mod policy;
pub(crate) mod refusals;
pub(crate) mod reviews;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod sessions;
pub(crate) mod stream;
pub(crate) mod undo;

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
    Search,
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

const NAVIGATION: [Entry; 8] = [
    Entry { part: Part::Inbox, name: "Inbox", to: "/" },
    Entry { part: Part::Decided, name: "Approvals", to: "/approvals" },
    Entry { part: Part::Reviews, name: "Reviews", to: "/reviews" },
    Entry { part: Part::Sessions, name: "Sessions", to: "/sessions" },
    Entry { part: Part::Search, name: "Search", to: "/search" },
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
        Self { machine: time.to_string(), utc: utc(time) }
    }
}

/// A time in a sentence.
pub(crate) fn utc(time: Timestamp) -> String {
    format!("{time:.0}").replace('T', " ").replace('Z', " UTC")
}

/// So many bytes, in words.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// A time within a stream, in seconds, as links to it have it: in whole milliseconds, and not before it.
pub(crate) fn seconds(microseconds: u64) -> String {
    let milliseconds = microseconds.div_ceil(1_000);
    let written = format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000);
    written.trim_end_matches('0').trim_end_matches('.').to_owned()
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
    render_as(StatusCode::OK, page)
}

/// The same with this status, if it could be made.
pub(crate) fn render_as(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_not_before_what_happened_then() {
        let written = [0, 1, 250_000, 2_017_001, 12_500_000, 3_600_000_000].map(seconds);
        assert_eq!(written, ["0", "0.001", "0.25", "2.018", "12.5", "3600"]);
    }
}
