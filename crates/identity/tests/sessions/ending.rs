//! How sessions end, and that it is told.

use std::sync::Arc;
use std::time::Duration;

use identity::{End, Loaded, Rejected, Revocation, SessionId, Which};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::support::{TestClock, agents, id, opening, revoke, sessions, start, try_load};

#[tokio::test]
async fn a_session_outlives_a_restart_and_its_end_does_too() {
    let data = TempDir::new().unwrap();
    let before = sessions(&data).await;
    let kept = before.open(opening()).await.unwrap();
    let ended = before.open(opening()).await.unwrap();
    let caller = before.identify(kept.token.reveal(), start()).unwrap();
    revoke(&before, &id(&ended)).await;
    before.close().await;
    assert_eq!(caller.ended().wait().await, End::Abandoned);
    assert_eq!(caller.ended().how(), Some(End::Abandoned));

    let after = sessions(&data).await;
    let again = after.identify(kept.token.reveal(), start()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{caller:?}").replace("Some(Abandoned)", "None"));
    let refused = after.identify(ended.token.reveal(), start()).unwrap_err();
    assert_eq!(refused.rejected(), Rejected::Unknown);
}

#[tokio::test]
async fn revoking_fires_at_once_and_only_for_that_session() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let (one, other) = (sessions.open(opening()).await.unwrap(), sessions.open(opening()).await.unwrap());
    let caller = sessions.identify(one.token.reveal(), start()).unwrap();
    let bystander = sessions.identify(other.token.reveal(), start()).unwrap();
    let waiting = tokio::spawn({
        let ended = caller.ended().clone();
        async move { ended.wait().await }
    });

    assert!(matches!(revoke(&sessions, &id(&one)).await, Revocation::Ended(_)));
    assert_eq!(waiting.await.unwrap(), End::Revoked);
    assert_eq!(caller.ended().how(), Some(End::Revoked));
    assert!(sessions.identify(one.token.reveal(), start()).is_err());

    assert!(matches!(revoke(&sessions, &id(&one)).await, Revocation::AlreadyEnded(_)));
    let nobody = SessionId::parse("s-zzzzzzzzzzzzzzzz").unwrap();
    assert_eq!(revoke(&sessions, &nobody).await, Revocation::Unknown);
    assert_eq!(bystander.ended().how(), None);
    assert!(sessions.identify(other.token.reveal(), start()).is_ok());
}

// Tokio's clock is paused only while nothing waits for the store: with a paused clock tokio takes that for idleness
// and skips ahead to the store's own timeouts.

#[tokio::test]
async fn expiry_fires_within_a_second_and_not_before_though_the_wall_clock_stands_still() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    tokio::time::pause();
    let almost = Duration::from_secs(3599);
    assert!(timeout(almost, caller.ended().wait()).await.is_err());
    assert!(sessions.identify(opened.token.reveal(), start()).is_ok());

    let end = timeout(Duration::from_secs(2), caller.ended().wait()).await.unwrap();
    assert_eq!((end, caller.ended().how()), (End::Expired, Some(End::Expired)));
    assert_eq!(sessions.live(), 0);
    let refused = sessions.identify(opened.token.reveal(), start()).unwrap_err();
    assert_eq!(refused.rejected(), Rejected::Unknown);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_ends_what_is_over_within_a_second() {
    let data = TempDir::new().unwrap();
    let clock = Arc::<TestClock>::default();
    let Loaded { sessions, mut expirations, .. } =
        try_load(&data, agents(&["claude"]), Arc::clone(&clock)).await.unwrap();
    let opened = sessions.open(opening()).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    tokio::time::pause();
    clock.forward(Duration::from_secs(3600));
    let end = timeout(Duration::from_secs(1), caller.ended().wait()).await.unwrap();
    assert_eq!(end, End::Expired);
    assert_eq!(expirations.next().await, Some(id(&opened)));
    tokio::time::resume();
    assert!(matches!(revoke(&sessions, &id(&opened)).await, Revocation::AlreadyEnded(_)));
    assert!(sessions.list(Which::Active, 9).await.unwrap().is_empty());
    drop(sessions);
    assert_eq!(expirations.next().await, None, "each is told once");
}

#[tokio::test]
async fn an_end_is_told_at_every_start_until_it_is_recorded() {
    let data = TempDir::new().unwrap();
    let before = sessions(&data).await;
    let (expired, revoked) = (before.open(opening()).await.unwrap(), before.open(opening()).await.unwrap());
    revoke(&before, &id(&revoked)).await;
    before.close().await;

    let clock = Arc::<TestClock>::default();
    clock.forward(Duration::from_secs(3600));
    for _killed_before_it_was_recorded in 0..2 {
        let loaded = try_load(&data, agents(&["claude"]), Arc::clone(&clock)).await.unwrap();
        let unrecorded: Vec<_> = loaded.unrecorded.iter().map(|ended| &*ended.id).collect();
        assert_eq!(unrecorded, [&*revoked.session.id, &*expired.session.id]);
        loaded.sessions.close().await;
    }
    let loaded = try_load(&data, agents(&["claude"]), Arc::clone(&clock)).await.unwrap();
    for ended in [&expired, &revoked, &expired] {
        loaded.sessions.end_recorded(&ended.session.id).await.unwrap();
    }
    loaded.sessions.close().await;
    let Loaded { sessions, unrecorded, .. } = try_load(&data, agents(&["claude"]), clock).await.unwrap();
    assert_eq!((unrecorded, sessions.live()), (vec![], 0));
    sessions.close().await;

    // The wall clock was set back: what was said to have expired does not come back.
    let back = try_load(&data, agents(&["claude"]), Arc::default()).await.unwrap();
    assert_eq!((back.unrecorded, back.sessions.live()), (vec![], 0));
}

#[tokio::test]
async fn a_session_that_is_revoked_once_its_time_is_over_has_expired() {
    let data = TempDir::new().unwrap();
    let clock = Arc::<TestClock>::default();
    let Loaded { sessions, mut expirations, .. } =
        try_load(&data, agents(&["claude"]), Arc::clone(&clock)).await.unwrap();
    let opened = sessions.open(opening()).await.unwrap();
    clock.forward(Duration::from_secs(3600));
    for _again in 0..2 {
        assert!(matches!(revoke(&sessions, &id(&opened)).await, Revocation::AlreadyEnded(_)));
    }
    assert_eq!(expirations.next().await, Some(id(&opened)));
    drop(sessions);
    assert_eq!(expirations.next().await, None);
}

#[tokio::test]
async fn a_loaded_session_expires_too() {
    let data = TempDir::new().unwrap();
    let before = sessions(&data).await;
    let opened = before.open(opening()).await.unwrap();
    drop(before);
    let clock = Arc::<TestClock>::default();
    clock.forward(Duration::from_secs(3590));
    let Loaded { sessions, mut expirations, .. } = try_load(&data, agents(&["claude"]), clock).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    tokio::time::pause();
    assert!(timeout(Duration::from_secs(9), caller.ended().wait()).await.is_err());
    assert_eq!(timeout(Duration::from_secs(2), caller.ended().wait()).await, Ok(End::Expired));
    assert_eq!(expirations.next().await, Some(id(&opened)));
}

#[tokio::test]
async fn the_last_microsecond_counts_whether_or_not_the_watch_has_come_by() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let end = opened.session.expires_at;
    let before = end - SignedDuration::from_micros(1);
    assert!(sessions.identify(opened.token.reveal(), before).is_ok());
    let refused = sessions.identify(opened.token.reveal(), end).unwrap_err();
    assert_eq!(refused.rejected(), Rejected::Expired);
}
