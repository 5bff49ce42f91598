//! The command line's side of the admin socket.

use std::{io, path::PathBuf};

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

use super::types::{
    ApprovalDetail, ApprovalView, Because, ChangedSession, ConsoleLink, ErasedRecording, OpenSession,
    OpenedSession, Problem, SessionView,
};
use crate::config::DataFolder;

/// A thousand sessions fit.
const LARGEST_ANSWER: usize = 8 << 20;

/// Speaks to the gate that serves a data folder. Each call connects anew.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

/// Why the gate did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum CallError {
    /// Nobody answers.
    #[error("no gate answers at `{}`: {error}; is `portcullis serve` running, and are you its user?", socket.display())]
    Connect { socket: PathBuf, error: io::Error },
    /// The connection broke.
    #[error("the gate did not answer: {0}")]
    Http(String),
    /// The gate said no.
    #[error("{0}")]
    Refused(String),
    /// An answer of another version.
    #[error("the gate's answer was not understood: {0}; use the same version of `portcullis` as the gate")]
    Answer(serde_json::Error),
}

impl Client {
    /// For the gate that serves this data folder.
    #[must_use]
    pub fn new(data: &DataFolder) -> Self {
        Self { socket: data.admin_socket() }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(&self, session: &OpenSession) -> Result<OpenedSession, CallError> {
        self.call(Method::POST, "/v1/sessions", Some(session)).await
    }

    /// The active sessions, or all of them; newest first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, all: bool) -> Result<Vec<SessionView>, CallError> {
        self.call::<(), _>(Method::GET, &format!("/v1/sessions?all={all}"), None).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn revoke(&self, id: &identity::SessionId, why: &Because) -> Result<ChangedSession, CallError> {
        self.call(Method::POST, &format!("/v1/sessions/{id}/revoke"), Some(why)).await
    }

    /// Erases a session's recording.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn erase(&self, id: &identity::SessionId, why: &Because) -> Result<ErasedRecording, CallError> {
        self.call(Method::POST, &format!("/v1/sessions/{id}/recording/erase"), Some(why)).await
    }

    /// Freezes a session.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn freeze(&self, id: &identity::SessionId, why: &Because) -> Result<ChangedSession, CallError> {
        self.call(Method::POST, &format!("/v1/sessions/{id}/freeze"), Some(why)).await
    }

    /// Thaws a frozen session.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn thaw(&self, id: &identity::SessionId) -> Result<ChangedSession, CallError> {
        self.call::<(), _>(Method::POST, &format!("/v1/sessions/{id}/thaw"), None).await
    }

    /// What waits for humans, oldest first; or all of it, newest first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn approvals(&self, all: bool) -> Result<Vec<ApprovalView>, CallError> {
        self.call::<(), _>(Method::GET, &format!("/v1/approvals?all={all}"), None).await
    }

    /// Those by which the glass was broken, and which nobody has signed off; oldest first.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn unreviewed(&self) -> Result<Vec<ApprovalView>, CallError> {
        self.call::<(), _>(Method::GET, "/v1/approvals?unreviewed=true", None).await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn approval(&self, id: &str) -> Result<ApprovalDetail, CallError> {
        self.call::<(), _>(Method::GET, &format!("/v1/approvals/{id}"), None).await
    }

    /// One of them, once it is pending no longer.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn decided(&self, id: &str) -> Result<ApprovalView, CallError> {
        self.call::<(), _>(Method::GET, &format!("/v1/approvals/{id}/decided"), None).await
    }

    /// Says yes, as the human whose account this is.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn approve(&self, id: &str) -> Result<ApprovalDetail, CallError> {
        self.call::<(), _>(Method::POST, &format!("/v1/approvals/{id}/approve"), None).await
    }

    /// Says no.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn refuse(&self, id: &str, why: &Because) -> Result<ApprovalDetail, CallError> {
        self.call(Method::POST, &format!("/v1/approvals/{id}/refuse"), Some(why)).await
    }

    /// Ends what can be used.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn end(&self, id: &str, why: &Because) -> Result<ApprovalDetail, CallError> {
        self.call(Method::POST, &format!("/v1/approvals/{id}/end"), Some(why)).await
    }

    /// Signs off what was done by breaking the glass.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn review(&self, id: &str, found: &Because) -> Result<ApprovalDetail, CallError> {
        self.call(Method::POST, &format!("/v1/approvals/{id}/review"), Some(found)).await
    }

    /// A way into the console, for the human whose account this is.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn console_link(&self) -> Result<ConsoleLink, CallError> {
        self.call::<(), _>(Method::POST, "/v1/console/links", None).await
    }

    async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<A, CallError> {
        let socket = || self.socket.clone();
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| CallError::Connect { socket: socket(), error })?;
        let http = |error: &dyn std::error::Error| CallError::Http(error.to_string());
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| http(&error))?;
        // Ends when the sender is dropped; its errors come out of the request as well.
        let connection = tokio::spawn(connection);
        let body = body.map(serde_json::to_vec).transpose().map_err(CallError::Answer)?.unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| http(&error))?;
        let answer = sender.send_request(request).await.map_err(|error| http(&error))?;
        let code = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER);
        #[expect(clippy::disallowed_methods, reason = "the body is limited")]
        let body = body.collect().await.map_err(|error| CallError::Http(error.to_string()))?.to_bytes();
        connection.abort();
        read(code, &body)
    }
}

fn read<A: DeserializeOwned>(code: StatusCode, body: &[u8]) -> Result<A, CallError> {
    if code.is_success() {
        return serde_json::from_slice(body).map_err(CallError::Answer);
    }
    let problem = serde_json::from_slice::<Problem>(body);
    Err(CallError::Refused(
        problem.map_or_else(|_| format!("the gate answered {code}"), |problem| problem.error),
    ))
}
