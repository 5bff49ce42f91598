//! What a client asks its connection to become, held until the API server has agreed to what it was offered.

use std::fmt;

use http::{HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use kube_api::{Request, Status, Upgrade};
use streaming::{
    port_forward::{NotPorts, Ports},
    protocol::{self, PortForward, RemoteCommandOffer, Transport},
};
use upstream::{Offer, Protocol};
use wire::handshake;

/// A request's upgrade.
pub(crate) struct Upgrading {
    headers: HeaderMap,
    on: OnUpgrade,
}

/// An upgrade that can be, before the API server has agreed.
pub(crate) struct Upgradable {
    pub(crate) offer: Offer,
    /// What proves to the client of a WebSocket that its handshake was read.
    accept: Option<HeaderValue>,
    /// The connection, once the answer `101` was sent.
    pub(crate) on: OnUpgrade,
}

/// Why a client's connection cannot become what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAgreed {
    #[error(
        "exec, attach and port-forward need HTTP/1.1, where a connection can be upgraded: do not offer `h2` for them"
    )]
    Version,
    /// Not to be seen: it is taken once, when all was checked.
    #[error("the connection was upgraded before")]
    Taken,
    #[error(transparent)]
    Protocol(#[from] protocol::Refusal),
    #[error(transparent)]
    Handshake(#[from] handshake::Refusal),
    #[error(transparent)]
    Ports(#[from] NotPorts),
}

impl Upgrading {
    /// Takes the upgrade from a request that is about to be read.
    ///
    /// # Errors
    /// It asks for none, or in a version of HTTP that has none.
    pub(crate) fn of(request: &mut http::Request<Incoming>) -> Result<Self, NotAgreed> {
        if request.version() != Version::HTTP_11 {
            return Err(NotAgreed::Version);
        }
        if !is_asked(request) {
            return Err(protocol::Refusal::NoUpgrade.into());
        }
        let on = hyper::upgrade::on(&mut *request);
        Ok(Self { headers: request.headers().clone(), on })
    }

    /// Whether the client asks for what can be.
    ///
    /// # Errors
    /// [`NotAgreed`] says what it has to ask for.
    pub(crate) fn check(&self, request: &Request, upgrade: Upgrade) -> Result<(), NotAgreed> {
        let (offer, _) = self.negotiate(upgrade)?;
        if offer == Offer::PortForward(PortForward::Messages) {
            Ports::new(request.forwarded_ports())?;
        }
        Ok(())
    }

    /// How bytes go, if the client asks for what can be.
    pub(crate) fn transport(&self) -> Transport {
        let websocket = self
            .headers
            .get(header::UPGRADE)
            .is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if websocket { Transport::WebSocket } else { Transport::Spdy }
    }

    /// What is spoken from now on, if the API server agrees.
    ///
    /// # Errors
    /// As for [`Upgrading::check`].
    pub(crate) fn offer(self, upgrade: Upgrade) -> Result<Upgradable, NotAgreed> {
        let (offer, accept) = self.negotiate(upgrade)?;
        Ok(Upgradable { offer, accept, on: self.on })
    }

    fn negotiate(&self, upgrade: Upgrade) -> Result<(Offer, Option<HeaderValue>), NotAgreed> {
        let offer = match upgrade {
            Upgrade::Exec | Upgrade::Attach => Offer::RemoteCommand(RemoteCommandOffer::read(&self.headers)?),
            Upgrade::PortForward => Offer::PortForward(PortForward::negotiate(&self.headers)?),
        };
        let accept = match offer.transport() {
            Transport::WebSocket => Some(handshake::answer(&self.headers)?),
            Transport::Spdy => None,
        };
        Ok((offer, accept))
    }
}

impl Upgradable {
    /// The headers of the answer `101`, from which on this is spoken.
    pub(crate) fn headers(&self, protocol: Protocol) -> HeaderMap {
        let mut headers = protocol.to_headers();
        headers.extend(self.accept.clone().map(|accept| (header::SEC_WEBSOCKET_ACCEPT, accept)));
        headers
    }
}

impl NotAgreed {
    pub(crate) fn status(&self) -> Status {
        Status::failure(StatusCode::BAD_REQUEST, "BadRequest", format!("portcullis: {self}"))
    }
}

/// The connection carries nothing else: what a client sent behind a request for an upgrade that it did not get is not read.
pub(crate) fn closes<B>(response: &mut Response<B>) {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Whether a request asks for an upgrade.
pub(crate) fn is_asked(request: &http::Request<Incoming>) -> bool {
    request.version() == Version::HTTP_11 && request.headers().contains_key(header::UPGRADE)
}

impl fmt::Debug for Upgrading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrading")
    }
}
