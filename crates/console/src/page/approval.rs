//! One approval: what would happen, who asks, and the buttons.

mod view;

use approval::{Assurance, Level, Shown, Signed, What};
use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::StatusCode;
use identity::Reason;
use inbox::Error;
use passkey::Assertion;
use serde::Deserialize;
use store::{Passkey, StoredApproval};

use self::view::{Calls, Page, Standing};
use super::{Frame, Part, failed, problem, render, render_as, to_the_end};
use crate::{Console, posted::Posted, signin::Visitor};
use chronicle::Page as Newest;

/// So many of a session's calls are shown beside what it asks.
const CALLS: u32 = 10;
/// So many of those that were sent by an approval.
const DONE: u32 = 200;

/// A yes.
#[derive(Debug, Deserialize)]
pub(crate) struct Yes {
    /// `yes`: they say that they have read it. No single key or click says so and decides.
    #[serde(default)]
    read: String,
    /// `yes`: by the button for a passkey. Then nothing less will do.
    #[serde(default)]
    signed: String,
    /// `AuthenticationResponseJSON` of that passkey.
    #[serde(default)]
    response: String,
}

/// A word on it, for the record.
#[derive(Debug, Deserialize)]
pub(crate) struct Word {
    /// It.
    why: String,
}

/// `GET /approvals/{id}`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    console.approval_page(&visitor, &id, StatusCode::OK, None).await
}

/// `GET /approvals/{id}/state`: where it stands, for a page that is open.
pub(crate) async fn state(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match console.inbox().get(&id).await {
        Ok(stored) => match console.standing(&stored, &visitor).await {
            Ok(standing) => render(&standing),
            Err(error) => failed(&error),
        },
        Err(error) => not_found_or(&error),
    }
}

/// `POST /approvals/{id}/approve`
pub(crate) async fn approve(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Yes>,
) -> Response {
    let assurance = match console.assurance(&visitor, &form).await {
        Ok(assurance) => assurance,
        Err(why) => {
            let told = Some(format!("Nothing was decided: {why}."));
            return console.approval_page(&visitor, &id, StatusCode::UNPROCESSABLE_ENTITY, told).await;
        }
    };
    let yes = What::Approved { by: visitor.human.clone(), assurance };
    to_the_end(async move { console.decide(&visitor, &id, yes).await }).await
}

/// `POST /approvals/{id}/refuse`
pub(crate) async fn refuse(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form: Word { why } }: Posted<Word>,
) -> Response {
    let by = visitor.human.clone();
    console.with_a_word(visitor, id, &why, |why| What::Refused { by, why }).await
}

/// `POST /approvals/{id}/end`: nothing more is done by it. Whoever is signed in may take away what others gave.
pub(crate) async fn end(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form: Word { why } }: Posted<Word>,
) -> Response {
    let by = Some(visitor.human.clone());
    console.with_a_word(visitor, id, &why, |why| What::Withdrawn { why, by }).await
}

/// `POST /approvals/{id}/review`: signs off what was done by breaking the glass.
pub(crate) async fn review(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form: Word { why } }: Posted<Word>,
) -> Response {
    let (by, assurance) = (visitor.human.clone(), visitor.assurance.clone());
    console.with_a_word(visitor, id, &why, |note| What::Reviewed { by, note, assurance }).await
}

impl Console {
    async fn with_a_word(
        self,
        visitor: Visitor,
        id: String,
        why: &str,
        what: impl FnOnce(String) -> What,
    ) -> Response {
        match Reason::parse(why.trim()) {
            Ok(why) => {
                let what = what(why.as_str().to_owned());
                to_the_end(async move { self.decide(&visitor, &id, what).await }).await
            }
            Err(error) => {
                let told = Some(format!("The {error}."));
                self.approval_page(&visitor, &id, StatusCode::UNPROCESSABLE_ENTITY, told).await
            }
        }
    }

    /// How sure it is that this visitor decides: as their sign-in, or by what their passkey signed. Whether it signed this is
    /// found out by the approval itself.
    async fn assurance(&self, visitor: &Visitor, yes: &Yes) -> Result<Assurance, String> {
        let Yes { read, signed, response } = yes;
        if read != "yes" {
            return Err("say that you have read what it does".to_owned());
        }
        if signed != "yes" {
            return Ok(visitor.assurance.clone());
        }
        if response.is_empty() {
            return Err("the passkey did not sign: it needs the page's script".to_owned());
        }
        let assertion =
            Assertion::from_response(response.as_bytes()).map_err(|refusal| refusal.to_string())?;
        let theirs = self.passkeys_of(visitor).await.map_err(|error| error.to_string())?;
        let used = theirs.into_iter().find(|passkey| passkey.credential.id == *assertion.credential_id());
        let used = used.ok_or("this passkey is not one of yours")?;
        let origin = self.address().origin().to_owned();
        let (passkey, enrolled) = (used.credential, used.enrolled_by);
        Ok(Assurance::Passkey(Box::new(Signed { origin, passkey, enrolled, assertion })))
    }

    /// The visitor's passkeys that count. Where an organisation vouches for people, one that was enrolled without it does not.
    async fn passkeys_of(&self, visitor: &Visitor) -> Result<Vec<Passkey>, store::Error> {
        let mut passkeys = self.inbox().passkeys_of(&visitor.human).await?;
        if self.parts().provider.is_some() {
            passkeys.retain(|passkey| passkey.enrolled_by >= Level::Provider);
        }
        Ok(passkeys)
    }

    async fn standing(&self, stored: &StoredApproval, visitor: &Visitor) -> Result<Standing, store::Error> {
        let passkeys = self.passkeys_of(visitor).await?;
        Ok(Standing::of(stored, visitor, self.party(), &passkeys))
    }

    /// Takes a step, and shows the page anew; or the page as it is with what stands against the step.
    async fn decide(&self, visitor: &Visitor, id: &str, what: What) -> Response {
        match self.inbox().step(id, what).await {
            Ok(_) => Redirect::to(&format!("/approvals/{id}")).into_response(),
            Err(error @ (Error::Refused(_) | Error::Busy)) => {
                let told = format!("Nothing was decided: {error}.");
                self.approval_page(visitor, id, StatusCode::CONFLICT, Some(told)).await
            }
            Err(Error::Unrecorded(error)) => {
                tracing::error!(approval = id, %error, "a decision could not be recorded");
                let told =
                    "It could not be recorded in the ledger, so nobody acts on it. Ask who runs the gate.";
                problem(StatusCode::SERVICE_UNAVAILABLE, told)
            }
            Err(error) => not_found_or(&error),
        }
    }

    async fn approval_page(
        &self,
        visitor: &Visitor,
        id: &str,
        status: StatusCode,
        alert: Option<String>,
    ) -> Response {
        let (stored, shown) = match (self.inbox().get(id).await, self.inbox().shown(id).await) {
            (Ok(stored), Ok(shown)) => (stored, shown),
            (Err(error), _) | (_, Err(error)) => return not_found_or(&error),
        };
        let shown: Vec<Shown> = match serde_json::from_str(&shown) {
            Ok(shown) => shown,
            Err(error) => return failed(&error),
        };
        let session = &stored.approval.asked().bound.session;
        // Humans can decide without it.
        let calls = found(self.chronicle().calls_of(session, Newest::newest(CALLS)).await);
        let done = match stored.approval.asked().bound.call() {
            Some(_) => Some((Vec::new(), 0)),
            None => found(self.chronicle().calls_by(id, DONE).await),
        };
        let standing = match self.standing(&stored, visitor).await {
            Ok(standing) => standing,
            Err(error) => return failed(&error),
        };
        let frame = Frame::of(visitor, Part::Inbox);
        // Large objects take a second to compare: others are served meanwhile.
        let rendered = tokio::task::spawn_blocking(move || {
            render_as(status, &Page::new(frame, &stored, &shown, Calls { calls, done }, standing, alert))
        });
        rendered.await.unwrap_or_else(|error| failed(&error))
    }
}

/// What could not be looked up is not shown.
fn found<T>(looked_up: Result<T, chronicle::Error>) -> Option<T> {
    looked_up.inspect_err(|error| tracing::error!(%error, "what a session did cannot be shown")).ok()
}

fn not_found_or(error: &Error) -> Response {
    match error {
        Error::Unknown(_) => problem(StatusCode::NOT_FOUND, "There is no such approval."),
        error => failed(error),
    }
}
