//! What a form of ours says.

use axum::{
    Form,
    extract::{FromRequest, FromRequestParts as _, Request},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Console, page, signin::Visitor};

/// A form that its visitor sent from a page of ours. There is no other way to get at what a form says.
#[derive(Debug)]
pub(crate) struct Posted<F> {
    pub(crate) visitor: Visitor,
    pub(crate) form: F,
}

/// In every form: what only the visitor's own pages know.
#[derive(Deserialize)]
struct Marked<F> {
    form: String,
    #[serde(flatten)]
    rest: F,
}

impl<F: DeserializeOwned> FromRequest<Console> for Posted<F> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor: Visitor = Visitor::from_request_parts(&mut parts, console).await?;
        let form = Form::<Marked<F>>::from_request(Request::from_parts(parts, body), console).await;
        let Form(Marked { form, rest }) = form.map_err(|rejection| {
            page::problem(
                rejection.status(),
                "The form is not whole. Go back, load the page again, and send it anew.",
            )
            .into_response()
        })?;
        if !visitor.sent(&form) {
            let why = "This form is not of your sign-in. Go back, load the page again, and send it anew.";
            return Err(page::problem(StatusCode::FORBIDDEN, why));
        }
        Ok(Self { visitor, form: rest })
    }
}
