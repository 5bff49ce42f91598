//! Asking the provider: over TLS or on loopback, with deadlines and limits, and wherever its answers point, no further.

use std::{fs, path::Path, time::Duration};

use reqwest::{
    Certificate, Client, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};

use crate::{
    Failure, Part, Problem,
    text::{shown, told},
};

/// A provider answers while a person waits.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(10);

/// Real answers have a few KiB; an ID token with hundreds of groups has tens.
pub(crate) const MOST: usize = 256 * 1024;

/// A client for one provider.
#[derive(Debug)]
pub(crate) struct Http(Client);

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Trusts the authorities in `ca` (PEM) alone, or without it those of the system.
    pub(crate) fn new(ca: Option<&Path>) -> Result<Self, Problem> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(WHOLE);
        if let Some(file) = ca {
            builder = builder.tls_certs_only(certificates(file)?);
        }
        builder.build().map(Self).map_err(|error| Problem::Client { why: told(&error) })
    }

    /// A JSON document.
    pub(crate) async fn get(&self, part: Part, url: &Url) -> Result<Vec<u8>, Failure> {
        let answer = ask(part, self.0.get(url.clone())).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            status => Err(Failure::Status { part, status }),
        }
    }

    /// The answer to a form, with any status that is no redirect.
    pub(crate) async fn post(
        &self,
        part: Part,
        url: &Url,
        authorization: Option<HeaderValue>,
        form: String,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .0
            .post(url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(form);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        ask(part, request).await
    }
}

async fn ask(part: Part, request: RequestBuilder) -> Result<Answer, Failure> {
    let unreachable = |error: reqwest::Error| Failure::Unreachable { part, why: told(&error.without_url()) };
    let json = HeaderValue::from_static("application/json");
    let mut response = request.header(ACCEPT, json).send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_redirection() {
        return Err(Failure::Redirect { part });
    }
    let body = whole(&mut response).await.map_err(unreachable)?;
    Ok(Answer { status, body: body.ok_or(Failure::TooLarge { part, most: MOST })? })
}

/// The body, unless it is larger than [`MOST`].
async fn whole(response: &mut Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MOST {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Problem> {
    let path = || file.to_owned();
    let pem = fs::read(file).map_err(|source| Problem::File { part: "ca", path: path(), source })?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() { Err(Problem::NoCertificate { path: path() }) } else { Ok(found) }
}

/// JSON of a document that holds no secrets, so that what is wrong with it may be told.
pub(crate) fn json<T: serde::de::DeserializeOwned>(part: Part, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let told = error.to_string();
        // Nobody counts columns in what a machine wrote.
        let why = told.split_once(" at line ").map_or(&*told, |(why, _place)| why);
        Failure::Malformed { part, why: shown(why) }
    })
}
