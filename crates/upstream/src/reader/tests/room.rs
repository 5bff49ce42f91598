//! Where there is no room for all.

use super::*;

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

/// A Secret in this namespace.
fn of(namespace: &str, name: &str, value: &str) -> Json {
    let mut secret = secret(name, 1, value);
    secret["metadata"]["namespace"] = json!(namespace);
    secret["metadata"]["resourceVersion"] = json!("7");
    secret
}

/// While all is listed anew, a page has what was left out, and the next one does not come.
#[tokio::test]
async fn a_closed_namespace_opens_once_what_was_left_out_is_masked() {
    let (tell, events) = Events::new();
    let lists = AtomicUsize::new(0);
    let server = StandIn::start(move |request| match is_watch(request) {
        true => events.watch(),
        false if lists.fetch_add(1, Ordering::Relaxed) == 0 => list(5, "", &[of("shop", "a", "one")]),
        false if query(request).contains("continue") => list(9, "", &[]).held(&Hold::default()),
        false => list(9, "more", &[of("flood", "y", "three")]),
    });
    let server = server.unwrap();
    let mut bench = Bench::of(&server, Reading { bytes: 4 * 80, ..everything() }).await;
    bench.until(&["one"]).await;
    for (name, value) in [("x", "two"), ("y", "three")] {
        tell.send(event("ADDED", &of("flood", name, value))).unwrap();
    }
    let _blind = bench.reader.blinded(Some("flood")).await;
    bench.until(&["one", "two"]).await;
    tell.send(event("DELETED", &of("flood", "x", "two"))).unwrap();
    bench.until_sight("it is open", |sight| sight.unknown_in(Some("flood")).is_none()).await;
    assert_eq!(bench.sets.borrow().last().unwrap(), &["one", "three", "two"]);
    assert_eq!(bench.reader.ready(LONG, None).await, Ok(()));
}

#[tokio::test]
async fn a_namespace_with_more_than_its_share_is_closed_and_no_other() {
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
