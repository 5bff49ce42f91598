//! What a SPDY stream is for: the headers that a client opens it with.
//!
//! Names are those of k8s.io/api/core/v1/types.go (`StreamType`, `PortHeader`, `PortForwardRequestIDHeader`), in lower case
//! as SPDY has them.

use std::{fmt, num::NonZeroU16};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::text::excerpt;

const STREAM_TYPE: HeaderName = HeaderName::from_static("streamtype");
const PORT: HeaderName = HeaderName::from_static("port");
const REQUEST_ID: HeaderName = HeaderName::from_static("requestid");

/// A stream of exec or attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteCommandStream {
    /// How it ended: see [`crate::exit`].
    Error,
    /// To the process.
    Stdin,
    /// From the process.
    Stdout,
    /// From the process, if it has no terminal.
    Stderr,
    /// The size of its terminal: see [`crate::resize`].
    Resize,
}

/// What was asked for in the request's query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "PodExecOptions has them so")]
pub struct Asked {
    /// `stdin`
    pub stdin: bool,
    /// `stdout`
    pub stdout: bool,
    /// `stderr`, which a terminal does not have
    pub stderr: bool,
    /// `tty`
    pub tty: bool,
}

impl Asked {
    /// The streams there have to be, in the order in which kubectl opens them, each after the reply to the one before
    /// (`createStreams` in k8s.io/client-go/tools/remotecommand/{v2,v3}.go). The server waits for exactly these.
    pub fn streams(self) -> impl Iterator<Item = RemoteCommandStream> {
        use RemoteCommandStream::{Error, Resize, Stderr, Stdin, Stdout};
        let Self { stdin, stdout, stderr, tty } = self;
        [(true, Error), (stdin, Stdin), (stdout, Stdout), (stderr && !tty, Stderr), (tty, Resize)]
            .into_iter()
            .filter_map(|(asked, stream)| asked.then_some(stream))
    }
}

/// A stream of a port-forward. Two with one request are one connection to the port: the one that tells errors, which clients
/// open first and finish at once, and the one with the data (`handleConnection` in
/// k8s.io/client-go/tools/portforward/portforward.go).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortForwardStream {
    /// Which connection it is part of.
    pub request: RequestId,
    /// The pod's port.
    pub port: NonZeroU16,
    /// Which of the two.
    pub kind: PortForwardKind,
}

/// Which of the two streams of a connection to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortForwardKind {
    /// From the server, a text for people; empty if all went well.
    Error,
    /// Both ways.
    Data,
}

/// What a client numbers its connections with: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(HeaderValue);

/// Why a stream is not taken: reset it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Once each.
    #[error("a stream has one header `{0}`")]
    Header(&'static str),
    /// No such stream.
    #[error("`{found}` is no `streamType` here: there are {known}")]
    Kind {
        /// What it says.
        found: String,
        /// What there is.
        known: &'static str,
    },
    /// No port.
    #[error("`{0}` is no port: write 1 to 65535")]
    Port(String),
    /// No request.
    #[error("a `requestID` has 1 to 64 visible characters")]
    Request,
}

impl RemoteCommandStream {
    /// Reads what a stream is opened with; what else is there does not matter.
    ///
    /// # Errors
    /// There is no such stream.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Error> {
        match one(headers, &STREAM_TYPE, "streamType")?.as_bytes() {
            b"error" => Ok(Self::Error),
            b"stdin" => Ok(Self::Stdin),
            b"stdout" => Ok(Self::Stdout),
            b"stderr" => Ok(Self::Stderr),
            b"resize" => Ok(Self::Resize),
            other => Err(Error::Kind {
                found: excerpt(other),
                known: "`error`, `stdin`, `stdout`, `stderr` and `resize`",
            }),
        }
    }

    /// What it is opened with.
    #[must_use]
    pub fn to_headers(self) -> HeaderMap {
        HeaderMap::from_iter([(STREAM_TYPE, HeaderValue::from_static(self.as_str()))])
    }

    /// As in the header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Stdin => "stdin",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Resize => "resize",
        }
    }
}

impl PortForwardStream {
    /// Reads what a stream is opened with; what else is there does not matter.
    ///
    /// # Errors
    /// There is no such stream, or no telling which connection it is part of: without a `requestID`, servers guess it from the
    /// number of the stream, and may be wrong (`requestID` in k8s.io/cri-streaming/pkg/streaming/portforward/httpstream.go).
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Error> {
        let kind = match one(headers, &STREAM_TYPE, "streamType")?.as_bytes() {
            b"error" => PortForwardKind::Error,
            b"data" => PortForwardKind::Data,
            other => return Err(Error::Kind { found: excerpt(other), known: "`error` and `data`" }),
        };
        let port = one(headers, &PORT, "port")?.as_bytes();
        let number =
            port.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(port).ok()?.parse().ok());
        let port = number.flatten().ok_or_else(|| Error::Port(excerpt(port)))?;
        let request = one(headers, &REQUEST_ID, "requestID")?.clone();
        if !(1..=64).contains(&request.len()) || !request.as_bytes().iter().all(u8::is_ascii_graphic) {
            return Err(Error::Request);
        }
        Ok(Self { request: RequestId(request), port, kind })
    }

    /// What it is opened with.
    #[must_use]
    pub fn to_headers(&self) -> HeaderMap {
        let kind = match self.kind {
            PortForwardKind::Error => "error",
            PortForwardKind::Data => "data",
        };
        HeaderMap::from_iter([
            (STREAM_TYPE, HeaderValue::from_static(kind)),
            (PORT, HeaderValue::from(self.port.get())),
            (REQUEST_ID, self.request.0.clone()),
        ])
    }
}

impl From<u32> for RequestId {
    fn from(number: u32) -> Self {
        Self(HeaderValue::from(number))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&excerpt(self.0.as_bytes()))
    }
}

fn one<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    as_written: &'static str,
) -> Result<&'h HeaderValue, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        (None, _) | (_, Some(_)) => Err(Error::Header(as_written)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_stream_is_what_its_headers_say() {
        let all = Asked { stdin: true, stdout: true, stderr: true, tty: false };
        for asked in [all, Asked { tty: true, ..all }] {
            for stream in asked.streams() {
                assert_eq!(RemoteCommandStream::from_headers(&stream.to_headers()), Ok(stream));
            }
        }
        let told = headers(&[("streamtype", "data"), ("port", "8080"), ("requestid", "7")]);
        let data = PortForwardStream::from_headers(&told).unwrap();
        assert_eq!((data.port.get(), data.kind), (8080, PortForwardKind::Data));
        assert_eq!(data.to_headers(), told);
    }

    #[test]
    fn streams_are_opened_in_kubectls_order() {
        use RemoteCommandStream::{Error, Resize, Stderr, Stdin, Stdout};
        let all = Asked { stdin: true, stdout: true, stderr: true, tty: false };
        assert!(all.streams().eq([Error, Stdin, Stdout, Stderr]));
        assert!(Asked { tty: true, ..all }.streams().eq([Error, Stdin, Stdout, Resize]));
        assert!(Asked::default().streams().eq([Error]));
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let remote =
            [&[][..], &[("streamtype", "data")], &[("streamtype", "stdin"), ("streamtype", "stdout")]]
                .map(|pairs| RemoteCommandStream::from_headers(&headers(pairs)).unwrap_err().to_string());
        let forward = [
            &[("port", "80"), ("requestid", "1")][..],
            &[("streamtype", "stdin"), ("port", "80"), ("requestid", "1")],
            &[("streamtype", "data"), ("requestid", "1")],
            &[("streamtype", "data"), ("port", "0"), ("requestid", "1")],
            &[("streamtype", "data"), ("port", "+80"), ("requestid", "1")],
            &[("streamtype", "data"), ("port", "65536"), ("requestid", "1")],
            &[("streamtype", "data"), ("port", "80")],
            &[("streamtype", "data"), ("port", "80"), ("requestid", "")],
            &[("streamtype", "data"), ("port", "80"), ("requestid", "1 2")],
        ]
        .map(|pairs| PortForwardStream::from_headers(&headers(pairs)).unwrap_err().to_string());
        insta::assert_snapshot!([&remote[..], &forward].concat().join("\n"));
    }
}
