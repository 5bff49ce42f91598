//! What is read, and what it follows.

use super::*;

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
