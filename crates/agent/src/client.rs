//! The gate, as the agent's tools see it: over TLS, with deadlines and limits, and wherever its answers point, no further.

use std::time::Duration;

use approval::{
    ACCESS_PATH, APPROVALS_PATH, Answer, CHANGES_PATH, RESTORE_HEADER, WantedAccess, WantedCall,
    WantedChanges,
};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect, retry,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use visible::{visible, with_causes};

use crate::{
    kubeconfig::{Endpoint, Token},
    told::is_pending,
};

const CONNECT: Duration = Duration::from_secs(10);

/// Every change that is proposed is tried first, one after the other.
const WHOLE: Duration = Duration::from_secs(3 * 60);

/// Longer than a gate may hold a call.
const WAIT: Duration = Duration::from_secs(11 * 60);

/// An object of Kubernetes has up to 1.5 MiB, and what manages its fields about as much.
const MOST: usize = 8 << 20;

/// The least time between two questions.
const PAUSE: Duration = Duration::from_secs(1);

/// How often in a row the gate may be unreachable while somebody waits: it may be restarting.
const PATIENCE: u32 = 10;

/// Speaks to one gate, as one session.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    server: String,
    token: Token,
    namespace: Option<String>,
    pause: Duration,
}

/// Why the gate did not do what was asked. What it says is made visible.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Failure {
    /// No client could be made.
    #[error("TLS cannot be used: {0}")]
    Tls(String),
    /// No answer came.
    #[error("no gate answers at `{server}`: {why}")]
    Unreachable { server: String, why: String },
    /// It sent us elsewhere.
    #[error("`{server}` answers with a redirect, which is not followed; is it the gate's own address?")]
    Redirect { server: String },
    /// More than anybody should have to take.
    #[error("the gate's answer is larger than {} MiB", MOST >> 20)]
    TooLarge,
    /// It said no.
    #[error("{message}")]
    Refused {
        status: StatusCode,
        message: String,
        /// The object that it says so of.
        of: Option<String>,
    },
    /// An answer of another version.
    #[error("the gate's answer was not understood: {0}; use the same version of `portcullis` as the gate")]
    Answer(String),
}

impl Client {
    /// For the gate and the session that a kubeconfig names. Proxies are taken from the environment, as kubectl does.
    ///
    /// # Errors
    /// No authority is known by which to tell the gate.
    pub fn new(endpoint: Endpoint) -> Result<Self, Failure> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .https_only(true)
            .connect_timeout(CONNECT);
        if is_loopback(&endpoint.server) {
            builder = builder.no_proxy();
        }
        if let Some(authorities) = endpoint.authorities {
            builder = builder.tls_certs_only(authorities);
        }
        let http = builder.build().map_err(|error| Failure::Tls(visible(&with_causes(&error))))?;
        let server = endpoint.server.as_str().trim_end_matches('/').to_owned();
        let Endpoint { token, namespace, .. } = endpoint;
        Ok(Self { http, server, token, namespace, pause: PAUSE })
    }

    /// The same with another least time between two questions, for tests.
    #[must_use]
    pub fn pausing(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The namespace of the kubeconfig's context.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Asks for access to a scope.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn request_access(&self, wanted: &WantedAccess) -> Result<Answer, Failure> {
        self.post(ACCESS_PATH, wanted).await
    }

    /// Asks for several changes at once.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn propose(&self, wanted: &WantedChanges) -> Result<Answer, Failure> {
        self.post(CHANGES_PATH, wanted).await
    }

    /// Where an approval stands; if `wait`, once it is pending no longer or the gate has held the question for as long as it does.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn approval(&self, id: &str, wait: bool) -> Result<Answer, Failure> {
        let query = if wait { "?wait=true" } else { "" };
        let timeout = if wait { WAIT } else { WHOLE };
        let path = format!("{APPROVALS_PATH}{}{query}", segment(id));
        read(self.ask(self.request(Method::GET, &path)?.timeout(timeout)).await?)
    }

    /// Waits until an approval is pending no longer. A gate that cannot be reached for a while is asked again.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn decided(&self, id: &str) -> Result<Answer, Failure> {
        let mut failures = 0;
        loop {
            let next = Instant::now() + self.pause;
            match self.approval(id, true).await {
                Ok(answer) if !is_pending(&answer) => return Ok(answer),
                Ok(_pending) => failures = 0,
                Err(Failure::Unreachable { .. }) if failures < PATIENCE => failures += 1,
                Err(failure) => return Err(failure),
            }
            sleep_until(next).await;
        }
    }

    /// What a Kubernetes path answers, as JSON; `None` where nothing is.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn get(&self, path: &str) -> Result<Option<Value>, Failure> {
        match self.ask(self.request(Method::GET, path)?).await {
            Ok(body) => read(body).map(Some),
            Err(Failure::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The object of this name at a Kubernetes path, as JSON; `None` if there is none. That nothing at all is at the path is a failure.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn object(&self, path: &str, name: &str) -> Result<Option<Value>, Failure> {
        match self.ask(self.request(Method::GET, path)?).await {
            Ok(body) => read(body).map(Some),
            Err(Failure::Refused { status: StatusCode::NOT_FOUND, of: Some(of), .. }) if of == name => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Makes a call, and answers what it is answered.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn call(&self, call: &WantedCall) -> Result<Value, Failure> {
        let WantedCall { method, path, content_type, body, restores } = call;
        let method =
            Method::from_bytes(method.as_bytes()).map_err(|error| self.unreachable(error.to_string()))?;
        // It may be held until humans decide.
        let request = self.request(method, path)?.timeout(WAIT).header(CONTENT_TYPE, content_type);
        let request = match restores {
            Some(call) => request.header(RESTORE_HEADER, call),
            None => request,
        };
        read(self.ask(request.body(body.clone())).await?)
    }

    async fn post<B: Serialize>(&self, path: &str, wanted: &B) -> Result<Answer, Failure> {
        let body = serde_json::to_vec(wanted).map_err(|error| self.unreachable(error.to_string()))?;
        let request = self.request(Method::POST, path)?;
        let json = HeaderValue::from_static("application/json");
        read(self.ask(request.header(CONTENT_TYPE, json).body(body)).await?)
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let url = Url::parse(&format!("{}{path}", self.server));
        let url = url.map_err(|error| self.unreachable(error.to_string()))?;
        Ok(self
            .http
            .request(method, url)
            .timeout(WHOLE)
            .header(AUTHORIZATION, self.token.0.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json")))
    }

    /// The body of an answer that says yes.
    async fn ask(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let unreachable =
            |error: reqwest::Error| self.unreachable(visible(&with_causes(&error.without_url())));
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Failure::Redirect { server: self.server.clone() });
        }
        let body = whole(&mut response).await.map_err(unreachable)?.ok_or(Failure::TooLarge)?;
        if status.is_success() { Ok(body) } else { Err(refused(status, &body)) }
    }

    fn unreachable(&self, why: String) -> Failure {
        Failure::Unreachable { server: self.server.clone(), why }
    }
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

/// `Status` of k8s.io/apimachinery/pkg/apis/meta/v1.
#[derive(Deserialize)]
struct Status {
    message: String,
    details: Option<Details>,
}

/// `StatusDetails`.
#[derive(Deserialize)]
struct Details {
    name: Option<String>,
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let told = serde_json::from_slice::<Status>(body).ok();
    let (message, details) = told.map(|told| (told.message, told.details)).unwrap_or_default();
    let message = if message.is_empty() { format!("the gate answered {status}") } else { visible(&message) };
    Failure::Refused { status, message, of: details.and_then(|details| details.name) }
}

fn read<T: DeserializeOwned>(body: Vec<u8>) -> Result<T, Failure> {
    serde_json::from_slice(&body).map_err(|error| Failure::Answer(visible(&error.to_string())))
}

/// One segment of a path, with what would end it encoded: what is no `pchar` of RFC 3986, 3.3.
pub(crate) fn segment(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b':')
        .remove(b'@')
        .remove(b'$')
        .remove(b'+');
    utf8_percent_encode(text, KEPT).to_string()
}

fn is_loopback(url: &Url) -> bool {
    // The type of a URL's host is not reqwest's to give.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
