//! The reader before a stand-in for an API server, and who masks looking on.

mod distrust;
mod following;
mod room;
mod waiting;

use std::{
    io::Write,
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::stream;
use http::{StatusCode, header};
use mask::Updated;
use serde_json::{Value as Json, json};
use testkit::stand_in::{Hold, Observed, Reply, Seen, StandIn};
use tokio::sync::mpsc;

use super::{value::Value, *};
use crate::{connector::Connector, credential::Source};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);
const CANARY: &str = "canary-7c1d94e0b25f4a8e-value";

/// Every set of values that was made known, each sorted.
struct Looking {
    sets: watch::Sender<Vec<Vec<String>>>,
    /// Values that have room.
    room: usize,
}

impl Index for Looking {
    fn replace(&self, values: &[Value]) -> Updated {
        let (known, left_out) = (values.len().min(self.room), values.len().saturating_sub(self.room));
        let values = values.get(..known).unwrap();
        let mut texts: Vec<_> = values.iter().map(Value::text).collect();
        texts.sort_unstable();
        self.sets.send_modify(|sets| sets.push(texts));
        Updated { known, left_out, ..Updated::default() }
    }
}

/// What watches tell, one after the other; an empty piece ends the watch that takes it.
#[derive(Clone)]
struct Events(Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Bytes>>>);

impl Events {
    fn new() -> (mpsc::UnboundedSender<Bytes>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(Arc::new(tokio::sync::Mutex::new(receiver))))
    }

    fn watch(&self) -> Reply {
        let pieces = stream::unfold(self.clone(), |events| async {
            let piece = events.0.lock().await.recv().await?;
            (!piece.is_empty()).then_some((piece, events))
        });
        Reply::streamed(pieces)
    }
}

fn query(request: &Seen) -> String {
    request.uri.query().unwrap_or_default().to_owned()
}

fn is_watch(request: &Seen) -> bool {
    query(request).contains("watch=true")
}

fn secret(name: &str, version: u32, value: &str) -> Json {
    let metadata = json!({"name": name, "namespace": "n", "resourceVersion": version.to_string()});
    json!({"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "data": {"x": STANDARD.encode(value)}})
}

fn list(version: u32, next: &str, items: &[Json]) -> Reply {
    let metadata = json!({"resourceVersion": version.to_string(), "continue": next});
    let list = json!({"kind": "SecretList", "apiVersion": "v1", "metadata": metadata, "items": items});
    Reply::json(StatusCode::OK, list.to_string())
}

fn event(kind: &str, object: &Json) -> Bytes {
    format!("{}\n", json!({"type": kind, "object": object})).into()
}

fn gone() -> Bytes {
    event(
        "ERROR",
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": 410, "message": CANARY}),
    )
}

fn everything() -> Reading {
    Reading {
        scope: Scope {
            namespaces: vec!["*".parse().unwrap()],
            except_types: vec!["helm.sh/release.v1".parse().unwrap()],
        },
        keep_deleted: LONG,
        stale_after: LONG,
        bytes: 1 << 20,
    }
}

/// One namespace, which may have all the room.
fn of_one() -> Scope {
    Scope { namespaces: vec!["n".parse().unwrap()], except_types: vec![] }
}

struct Bench {
    reader: Reader,
    sets: watch::Receiver<Vec<Vec<String>>>,
}

impl Bench {
    async fn of(server: &StandIn, reading: Reading) -> Self {
        Self::with_room(server, reading, usize::MAX).await
    }

    async fn with_room(server: &StandIn, reading: Reading, room: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        std::fs::write(&file, server.kubeconfig("{token: first}")).unwrap();
        let access = Source::Kubeconfig { file, context: None }.load(LONG).await.unwrap();
        let connector = Connector::new(&access.url, None, access.tls, LONG).unwrap();
        let link = Link::new(&access.url, connector, LONG, access.credential).unwrap();
        let (sender, sets) = watch::channel(Vec::new());
        let index = Arc::new(Looking { sets: sender, room });
        Self { reader: Reader::begin_with("demo", Arc::new(link), LONG, reading, index), sets }
    }

    /// Waits until exactly these values are known.
    async fn until(&mut self, values: &[&str]) {
        let known = self.sets.wait_for(|sets| sets.last().is_some_and(|set| set == values));
        if timeout(LONG / 3, known).await.is_err() {
            panic!("not {values:?}: {:?} {:?}", self.sets.borrow(), self.reader.standing());
        }
    }

    /// Waits until what the reader sees is so.
    async fn until_sight(&self, what: &str, so: impl Fn(&Sight) -> bool) {
        let mut sight = self.reader.sight.clone();
        let seen = timeout(LONG / 3, sight.wait_for(|sight| so(sight))).await;
        assert!(seen.is_ok(), "{what}: {:?}", self.reader.standing());
    }
}

/// Collects what is logged on this thread until the guard is dropped.
fn logged() -> (Arc<Mutex<Vec<u8>>>, tracing::subscriber::DefaultGuard) {
    #[derive(Clone)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let text = Arc::new(Mutex::new(Vec::new()));
    let log = Log(Arc::clone(&text));
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || log.clone())
        .finish();
    (text, tracing::subscriber::set_default(subscriber))
}
