//! A cluster in front of a stand-in, and calls that were judged and recorded as the gate does it.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use http_body::Body as _;
use ledger::{
    Config, Ledger, Receipt,
    leaf::{Id, Start},
    testing,
};
use mask::{Catalogue, Guard, KnownValues, Masked};
use policy::{Bundle, Judge, Principal, Verdict};
use tempfile::TempDir;
use testkit::stand_in::{Reply, StandIn};
use upstream::{
    Answer, AnswerBody, Cluster, Failure, Intent, Origin, Settings, Source, Unusable, reader::Reading,
};

/// What the tests' cluster is called.
pub(crate) const CLUSTER: &str = "demo";
/// A pod, as a read of one object.
pub(crate) const POD: &str = "/api/v1/namespaces/n/pods/p";
/// Longer than any test takes.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A cluster, and the means to have calls permitted and recorded.
pub(crate) struct Bench {
    pub(crate) cluster: Cluster,
    ledger: Ledger,
    judge: Judge,
    calls: AtomicU64,
    _folder: TempDir,
}

impl Bench {
    /// A cluster with this kubeconfig and patience without end.
    pub(crate) async fn of(kubeconfig: &str) -> Self {
        Self::set(kubeconfig, |_settings| {}).await
    }

    pub(crate) async fn with(kubeconfig: &str, connect: Duration, response: Duration) -> Self {
        let set = |settings: &mut Settings| {
            settings.connect_timeout = connect;
            settings.response_timeout = response;
        };
        Self::set(kubeconfig, set).await
    }

    pub(crate) async fn with_credential_timeout(kubeconfig: &str, seconds: f64) -> Self {
        let credential_timeout = Duration::from_secs_f64(seconds);
        Self::set(kubeconfig, |settings| settings.credential_timeout = credential_timeout).await
    }

    pub(crate) async fn with_idle_timeout(kubeconfig: &str, idle_timeout: Duration) -> Self {
        Self::set(kubeconfig, |settings| settings.idle_timeout = idle_timeout).await
    }

    pub(crate) async fn reading(kubeconfig: &str, reading: Reading) -> Self {
        Self::set(kubeconfig, |settings| settings.reading = Some(reading)).await
    }

    async fn set(kubeconfig: &str, set: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&written(folder.path(), kubeconfig));
        set(&mut settings);
        let cluster = Cluster::load(settings).await.unwrap();
        let ledger = ledger(folder.path());
        let rules = policy::Source {
            name: "all.cedar".to_owned(),
            text: "@id(\"all\") @reason(\"a test\") permit (principal, action, resource);".to_owned(),
        };
        let judge = Judge::new(
            Bundle::compile(&[rules]).unwrap_or_else(|p| panic!("{p}")),
            policy::Settings::default(),
        );
        Self { cluster, ledger, judge, calls: AtomicU64::new(1), _folder: folder }
    }

    /// A GET, from its judging to the head of its answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.call(http::Request::get(path).body("").unwrap()).await
    }

    /// A POST of an object of this kind named `x`.
    pub(crate) async fn create(&self, path: &str, kind: &str) -> Result<Answer, Failure> {
        let object = format!(r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"name":"x"}}}}"#);
        let request = http::Request::post(path).header("content-type", "application/json");
        self.call(request.body(object.as_str()).unwrap()).await
    }

    pub(crate) async fn call(&self, request: http::Request<&str>) -> Result<Answer, Failure> {
        self.cluster.send(self.receipt(CLUSTER, request).await, std::future::pending::<()>()).await
    }

    /// The receipt of a request that was permitted for `cluster`.
    pub(crate) async fn receipt(&self, cluster: &str, request: http::Request<&str>) -> Receipt<Intent> {
        let (head, body) = request.into_parts();
        let request = kube_api::Head::parse(&head).unwrap().with_body(&Bytes::from(body.to_owned())).unwrap();
        let principal = Principal { agent: "claude", groups: &["developers".to_owned()] };
        let Some(Verdict::Allow(permit)) = self.judge.judge(&principal, cluster, request).verdict() else {
            panic!("not permitted")
        };
        let call = Id::from_u128(u128::from(self.calls.fetch_add(1, Ordering::Relaxed)));
        let intent = Intent::new(call, origin(), permit).unwrap();
        self.ledger.append(intent).await.unwrap()
    }
}

fn origin() -> Origin {
    Origin {
        delegator: "ada@example.com".into(),
        session: Id::new("s-1").unwrap(),
        src: "127.0.0.1:1".into(),
        known: KnownValues::none(),
        looks_for: None,
        through: None,
    }
}

fn ledger(folder: &Path) -> Ledger {
    let config = Config { checkpoint_interval: LONG, ..testing::config(folder) };
    let start = Start { clusters: [CLUSTER.into()].into_iter().collect(), ..testing::start() };
    Ledger::open(config, start, Epoch).unwrap().0
}

/// Every leaf is of the same instant.
struct Epoch;

impl ledger::Clock for Epoch {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

/// Writes a kubeconfig into a folder.
pub(crate) fn written(folder: &Path, kubeconfig: &str) -> PathBuf {
    let file = folder.join("kubeconfig");
    std::fs::write(&file, kubeconfig).unwrap();
    file
}

/// A cluster with a kubeconfig's credential.
pub(crate) async fn load(file: &Path) -> Result<Cluster, Unusable> {
    Cluster::load(settings(file)).await
}

fn settings(file: &Path) -> Settings {
    Settings {
        name: CLUSTER.to_owned(),
        source: Source::Kubeconfig { file: file.to_owned(), context: None },
        guard: Guard::new(CLUSTER, Catalogue::builtin(), KnownValues::none(), [0; 16]),
        reading: None,
        connect_timeout: LONG,
        idle_timeout: LONG,
        credential_timeout: LONG,
        response_timeout: LONG,
    }
}

/// A stand-in that answers every request with an empty pod list.
pub(crate) fn obliging() -> StandIn {
    StandIn::start(|_request| pods()).unwrap()
}

pub(crate) fn pods() -> Reply {
    Reply::json(StatusCode::OK, r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#)
}

/// The user of most kubeconfigs here.
pub(crate) const TOKEN: &str = "{token: first}";

/// An answer's body, opened.
pub(crate) async fn opened(answer: Answer) -> Masked<AnswerBody> {
    answer.body.open().await.unwrap().body
}

/// What came of a body, and how it ended.
pub(crate) async fn read(mut body: Masked<AnswerBody>) -> (String, Option<String>) {
    let mut text = Vec::new();
    loop {
        match std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
            Some(Ok(frame)) => text.extend(frame.into_data().unwrap()),
            Some(Err(error)) => return (String::from_utf8(text).unwrap(), Some(error.to_string())),
            None => return (String::from_utf8(text).unwrap(), None),
        }
    }
}

/// The first bytes of a body.
pub(crate) async fn first(body: &mut Masked<AnswerBody>) -> String {
    let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await;
    String::from_utf8(frame.expect("a frame").expect("no error").into_data().unwrap().to_vec()).unwrap()
}
