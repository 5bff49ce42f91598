//! One cluster, and the one way to send it anything.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request};
use http_body_util::Full;
use hyper::body::Incoming;
use kube_api::Verb;
use ledger::Receipt;
use mask::Guard;
use tokio::time::timeout;

use crate::{
    answer::{Answer, Carrier},
    connector::{ConnectError, Connector},
    credential::Source,
    failure::Failure,
    intent::Intent,
    line::{self, Line, Lines},
    link::{Link, Unmade},
    pool::{Held, Place, RequestBody},
    reader::{Blind, Reader, Reading, Standing},
};

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What the configuration says about a cluster.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that sessions and policy use.
    pub name: String,
    /// Where the gate's credential comes from.
    pub source: Source,
    /// What its answers are masked by.
    pub guard: Guard,
    /// Which Secrets are read so that their values are masked wherever they appear; `None` for none, and then no call waits
    /// for it.
    pub reading: Option<Reading>,
    /// For TCP, TLS and HTTP/2's first settings together, however many calls wait for it.
    pub connect_timeout: Duration,
    /// A connection that carried nothing for so long, or twice as long, is closed, but for the last one.
    pub idle_timeout: Duration,
    /// For a credential plugin to print a token.
    pub credential_timeout: Duration,
    /// From sending a request to the head of its answer; for an error, also from there to its end. Logs that are
    /// followed may be silent for longer.
    pub response_timeout: Duration,
}

/// One API server: its address, its trust, our credential, and the connections to it.
#[derive(Debug)]
pub struct Cluster {
    name: String,
    link: Arc<Link>,
    lines: Lines,
    /// Opens the connections that switch protocols, each for one stream.
    pub(crate) upgrades: Connector,
    guard: Guard,
    secrets: Secrets,
    pub(crate) response_timeout: Duration,
}

/// Whether the values of its Secrets are known.
#[derive(Debug)]
enum Secrets {
    /// They need not be.
    Off,
    /// Nobody began to read them.
    Unread(Reading),
    Read(Reader),
}

/// A cluster that the gate cannot start with.
#[derive(Debug, thiserror::Error)]
#[error("cluster `{cluster}`: {problem}")]
pub struct Unusable {
    cluster: String,
    problem: String,
}

impl Cluster {
    /// Reads the credential; opens no connection yet, so that the gate starts while a cluster is down.
    ///
    /// # Errors
    /// The credential cannot be read, or says what the gate does not do (unverified TLS, a proxy, plain HTTP).
    pub async fn load(settings: Settings) -> Result<Self, Unusable> {
        let unusable = |problem| Unusable { cluster: settings.name.clone(), problem };
        let access = settings.source.load(settings.credential_timeout).await.map_err(unusable)?;
        let connector =
            Connector::new(&access.url, access.server_name.as_deref(), access.tls, settings.connect_timeout)
                .map_err(unusable)?;
        let (lines, upgrades) = (Lines::new(connector.http1()), connector.http1());
        let link = Link::new(&access.url, connector, settings.idle_timeout, access.credential)
            .ok_or_else(|| unusable(format!("server `{}` names no host", access.url)))?;
        Ok(Self {
            link: Arc::new(link),
            lines,
            upgrades,
            guard: settings.guard,
            secrets: settings.reading.map_or(Secrets::Off, Secrets::Unread),
            response_timeout: settings.response_timeout,
            name: settings.name,
        })
    }

    /// The name that sessions and policy use.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port at which its API server is reached.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.upgrades.port()
    }

    /// What its answers are masked by.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Begins to read the Secrets that the settings name, until the cluster is dropped. Before it, calls to the cluster's
    /// resources fail. Must be called on a tokio runtime.
    pub fn read_secrets(&mut self) {
        if let Secrets::Unread(reading) = &self.secrets {
            let (link, known) = (Arc::clone(&self.link), self.guard.known().clone());
            let reader = Reader::begin(&self.name, link, self.response_timeout, reading.clone(), known);
            self.secrets = Secrets::Read(reader);
        }
    }

    /// How well its Secrets are known; `None` where they need not be.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        match &self.secrets {
            Secrets::Off => None,
            Secrets::Unread(_) => Some(Standing { blind: Some(Blind::NotBegun), ..Standing::default() }),
            Secrets::Read(reader) => Some(reader.standing()),
        }
    }

    /// Whether a connection is open or can be opened now.
    ///
    /// # Errors
    /// Why not.
    pub async fn reach(&self) -> Result<(), Arc<ConnectError>> {
        self.link.pool.place().await.map(drop)
    }

    /// Sends the request that was judged and recorded: there is no other way to reach the API server.
    ///
    /// A [`Receipt`] exists only for an intent that the ledger holds durably, and an [`Intent`] only for a
    /// [`policy::Permit`], which owns the request. A write that may have left is never repeated; a read is, once, where a
    /// kept connection breaks before it is answered.
    ///
    /// What comes before the request leaves (a token, a connection) may take its time: once `unwanted` resolves, it does
    /// not leave any more.
    ///
    /// # Errors
    /// [`Failure`]. Unless it says otherwise the API server may have acted on the request.
    pub async fn send<T>(
        &self,
        receipt: Receipt<Intent>,
        unwanted: impl Future<Output = T>,
    ) -> Result<Answer, Failure> {
        let mut unwanted = pin!(unwanted);
        let intent = receipt.entry();
        let patience = self.patience(intent.request());
        let mut request = self.prepared(intent, &mut unwanted).await?;
        let short = is_short_read(intent.request());
        if short && let Some((response, line)) = self.on_a_line(&request).await? {
            return Answer::new(
                &self.guard,
                intent,
                response,
                Carrier::Line(Some(line)),
                self.response_timeout,
            );
        }
        // A request that a closing connection hands back unsent may take another; two tries are plenty.
        for _try in 0..3 {
            let place = tokio::select! {
                biased;
                _now = &mut unwanted => return Err(Failure::Unwanted),
                place = self.link.pool.place() => place.map_err(Failure::Connect)?,
            };
            match self.attempt(place, request, patience).await? {
                Attempt::Answered(response, held) => {
                    if short {
                        self.lines.want_more();
                    }
                    return Answer::new(
                        &self.guard,
                        intent,
                        response,
                        Carrier::Lane(held),
                        self.response_timeout,
                    );
                }
                Attempt::NotSent(returned) => request = *returned,
            }
        }
        Err(Failure::Unsent)
    }

    /// The request, once the values are known that its answer must not show.
    pub(crate) async fn prepared(
        &self,
        intent: &Intent,
        unwanted: &mut (impl Future<Output: Sized> + Unpin),
    ) -> Result<Request<RequestBody>, Failure> {
        if intent.cluster() != self.name {
            return Err(Failure::WrongCluster);
        }
        tokio::select! {
            biased;
            _now = &mut *unwanted => return Err(Failure::Unwanted),
            seeing = self.seeing(intent.request()) => seeing.map_err(Failure::Blind)?,
        }
        tokio::select! {
            biased;
            _now = unwanted => Err(Failure::Unwanted),
            request = self.request(intent) => request,
        }
    }

    /// Waits until the values of the cluster's Secrets are known. Discovery, OpenAPI and health hold none.
    async fn seeing(&self, request: &kube_api::Request) -> Result<(), Blind> {
        match &self.secrets {
            _ if request.resource().is_none() => Ok(()),
            Secrets::Off => Ok(()),
            Secrets::Unread(_) => Err(Blind::NotBegun),
            Secrets::Read(reader) => reader.ready(self.response_timeout, namespace(request.target())).await,
        }
    }

    /// Resolves when the answer to a request for this must end, since values of Secrets could pass unseen in it. Never
    /// where they need not be known.
    pub async fn blinded(&self, target: &kube_api::Target) -> Blind {
        match &self.secrets {
            Secrets::Read(reader) if target.resource().is_some() => reader.blinded(namespace(target)).await,
            Secrets::Off | Secrets::Unread(_) | Secrets::Read(_) => std::future::pending().await,
        }
    }

    /// How long the head of an answer may take. That of a followed log comes with the log's first byte, so a pod that
    /// says nothing is no server that does not answer.
    fn patience(&self, request: &kube_api::Request) -> Option<Duration> {
        let log = request.is_stream() && request.verb() != Verb::Watch;
        (!log).then_some(self.response_timeout)
    }

    /// `None` where there is no line, or it breaks: a lane comes next.
    async fn on_a_line(
        &self,
        request: &Request<RequestBody>,
    ) -> Result<Option<(http::Response<Incoming>, Line)>, Failure> {
        let Some(line) = self.lines.take() else { return Ok(None) };
        let request = line::http1(request).map_err(Failure::Target)?;
        match timeout(self.response_timeout, line.send(request)).await {
            Ok(answered) => Ok(answered.ok()),
            Err(_elapsed) => Err(Failure::Deadline { seconds: self.response_timeout.as_secs_f64() }),
        }
    }

    async fn attempt(
        &self,
        mut place: Place,
        request: Request<Full<Bytes>>,
        patience: Option<Duration>,
    ) -> Result<Attempt, Failure> {
        let sending = place.sender.try_send_request(request);
        let answered = match patience {
            Some(patience) => timeout(patience, sending).await,
            None => Ok(sending.await),
        };
        match answered {
            Err(_elapsed) => Err(Failure::Deadline { seconds: self.response_timeout.as_secs_f64() }),
            Ok(Ok(response)) => Ok(Attempt::Answered(response, place.held)),
            Ok(Err(mut error)) => match error.take_message() {
                Some(request) => Ok(Attempt::NotSent(Box::new(request))),
                None => Err(Failure::Broken(error.into_error())),
            },
        }
    }

    /// The HTTP request, with headers built from empty: nothing of the client's is copied.
    async fn request(&self, intent: &Intent) -> Result<Request<Full<Bytes>>, Failure> {
        let judged = intent.outgoing();
        let mut headers: HeaderMap = judged.headers().clone();
        intent.impersonation().write(&mut headers).map_err(Failure::Impersonation)?;
        headers.insert(AUDIT_ID, intent.audit_id().clone());
        let target = judged.uri().path_and_query();
        let made = self.link.request(judged.method().clone(), target, headers, judged.body().clone()).await;
        made.map_err(|unmade| match unmade {
            Unmade::Credential(error) => Failure::Credential(error),
            Unmade::Target(error) => Failure::Target(error),
        })
    }
}

/// The one namespace that a request is about.
fn namespace(target: &kube_api::Target) -> Option<&str> {
    target.resource()?.namespace()
}

/// A read of objects or of what the server tells of itself, which has an end and changes nothing.
fn is_short_read(request: &kube_api::Request) -> bool {
    let reads = matches!(request.verb(), Verb::Get | Verb::List) && !request.is_stream();
    reads && request.resource().is_none_or(|resource| resource.subresource().is_none())
}

enum Attempt {
    Answered(http::Response<Incoming>, Held),
    NotSent(Box<Request<Full<Bytes>>>),
}
