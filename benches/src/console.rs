//! The console: its inbox with many that wait, and how soon open pages are told of a change.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use chronicle::Chronicle;
use console::{Address, Console, GateAddress, InForce, Parts};
use control::Control;
use http::{Request, StatusCode, header, request};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use identity::{Agents, Clock, Sessions, SystemClock, SystemEntropy};
use inbox::{Inbox, Limits};
use jiff::SignedDuration;
use ledger::{note::Verifier, testing as ledger_testing};
use policy::{Bundle, Judge, Settings, Source};
use recording::{at_rest::Plain, reader::Library};
use store::Store;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

use crate::{
    approvals::{SESSIONS, WAITING, ask, hash, session},
    figures::{Latencies, Row, millis},
};

pub(crate) const EXPLAINED: &str = "The console on loopback, without TLS, over SQLite and the ledger on the real file system: the inbox's first page of 100 \
    while 1,000 requests of 50 sessions wait, read again and again over one connection; and one more request, from being asked (and \
    durable in store and ledger) until the last of 100 open pages is told of it, each over a connection of its own.";

const READ: usize = 500;
const OPEN: usize = 100;
const TOLD: usize = 100;

#[derive(Debug)]
struct Fixed(Arc<Judge>);

/// A console that listens, and what waits in it.
struct Running {
    console: Console,
    inbox: Arc<Inbox>,
    address: SocketAddr,
    stop: CancellationToken,
}

/// A browser's connection.
struct Browser {
    sender: http1::SendRequest<Empty<Bytes>>,
    origin: String,
    cookie: String,
}

pub(crate) async fn measure() -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"))?;
    let running = Running::over(folder.path()).await?;
    let cookie = running.sign_in().await?;
    let read = running.read(&cookie).await?;
    let told = running.tell(&cookie).await?;
    running.stop.cancel();
    let row = |what: &str, latencies: &Latencies, target| {
        let text = format!("{} / {}", millis(latencies.quantile(0.5)), millis(latencies.quantile(0.99)));
        Row::new(format!("{what}: p50 / p99"), text, target)
    };
    Ok(vec![
        row("the inbox's page with 1,000 that wait", &read, "≤ 100 ms"),
        row("one more asked, until the last of 100 open pages is told", &told, ""),
    ])
}

impl Running {
    async fn over(folder: &Path) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Arc::new(Store::open(&folder.join("state")).await?);
        let ledger = ledger_testing::open(folder);
        let limits = Limits { pending: u32::MAX, ever: u32::MAX };
        let inbox = Arc::new(Inbox::new(Arc::clone(&store), ledger.clone(), Arc::clone(&clock), limits));
        let agents = Agents::new([], [], SignedDuration::from_hours(8));
        let agents = agents.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let loaded =
            Sessions::load(Arc::clone(&store), agents, Arc::clone(&clock), Arc::new(SystemEntropy)).await?;
        for number in 0..=SESSIONS {
            store.open_session(&session(number, clock.now()), &hash(number)).await?;
        }
        for number in 0..WAITING {
            ask(&inbox, &format!("a-{number}"), number % SESSIONS).await?;
        }
        let sessions = Arc::new(loaded.sessions);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let public = Address::parse(&format!("http://localhost:{}", address.port()));
        let console = Console::new(Parts {
            address: public.map_err(anyhow::Error::msg)?,
            control: Control::new(sessions, Arc::clone(&inbox), ledger.clone(), BTreeMap::new()),
            inbox: Arc::clone(&inbox),
            chronicle: Arc::new(chronicle(folder).await?),
            recordings: Library::new(&folder.join("recordings"), Arc::new(Plain)),
            gate: GateAddress { server: "https://127.0.0.1:1".to_owned(), ca: None },
            undoers: Vec::new(),
            ledger,
            provider: None,
            policy: Arc::new(Fixed(judge()?)),
            clock,
            entropy: Arc::new(SystemEntropy),
            stopping: stop.clone(),
        });
        tokio::spawn(console::serve(console.clone(), vec![listener], None, stop.clone()));
        Ok(Self { console, inbox, address, stop })
    }

    async fn browser(&self, cookie: &str) -> anyhow::Result<Browser> {
        let tcp = TcpStream::connect(self.address).await?;
        tcp.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
        tokio::spawn(connection);
        let origin = self.console.address().origin().to_owned();
        Ok(Browser { sender, origin, cookie: cookie.to_owned() })
    }

    /// The cookie of somebody who can decide.
    async fn sign_in(&self) -> anyhow::Result<String> {
        let link = self.console.link_for(approval::testing::human("grace", &["sre"]))?.url;
        let mut browser = self.browser("").await?;
        let path = link.strip_prefix(&browser.origin).context("a link to elsewhere")?.to_owned();
        let post = Request::post(path).header(header::ORIGIN, &browser.origin);
        let entered = browser.send(post).await?;
        ensure!(entered.status() == StatusCode::SEE_OTHER, "{}", entered.status());
        let cookie = entered.headers().get(header::SET_COOKIE).context("no cookie")?.to_str()?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }

    async fn read(&self, cookie: &str) -> anyhow::Result<Latencies> {
        let mut browser = self.browser(cookie).await?;
        let mut samples = Vec::with_capacity(READ);
        let begun = Instant::now();
        for _look in 0..READ {
            let started = Instant::now();
            let mut page = browser.get("/").await?;
            let mut bytes = 0;
            while let Some(frame) = page.frame().await {
                bytes += frame?.data_ref().map_or(0, Bytes::len);
            }
            samples.push(started.elapsed());
            ensure!(bytes > 50_000, "a page of {bytes} bytes");
        }
        Ok(Latencies::new(samples, begun.elapsed()))
    }

    async fn tell(&self, cookie: &str) -> anyhow::Result<Latencies> {
        let (heard, mut told) = mpsc::channel(OPEN);
        let mut pages = Vec::with_capacity(OPEN);
        for _page in 0..OPEN {
            let mut browser = self.browser(cookie).await?;
            let events = browser.get("/live").await?;
            tokio::spawn(listen(events, heard.clone()));
            pages.push(browser);
        }
        let mut samples = Vec::with_capacity(TOLD);
        let begun = Instant::now();
        for number in 0..TOLD {
            let started = Instant::now();
            ask(&self.inbox, &format!("t-{number}"), SESSIONS).await?;
            let mut last = Duration::ZERO;
            for _page in 0..OPEN {
                let at: Instant = told.recv().await.context("a page was closed")?;
                last = last.max(at.duration_since(started));
            }
            samples.push(last);
        }
        Ok(Latencies::new(samples, begun.elapsed()))
    }
}

/// Says when the page is told of something.
async fn listen(mut events: Incoming, heard: mpsc::Sender<Instant>) {
    while let Some(Ok(frame)) = events.frame().await {
        let told = frame.data_ref().is_some_and(|data| data.starts_with(b"event: approvals"));
        if told && heard.send(Instant::now()).await.is_err() {
            return;
        }
    }
}

impl Browser {
    async fn get(&mut self, path: &str) -> anyhow::Result<Incoming> {
        let response = self.send(Request::get(path)).await?;
        ensure!(response.status() == StatusCode::OK, "{path}: {}", response.status());
        Ok(response.into_body())
    }

    async fn send(&mut self, request: request::Builder) -> anyhow::Result<http::Response<Incoming>> {
        let host = self.origin.trim_start_matches("http://");
        let request = request.header(header::HOST, host).header(header::COOKIE, &self.cookie);
        self.sender.ready().await?;
        Ok(self.sender.send_request(request.body(Empty::new())?).await?)
    }
}

async fn chronicle(folder: &Path) -> anyhow::Result<Chronicle> {
    let ledger = folder.join("ledger");
    let key = std::fs::read_to_string(ledger.join("ledger.vkey"))?;
    let key = Verifier::parse(key.trim()).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Chronicle::open(&folder.join("chronicle.sqlite"), &ledger, key).await?)
}

fn judge() -> anyhow::Result<Arc<Judge>> {
    let text = "@id(\"reads\") permit (principal, action, resource);".to_owned();
    let bundle = Bundle::compile(&[Source { name: "bench.cedar".to_owned(), text }]);
    let bundle = bundle.map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(Arc::new(Judge::new(bundle, Settings::default())))
}

impl InForce for Fixed {
    fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.0)
    }
}
