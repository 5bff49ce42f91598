//! One's passkeys: enrolled and removed.

use approval::Level;
use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use http::StatusCode;
use inbox::NotEnrolled;
use jiff::SignedDuration;
use passkey::{Challenge, CredentialId, RelyingParty, User};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use store::Passkey;
use visible::is_unseen;

use super::{Frame, Part, When, failed, render_as, to_the_end};
use crate::{Console, posted::Posted, serve::Peer, signin::Visitor};

/// A passkey is enrolled soon after signing in, so that a browser that was left alone gives nobody one.
const SOON: SignedDuration = SignedDuration::from_mins(15);
/// What one calls a passkey.
const LONGEST_NAME: usize = 100;

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Page {
    frame: Frame,
    alert: Option<String>,
    rows: Vec<Row>,
    /// What the browser is asked for, as JSON; empty: none can be enrolled.
    options: String,
    /// Why not.
    because: &'static str,
    /// Where they prove again who they are.
    again: &'static str,
}

struct Row {
    id: String,
    name: String,
    enrolled: When,
    used: Option<When>,
}

/// A new passkey.
#[derive(Debug, Deserialize)]
pub(crate) struct New {
    name: String,
    /// `RegistrationResponseJSON`.
    response: String,
}

/// One of theirs.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    id: String,
}

/// `GET /passkeys`
pub(crate) async fn get(State(console): State<Console>, visitor: Visitor) -> Response {
    console.passkeys_page(&visitor, StatusCode::OK, None).await
}

/// `POST /passkeys`
pub(crate) async fn enrol(
    State(console): State<Console>,
    Extension(Peer(peer)): Extension<Peer>,
    Posted { visitor, form }: Posted<New>,
) -> Response {
    to_the_end(async move {
        match console.enrol(&visitor, &form, &peer.to_string()).await {
            Ok(()) => Redirect::to("/passkeys").into_response(),
            Err(why) => {
                let alert = Some(format!("No passkey was enrolled: {why}."));
                console.passkeys_page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, alert).await
            }
        }
    })
    .await
}

/// `POST /passkeys/remove`
pub(crate) async fn remove(
    State(console): State<Console>,
    Posted { visitor, form: Which { id } }: Posted<Which>,
) -> Response {
    let Ok(id) = CredentialId::parse(&id) else {
        let alert = Some("You have no such passkey.".to_owned());
        return console.passkeys_page(&visitor, StatusCode::NOT_FOUND, alert).await;
    };
    to_the_end(async move {
        match console.inbox().remove_passkey(&visitor.human, &id).await {
            Ok(_) => Redirect::to("/passkeys").into_response(),
            Err(error) => failed(&error),
        }
    })
    .await
}

impl Console {
    async fn enrol(&self, visitor: &Visitor, New { name, response }: &New, src: &str) -> Result<(), String> {
        let party = self.enrolling(visitor)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(is_unseen) {
            return Err(format!("call it something of 1 to {LONGEST_NAME} visible characters"));
        }
        let registered = passkey::register(party, &challenge(visitor), response.as_bytes());
        let credential = registered.map_err(|refusal| refusal.to_string())?;
        let passkey = Passkey {
            subject: visitor.human.subject.clone(),
            name: name.to_owned(),
            origin: self.address().origin().to_owned(),
            sign_count: credential.sign_count,
            credential,
            enrolled_by: visitor.assurance.level(),
            enrolled_at: self.now(),
            used_at: None,
        };
        let enrolled = self.inbox().enrol(&visitor.human, &passkey, &visitor.assurance, src).await;
        enrolled.map_err(|why| {
            if let NotEnrolled::Store(_) | NotEnrolled::Inbox(_) = why {
                tracing::error!(%why, "a passkey could not be enrolled");
            }
            why.to_string()
        })
    }

    /// The relying party, if this visitor can enrol a passkey there now.
    fn enrolling(&self, visitor: &Visitor) -> Result<&RelyingParty, &'static str> {
        let party =
            self.party().ok_or("passkeys do not work at this address: it needs a name, not a number")?;
        if self.parts().provider.is_some() && visitor.assurance.level() < Level::Provider {
            return Err(
                "sign in with your organisation to enrol one: a passkey is worth no more than that sign-in",
            );
        }
        if self.now().duration_since(visitor.proven) > SOON {
            return Err(match self.parts().provider {
                Some(_) => "prove again who you are first: passkeys are enrolled soon after that",
                None => "sign out and in again first: passkeys are enrolled soon after that",
            });
        }
        Ok(party)
    }

    async fn passkeys_page(&self, visitor: &Visitor, status: StatusCode, alert: Option<String>) -> Response {
        let passkeys = match self.inbox().passkeys_of(&visitor.human).await {
            Ok(passkeys) => passkeys,
            Err(error) => return failed(&error),
        };
        let options = self.enrolling(visitor).and_then(|party| {
            let ids: Vec<CredentialId> =
                passkeys.iter().map(|passkey| passkey.credential.id.clone()).collect();
            let user = user(visitor).ok_or("your name cannot be given to a passkey")?;
            Ok(passkey::creation_options(party, &challenge(visitor), &user, &ids).to_string())
        });
        let (options, because) = match options {
            Ok(options) => (options, ""),
            Err(because) => (String::new(), because),
        };
        let by_provider = self.parts().provider.is_some();
        let again = if by_provider { "/sign-in/oidc?anew=true&to=%2Fpasskeys" } else { "" };
        let rows = passkeys.into_iter().map(Row::from).collect();
        let frame = Frame::of(visitor, Part::None);
        render_as(status, &Page { frame, alert, rows, options, because, again })
    }
}

/// Of this sign-in alone: a response to it is worth nothing in another, and in this one an id is enrolled once.
fn challenge(visitor: &Visitor) -> Challenge {
    let digest: [u8; 32] = Sha256::digest(format!("enrol a passkey {}", visitor.form())).into();
    Challenge::from(digest)
}

/// By a handle that does not tell who it is, and is the same each time.
fn user(visitor: &Visitor) -> Option<User> {
    let subject = &visitor.human.subject;
    User::new(&Sha256::digest(subject), subject, subject).ok()
}

impl From<Passkey> for Row {
    fn from(passkey: Passkey) -> Self {
        Self {
            id: passkey.credential.id.to_string(),
            name: passkey.name,
            enrolled: passkey.enrolled_at.into(),
            used: passkey.used_at.map(Into::into),
        }
    }
}
