//! The reader before a stand-in for an API server, and who masks looking on.

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

#[tokio::test]
async fn pages_are_listed_and_what_changes_is_known_and_what_is_gone_is_forgotten_in_time() {
    let (tell, events) = Events::new();
    let server = StandIn::start(move |request| match query(request).as_str() {
        query if query.contains("watch=true") => events.watch(),
        query if query.contains("continue=") => list(5, "", &[secret("b", 2, "two")]),
        _ => list(5, "the next/page", &[secret("a", 1, "one")]),
    });
    let server = server.unwrap();
    let reading = Reading { keep_deleted: Duration::from_millis(300), ..everything() };
    let mut bench = Bench::of(&server, reading).await;
    bench.until(&["one", "two"]).await;
    bench.reader.ready(LONG, None).await.unwrap();
    tell.send(event("MODIFIED", &secret("a", 6, "changed"))).unwrap();
    // What it was before stays known for a while.
    bench.until(&["changed", "one", "two"]).await;
    bench.until(&["changed", "two"]).await;
    let both = [event("DELETED", &secret("b", 7, "two")), event("ADDED", &secret("c", 8, "three"))].concat();
    // However it is cut.
    let (head, tail) = both.split_at(100);
    tell.send(Bytes::copy_from_slice(head)).unwrap();
    tell.send(Bytes::copy_from_slice(tail)).unwrap();
    bench.until(&["changed", "three"]).await;
    let told: Vec<_> = server
        .requests()
        .iter()
        .map(|seen| format!("{} {}", seen.method, seen.uri.path_and_query().unwrap()))
        .collect();
    let first = &server.requests()[0];
    let mut headers: Vec<_> =
        first.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort_unstable();
    insta::assert_snapshot!(format!("{}\n{}", told.join("\n"), headers.join("\n")));
    // Its tasks end with it.
    drop(bench);
    server.until("the watch is given up", |observed| observed.answering == 0).await.unwrap();
}

#[tokio::test]
async fn namespaces_that_are_named_are_read_one_by_one() {
    let server =
        StandIn::start(|request| if is_watch(request) { Reply::endless("") } else { list(5, "", &[]) });
    let server = server.unwrap();
    let mut reading = everything();
    reading.scope =
        Scope { namespaces: ["shop", "bank"].map(|name| name.parse().unwrap()).into(), except_types: vec![] };
    let bench = Bench::of(&server, reading).await;
    bench.reader.ready(LONG, None).await.unwrap();
    server.until("both are watched", |observed| observed.answering == 2).await.unwrap();
    let mut told: Vec<_> =
        server.requests().iter().map(|seen| seen.uri.path_and_query().unwrap().to_string()).collect();
    told.sort_unstable();
    insta::assert_snapshot!(told.join("\n"), @r"
    /api/v1/namespaces/bank/secrets?limit=500
    /api/v1/namespaces/bank/secrets?watch=true&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=5
    /api/v1/namespaces/shop/secrets?limit=500
    /api/v1/namespaces/shop/secrets?watch=true&allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=5
    ");
}

#[tokio::test]
async fn a_watch_that_breaks_or_ends_goes_on_from_its_last_version() {
    let (tell, events) = Events::new();
    let watches = AtomicUsize::new(0);
    let server = StandIn::start(move |request| {
        if !is_watch(request) {
            return list(5, "", &[secret("a", 1, "one")]);
        }
        // The third is refused for a reason that passes.
        if watches.fetch_add(1, Ordering::Relaxed) == 2 {
            return Reply::json(StatusCode::INTERNAL_SERVER_ERROR, CANARY);
        }
        events.watch()
    });
    let server = server.unwrap();
    let mut bench = Bench::of(&server, everything()).await;
    bench.until(&["one"]).await;
    tell.send(event(
        "BOOKMARK",
        &json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"resourceVersion": "8"}}),
    ))
    .unwrap();
    tell.send(Bytes::new()).unwrap();
    server.until("it watches again", |observed| observed.requests.len() == 3).await.unwrap();
    server.end_connections();
    let on = |observed: &Observed| observed.requests.len() == 5 && observed.answering == 1;
    server.until("it watches on", on).await.unwrap();
    tell.send(event("ADDED", &secret("b", 9, "two"))).unwrap();
    bench.until(&["one", "two"]).await;
    let versions: Vec<_> = server
        .requests()
        .iter()
        .map(|seen| {
            query(seen)
                .rsplit_once("resourceVersion=")
                .map_or_else(|| "list".to_owned(), |(_before, after)| after.to_owned())
        })
        .collect();
    let selector = "&fieldSelector=type%21%3Dhelm%2Esh%2Frelease%2Ev1";
    let expected = ["list", "5", "8", "8", "8"]
        .map(|version| if version == "list" { version.to_owned() } else { format!("{version}{selector}") });
    assert_eq!(versions, expected);
}

#[tokio::test]
async fn where_its_version_is_gone_everything_is_listed_again() {
    let (tell, events) = Events::new();
    let lists = AtomicUsize::new(0);
    let watches = AtomicUsize::new(0);
    let server = StandIn::start(move |request| {
        if is_watch(request) {
            // Told by the status of the answer, the second time.
            let second = watches.fetch_add(1, Ordering::Relaxed) == 1;
            return if second { Reply::json(StatusCode::GONE, "{}") } else { events.watch() };
        }
        match lists.fetch_add(1, Ordering::Relaxed) {
            0 => list(5, "", &[secret("a", 1, "one"), secret("b", 2, "two")]),
            1 => list(9, "", &[secret("a", 1, "one"), secret("c", 3, "three")]),
            _ => list(12, "", &[secret("c", 3, "four")]),
        }
    });
    let server = server.unwrap();
    let (log, _guard) = logged();
    let reading = Reading { keep_deleted: Duration::from_millis(300), ..everything() };
    let mut bench = Bench::of(&server, reading).await;
    bench.until(&["one", "two"]).await;
    tell.send(gone()).unwrap();
    // What is no longer listed has been deleted.
    bench.until(&["four"]).await;
    bench.reader.ready(LONG, None).await.unwrap();
    assert_eq!(server.requests().iter().filter(|seen| !is_watch(seen)).count(), 3);
    let log = String::from_utf8(log.lock().clone()).unwrap();
    assert!(!log.contains(CANARY) && !log.contains("four"), "{log}");
}

#[tokio::test]
async fn without_the_right_to_read_secrets_the_gate_is_blind_until_it_has_it() {
    let granted = Arc::new(AtomicUsize::new(0));
    let grant = Arc::clone(&granted);
    let server = StandIn::start(move |request| match grant.load(Ordering::Relaxed) {
        0 => Reply::json(StatusCode::FORBIDDEN, format!(r#"{{"kind":"Status","message":"{CANARY}"}}"#)),
        _ if is_watch(request) => Reply::endless(""),
        _ => list(5, "", &[]),
    });
    let server = server.unwrap();
    let (log, _guard) = logged();
    let bench = Bench::of(&server, everything()).await;
    let blind = bench.reader.ready(LONG, None).await.unwrap_err();
    assert!(blind.is_forbidden());
    insta::assert_snapshot!(blind, @"its Secrets cannot be listed: the API server does not let the gate read Secrets as `portcullis:secret-reader`; grant it with `portcullis rbac | kubectl apply -f -`");
    server.until("it tries again", |observed| observed.requests.len() > 2).await.unwrap();
    granted.store(1, Ordering::Relaxed);
    bench.until_sight("it sees", |sight| sight.blind(LONG).is_none()).await;
    bench.reader.ready(LONG, None).await.unwrap();
    let log = String::from_utf8(log.lock().clone()).unwrap();
    assert!(!log.contains(CANARY), "{log}");
    assert_eq!(log.matches("its Secrets are not followed").count(), 1, "told once, not each time:\n{log}");
}

#[tokio::test]
async fn nothing_that_is_no_answer_about_secrets_is_taken_for_one() {
    type Answer = fn() -> Reply;
    let answers: [(&str, Answer); 7] = [
        ("garbage", || Reply::json(StatusCode::OK, format!("{CANARY}}}"))),
        ("another kind", || {
            Reply::json(
                StatusCode::OK,
                format!(
                    r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"1"}},"items":[],"x":"{CANARY}"}}"#
                ),
            )
        }),
        ("another media type", || {
            list(5, "", &[]).header(header::CONTENT_TYPE, "application/vnd.kubernetes.protobuf")
        }),
        ("compressed", || list(5, "", &[]).header(header::CONTENT_ENCODING, "gzip")),
        ("a redirect", || list(5, "", &[]).status(StatusCode::FOUND).header(header::LOCATION, "/elsewhere")),
        ("half", || Reply::json(StatusCode::OK, r#"{"kind":"SecretList""#)),
        ("a hang-up", Reply::hang_up),
    ];
    let (log, _guard) = logged();
    let mut told = Vec::new();
    for (what, answer) in answers {
        let server = StandIn::start(move |_request| answer()).unwrap();
        let bench = Bench::of(&server, everything()).await;
        let blind = bench.reader.ready(LONG, None).await.unwrap_err();
        told.push(format!("{what}: {blind}"));
        assert!(bench.sets.borrow().is_empty());
    }
    insta::assert_snapshot!(told.join("\n"));
    let log = String::from_utf8(log.lock().clone()).unwrap();
    assert!(!log.contains(CANARY), "{log}");
}

#[tokio::test]
async fn an_event_without_end_is_not_held_and_the_list_is_taken_again() {
    let watches = AtomicUsize::new(0);
    let server = StandIn::start(move |request| match is_watch(request) {
        true if watches.fetch_add(1, Ordering::Relaxed) == 0 => {
            let piece = Bytes::from(vec![b'x'; 1 << 20]);
            Reply::streamed(stream::repeat(piece))
        }
        true => Reply::endless(""),
        false => list(5, "", &[secret("a", 1, "one")]),
    });
    let server = server.unwrap();
    let mut bench = Bench::of(&server, everything()).await;
    bench.until(&["one"]).await;
    let listed = |observed: &Observed| observed.requests.iter().filter(|seen| !is_watch(seen)).count();
    server
        .until("it lists again", |observed| listed(observed) == 2 && observed.requests.len() == 4)
        .await
        .unwrap();
    bench.reader.ready(LONG, None).await.unwrap();
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let server = StandIn::start(|request| {
        if is_watch(request) {
            return Reply::endless("");
        }
        if query(request).contains("limit=500") {
            return Reply::json(StatusCode::OK, vec![b' '; (32 << 20) + 1]);
        }
        list(5, "", &[secret("a", 1, "one")])
    });
    let server = server.unwrap();
    let mut bench = Bench::of(&server, everything()).await;
    bench.until(&["one"]).await;
    let limits: Vec<_> = server.requests().iter().map(|seen| query(seen).contains("limit=125")).collect();
    assert_eq!(limits.get(..2), Some(&[false, true][..]));
}

#[tokio::test]
async fn values_that_are_too_many_blind_the_gate_until_there_are_fewer() {
    let (tell, events) = Events::new();
    let lists = AtomicUsize::new(0);
    let server = StandIn::start(move |request| match is_watch(request) {
        true => events.watch(),
        false if lists.fetch_add(1, Ordering::Relaxed) < 2 => list(5, "", &[secret("a", 1, "one")]),
        false => list(9, "", &[secret("b", 1, "two")]),
    });
    let server = server.unwrap();
    let mut bench = Bench::of(&server, Reading { bytes: 100, scope: of_one(), ..everything() }).await;
    bench.until(&["one"]).await;
    tell.send(event("ADDED", &secret("b", 6, "two"))).unwrap();
    let too_much = Some(Blind::Unlisted(Problem::TooMuch { bytes: 100, namespace: "n".to_owned() }));
    bench.until_sight("it is blind", |sight| sight.blind(LONG) == too_much).await;
    let blind = bench.reader.ready(LONG, None).await.unwrap_err();
    insta::assert_snapshot!(blind, @"its Secrets cannot be listed: the values of its Secrets are more than 100 bytes, most of them in namespace `n`; raise `masking.known_values.bytes` or leave out types with `except_types`");
    // A list finds room, and the next one more.
    let again = |observed: &Observed| observed.requests.len() == 4 && observed.answering == 1;
    server.until("it watches again", again).await.unwrap();
    tell.send(gone()).unwrap();
    bench.until(&["two"]).await;
    bench.reader.ready(LONG, None).await.unwrap();
}

#[tokio::test]
async fn calls_wait_for_the_first_list_no_longer_than_they_may() {
    let server = StandIn::start(|_request| list(5, "", &[]).held(&Hold::default())).unwrap();
    let bench = Bench::of(&server, everything()).await;
    assert_eq!(bench.reader.ready(Duration::from_millis(50), None).await, Err(Blind::Listing));
    let standing = Standing { blind: Some(Blind::Listing), ..Standing::default() };
    assert_eq!(bench.reader.standing(), standing);
}

#[tokio::test]
async fn a_list_that_goes_on_and_on_is_given_up() {
    let pages = AtomicUsize::new(0);
    let server = StandIn::start(move |_request| {
        let page = pages.fetch_add(1, Ordering::Relaxed);
        list(5, "more", &[secret(&format!("s-{page}"), 1, "")])
    });
    let server = server.unwrap();
    let bench = Bench::of(&server, Reading { bytes: 640, ..everything() }).await;
    let blind = bench.reader.ready(LONG, None).await.unwrap_err();
    assert_eq!(blind, Blind::Unlisted(Problem::TooMuch { bytes: 640, namespace: String::new() }));
}

#[tokio::test]
async fn values_in_use_that_have_no_room_in_the_index_blind_the_gate_until_they_have() {
    let (tell, events) = Events::new();
    let server = StandIn::start(move |request| match is_watch(request) {
        true => events.watch(),
        false => list(5, "", &[secret("a", 1, "one")]),
    });
    let server = server.unwrap();
    let (log, _guard) = logged();
    let mut bench = Bench::with_room(&server, everything(), 2).await;
    bench.until(&["one"]).await;
    // What was replaced gives way to what is in use, and that is no reason to refuse.
    tell.send(event("MODIFIED", &secret("a", 6, "two"))).unwrap();
    bench.until(&["one", "two"]).await;
    tell.send(event("ADDED", &secret("b", 7, "three"))).unwrap();
    bench.until(&["three", "two"]).await;
    bench
        .until_sight("it is told", |sight| sight.masked().is_some_and(|masked| masked.updated.left_out == 1))
        .await;
    bench.reader.ready(LONG, None).await.unwrap();
    let values = bench.reader.standing().values;
    assert_eq!((values.known, values.left_out), (2, 1));
    tell.send(event("ADDED", &secret("c", 8, "four"))).unwrap();
    bench.until_sight("it is blind", |sight| sight.blind(LONG).is_some()).await;
    let blind = bench.reader.ready(LONG, Some("n")).await.unwrap_err();
    insta::assert_snapshot!(blind, @"the memory that finding the values of its Secrets may take has no room for 1 of them, most of which are in namespace `n`; leave out types with `except_types` or read fewer namespaces");
    tell.send(event("DELETED", &secret("c", 9, "four"))).unwrap();
    bench.until_sight("it sees again", |sight| sight.blind(LONG).is_none()).await;
    let log = String::from_utf8(log.lock().clone()).unwrap();
    let told = ["are forgotten before their time", "have no room in the memory", "have room again"];
    assert_eq!(told.map(|text| log.matches(text).count()), [1, 1, 1], "{log}");
}

#[tokio::test]
async fn a_namespace_with_more_than_its_share_is_closed_and_no_other() {
    let of = |namespace: &str, name: &str, value: &str| {
        let mut secret = secret(name, 1, value);
        secret["metadata"]["namespace"] = json!(namespace);
        secret["metadata"]["resourceVersion"] = json!("7");
        secret
    };
    let (tell, events) = Events::new();
    let lists = AtomicUsize::new(0);
    let server = StandIn::start(move |request| match is_watch(request) {
        true => events.watch(),
        false if lists.fetch_add(1, Ordering::Relaxed) == 0 => list(5, "", &[of("shop", "a", "one")]),
        false => list(9, "", &[of("shop", "a", "one"), of("flood", "y", "three")]),
    });
    let server = server.unwrap();
    // A share is enough for one value of each.
    let mut bench = Bench::of(&server, Reading { bytes: 4 * 80, ..everything() }).await;
    bench.until(&["one"]).await;
    for (name, value) in [("x", "two"), ("y", "three")] {
        tell.send(event("ADDED", &of("flood", name, value))).unwrap();
    }
    let blind = bench.reader.blinded(Some("flood")).await;
    insta::assert_snapshot!(blind, @"the values of Secrets in namespace `flood` are more than 80 bytes, the most of one namespace; remove some there, or raise `masking.known_values.bytes`");
    bench.until(&["one", "two"]).await;
    assert_eq!(bench.reader.ready(LONG, Some("shop")).await, Ok(()));
    assert_eq!(bench.reader.ready(LONG, Some("flood")).await, Err(blind.clone()));
    assert_eq!(bench.reader.ready(LONG, None).await, Err(blind));
    let standing = bench.reader.standing();
    assert_eq!((standing.values.left_out, standing.over_share.len()), (1, 1));
    // Where there is room again, what was left out is listed.
    tell.send(event("DELETED", &of("flood", "x", "two"))).unwrap();
    bench.until(&["one", "three", "two"]).await;
    assert_eq!(bench.reader.ready(LONG, None).await, Ok(()));
    let standing = bench.reader.standing();
    assert_eq!((standing.values.known, standing.values.left_out, standing.over_share.len()), (3, 0, 0));
}

#[tokio::test]
async fn what_is_under_way_ends_when_the_watch_is_lost_for_too_long_and_not_while_all_is_listed_anew() {
    let (tell, events) = Events::new();
    let lists = Arc::new(AtomicUsize::new(0));
    let lists_seen = Arc::clone(&lists);
    let server = StandIn::start(move |request| {
        if is_watch(request) {
            return events.watch();
        }
        match lists.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => list(5, "", &[secret("a", 1, "one")]),
            _ => Reply::json(StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        }
    });
    let server = server.unwrap();
    let reading = Reading { stale_after: Duration::from_secs(1), ..everything() };
    let mut bench = Bench::of(&server, reading).await;
    bench.until(&["one"]).await;
    bench.reader.ready(LONG, None).await.unwrap();
    let mut blinded = std::pin::pin!(bench.reader.blinded(Some("n")));
    tell.send(gone()).unwrap();
    server.until("it lists and watches anew", |observed| observed.requests.len() == 4).await.unwrap();
    assert!(futures_util::FutureExt::now_or_never(blinded.as_mut()).is_none());
    tell.send(gone()).unwrap();
    let blind = blinded.await;
    insta::assert_snapshot!(blind, @"its Secrets have not been followed for more than 1 s: the API server answered with status 500 Internal Server Error");
    assert!(lists_seen.load(Ordering::Relaxed) > 2);
}
