//! Reads over HTTP/1.1, once a connection for them is open.

use http::{StatusCode, Version};
use testkit::stand_in::{Habits, Reply, Seen, StandIn};

use crate::support::{Bench, POD, TOKEN, opened, pods, read};

const WATCH: &str = "/api/v1/pods?watch=true";

/// A server of both protocols.
fn versatile(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> StandIn {
    let protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    StandIn::with(Habits { protocols, ..Habits::default() }, script).unwrap()
}

fn last(server: &StandIn) -> Seen {
    server.requests().pop().unwrap()
}

/// Reads until one went over HTTP/1.1: the connection is opened beside the calls.
async fn with_a_line(server: &StandIn) -> Bench {
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    for _call in 0..10_000 {
        let (text, error) = read(opened(bench.get(POD).await.unwrap()).await).await;
        assert!(text.contains("PodList") && error.is_none(), "{text} {error:?}");
        if last(server).version == Version::HTTP_11 {
            return bench;
        }
    }
    panic!("no line was opened beside ten thousand calls")
}

#[tokio::test]
async fn reads_take_a_line_and_say_the_same_there_as_on_a_lane() {
    let server = versatile(|_request| pods());
    let bench = with_a_line(&server).await;
    let first = server.requests().swap_remove(0);
    let line = last(&server);
    assert_eq!((first.version, first.uri.path()), (Version::HTTP_2, line.uri.path()));
    assert_eq!(line.uri.authority(), None);
    assert_eq!(line.values("host"), [first.uri.authority().unwrap().as_str()]);
    for name in ["impersonate-user", "impersonate-group", "authorization", "accept", "user-agent"] {
        assert_eq!(line.values(name), first.values(name), "{name}");
    }
    // One after the other, they need no other; one more may have been opened beside the first.
    for _call in 0..20 {
        read(opened(bench.get(POD).await.unwrap()).await).await;
        assert_eq!(last(&server).version, Version::HTTP_11);
    }
    assert!(server.observed().connections <= 3, "{:?}", server.observed());
}

#[tokio::test]
async fn an_answer_in_chunks_keeps_its_line() {
    let server = versatile(|request| {
        let chunks = ["{\"kind\":\"PodList\",", "\"items\":[]}"].map(bytes::Bytes::from);
        if request.uri.path() == POD { pods() } else { Reply::streamed(futures_util::stream::iter(chunks)) }
    });
    let bench = with_a_line(&server).await;
    for _call in 0..20 {
        let answer = bench.get("/api/v1/namespaces/n/pods/chunks").await.unwrap();
        let (text, error) = read(opened(answer).await).await;
        assert!(text.ends_with("[]}") && error.is_none(), "{text} {error:?}");
        assert_eq!(last(&server).version, Version::HTTP_11);
    }
}

#[tokio::test]
async fn what_is_no_short_read_takes_a_lane() {
    let server = versatile(|request| match request.uri.query() {
        Some(_watch) => Reply::endless("{}\n"),
        None if request.method == http::Method::POST => Reply::json(StatusCode::CREATED, "{}"),
        None => pods(),
    });
    let bench = with_a_line(&server).await;
    bench.create("/api/v1/namespaces/n/pods", "Pod").await.unwrap();
    assert_eq!(last(&server).version, Version::HTTP_2);
    let _watch = bench.get(WATCH).await.unwrap();
    assert_eq!(last(&server).version, Version::HTTP_2);
    bench.get(&format!("{POD}/status")).await.unwrap();
    assert_eq!(last(&server).version, Version::HTTP_2);
}

#[tokio::test]
async fn a_read_whose_line_breaks_is_asked_again_on_a_lane() {
    let server = versatile(|request| {
        let breaks = request.version == Version::HTTP_11 && request.uri.path() != POD;
        if breaks { Reply::hang_up() } else { pods() }
    });
    let bench = with_a_line(&server).await;
    let before = server.requests().len();
    read(opened(bench.get("/api/v1/namespaces/n/pods/other").await.unwrap()).await).await;
    let requests = server.requests();
    let [broken, answered] = requests.get(before..).unwrap() else { panic!("{requests:?}") };
    assert_eq!((broken.version, answered.version), (Version::HTTP_11, Version::HTTP_2));
    assert_eq!(broken.values("audit-id"), answered.values("audit-id"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_to_its_end_takes_its_line_along() {
    let server = versatile(|request| {
        let long = request.uri.path() != POD;
        if long { Reply::endless(r#"{"items":["#) } else { pods() }
    });
    let bench = with_a_line(&server).await;
    let abandoned = bench.get("/api/v1/namespaces/n/pods/long").await.unwrap();
    let line = last(&server);
    assert_eq!((line.version, server.observed().answering), (Version::HTTP_11, 1));
    drop(abandoned);
    server.until("the answer is given up", |observed| observed.answering == 0).await.unwrap();
    read(opened(bench.get(POD).await.unwrap()).await).await;
    assert_ne!(last(&server).connection, line.connection, "it would get the rest of the other answer");
}
