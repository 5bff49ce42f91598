//! Which protocol a client and the gate agree on, and the gate and an API server.
//!
//! | request | over | header | taken |
//! |---|---|---|---|
//! | exec, attach | WebSocket | `Sec-WebSocket-Protocol` | `v5.channel.k8s.io`, `v4.channel.k8s.io`, or either as the API server likes |
//! | exec, attach | SPDY | `X-Stream-Protocol-Version` | `v4.channel.k8s.io` (v5 is for WebSocket alone) |
//! | port-forward | WebSocket | `Sec-WebSocket-Protocol` | `SPDY/3.1+portforward.k8s.io`: SPDY in binary messages; else `v4.channel.k8s.io` |
//! | port-forward | SPDY | `X-Stream-Protocol-Version` | `portforward.k8s.io` |
//!
//! Sources: k8s.io/apimachinery/pkg/util/{remotecommand,portforward}/constants.go, `Handshake` in
//! k8s.io/streaming/pkg/httpstream/httpstream.go, k8s.io/streaming/pkg/httpstream/wsstream/conn.go and
//! k8s.io/cri-streaming/pkg/streaming/portforward/websocket.go. What is older has no exit code, or is base64, or cannot be told
//! apart from other things; no client needs it since Kubernetes 1.4.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::text::excerpt;

/// How bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// RFC 6455.
    WebSocket,
    /// See [`crate::spdy`].
    Spdy,
}

/// What exec and attach speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteCommand {
    /// Messages of this version: see [`crate::channel`].
    WebSocket(Version),
    /// A stream for each channel: see [`crate::kind`].
    Spdy,
}

/// What a client offers for exec or attach, of what is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteCommandOffer {
    /// This.
    Only(RemoteCommand),
    /// Messages of version 5 or of version 4: API servers before Kubernetes 1.30 speak 4.
    EitherVersion,
}

/// Which version of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `v4.channel.k8s.io`: stdin cannot be closed alone.
    V4,
    /// `v5.channel.k8s.io`: it can.
    V5,
}

/// What port-forward speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortForward {
    /// Messages of two channels for each port that the request names: see [`crate::port_forward`].
    Messages,
    /// SPDY, over this.
    Spdy(Transport),
}

const V5: &str = "v5.channel.k8s.io";
const V4: &str = "v4.channel.k8s.io";
const EITHER: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
const FORWARD: &str = "portforward.k8s.io";
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// `protocolPrefix` of k8s.io/apiserver/pkg/authentication/request/websocket/protocol.go, and any form like it.
const BEARER: &str = "bearer.authorization.k8s.io";

/// Why there is no agreement. Says what is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `Upgrade` is missing.
    #[error("this has to be an upgrade: write `Upgrade: websocket` or `Upgrade: SPDY/3.1`")]
    NoUpgrade,
    /// `Upgrade` is more than one, or something else.
    #[error("`Upgrade: {0}` is not possible: write `Upgrade: websocket` or `Upgrade: SPDY/3.1`, once")]
    Upgrade(String),
    /// `Connection` does not say so, or says more.
    #[error("`Connection: {0}` does not go with an upgrade: write `Connection: Upgrade`")]
    Connection(String),
    /// Nothing is offered.
    #[error("no protocol is offered: send {taken} in `{header}`")]
    Nothing {
        /// Where.
        header: &'static str,
        /// What is taken.
        taken: &'static str,
    },
    /// Nothing that is offered is spoken here.
    #[error("none of the protocols `{offered}` is spoken here: send {taken} in `{header}`")]
    Unknown {
        /// What is.
        offered: String,
        /// Where.
        header: &'static str,
        /// What is taken.
        taken: &'static str,
    },
    /// A credential among the protocols, which is not repeated here.
    #[error("a credential in `Sec-WebSocket-Protocol` is not taken: send it as `Authorization: Bearer`")]
    Bearer,
    /// The server agreed to something else.
    #[error("the server did not agree to `{0}`")]
    NotConfirmed(&'static str),
}

impl RemoteCommandOffer {
    /// Reads what a client offers for exec or attach, as far as it is spoken here.
    ///
    /// # Errors
    /// Nothing of it is.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        const V5_ONLY: RemoteCommandOffer = RemoteCommandOffer::Only(RemoteCommand::WebSocket(Version::V5));
        const V4_ONLY: RemoteCommandOffer = RemoteCommandOffer::Only(RemoteCommand::WebSocket(Version::V4));
        let transport = transport(headers)?;
        let offers = Offers::read(headers, transport)?;
        match transport {
            Transport::WebSocket if offers.has(V5) && offers.has(V4) => Ok(Self::EitherVersion),
            Transport::WebSocket => {
                offers.choose(&[(V5, V5_ONLY), (V4, V4_ONLY)], "`v5.channel.k8s.io` or `v4.channel.k8s.io`")
            }
            Transport::Spdy => offers.choose(&[(V4, Self::Only(RemoteCommand::Spdy))], "`v4.channel.k8s.io`"),
        }
    }

    /// What is spoken where nothing else decides.
    #[must_use]
    pub const fn best(self) -> RemoteCommand {
        match self {
            Self::Only(only) => only,
            Self::EitherVersion => RemoteCommand::WebSocket(Version::V5),
        }
    }

    /// What a client that offers this is answered where the API server speaks `other`: the same if it can be, since what can be said in one
    /// version and not in the other would be lost in between.
    #[must_use]
    pub fn beside(self, other: RemoteCommand) -> RemoteCommand {
        if self.has(other) { other } else { self.best() }
    }

    fn has(self, protocol: RemoteCommand) -> bool {
        match self {
            Self::Only(only) => only == protocol,
            Self::EitherVersion => matches!(protocol, RemoteCommand::WebSocket(Version::V5 | Version::V4)),
        }
    }

    /// The headers that ask for it. A WebSocket's handshake needs its keys beside them.
    #[must_use]
    pub fn to_headers(self) -> HeaderMap {
        match self {
            Self::Only(only) => only.to_headers(),
            // In one header: of several, API servers look at the first.
            Self::EitherVersion => upgrade(Transport::WebSocket, EITHER),
        }
    }

    /// Its name, or both of them.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Only(only) => only.as_str(),
            Self::EitherVersion => EITHER,
        }
    }

    /// What the headers of an answer `101` agree to.
    ///
    /// # Errors
    /// Nothing that was offered.
    pub fn confirm(self, answer: &HeaderMap) -> Result<RemoteCommand, Refusal> {
        match Self::read(answer) {
            Ok(Self::Only(agreed)) if self.has(agreed) && confirms(answer, agreed.transport()) => Ok(agreed),
            Ok(_) | Err(_) => Err(Refusal::NotConfirmed(self.as_str())),
        }
    }
}

impl RemoteCommand {
    /// The headers that ask for it alone, and those of the answer `101` that agree to it. A WebSocket's handshake needs its keys
    /// beside them.
    #[must_use]
    pub fn to_headers(self) -> HeaderMap {
        upgrade(self.transport(), self.as_str())
    }

    /// How bytes go.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::WebSocket(_) => Transport::WebSocket,
            Self::Spdy => Transport::Spdy,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket(Version::V5) => V5,
            Self::WebSocket(Version::V4) | Self::Spdy => V4,
        }
    }
}

impl PortForward {
    /// Reads what a client offers for port-forward.
    ///
    /// # Errors
    /// Nothing of it is spoken here.
    pub fn negotiate(headers: &HeaderMap) -> Result<Self, Refusal> {
        let transport = transport(headers)?;
        let offers = Offers::read(headers, transport)?;
        match transport {
            Transport::WebSocket => offers.choose(
                &[(TUNNEL, Self::Spdy(transport)), (V4, Self::Messages)],
                "`SPDY/3.1+portforward.k8s.io` or `v4.channel.k8s.io`",
            ),
            Transport::Spdy => offers.choose(&[(FORWARD, Self::Spdy(transport))], "`portforward.k8s.io`"),
        }
    }

    /// The headers that ask for it, and those of the answer `101` that agree to it. A WebSocket's handshake needs its keys
    /// beside them.
    #[must_use]
    pub fn to_headers(self) -> HeaderMap {
        upgrade(self.transport(), self.as_str())
    }

    /// Makes sure that the headers of an answer `101` agree to it.
    ///
    /// # Errors
    /// They do not.
    pub fn confirm(self, answer: &HeaderMap) -> Result<(), Refusal> {
        let agreed = Self::negotiate(answer) == Ok(self) && confirms(answer, self.transport());
        agreed.then_some(()).ok_or(Refusal::NotConfirmed(self.as_str()))
    }

    /// How bytes go.
    #[must_use]
    pub const fn transport(self) -> Transport {
        match self {
            Self::Messages => Transport::WebSocket,
            Self::Spdy(transport) => transport,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => V4,
            Self::Spdy(Transport::WebSocket) => TUNNEL,
            Self::Spdy(Transport::Spdy) => FORWARD,
        }
    }
}

impl Transport {
    const fn header(self) -> HeaderName {
        match self {
            Self::WebSocket => header::SEC_WEBSOCKET_PROTOCOL,
            Self::Spdy => STREAM_PROTOCOL,
        }
    }

    const fn header_as_written(self) -> &'static str {
        match self {
            Self::WebSocket => "Sec-WebSocket-Protocol",
            Self::Spdy => "X-Stream-Protocol-Version",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        }
    }
}

/// One `Upgrade`, and a `Connection` that names it; case does not matter (RFC 9110 section 7.8). Browsers write
/// `keep-alive, Upgrade`.
fn transport(headers: &HeaderMap) -> Result<Transport, Refusal> {
    let upgrades: Vec<&[u8]> = headers.get_all(header::UPGRADE).iter().map(HeaderValue::as_bytes).collect();
    let transport = match upgrades.as_slice() {
        [one] if one.eq_ignore_ascii_case(b"websocket") => Transport::WebSocket,
        [one] if one.eq_ignore_ascii_case(b"spdy/3.1") => Transport::Spdy,
        [] => return Err(Refusal::NoUpgrade),
        other => return Err(Refusal::Upgrade(excerpt(&other.join(&b", "[..])))),
    };
    let options = tokens(headers, &header::CONNECTION);
    let is = |option: &[u8], name: &str| option.eq_ignore_ascii_case(name.as_bytes());
    let known = options.iter().all(|option| is(option, "upgrade") || is(option, "keep-alive"));
    if known && options.iter().any(|option| is(option, "upgrade")) {
        Ok(transport)
    } else {
        Err(Refusal::Connection(excerpt(&options.join(&b", "[..]))))
    }
}

/// What a client offers.
struct Offers<'h> {
    transport: Transport,
    names: Vec<&'h [u8]>,
}

impl<'h> Offers<'h> {
    fn read(headers: &'h HeaderMap, transport: Transport) -> Result<Self, Refusal> {
        let names = tokens(headers, &transport.header());
        let bearer = |name: &&[u8]| name.windows(BEARER.len()).any(|part| part == BEARER.as_bytes());
        if names.iter().any(bearer) { Err(Refusal::Bearer) } else { Ok(Self { transport, names }) }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name.as_bytes())
    }

    /// The first of `known` that is offered.
    fn choose<T: Copy>(&self, known: &[(&str, T)], taken: &'static str) -> Result<T, Refusal> {
        if let Some((_, chosen)) = known.iter().find(|(name, _)| self.has(name)) {
            return Ok(*chosen);
        }
        let header = self.transport.header_as_written();
        Err(match self.names.as_slice() {
            [] => Refusal::Nothing { header, taken },
            names => Refusal::Unknown { offered: excerpt(&names.join(&b", "[..])), header, taken },
        })
    }
}

/// The members of a list, which may be in one header or in several.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h [u8]> {
    let values = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    values.map(<[u8]>::trim_ascii).filter(|token| !token.is_empty()).collect()
}

/// Who answers chooses one.
fn confirms(answer: &HeaderMap, transport: Transport) -> bool {
    tokens(answer, &transport.header()).len() == 1
}

fn upgrade(transport: Transport, protocol: &'static str) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static(transport.as_str())),
        (transport.header(), HeaderValue::from_static(protocol)),
    ])
}

#[cfg(test)]
mod tests;
