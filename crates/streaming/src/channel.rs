//! Messages of exec and attach over a WebSocket: `v4.channel.k8s.io` and `v5.channel.k8s.io`.
//!
//! A binary message begins with the number of its channel (k8s.io/apimachinery/pkg/util/remotecommand/constants.go):
//!
//! | | channel | from | then |
//! |---|---|---|---|
//! | 0 | stdin | client | bytes |
//! | 1 | stdout | server | bytes |
//! | 2 | stderr | server | bytes |
//! | 3 | error | server | a `Status`: see [`crate::exit`] |
//! | 4 | resize | client | JSON: see [`crate::resize`] |
//! | 255 | close | client, v5 only | one byte: the channel that ends |
//!
//! A server's first message is empty, on the first of stdout, stderr and error that was asked for: it tells that the
//! connection stands (`createWebSocketStreams` in k8s.io/apiserver/pkg/util/proxy/websocket.go). Its last is the `Status`, and
//! then it closes the WebSocket with 1000; kubectl takes any other end for a failure. Servers close no channel alone: to clients
//! 255 is a channel that they do not know (`readDemuxLoop` in k8s.io/client-go/tools/remotecommand/websocket.go).
//!
//! Kubernetes passes over messages that are on channels of the other side, or empty. Here they are refused: nobody sends them.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    protocol::Version,
    resize::{NotASize, TerminalSize},
};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// What a client says.
#[derive(Clone, PartialEq, Eq)]
pub enum FromClient {
    /// To the process. May be empty.
    Stdin(Bytes),
    /// Its terminal has another size.
    Resize(TerminalSize),
    /// Nothing more comes on the channel (v5).
    Close(Closed),
}

/// The channels that a client can close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The process reads its end.
    Stdin,
    /// The terminal's size stays as it is.
    Resize,
}

/// What a server says.
#[derive(Clone, PartialEq, Eq)]
pub enum FromServer {
    /// From the process. May be empty.
    Stdout(Bytes),
    /// From the process. May be empty.
    Stderr(Bytes),
    /// A piece of the `Status`: see [`crate::exit::Report`]. May be empty.
    Error(Bytes),
}

/// Why a message is not taken: end the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No channel.
    #[error("an empty message has no channel")]
    Empty,
    /// None of those that may speak.
    #[error("a {from} may not send on channel {channel}: {may}")]
    Channel {
        /// Who.
        from: &'static str,
        /// Where.
        channel: u8,
        /// Where it may.
        may: &'static str,
    },
    /// No such thing in v4.
    #[error("channels cannot be closed in `v4.channel.k8s.io`: use `v5.channel.k8s.io`")]
    CannotClose,
    /// Which one?
    #[error("a close names one channel, 0 (stdin) or 4 (resize)")]
    Close,
    /// Not the size of a terminal.
    #[error(transparent)]
    Size(#[from] NotASize),
}

impl FromClient {
    /// Reads a binary message. Nothing is copied.
    ///
    /// # Errors
    /// A client may not say it.
    pub fn decode(message: Bytes, version: Version) -> Result<Self, Error> {
        let (channel, rest) = split(message)?;
        match channel {
            STDIN => Ok(Self::Stdin(rest)),
            RESIZE => Ok(Self::Resize(TerminalSize::parse(&rest)?)),
            CLOSE => match (version, rest.as_ref()) {
                (Version::V4, _) => Err(Error::CannotClose),
                (Version::V5, [STDIN]) => Ok(Self::Close(Closed::Stdin)),
                (Version::V5, [RESIZE]) => Ok(Self::Close(Closed::Resize)),
                (Version::V5, _) => Err(Error::Close),
            },
            channel => Err(Error::Channel {
                from: "client",
                channel,
                may: "0 (stdin), 4 (resize) and 255 (close) are its own",
            }),
        }
    }

    /// Writes a binary message.
    ///
    /// # Errors
    /// [`Error::CannotClose`]: in v4 that is said by closing the connection.
    pub fn encode(&self, version: Version) -> Result<Bytes, Error> {
        match (self, version) {
            (Self::Stdin(bytes), _) => Ok(join(STDIN, bytes)),
            (Self::Resize(size), _) => Ok(join(RESIZE, &size.to_json())),
            (Self::Close(_), Version::V4) => Err(Error::CannotClose),
            (Self::Close(Closed::Stdin), Version::V5) => Ok(Bytes::from_static(&[CLOSE, STDIN])),
            (Self::Close(Closed::Resize), Version::V5) => Ok(Bytes::from_static(&[CLOSE, RESIZE])),
        }
    }
}

impl FromServer {
    /// Reads a binary message. Nothing is copied.
    ///
    /// # Errors
    /// A server may not say it.
    pub fn decode(message: Bytes) -> Result<Self, Error> {
        let (channel, rest) = split(message)?;
        match channel {
            STDOUT => Ok(Self::Stdout(rest)),
            STDERR => Ok(Self::Stderr(rest)),
            ERROR => Ok(Self::Error(rest)),
            channel => Err(Error::Channel {
                from: "server",
                channel,
                may: "1 (stdout), 2 (stderr) and 3 (error) are its own",
            }),
        }
    }

    /// Writes a binary message.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Stdout(bytes) => join(STDOUT, bytes),
            Self::Stderr(bytes) => join(STDERR, bytes),
            Self::Error(bytes) => join(ERROR, bytes),
        }
    }
}

fn split(mut message: Bytes) -> Result<(u8, Bytes), Error> {
    let channel = *message.first().ok_or(Error::Empty)?;
    Ok((channel, message.split_off(1)))
}

/// A message: its channel's number, and what is on it.
pub(crate) fn join(channel: u8, bytes: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(1 + bytes.len());
    message.put_u8(channel);
    message.put_slice(bytes);
    message.freeze()
}

// What goes through may be secret: only its length is shown.

impl fmt::Debug for FromClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin(bytes) => write!(f, "Stdin({} bytes)", bytes.len()),
            Self::Resize(size) => write!(f, "Resize({}x{})", size.width, size.height),
            Self::Close(channel) => write!(f, "Close({channel:?})"),
        }
    }
}

impl fmt::Debug for FromServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout(bytes) => write!(f, "Stdout({} bytes)", bytes.len()),
            Self::Stderr(bytes) => write!(f, "Stderr({} bytes)", bytes.len()),
            Self::Error(bytes) => write!(f, "Error({} bytes)", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERSIONS: [Version; 2] = [Version::V4, Version::V5];

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(bytes: Vec<u8>, width: u16, height: u16) {
            let bytes = Bytes::from(bytes);
            let said = [FromClient::Stdin(bytes.clone()), FromClient::Resize(TerminalSize { width, height })];
            for (said, version) in said.into_iter().flat_map(|said| VERSIONS.map(|version| (said.clone(), version))) {
                prop_assert_eq!(FromClient::decode(said.encode(version).unwrap(), version), Ok(said));
            }
            for said in [FromServer::Stdout(bytes.clone()), FromServer::Stderr(bytes.clone()), FromServer::Error(bytes)] {
                prop_assert_eq!(FromServer::decode(said.encode()), Ok(said));
            }
        }

        #[test]
        fn each_message_is_of_one_side_at_most(message: Vec<u8>) {
            let message = Bytes::from(message);
            for version in VERSIONS {
                let client = FromClient::decode(message.clone(), version).is_ok();
                prop_assert!(!(client && FromServer::decode(message.clone()).is_ok()));
            }
        }
    }

    #[test]
    fn only_v5_closes_a_channel() {
        for closed in [Closed::Stdin, Closed::Resize].map(FromClient::Close) {
            let message = closed.encode(Version::V5).unwrap();
            assert_eq!(FromClient::decode(message.clone(), Version::V5), Ok(closed.clone()));
            assert_eq!(FromClient::decode(message, Version::V4), Err(Error::CannotClose));
            assert_eq!(closed.encode(Version::V4), Err(Error::CannotClose));
        }
    }

    #[test]
    fn what_a_side_may_not_say_is_refused() {
        let client =
            [&[][..], &[1, b'x'], &[2], &[3], &[4, b'x'], &[4], &[5], &[48], &[255], &[255, 1], &[255, 0, 0]]
                .map(|message| {
                    FromClient::decode(Bytes::from_static(message), Version::V5).unwrap_err().to_string()
                });
        let server = [&[][..], &[0], &[4], &[255, 1], &[49]]
            .map(|message| FromServer::decode(Bytes::from_static(message)).unwrap_err().to_string());
        insta::assert_snapshot!([&client[..], &server].concat().join("\n"));
    }

    #[test]
    fn content_is_not_shown() {
        let secret = Bytes::from_static(b"hunter2");
        let shown = [
            format!("{:?}", FromClient::Stdin(secret.clone())),
            format!("{:?}", FromServer::Stdout(secret.clone())),
            format!("{:?}", FromServer::Error(secret)),
        ];
        assert_eq!(shown, ["Stdin(7 bytes)", "Stdout(7 bytes)", "Error(7 bytes)"]);
    }
}
