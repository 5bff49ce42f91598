//! Sessions that ended other than by a command, and freezes that were not recorded: a leaf for each.

use std::sync::Arc;

use control::freeze;
use identity::{Expirations, Revoked, Session, SessionId, Sessions};
use ledger::{
    Ledger,
    leaf::{Event, Id, SessionExpired, SessionRevoked},
};
use tokio_util::sync::CancellationToken;

/// Records the freezes of sessions whose gate was killed, or whose ledger did not take it, before they were told. Comes
/// before their ends.
pub(super) async fn missed_freezes(
    ledger: &Ledger,
    sessions: &Sessions,
    missed: &[Session],
) -> anyhow::Result<()> {
    for session in missed {
        tracing::info!(session = session.id, "the freeze of a session was not recorded yet");
        freeze::record(sessions, ledger, session).await.map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

/// Records the ends that are not in the ledger: of sessions that expired while no gate watched, that the configuration
/// no longer allows, or whose gate was killed between their end and its leaf. Killed on the way, it does so again at
/// the next start: a second leaf for the same session is possible, none is not.
pub(super) async fn missed(ledger: &Ledger, sessions: &Sessions, missed: &[Session]) -> anyhow::Result<()> {
    for Session { id, revoked, .. } in missed {
        tracing::info!(session = id, "the end of a session was not recorded yet");
        let session = Id::new(id)?;
        let event = match revoked {
            Some(Revoked { by, why, .. }) => {
                Event::SessionRevoked(SessionRevoked { session, by: by.into(), reason: Some(why.into()) })
            }
            None => Event::SessionExpired(SessionExpired { session }),
        };
        record_one(ledger, sessions, id, event).await?;
    }
    Ok(())
}

/// Records sessions as they expire, until `stop` fires and none is left.
pub(super) async fn record(
    ledger: Ledger,
    sessions: Arc<Sessions>,
    mut expirations: Expirations,
    stop: CancellationToken,
) {
    loop {
        let session = tokio::select! {
            biased;
            session = expirations.next() => session,
            () = stop.cancelled() => return,
        };
        let Some(session) = session else { return };
        match expired(&ledger, &sessions, &session).await {
            Ok(()) => tracing::info!(%session, "a session has expired"),
            Err(error) => {
                tracing::error!(%session, %error, "an expiry could not be recorded; the next start tries again");
            }
        }
    }
}

async fn expired(ledger: &Ledger, sessions: &Sessions, session: &SessionId) -> anyhow::Result<()> {
    let event = Event::SessionExpired(SessionExpired { session: Id::new(session.as_str())? });
    record_one(ledger, sessions, session.as_str(), event).await
}

async fn record_one(ledger: &Ledger, sessions: &Sessions, id: &str, event: Event) -> anyhow::Result<()> {
    let _recorded = ledger.append(event).await?;
    Ok(sessions.end_recorded(id).await?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use identity::{Agent, Agents, Loaded, Opening, SystemClock, SystemEntropy};
    use jiff::{SignedDuration, Timestamp};
    use ledger::testing;
    use store::{Store, TokenHash};

    use super::*;

    fn agents() -> Agents {
        let cluster: identity::ClusterName = "prod".parse().unwrap();
        let agent = Agent { groups: vec![], clusters: [cluster.clone()].into() };
        Agents::new([cluster], [("claude".parse().unwrap(), agent)], SignedDuration::from_hours(8)).unwrap()
    }

    async fn load(data: &Path) -> Loaded {
        let store = Store::open(data).await.unwrap();
        Sessions::load(store, agents(), Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap()
    }

    fn ended(data: &Path) -> Vec<String> {
        testing::events(data)
            .into_iter()
            .filter_map(|event| match event {
                Event::SessionExpired(expired) => Some(expired.session.to_string()),
                Event::SessionRevoked(revoked) => Some(format!("{} by {}", revoked.session, revoked.by)),
                Event::SessionFrozen(frozen) => Some(format!("{} frozen by {}", frozen.session, frozen.by)),
                _ => None,
            })
            .collect()
    }

    #[tokio::test]
    async fn what_ended_without_a_leaf_is_recorded_once() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        let long_ago: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let session = Session {
            id: "s-aaaaaaaaaaaaaaaa".to_owned(),
            agent: "claude".to_owned(),
            delegator: "ada".to_owned(),
            cluster: "prod".to_owned(),
            reason: "look".to_owned(),
            created_at: long_ago,
            expires_at: long_ago + SignedDuration::from_hours(1),
            revoked: None,
            frozen: None,
        };
        store.open_session(&session, &TokenHash([1; 32])).await.unwrap();
        // Revoked, and the gate was killed before the ledger had it.
        let revoked = Session { id: "s-bbbbbbbbbbbbbbbb".to_owned(), ..session };
        store.open_session(&revoked, &TokenHash([2; 32])).await.unwrap();
        let frozen = store::Frozen { at: long_ago, by: "eve".to_owned(), why: "odd".to_owned() };
        store.freeze_session(&revoked.id, &frozen).await.unwrap();
        store.revoke_session(&revoked.id, "bob", "gone wild", long_ago).await.unwrap();
        store.close().await;

        let ledger = testing::open(data.path());
        for found in [vec!["s-bbbbbbbbbbbbbbbb", "s-aaaaaaaaaaaaaaaa"], vec![]] {
            let loaded = load(data.path()).await;
            assert_eq!(loaded.unrecorded.iter().map(|ended| &*ended.id).collect::<Vec<_>>(), found);
            assert_eq!(loaded.unrecorded_freezes.len(), found.len() / 2);
            missed_freezes(&ledger, &loaded.sessions, &loaded.unrecorded_freezes).await.unwrap();
            missed(&ledger, &loaded.sessions, &loaded.unrecorded).await.unwrap();
            loaded.sessions.close().await;
        }
        ledger.close(true).await.unwrap();
        let told = ["s-bbbbbbbbbbbbbbbb frozen by eve", "s-bbbbbbbbbbbbbbbb by bob", "s-aaaaaaaaaaaaaaaa"];
        assert_eq!(ended(data.path()), told);
    }

    #[tokio::test]
    async fn what_expires_is_recorded_and_what_is_left_at_the_stop_too() {
        let data = tempfile::tempdir().unwrap();
        let ledger = testing::open(data.path());
        let Loaded { sessions, expirations, .. } = load(data.path()).await;
        let opening = Opening {
            agent: "claude".parse().unwrap(),
            delegator: "ada".parse().unwrap(),
            cluster: "prod".parse().unwrap(),
            reason: "look".parse().unwrap(),
            ttl: SignedDuration::from_secs(1),
        };
        let opened = sessions.open(opening).await.unwrap();
        let caller = sessions.identify(opened.token.reveal(), Timestamp::now()).unwrap();
        caller.ended().wait().await;
        let stop = CancellationToken::new();
        stop.cancel();
        record(ledger.clone(), Arc::new(sessions), expirations, stop).await;
        ledger.close(true).await.unwrap();
        assert_eq!(ended(data.path()), [opened.session.id]);
    }
}
