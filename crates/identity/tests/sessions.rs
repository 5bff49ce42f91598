//! Sessions over a real store: opened, proven, ended, loaded again.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use identity::{
    Agent, AgentName, Agents, Clock, ClusterName, Delegator, End, Entropy, EntropyError, GroupName,
    LoadError, Loaded, OpenError, Opened, Opening, Operator, Reason, Refusal, Rejected, Revocation,
    SessionId, Sessions, Which, Withdrawn,
};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, SqliteConnection};
use store::Store;
use tempfile::TempDir;
use tokio::time::timeout;

/// Stands still until it is set forward, whatever tokio's clock does.
#[derive(Debug, Default)]
struct TestClock(AtomicI64);

impl TestClock {
    fn forward(&self, time: Duration) {
        self.0.fetch_add(time.as_micros().try_into().unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// Counts: 1, 2, 3… in eight bytes, over and over.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let next = (self.0.fetch_add(1, Ordering::Relaxed) + 1).to_be_bytes();
        bytes.iter_mut().zip(next.iter().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

#[derive(Debug)]
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

fn start() -> Timestamp {
    "2030-01-01T00:00:00.123456789Z".parse().unwrap()
}

fn agents(names: &[&str]) -> Agents {
    let cluster = |name| ClusterName::parse(name).unwrap();
    let agent = Agent {
        groups: vec![GroupName::parse("developers").unwrap(), GroupName::parse("bots").unwrap()],
        clusters: [cluster("prod")].into(),
    };
    let agents = names.iter().map(|name| (AgentName::parse(name).unwrap(), agent.clone()));
    Agents::new([cluster("prod"), cluster("lab")], agents, SignedDuration::from_hours(8)).unwrap()
}

async fn try_load(data: &TempDir, agents: Agents, clock: Arc<TestClock>) -> Result<Loaded, LoadError> {
    let store = Store::open(data.path()).await.unwrap();
    Sessions::load(store, agents, clock, Arc::new(Counter::default())).await
}

async fn load(data: &TempDir, agents: Agents) -> (Sessions, Vec<Withdrawn>) {
    let Loaded { sessions, withdrawn, .. } = try_load(data, agents, Arc::default()).await.unwrap();
    (sessions, withdrawn)
}

async fn sessions(data: &TempDir) -> Sessions {
    load(data, agents(&["claude", "ci"])).await.0
}

async fn sql(data: &TempDir, statement: &'static str) {
    let url = format!("sqlite://{}", data.path().join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut raw).await.unwrap();
    raw.close().await.unwrap();
}

fn opening() -> Opening {
    Opening {
        agent: AgentName::parse("claude").unwrap(),
        delegator: Delegator::parse("ada@example.com").unwrap(),
        cluster: ClusterName::parse("prod").unwrap(),
        reason: Reason::parse("roll out 1.4").unwrap(),
        ttl: SignedDuration::from_hours(1),
    }
}

fn id(opened: &Opened) -> SessionId {
    SessionId::parse(&opened.session.id).unwrap()
}

async fn revoke(sessions: &Sessions, id: &SessionId) -> Revocation {
    let (by, why) = (Operator::parse("ada").unwrap(), Reason::parse("gone wild").unwrap());
    sessions.revoke(id, &by, &why).await.unwrap()
}

#[tokio::test]
async fn a_token_tells_who_is_calling() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    assert_snapshot!(
        format!("{caller:?}"),
        @r#"Caller { agent: "claude", groups: ["developers", "bots"], delegator: "ada@example.com", session: "s-aaaaaaaaaaaacaaa", cluster: "prod", expires_at: 2030-01-01T01:00:00.123456Z, ended: None, .. }"#
    );
    assert_eq!(caller.reason().as_str(), "roll out 1.4");
    assert_eq!(sessions.live(), 1);
    let listed = sessions.list(Which::Active, 10).await.unwrap();
    assert_eq!(listed, [opened.session]);
}

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

#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let (one, other) = (sessions.open(opening()).await.unwrap(), sessions.open(opening()).await.unwrap());
    let good = one.token.reveal();
    let revoked = sessions.open(opening()).await.unwrap();
    revoke(&sessions, &id(&revoked)).await;

    let secret_of_other = format!("{}{}", &good[..23], &other.token.reveal()[23..]);
    // The last of 43 characters carries two bits that are always zero: another text for the same bytes.
    let alias = format!("{}{}", &good[..65], char::from(good.as_bytes()[65] + 1));
    let mut bad = vec![
        (secret_of_other, Rejected::WrongSecret),
        (good.replace("_s-a", "_s-b"), Rejected::Unknown),
        (revoked.token.reveal().to_owned(), Rejected::Unknown),
        (alias, Rejected::Malformed),
        (format!("{good}="), Rejected::Malformed),
        (format!(" {good}"), Rejected::Malformed),
        (format!("{good}\n"), Rejected::Malformed),
        (good.to_uppercase(), Rejected::Malformed),
        (good.replace("pct_", ""), Rejected::Malformed),
        (good.replacen('A', "é", 2), Rejected::Malformed),
        ("A".repeat(1 << 20), Rejected::Malformed),
    ];
    bad.extend((0..good.len()).map(|length| (good[..length].to_owned(), Rejected::Malformed)));

    for (token, why) in bad {
        let error = sessions.identify(&token, start()).unwrap_err();
        assert_eq!(error.rejected(), why, "{token}");
        assert_eq!(
            error.to_string(),
            "no valid session token: open a session with `portcullis session open`"
        );
        assert_eq!(format!("{error:?}"), "Unauthenticated");
    }
    assert!(sessions.identify(good, start()).is_ok());
}

#[tokio::test]
async fn a_token_is_never_shown_again_nor_stored() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let token = opened.token.reveal().to_owned();
    let secret = &token[23..];
    assert_snapshot!(token, @"pct_s-aaaaaaaaaaaacaaa_AAAAAAAAAAIAAAAAAAAAAgAAAAAAAAACAAAAAAAAAAI");

    let caller = sessions.identify(&token, start()).unwrap();
    let shown = format!("{opened:?} {sessions:?} {caller:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(shown.contains("Token(..)"));

    // What the counter gave for the secret, and what is kept of it.
    let raw: Vec<u8> = 2_u64.to_be_bytes().repeat(4);
    let kept = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &raw);
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    let mut hash_seen = false;
    let check = |file: &Path, hash_seen: &mut bool| {
        let bytes = fs::read(file).unwrap();
        assert!(!holds(&bytes, secret.as_bytes()), "{}", file.display());
        assert!(!holds(&bytes, &raw), "{}", file.display());
        *hash_seen |= holds(&bytes, kept.as_ref());
    };
    for file in fs::read_dir(data.path()).unwrap() {
        check(&file.unwrap().path(), &mut hash_seen);
    }
    assert!(hash_seen, "looked in the wrong place");
}

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
    let store = Store::open(data.path()).await.unwrap();
    let Loaded { sessions, .. } =
        Sessions::load(store, agents(&["claude"]), Arc::new(TestClock::default()), Arc::new(NoEntropy))
            .await
            .unwrap();
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
