//! How a command ended: what servers say on the error channel since v4.
//!
//! It is a `meta/v1 Status` in JSON (k8s.io/apimachinery/pkg/apis/meta/v1/types.go), sent once, at the end, and read until the
//! channel ends (`watchErrorStream` in k8s.io/client-go/tools/remotecommand/errorstream.go, `errorDecoderV4` in v4.go beside
//! it).

use std::{fmt, io, num::NonZeroU8};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How many bytes a `Status` may have.
pub const MOST: usize = 64 * 1024;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With code 0; or, for attach, the client left.
    Success,
    /// With another code.
    Code(NonZeroU8),
    /// It did not run, or nobody knows how it ended.
    Failure(Failure),
}

/// Why there is no code.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// Kubernetes' reason, such as `InternalError`; may be empty.
    pub reason: String,
    /// For people. Container runtimes write it and may quote anything in it, so it is masked like output.
    pub message: String,
    /// HTTP's code; 0 if there is none.
    pub code: i32,
}

/// Why that is not how it ended: say [`Failure::internal`] to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Without a word. kubectl takes that for success; the gate does not.
    #[error("the server did not say how it ended")]
    Missing,
    /// Too long.
    #[error("the server's `Status` has more than {MOST} bytes")]
    TooLarge,
    /// Something else.
    #[error("the server said something else than a `Status` at line {line}, column {column}")]
    NotAStatus {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Neither success nor failure.
    #[error("the server's `Status` is neither `Success` nor `Failure`")]
    Neither,
    /// There has to be one, from 1 to 255.
    #[error("the server's `Status` has the reason `NonZeroExitCode`, but no cause `ExitCode` from 1 to 255")]
    NoCode,
}

const SUCCESS: &str = "Success";
const FAILURE: &str = "Failure";
const NON_ZERO: &str = "NonZeroExitCode";
const EXIT_CODE: &str = "ExitCode";

/// The `Status` as it comes in, in any pieces.
#[derive(Default)]
pub struct Report(Vec<u8>);

impl Report {
    /// Adds a piece.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        if self.0.len().saturating_add(piece.len()) > MOST {
            return Err(Error::TooLarge);
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }

    /// Reads it, once the channel or the connection has ended.
    ///
    /// # Errors
    /// It is no `Status`, or nothing came.
    pub fn finish(&self) -> Result<Exit, Error> {
        Exit::parse(&self.0)
    }
}

impl Exit {
    /// Reads a `Status`; members that are not known do not matter.
    ///
    /// # Errors
    /// It is none, or contradicts itself.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        match json.len() {
            0 => return Err(Error::Missing),
            1..=MOST => {}
            _ => return Err(Error::TooLarge),
        }
        let status: Status = serde_json::from_slice(json)
            .map_err(|error| Error::NotAStatus { line: error.line(), column: error.column() })?;
        match status.status.as_str() {
            SUCCESS => Ok(Self::Success),
            FAILURE if status.reason == NON_ZERO => {
                let causes = status.details.unwrap_or_default().causes;
                let cause = causes.iter().find(|cause| cause.reason == EXIT_CODE).ok_or(Error::NoCode)?;
                let digits = cause.message.bytes().all(|byte| byte.is_ascii_digit());
                let code = digits.then(|| cause.message.parse().ok()).flatten();
                code.map(Self::Code).ok_or(Error::NoCode)
            }
            FAILURE => {
                let Status { reason, message, code, .. } = status;
                Ok(Self::Failure(Failure { reason, message, code }))
            }
            _ => Err(Error::Neither),
        }
    }

    /// The `Status`, byte by byte as the API server writes it to a WebSocket (`writeStatus` and `codeExitToStatusError` in
    /// k8s.io/apiserver/pkg/util/proxy/{websocket,streamtranslator}.go). Container runtimes leave out `metadata`.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        let mut status = Status { status: FAILURE.to_owned(), ..Status::default() };
        match self {
            Self::Success => SUCCESS.clone_into(&mut status.status),
            Self::Code(code) => {
                // Twice: the error that is quoted begins like the quote.
                let ended = format!("command terminated with exit code {code}");
                status.message = format!("command terminated with non-zero exit code: {ended}");
                NON_ZERO.clone_into(&mut status.reason);
                let cause = Cause { reason: EXIT_CODE.to_owned(), message: code.to_string() };
                status.details = Some(Details { causes: vec![cause] });
            }
            Self::Failure(Failure { reason, message, code }) => {
                reason.clone_into(&mut status.reason);
                message.clone_into(&mut status.message);
                status.code = *code;
            }
        }
        let mut json = Vec::new();
        let written = status.serialize(&mut serde_json::Serializer::with_formatter(&mut json, AsGo));
        // Strings and integers only: there is nothing in it that cannot be written.
        written.map_or_else(|_| Bytes::from_static(b"{\"status\":\"Failure\"}"), |()| Bytes::from(json))
    }
}

impl Failure {
    /// Something went wrong on the way: `NewInternalError` in k8s.io/apimachinery/pkg/api/errors/errors.go.
    #[must_use]
    pub fn internal(what: impl fmt::Display) -> Self {
        let message = format!("Internal error occurred: {what}");
        Self { reason: "InternalError".to_owned(), message, code: 500 }
    }
}

// === the document ===

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Status {
    #[serde(skip_deserializing)]
    metadata: Empty,
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    #[serde(skip_serializing_if = "is_zero")]
    code: i32,
}

#[derive(Default, Serialize)]
struct Empty {}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Details {
    causes: Vec<Cause>,
}

/// `reason` is the name on the wire of `StatusCause.Type`.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_zero(code: &i32) -> bool {
    *code == 0
}

/// JSON as encoding/json has it, which keeps HTML and JavaScript from meaning something.
struct AsGo;

impl serde_json::ser::Formatter for AsGo {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        let mut buffer = [0; 4];
        text.chars().try_for_each(|character| match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(writer, "\\u{:04x}", u32::from(character)),
            other => writer.write_all(other.encode_utf8(&mut buffer).as_bytes()),
        })
    }
}

// Messages may quote a secret: only their length is shown.

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({} {}, {} bytes)", self.code, self.reason, self.message.len())
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests;
