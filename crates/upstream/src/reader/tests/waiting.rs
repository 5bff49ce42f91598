//! What calls wait for, and what ends them.

use super::*;

#[tokio::test]
async fn calls_wait_for_the_first_list_no_longer_than_they_may() {
    let server = StandIn::start(|_request| list(5, "", &[]).held(&Hold::default())).unwrap();
    let bench = Bench::of(&server, everything()).await;
    assert_eq!(bench.reader.ready(Duration::from_millis(50), None).await, Err(Blind::Listing));
    let standing = Standing { blind: Some(Blind::Listing), ..Standing::default() };
    assert_eq!(bench.reader.standing(), standing);
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
