//! `portcullis serve`: everything put together, started in the order in which it depends on each other, and stopped
//! in the reverse.

mod clusters;
mod console;
mod ends;
mod files;
mod judging;
mod listeners;
mod notices;
mod record;
mod recordings;
mod signals;
mod tls;

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use control::Control;
use gateway::{
    Gate, Holding, Limits,
    accept::{self, Drained},
    operations, rejections,
};
use identity::{Loaded, SystemClock, SystemEntropy, Withdrawn};
use inbox::Inbox;
use ledger::Ledger;
use store::Store;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

use self::{signals::Signals, tls::Certificate};
use crate::{
    admin::{self, Admin},
    config::Config,
};

/// For work on a disk, once everything has been told to end.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Opens the gate and keeps it open until it is told to stop (SIGTERM or SIGINT). SIGHUP reads the
/// policy and the certificate again.
///
/// Prints one line that begins with `ready` to standard output once it can be used; the log goes to standard error.
///
/// # Errors
/// What keeps it from starting, or from stopping in order.
pub(crate) fn run(config: Config) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // Otherwise a log that cannot be written, as on a full disk, is reported to itself, and that panics.
        .log_internal_errors(false)
        .init();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_provider| anyhow::anyhow!("another cryptography provider is installed"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(config));
    // What is still under way here waits for a disk that hangs.
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

async fn serve(config: Config) -> anyhow::Result<()> {
    // What can fail without leaving a trace comes first: a start that is recorded is a start that happened.
    let certificate = Certificate::load(&config.tls)?;
    let judge = judging::judge(&config)?;
    let mut clusters = clusters::load(&config).await?;
    let listener = listeners::bind(config.listen, "listen").await?;
    let operations_listener = listeners::bind(config.operations, "operations.listen").await?;
    let console_place = console::place(&config).await?;
    let audience = notices::audience(&config).await?;
    let store = Arc::new(Store::open(config.data.path()).await?);
    let identities = config.identities().map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the agents cannot be used: {}", problems.join("; "))
    })?;
    let Loaded { sessions, withdrawn, unrecorded, unrecorded_freezes, expirations } =
        identity::Sessions::load(
            Arc::clone(&store),
            identities,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        )
        .await?;
    let sessions = Arc::new(sessions);
    let admin_listener = admin::bind(&config.data)?;
    let ca = config.tls.ca_pem()?;
    let signals = Signals::listen()?;
    let ledger = record::open(&config, &judge).await?;
    let recordings = recordings::open(&config, &ledger)?;
    for Withdrawn { session, refusal } in &withdrawn {
        tracing::warn!(session = session.id, %refusal, "a session was ended: the configuration no longer allows it");
    }
    ends::missed_freezes(&ledger, &sessions, &unrecorded_freezes).await?;
    ends::missed(&ledger, &sessions, &unrecorded).await?;
    let inbox = recovered(&config, Arc::clone(&store), ledger.clone()).await;
    // Not before the start is recorded.
    clusters::read_secrets(&config, &mut clusters, &ledger).await?;

    let quiet = CancellationToken::new();
    let expiring = ends::record(ledger.clone(), Arc::clone(&sessions), expirations, quiet.clone());
    let expiring = tokio::spawn(expiring);
    let overdue = tokio::spawn(expire(Arc::clone(&inbox), quiet.clone()));
    let telling = audience.tell(store, &quiet);
    let control = Control::new(Arc::clone(&sessions), Arc::clone(&inbox), ledger.clone(), groups(&config));
    let asked = Arc::clone(&inbox);
    let (recorded, eraser) = (recordings.of_sessions(), recordings.eraser());
    let recordings = recordings.keep(&config, &quiet);
    let (limits, holding) = (limits(&config), holding(&config));
    let gate = Gate::new(clusters, sessions, judge, ledger.clone(), recorded, asked, limits, holding);
    let gate = Arc::new(gate);
    let renewed = console_place.as_ref().and_then(console::Place::certificate);
    let shown = console::Shown {
        control: control.clone(),
        inbox: Arc::clone(&inbox),
        ledger: ledger.clone(),
        gate: Arc::clone(&gate),
    };
    let console = console::open(console_place, &config, shown, &quiet).await?;
    let admin = Admin {
        control,
        inbox,
        eraser,
        approvers: config.approvers.clone().into(),
        console: console.as_ref().map(|opened| opened.console.clone()),
        stopping: quiet.clone(),
        server: config.public_url.clone(),
        ca,
    };
    files::raise_limit(config.limits.connections);
    let stop = CancellationToken::new();
    let counting = tokio::spawn(rejections::record(Arc::clone(&gate), quiet.clone()));
    let accepting =
        tokio::spawn(accept::serve(Arc::clone(&gate), listener, certificate.acceptor(), stop.clone()));
    let operating = tokio::spawn(operations::serve(Arc::clone(&gate), operations_listener, quiet.clone()));
    let administering = tokio::spawn(administer(admin_listener, admin, quiet.clone()));
    announce(&config)?;

    let reload = || {
        certificate.reload();
        if let Some(certificate) = &renewed {
            certificate.reload();
        }
        judging::reload(&config, &gate, &ledger)
    };
    signals.until_told_to_stop(reload).await;
    tracing::info!("stopping: open calls may finish, streams end");
    stop.cancel();
    // Until the last call has ended, its session can be revoked and the gate can be looked at.
    let drained = accepting.await.context("accepting calls");
    quiet.cancel();
    let ended = [
        operating.await.context("operations"),
        administering.await.context("the admin socket"),
        closed(console).await,
        // Nothing more can come now: what is still to be told goes before the stop leaf.
        expiring.await.context("recording expired sessions"),
        overdue.await.context("ending approvals"),
        counting.await.context("recording calls turned away"),
        recordings.closed().await,
        telling.ended().await,
    ];
    // The stop is recorded whatever has gone wrong; that everything came to its end is said only if it did.
    let settled = matches!(drained, Ok(Drained::Settled)) && ended.iter().all(Result::is_ok);
    let closed = ledger.close(settled).await.context("the last leaf of the ledger");
    drained?;
    ended.into_iter().collect::<Result<(), _>>()?;
    closed
}

/// The approvals of before the start, and what is asked from now on.
async fn recovered(config: &Config, store: Arc<Store>, ledger: Ledger) -> Arc<Inbox> {
    let asks = inbox::Limits { pending: config.approvals.pending, ever: config.approvals.asked };
    let inbox = Inbox::new(store, ledger, Arc::new(SystemClock), asks);
    if let Err(error) = inbox.recover().await {
        // Nobody can act on what is not recorded, so the rest need not wait for it.
        tracing::error!(%error, "what was decided before the start could not be recorded; it cannot be used");
    }
    Arc::new(inbox)
}

/// Without it the gate does what it did, but nobody can open or end a session: said when it happens.
async fn administer(listener: UnixListener, admin: Admin, stop: CancellationToken) {
    if let Err(error) = admin::serve(listener, admin, stop.cancelled_owned()).await {
        tracing::error!(%error, "the admin socket is closed: no session can be opened or revoked until a restart");
    }
}

/// Waits for the console to be closed, if there is one.
async fn closed(console: Option<console::Opened>) -> anyhow::Result<()> {
    match console {
        Some(console) => console.closed().await,
        None => Ok(()),
    }
}

/// Ends approvals whose time runs out, until `stop` fires.
async fn expire(inbox: Arc<Inbox>, stop: CancellationToken) {
    inbox.expire(stop.cancelled_owned()).await;
}

fn holding(config: &Config) -> Holding {
    let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    Holding {
        hold: config.approvals.hold,
        decide_seconds: seconds(config.approvals.decide_within),
        use_seconds: seconds(config.approvals.use_within),
        withdraw_when_left: config.approvals.withdraw_when_client_leaves,
        console: config.console.as_ref().map(|console| console.address.to_string()),
        access: config.approvals.access.clone(),
        break_glass: config.approvals.break_glass.clone(),
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        connections: config.limits.connections,
        connections_per_address: config.limits.connections_per_address,
        header_bytes: config.limits.header_bytes,
        header_timeout: config.limits.header_timeout,
        idle_timeout: config.limits.idle_timeout,
        write_timeout: config.limits.write_timeout,
        body_timeout: config.limits.body_timeout,
        body_bytes: config.limits.body_bytes,
        calls_a_session: config.sessions.calls_at_once,
        known_values_a_session: config.sessions.known_values_sent,
        keep_alive: config.limits.keep_alive,
        drain: config.limits.drain,
    }
}

fn groups(config: &Config) -> std::collections::BTreeMap<String, Vec<String>> {
    let named = |agent: &crate::config::Agent| {
        (agent.name.to_string(), agent.groups.iter().map(ToString::to_string).collect())
    };
    config.agents.iter().map(named).collect()
}

fn announce(config: &Config) -> anyhow::Result<()> {
    tracing::info!(
        listen = %config.listen,
        operations = %config.operations,
        clusters = config.clusters.len(),
        agents = config.agents.len(),
        notices = config.notices.len(),
        policy = %config.policy,
        "the gate is open"
    );
    let mut out = stdout().lock();
    let console = config.console.as_ref();
    let console = console.map_or_else(String::new, |console| format!(", people to {}", console.address));
    writeln!(out, "ready: agents connect to {}{console}", config.public_url)?;
    out.flush()?;
    Ok(())
}
