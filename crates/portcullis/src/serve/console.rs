//! People's side, in a browser.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use chronicle::Chronicle;
use console::{ByProvider, Console, GateAddress, InForce, Parts};
use control::Control;
use gateway::Gate;
use identity::{SystemClock, SystemEntropy};
use inbox::Inbox;
use ledger::{Ledger, note::Verifier};
use oidc::Provider;
use policy::Judge;
use recording::{
    at_rest::{Open, Plain},
    reader::Library,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{listeners, tls::Certificate};
use crate::config::{self, Config};

/// The console's place, taken before anything is recorded.
pub(super) struct Place {
    listeners: Vec<TcpListener>,
    certificate: Option<Arc<Certificate>>,
    provider: Option<ByProvider>,
    /// What it reads recordings with.
    at_rest: Arc<dyn Open>,
    config: config::Console,
}

/// The console, while it is open.
pub(super) struct Opened {
    pub(super) console: Console,
    serving: JoinHandle<()>,
    following: JoinHandle<()>,
}

/// What it shows.
pub(super) struct Shown {
    pub(super) control: Control,
    pub(super) inbox: Arc<Inbox>,
    pub(super) ledger: Ledger,
    pub(super) gate: Arc<Gate>,
}

/// The policy that a gate judges by.
#[derive(Debug)]
struct OfGate(Arc<Gate>);

impl InForce for OfGate {
    fn judge(&self) -> Arc<Judge> {
        self.0.judge()
    }
}

/// Takes the console's place, if there is to be one.
///
/// # Errors
/// Its address, its certificate or its identity cannot be used.
pub(super) async fn place(config: &Config) -> anyhow::Result<Option<Place>> {
    let approvers = &config.approvers;
    let identity = config.recordings.identity.as_deref();
    let Some(config) = config.console.clone() else { return Ok(None) };
    let at_rest = at_rest(identity)?;
    let certificate = config.tls.as_ref().map(Certificate::load).transpose()?;
    let provider = config.oidc.as_ref().map(|oidc| by_provider(oidc, approvers)).transpose()?;
    let listeners = listeners::bind_localhost(config.listen, config.address.host(), "console.listen").await?;
    Ok(Some(Place { listeners, certificate, provider, at_rest, config }))
}

fn at_rest(identity: Option<&Path>) -> anyhow::Result<Arc<dyn Open>> {
    let Some(file) = identity else { return Ok(Arc::new(Plain)) };
    let identities = config::identities(file).map_err(anyhow::Error::msg);
    Ok(Arc::new(identities.context("`recordings.identity` cannot be used")?))
}

fn by_provider(oidc: &config::Oidc, approvers: &[config::Approver]) -> anyhow::Result<ByProvider> {
    let provider = Provider::new(oidc.settings.clone()).map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("`console.oidc` cannot be used: {}", problems.join("; "))
    })?;
    let people = approvers.iter().map(|approver| approver.human.clone()).collect();
    let (groups, verified) = (oidc.groups.clone(), oidc.addresses_are_verified);
    Ok(ByProvider::new(provider, people, groups, verified, &SystemEntropy)?)
}

/// Opens the console, if it has a place.
///
/// # Errors
/// As [`Place::open`].
pub(super) async fn open(
    place: Option<Place>,
    config: &Config,
    shown: Shown,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Opened>> {
    match place {
        Some(place) => place.open(config, shown, stop).await.map(Some),
        None => Ok(None),
    }
}

impl Place {
    /// Opens the console, until `stop` fires.
    ///
    /// # Errors
    /// What it looks things up in cannot be made.
    async fn open(self, config: &Config, shown: Shown, stop: &CancellationToken) -> anyhow::Result<Opened> {
        let Shown { control, inbox, ledger, gate } = shown;
        let data = &config.data;
        let key = std::fs::read_to_string(data.ledger_vkey()).context("the ledger's key")?;
        let chronicle =
            Chronicle::open(&data.chronicle(), &data.ledger(), Verifier::parse(key.trim())?).await?;
        let chronicle = Arc::new(chronicle);
        let console = Console::new(Parts {
            address: self.config.address.clone(),
            control,
            inbox,
            chronicle: Arc::clone(&chronicle),
            recordings: Library::new(&config.recordings.folder, self.at_rest),
            gate: GateAddress { server: config.public_url.clone(), ca: config.tls.ca_pem()? },
            undoers: config.approvers.iter().map(|approver| approver.human.subject.clone()).collect(),
            ledger,
            policy: Arc::new(OfGate(gate)),
            provider: self.provider,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            stopping: stop.clone(),
        });
        let acceptor = self.certificate.as_ref().map(Certificate::acceptor);
        let serving = tokio::spawn(console::serve(console.clone(), self.listeners, acceptor, stop.clone()));
        let stop = stop.clone();
        let following = tokio::spawn(async move { chronicle.follow(stop.cancelled_owned()).await });
        Ok(Opened { console, serving, following })
    }

    /// The certificate, to be read again.
    pub(super) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }
}

impl Opened {
    /// Waits until it is closed.
    ///
    /// # Errors
    /// It broke.
    pub(super) async fn closed(self) -> anyhow::Result<()> {
        self.serving.await.context("the console")?;
        self.following.await.context("following the ledger")
    }
}
