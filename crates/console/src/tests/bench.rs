//! A console in a folder of its own, and browsers that look at it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use approval::{Bound, Demand, Human, Shown, Subject, Why, testing};
use axum::response::Response;
use axum::{Extension, Router, body::Body};
use chronicle::Chronicle;
use control::Control;
use http::{HeaderName, Request, header};
use identity::{
    Agent, AgentName, Agents, Clock, ClusterName, Entropy, EntropyError, Session, Sessions, SystemEntropy,
};
use inbox::{Error, Inbox, Limits};
use jiff::{SignedDuration, Timestamp};
use ledger::leaf::{Actor, Digest, Event, Id, Judged, Recorded, Verdict};
use ledger::note::Verifier;
use ledger::{Ledger, testing as leaves};
use parking_lot::Mutex;
use policy::{Bundle, Judge, Settings, Source};
use recording::at_rest::{Plain, Recipients};
use recording::{Segment, reader::Library, testing::Script};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Store, TokenHash};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::seen::Seen;
use crate::{Address, Console, GateAddress, InForce, Parts, serve::Peer};

/// Where it is, as it is named in `Origin`.
pub(super) const ORIGIN: &str = "http://localhost:8444";
/// The session for which approvals are asked.
pub(super) const SESSION: &str = "s-2g4kq7nd5wvx3jhc";

const RULES: &str = "@id(\"reads\") permit (principal, action, resource);\n";

/// A console, and what it works on.
pub(super) struct Bench {
    pub(super) console: Console,
    pub(super) store: Arc<Store>,
    router: Router,
    clock: Standing,
    folder: TempDir,
}

/// A clock that stands until it is set.
#[derive(Debug, Clone)]
struct Standing(Arc<Mutex<Timestamp>>);

/// Other bytes each time, and the same in each run.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

#[derive(Debug)]
struct Fixed(Arc<Judge>);

/// A browser: it keeps its cookie and says which page a form is from.
pub(super) struct Browser<'a> {
    bench: &'a Bench,
    pub(super) cookie: String,
}

/// What is asked, of whom, and what they are shown. Its times are the bench's.
pub(super) struct Ask<'a> {
    pub(super) id: &'a str,
    pub(super) bound: Bound,
    pub(super) demands: Vec<Demand>,
    /// Of one call, what they are shown of it; of several changes, of each.
    pub(super) shown: Vec<Shown>,
    pub(super) act: String,
    pub(super) reason: String,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::at(ORIGIN).await
    }

    pub(super) async fn at(address: &str) -> Self {
        Self::with(address, RULES).await
    }

    pub(super) async fn with(address: &str, rules: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Standing(Arc::new(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap())));
        let store = Arc::new(Store::open(&folder.path().join("state")).await.unwrap());
        open_session(&store, clock.now(), SESSION, "roll out the shop").await;
        let times = clock.clone();
        // What is recorded is sealed at once: see `catch_up`.
        let config = ledger::Config { checkpoint_interval: Duration::ZERO, ..leaves::config(folder.path()) };
        let (ledger, _) = Ledger::open(config, leaves::start(), move || times.now()).unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let limits = Limits { pending: 1_000, ever: 1_000 };
        let inbox = Arc::new(Inbox::new(Arc::clone(&store), ledger.clone(), Arc::clone(&shared), limits));
        let entropy = Arc::new(SystemEntropy);
        let sessions = Sessions::load(Arc::clone(&store), agents(), Arc::clone(&shared), entropy);
        let sessions = Arc::new(sessions.await.unwrap().sessions);
        let control = Control::new(sessions, Arc::clone(&inbox), ledger.clone(), BTreeMap::new());
        let source = Source { name: "rules.cedar".into(), text: rules.into() };
        let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
        let parts = Parts {
            address: Address::parse(address).unwrap(),
            control,
            inbox,
            chronicle: Arc::new(chronicle(&folder).await),
            recordings: Library::new(&folder.path().join("recordings"), Arc::new(Plain)),
            gate: GateAddress { server: "https://127.0.0.1:1".to_owned(), ca: None },
            undoers: vec![grace().subject],
            ledger,
            policy: Arc::new(Fixed(Arc::new(judge))),
            provider: None,
            clock: shared,
            entropy: Arc::new(Counted::default()),
            stopping: CancellationToken::new(),
        };
        let console = Console::following(parts, Duration::from_millis(1));
        let router = console.router().layer(Extension(Peer(([127, 0, 0, 1], 4000).into())));
        Self { console, store, router, clock, folder }
    }

    pub(super) fn pass(&self, minutes: i64) {
        *self.clock.0.lock() += SignedDuration::from_mins(minutes);
    }

    pub(super) fn browser(&self) -> Browser<'_> {
        Browser { bench: self, cookie: String::new() }
    }

    /// The path of a link for this human.
    pub(super) fn link(&self, human: &Human) -> String {
        self.console.link_for(human.clone()).unwrap().url.replace(self.console.address().origin(), "")
    }

    pub(super) async fn sign_in(&self, human: &Human) -> Browser<'_> {
        let mut browser = self.browser();
        let entered = browser.post(&self.link(human), "").await;
        assert_eq!(entered.status, 303, "{}", entered.text());
        browser.cookie = entered.cookie().split(';').next().unwrap().to_owned();
        browser
    }

    /// Keeps a session with this reason: also one that none can be opened for.
    pub(super) async fn open_session(&self, id: &str, reason: &str) {
        open_session(&self.store, self.clock.now(), id, reason).await;
    }

    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<(), Error> {
        let Ask { id, bound, demands, shown, act, reason } = ask;
        let mut asked = testing::asked(id, self.clock.now());
        asked.bound = Bound { decide_by: asked.bound.decide_by, nonce: id.into(), ..bound };
        asked.demands = demands;
        let json = serde_json::to_string(&shown).unwrap();
        let actor = Actor { session: Id::new(&asked.bound.session).unwrap(), ..leaves::actor() };
        let judged = asked.bound.call().map(|call| Judged {
            request: leaves::request("delete", &call.url),
            decision: leaves::decision(Verdict::Ask),
        });
        let (call, key, shown) = (Id::new("c-1").unwrap(), id, &json);
        let request = inbox::Request { asked, key, shown, act: &act, reason: &reason, call, actor, judged };
        self.console.inbox().ask(request).await.map(drop)
    }

    /// Where recordings are.
    pub(super) fn recordings(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// A recording that begins now.
    pub(super) fn script(&self, session: &str) -> Script {
        Script::new(&self.recordings(), session, self.clock.now())
    }

    /// The same, encrypted to somebody else.
    pub(super) fn encrypted_script(&self, session: &str) -> Script {
        let recipient = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef".parse().unwrap();
        let recipients = Recipients::new(vec![recipient]).unwrap();
        Script::stored(&self.recordings(), session, self.clock.now(), Arc::new(recipients))
    }

    /// Has the ledger told of these segments.
    pub(super) async fn tell(&self, segments: &[Segment]) {
        for segment in segments {
            let recorded = Recorded {
                session: Id::new(segment.session.as_str()).unwrap(),
                segment: segment.number,
                sha256: Digest(segment.sha256.0),
                previous: segment.previous.map(|digest| Digest(digest.0)),
                bytes: segment.bytes,
                records: segment.records,
            };
            self.record(Event::Recorded(recorded)).await;
        }
    }

    pub(super) async fn record(&self, event: Event) {
        let _receipt = self.console.ledger().append(event).await.unwrap();
    }

    /// Has the chronicle read all that is recorded, once that is sealed.
    pub(super) async fn catch_up(&self) {
        let recorded = self.console.ledger().stats().size;
        while self.console.chronicle().leaves().await.unwrap() < recorded {
            self.console.chronicle().catch_up().await.unwrap();
        }
    }

    /// Closes the ledger, which seals what it has, and has the chronicle read it. Nothing can be recorded any more.
    pub(super) async fn close_ledger(&self) {
        self.console.ledger().close(true).await.unwrap();
        self.console.chronicle().catch_up().await.unwrap();
    }

    /// What the ledger has, once it is closed.
    pub(super) fn recorded(&self) -> Vec<Event> {
        leaves::events(self.folder.path())
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }
}

fn agents() -> Agents {
    let cluster = ClusterName::parse("prod").unwrap();
    let agent = Agent { groups: Vec::new(), clusters: BTreeSet::from([cluster.clone()]) };
    let name = AgentName::parse("claude").unwrap();
    Agents::new([cluster], [(name, agent)], SignedDuration::from_hours(8)).unwrap()
}

/// A session of `claude` for `ada@example.com`.
async fn open_session(store: &Store, now: Timestamp, id: &str, reason: &str) {
    let session = Session {
        id: id.into(),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        cluster: "prod".into(),
        reason: reason.into(),
        created_at: now,
        expires_at: now + SignedDuration::from_hours(8),
        revoked: None,
        frozen: None,
    };
    store.open_session(&session, &TokenHash(Sha256::digest(id).into())).await.unwrap();
}

async fn chronicle(folder: &TempDir) -> Chronicle {
    let folder = folder.path();
    let key = fs::read_to_string(folder.join("ledger/ledger.vkey")).unwrap();
    let key = Verifier::parse(key.trim()).unwrap();
    Chronicle::open(&folder.join("chronicle.sqlite"), &folder.join("ledger"), key).await.unwrap()
}

impl Browser<'_> {
    /// A request by this browser's user, without a body.
    pub(super) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let address = self.bench.console.address();
        let host = address.origin().split("//").last().unwrap();
        let request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if self.cookie.is_empty() { request } else { request.header(header::COOKIE, &self.cookie) }
    }

    pub(super) async fn get(&self, path: &str) -> Seen {
        Seen::of(self.open(path).await).await
    }

    /// The answer to a GET, whose body may not end.
    pub(super) async fn open(&self, path: &str) -> Response {
        self.bench.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// A GET by htmx, for a part of a page.
    pub(super) async fn htmx(&self, path: &str) -> Seen {
        self.with("GET", path, "hx-request", "true").await
    }

    /// A request with one more header.
    pub(super) async fn with(&self, method: &str, path: &str, name: &'static str, value: &str) -> Seen {
        let request = self.request(method, path).header(HeaderName::from_static(name), value);
        Seen::of(self.bench.send(request.body(Body::empty()).unwrap()).await).await
    }

    /// What a form of these fields sends, from a page of this console.
    pub(super) async fn post(&self, path: &str, form: &str) -> Seen {
        let origin = self.bench.console.address().origin();
        self.post_from(Some(origin), path, form).await
    }

    pub(super) async fn post_from(&self, origin: Option<&str>, path: &str, form: &str) -> Seen {
        let mut request =
            self.request("POST", path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        Seen::of(self.bench.send(request.body(Body::from(form.to_owned())).unwrap()).await).await
    }

    /// Presses a button of a form of these further fields.
    pub(super) async fn press(&self, path: &str, fields: &str) -> Seen {
        self.post(path, &format!("form={}{fields}", self.form().await)).await
    }

    /// What is in this visitor's forms.
    pub(super) async fn form(&self) -> String {
        let page = self.get("/").await;
        page.between("name=\"form\" value=\"", "\"").expect("a form").to_owned()
    }
}

/// A harmless request for approval.
pub(super) fn ask(id: &str) -> Ask<'_> {
    let (act, reason) = ("delete namespaces \"shop\" of cluster \"prod\"", "roll out the shop");
    let (act, reason) = (act.to_owned(), reason.to_owned());
    let shown = Shown {
        verb: "delete".into(),
        dry_run: false,
        act: act.clone(),
        reason: reason.clone(),
        rules: vec![Why { rule: "asks".into(), reason: "nobody deletes alone".into() }],
        options: Vec::new(),
        restores: None,
        hidden: Vec::new(),
        before: Value::Null,
        after: Value::Null,
        listing: None,
        runs: None,
        beside: Default::default(),
    };
    let bound = Bound { session: SESSION.into(), ..testing::bound() };
    let (demands, shown) = (vec![testing::demand("asks", &["sre"], 1)], vec![shown]);
    Ask { id, bound, demands, shown, act, reason }
}

/// A harmless request for something else than one call.
pub(super) fn ask_ahead(id: &str, subject: Subject) -> Ask<'_> {
    let harmless = ask(id);
    let (act, shown) = match &subject {
        Subject::Changes(changes) => {
            ("make changes in cluster \"prod\"", vec![harmless.shown[0].clone(); changes.members.len()])
        }
        _ => ("have access in cluster \"prod\"", Vec::new()),
    };
    Ask { bound: Bound { subject, ..harmless.bound }, shown, act: act.into(), ..harmless }
}

/// One of those who may decide.
pub(super) fn grace() -> Human {
    testing::human("grace", &["sre"])
}

/// Another.
pub(super) fn linus() -> Human {
    testing::human("linus", &["sre"])
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        bytes.copy_from_slice(&Sha256::digest(count.to_le_bytes())[..bytes.len()]);
        Ok(())
    }
}

impl InForce for Fixed {
    fn judge(&self) -> Arc<Judge> {
        Arc::clone(&self.0)
    }
}
