use ledger::testing;

use super::*;

fn session(n: usize) -> SessionId {
    let digit = |n: usize| char::from(b'a' + u8::try_from(n % 16).unwrap());
    SessionId::parse(&format!("s-aaaaaaaaaaaaaa{}{}", digit(n / 16), digit(n))).unwrap()
}

#[test]
fn counts_are_told_once_and_name_no_more_sessions_than_fit() {
    let rejections = Rejections::default();
    assert_eq!(rejections.take(EVERY), []);
    for _call in 0..3 {
        rejections.unauthenticated();
    }
    for n in 0..40 {
        rejections.over_limit(&session(n));
        rejections.over_limit(&session(0));
    }
    let told = rejections.take(Duration::from_millis(9_001)).pop().unwrap();
    assert_eq!((told.period_s, told.unauthenticated, told.over_limit), (10, 3, 80));
    let named = told.sessions.items();
    assert_eq!((named.len(), told.sessions.total()), (NAMED, 32));
    let first = named.first().unwrap();
    assert_eq!((first.session.as_str(), first.calls), (session(0).as_str(), 41));
    assert_eq!(rejections.take(EVERY), []);

    rejections.put_back(&told);
    assert_eq!(rejections.take(Duration::from_millis(9_001)), [told]);
}

#[tokio::test(start_paused = true)]
async fn beyond_a_sessions_budget_refusals_are_counted_and_none_is_lost() {
    let rejections = Rejections::default();
    let alone = |n| (0..100).filter(|_| rejections.tells_alone(&session(n))).count();
    for n in 0..40 {
        assert_eq!(alone(n), 60);
    }
    let told = rejections.take(EVERY);
    assert_eq!(told.iter().map(|told| told.refused).collect::<Vec<_>>(), [32 * 40, 8 * 40]);
    let named: Vec<_> = told.iter().flat_map(|told| told.refused_sessions.items()).collect();
    assert_eq!(named.iter().filter(|share| share.calls == 40).count(), 40);
    told.iter().for_each(|told| rejections.put_back(told));
    assert_eq!(rejections.take(EVERY), told);

    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(alone(0), 5);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(alone(0), 60);
    assert_eq!(rejections.take(EVERY).iter().map(|told| told.refused).sum::<u64>(), 95 + 40);
    assert_eq!(rejections.refused.lock().budgets.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn beyond_its_own_budget_what_the_gate_answers_is_counted_too() {
    let rejections = Rejections::default();
    let alone = |n| (0..1000).filter(|_| rejections.tells_answer_alone(&session(n))).count();
    for n in 0..33 {
        assert_eq!(alone(n), 600);
    }
    assert!(rejections.tells_alone(&session(0)), "refusals have a budget of their own");
    rejections.unauthenticated();
    let told = rejections.take(EVERY);
    let counted: Vec<_> =
        told.iter().map(|told| (told.answered, told.refused, told.unauthenticated)).collect();
    assert_eq!(counted, [(32 * 400, 0, 1), (400, 0, 0)]);
    told.iter().for_each(|told| rejections.put_back(told));
    assert_eq!(rejections.take(EVERY), told);
    assert_eq!(rejections.take(EVERY), []);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(alone(0), 50);
}

#[tokio::test(start_paused = true)]
async fn a_flood_makes_one_leaf_a_period_and_the_stop_tells_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = testing::open(folder.path());
    let (rejections, stop) = (Arc::new(Rejections::default()), CancellationToken::new());
    let recording = tokio::spawn({
        let (rejections, ledger, stop) = (Arc::clone(&rejections), ledger.clone(), stop.clone());
        async move { rejections.record(&ledger, &stop).await }
    });
    for _call in 0..100_000 {
        rejections.unauthenticated();
    }
    // The clock is paused: this takes no time, and lets the recorder's turn come first.
    tokio::time::sleep(EVERY + Duration::from_millis(1)).await;
    rejections.over_limit(&session(1));
    // From here on the recorder waits for the disk, which is not paused.
    tokio::time::resume();
    stop.cancel();
    recording.await.unwrap();
    ledger.close(true).await.unwrap();
    let told: Vec<_> = testing::events(folder.path())
        .into_iter()
        .filter_map(|event| match event {
            Event::Rejections(told) => Some((told.period_s, told.unauthenticated, told.over_limit)),
            _ => None,
        })
        .collect();
    let [(10, 100_000, 0), (_, 0, 1)] = told[..] else { panic!("{told:?}") };
}
