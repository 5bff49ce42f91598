//! What an API server may answer, and what is made of it.

use super::*;

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
