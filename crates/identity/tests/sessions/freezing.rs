//! Sessions that are frozen and thawed, over a real store.

use std::sync::Arc;
use std::time::Duration;

use identity::{
    Caller, Change, Clock, End, Loaded, Opened, Operator, Reason, Revocation, SessionId, Sessions, State,
    SystemEntropy, Which,
};
use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{TestClock, agents, id, load_with, opening, sql, start};

/// With ids that differ from those of an earlier start.
async fn restarted(data: &TempDir, clock: &Arc<TestClock>) -> Loaded {
    load_with(data, agents(&["claude"]), clock, SystemEntropy).await.unwrap()
}

async fn started(data: &TempDir) -> Sessions {
    restarted(data, &Arc::default()).await.sessions
}

async fn open(sessions: &Sessions) -> (Opened, SessionId) {
    let opened = sessions.open(opening()).await.unwrap();
    let id = id(&opened);
    (opened, id)
}

async fn freeze(sessions: &Sessions, id: &SessionId) -> Change {
    let why = Reason::parse("gone wild").unwrap();
    sessions.freeze(id, &Operator::parse("bob").unwrap(), &why).await.unwrap().0
}

async fn thaw(sessions: &Sessions, id: &SessionId) -> Change {
    sessions.thaw(id).await.unwrap().finish().await.unwrap()
}

fn frozen(caller: &Caller) -> Option<String> {
    match caller.ended().how() {
        Some(End::Frozen(frozen)) => Some(format!("{} by {}: {}", frozen.at, frozen.by, frozen.why)),
        _ => None,
    }
}

#[tokio::test]
async fn freezing_ends_what_is_open_and_thawing_lets_new_callers_in() {
    let data = TempDir::new().unwrap();
    let sessions = started(&data).await;
    let ((opened, id), (other, _)) = (open(&sessions).await, open(&sessions).await);
    let identify = |opened: &Opened| sessions.identify(opened.token.reveal(), start()).unwrap();
    let (before, bystander) = (identify(&opened), identify(&other));
    let waiting = tokio::spawn({
        let ended = before.ended().clone();
        async move { ended.wait().await }
    });

    assert!(matches!(freeze(&sessions, &id).await, Change::Made(_)));
    assert!(matches!(waiting.await.unwrap(), End::Frozen(_)));
    assert_snapshot!(frozen(&before).unwrap(), @"2030-01-01T00:00:00.123456Z by bob: gone wild");
    let during = identify(&opened);
    assert_eq!(frozen(&during), frozen(&before), "a caller that is told so, and nothing else");
    assert_eq!(during.groups(), before.groups());
    assert!(matches!(freeze(&sessions, &id).await, Change::Needless(_)));
    let listed = sessions.list(Which::Active, 9).await.unwrap();
    assert_eq!(listed.iter().filter(|session| session.state(start()) == State::Frozen).count(), 1);

    assert!(matches!(thaw(&sessions, &id).await, Change::Made(_)));
    let after = identify(&opened);
    assert_eq!((after.ended().how(), after.expires_at()), (None, before.expires_at()));
    assert!(frozen(&before).is_some() && frozen(&during).is_some(), "what had ended stays so");
    assert!(sessions.thaw(&id).await.is_none(), "not frozen");
    assert_eq!(bystander.ended().how(), None);
}

#[tokio::test]
async fn a_freeze_and_what_was_counted_outlive_a_restart() {
    let data = TempDir::new().unwrap();
    let before = started(&data).await;
    let ((cold, cold_id), (warm, warm_id)) = (open(&before).await, open(&before).await);
    freeze(&before, &cold_id).await;
    let caller = before.identify(warm.token.reveal(), start()).unwrap();
    assert_eq!((caller.count_values(3), caller.count_values(u32::MAX)), (3, u64::from(u32::MAX) + 3));
    before.keep_count(&warm_id, 3).await.unwrap();
    before.close().await;

    let loaded = restarted(&data, &Arc::default()).await;
    let unrecorded: Vec<_> = loaded.unrecorded_freezes.iter().map(|session| &*session.id).collect();
    assert_eq!(unrecorded, [cold_id.as_str()]);
    let after = loaded.sessions;
    after.freeze_recorded(cold_id.as_str()).await.unwrap();
    assert!(after.unrecorded_freezes().await.unwrap().is_empty());
    assert!(frozen(&after.identify(cold.token.reveal(), start()).unwrap()).is_some());
    let caller = after.identify(warm.token.reveal(), start()).unwrap();
    assert_eq!(caller.count_values(1), 4);

    freeze(&after, &warm_id).await;
    thaw(&after, &warm_id).await;
    thaw(&after, &cold_id).await;
    after.close().await;
    let again = started(&data).await;
    for opened in [cold, warm] {
        let caller = again.identify(opened.token.reveal(), start()).unwrap();
        assert_eq!((caller.ended().how(), caller.count_values(1)), (None, 1), "a human has looked");
    }
}

#[tokio::test]
async fn a_frozen_session_can_be_revoked_and_does_not_come_back() {
    let data = TempDir::new().unwrap();
    let sessions = started(&data).await;
    let (opened, id) = open(&sessions).await;
    freeze(&sessions, &id).await;
    let thawing = sessions.thaw(&id).await.unwrap();
    assert_eq!(&*thawing.frozen().by, "bob");
    let (by, why) = (Operator::parse("ada").unwrap(), Reason::parse("done").unwrap());
    // In memory the kill switch waits for nobody's turn.
    let revoking = sessions.revoke(&id, &by, &why);
    tokio::pin!(revoking);
    assert!(timeout(Duration::ZERO, &mut revoking).await.is_err());
    assert!(sessions.identify(opened.token.reveal(), start()).is_err());
    thawing.finish().await.unwrap();
    assert!(sessions.identify(opened.token.reveal(), start()).is_err());
    assert!(matches!(revoking.await.unwrap(), Revocation::Ended(_)));
    assert!(sessions.thaw(&id).await.is_none());
    assert!(matches!(freeze(&sessions, &id).await, Change::Needless(session) if session.revoked.is_some()));
    let nobody = SessionId::parse("s-zzzzzzzzzzzzzzzz").unwrap();
    assert_eq!(freeze(&sessions, &nobody).await, Change::Unknown);
}

#[tokio::test]
async fn a_frozen_session_expires_and_is_told() {
    let data = TempDir::new().unwrap();
    let clock = Arc::<TestClock>::default();
    let Loaded { sessions, mut expirations, .. } = restarted(&data, &clock).await;
    let (opened, id) = open(&sessions).await;
    freeze(&sessions, &id).await;
    tokio::time::pause();
    clock.forward(Duration::from_secs(3600));
    assert_eq!(timeout(Duration::from_secs(1), expirations.next()).await.unwrap(), Some(id.clone()));
    tokio::time::resume();
    assert!(sessions.identify(opened.token.reveal(), clock.now()).is_err());
    assert!(sessions.thaw(&id).await.is_none());
    drop(sessions);
    assert_eq!(expirations.next().await, None, "once");
}

#[tokio::test]
async fn a_store_that_fails_freezes_all_the_same_and_thaws_nothing() {
    let data = TempDir::new().unwrap();
    let sessions = started(&data).await;
    let (opened, id) = open(&sessions).await;
    let caller = || sessions.identify(opened.token.reveal(), start()).unwrap();
    sql(&data, "CREATE TRIGGER u BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END;")
        .await;
    let (by, why) = (Operator::gate(), Reason::known_values(20));
    assert!(sessions.freeze(&id, &by, &why).await.is_err());
    assert_snapshot!(frozen(&caller()).unwrap(), @"2030-01-01T00:00:00.123456Z by portcullis: it sent more known secret values, and guesses at them, than the 20 that a session may");
    assert!(Reason::parse(why.as_str()).is_ok() && Operator::parse(by.as_str()).is_ok());
    sql(&data, "DROP TRIGGER u").await;
    // Frozen in memory alone; a thaw needs no more than that.
    assert!(matches!(thaw(&sessions, &id).await, Change::Needless(_)));
    assert_eq!(caller().ended().how(), None);

    freeze(&sessions, &id).await;
    sql(&data, "CREATE TRIGGER u BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END;")
        .await;
    assert!(sessions.thaw(&id).await.unwrap().finish().await.is_err());
    assert!(frozen(&caller()).is_some());
}
