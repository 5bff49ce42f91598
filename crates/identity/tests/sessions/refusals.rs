//! What is not opened or loaded, and why.

use std::sync::Arc;

use identity::{
    Agent, AgentName, Agents, ClusterName, Delegator, End, LoadError, Loaded, OpenError, Opening, Operator,
    Reason, Refusal, Revocation, Which,
};
use insta::assert_snapshot;
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::support::{
    NoEntropy, agents, id, load, load_with, opening, revoke, sessions, sql, start, try_load,
};

#[tokio::test]
async fn each_refusal_names_the_part_and_the_remedy() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let refused = async |opening| {
        let Err(OpenError::Refused(refusal)) = sessions.open(opening).await else { panic!("not refused") };
        refusal.to_string()
    };
    let agent = |name| AgentName::parse(name).unwrap();
    let cluster = |name| ClusterName::parse(name).unwrap();
    let delegator = |name| Delegator::parse(name).unwrap();
    let hours = SignedDuration::from_hours;
    let refusals = [
        refused(Opening { agent: agent("nobody"), ..opening() }).await,
        refused(Opening { cluster: cluster("moon"), ..opening() }).await,
        refused(Opening { cluster: cluster("lab"), ..opening() }).await,
        refused(Opening { delegator: delegator("ci"), ..opening() }).await,
        refused(Opening { delegator: delegator("Claude"), ..opening() }).await,
        refused(Opening { delegator: delegator("portcullis:agent:ci"), ..opening() }).await,
        refused(Opening { ttl: SignedDuration::ZERO, ..opening() }).await,
        refused(Opening { ttl: hours(-1), ..opening() }).await,
        refused(Opening { ttl: SignedDuration::from_millis(999), ..opening() }).await,
        refused(Opening { ttl: hours(9), ..opening() }).await,
        refused(Opening { ttl: SignedDuration::MAX, ..opening() }).await,
    ];
    assert_snapshot!(refusals.join("\n"), @r"
    unknown agent `nobody`: configured are `ci`, `claude`
    unknown cluster `moon`: configured are `lab`, `prod`
    agent `claude` may not use cluster `lab`: it may use `prod`
    delegator `ci` is an agent: name the human on whose behalf the agent runs
    delegator `Claude` is an agent: name the human on whose behalf the agent runs
    delegator `portcullis:agent:ci` is an agent: name the human on whose behalf the agent runs
    ttl `0s` is too short: give at least 1s
    ttl `1h ago` is too short: give at least 1s
    ttl `999ms` is too short: give at least 1s
    ttl `9h` is too long: at most 8h are allowed
    ttl `2562047788015215h 30m 7s 999ms 999µs 999ns` is too long: at most 8h are allowed
    ");
    assert_snapshot!(
        Refusal::TooMany { most: 10_000 },
        @"10000 sessions are open: revoke some, or wait until they expire"
    );
    assert_eq!((sessions.live(), sessions.list(Which::All, 9).await.unwrap().len()), (0, 0));
}

#[tokio::test]
async fn without_randomness_no_session() {
    let data = TempDir::new().unwrap();
    let Loaded { sessions, .. } =
        load_with(&data, agents(&["claude"]), &Arc::default(), NoEntropy).await.unwrap();
    let error = sessions.open(opening()).await.unwrap_err();
    assert_snapshot!(error, @"the system gave no random bytes: check its random device");
    assert!(sessions.list(Which::All, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_store_that_fails_opens_nothing_and_still_lets_the_kill_switch_work() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    sql(
        &data,
        "CREATE TRIGGER i BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END;
         CREATE TRIGGER u BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'disk full'); END;",
    )
    .await;

    assert!(matches!(sessions.open(opening()).await, Err(OpenError::Store(_))));
    assert_eq!(sessions.live(), 1);
    let (by, why) = (Operator::parse("ada").unwrap(), Reason::parse("gone wild").unwrap());
    let error = sessions.revoke(&id(&opened), &by, &why).await.unwrap_err();
    assert!(error.to_string().starts_with("the state cannot be read or written: "), "{error}");
    assert_eq!(caller.ended().how(), Some(End::Revoked));
    assert!(sessions.identify(opened.token.reveal(), start()).is_err());

    sql(&data, "DROP TRIGGER u").await;
    assert!(matches!(revoke(&sessions, &id(&opened)).await, Revocation::Ended(_)));
}

#[tokio::test]
async fn what_configuration_withdraws_is_ended_for_good() {
    let data = TempDir::new().unwrap();
    let before = sessions(&data).await;
    let opened = before.open(opening()).await.unwrap();
    drop(before);

    let (between, withdrawn) = load(&data, agents(&["ci"])).await;
    let [one] = &withdrawn[..] else { panic!("{withdrawn:?}") };
    assert_eq!(one.session, opened.session);
    assert_snapshot!(one.refusal, @"unknown agent `claude`: configured are `ci`");
    drop(between);

    let (after, withdrawn) = load(&data, agents(&["claude", "ci"])).await;
    assert!(withdrawn.is_empty());
    assert!(after.identify(opened.token.reveal(), start()).is_err());
    let listed = after.list(Which::All, 9).await.unwrap();
    let revoked = listed[0].revoked.as_ref().unwrap();
    assert_eq!((&*revoked.by, &*revoked.why), ("portcullis", &*one.refusal.to_string()));
}

#[tokio::test]
async fn a_row_that_was_never_stored_stops_the_start() {
    let data = TempDir::new().unwrap();
    sessions(&data).await.close().await;
    let forged = "INSERT INTO sessions VALUES ('s-aaaaaaaaaaaaaaaa', randomblob(32), 'system:admin', 'ada', \
                  'prod', 'x', 1, 9000000000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0)";
    sql(&data, forged).await;
    let loaded = try_load(&data, agents(&["claude"]), Arc::default()).await;
    let Err(error @ LoadError::Tampered { .. }) = loaded else { panic!("{loaded:?}") };
    assert_snapshot!(
        error,
        @"stored session `s-aaaaaaaaaaaaaaaa` was tampered with: agent name `system:admin` is reserved: choose one that does not begin with `system:`; restore the state from a copy"
    );
}

#[test]
fn a_wrong_configuration_is_told_whole() {
    let agent = |clusters: &[&str]| Agent {
        groups: vec![],
        clusters: clusters.iter().map(|name| ClusterName::parse(name).unwrap()).collect(),
    };
    let name = |name| AgentName::parse(name).unwrap();
    let problems = Agents::new(
        [ClusterName::parse("prod").unwrap()],
        [(name("a"), agent(&["prod", "moon"])), (name("b"), agent(&[])), (name("a"), agent(&["mars"]))],
        SignedDuration::from_hours(24 * 365),
    )
    .unwrap_err();
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_snapshot!(told.join("\n"), @r"
    agent `a` may use cluster `moon`, which is not configured: configure it, or take it out
    agent `a` may use cluster `mars`, which is not configured: configure it, or take it out
    agent `a` is configured twice: keep one
    the longest session `8760h` is out of range: give 1s to 168h
    ");
}
