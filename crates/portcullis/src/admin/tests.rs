use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, sync::Arc};

use control::Control;
use identity::{Agent, Agents, Loaded, Sessions, SystemClock, SystemEntropy};
use inbox::Inbox;
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, testing};
use recording::Recorder;
use store::Store;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Admin, Because, Client, OpenSession, bind, serve};
use crate::{config::DataFolder, erasing::Eraser};

struct Gate {
    folder: tempfile::TempDir,
    client: Client,
    sessions: Arc<Sessions>,
    ledger: Ledger,
    recorder: Recorder,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

async fn gate() -> Gate {
    let folder = tempfile::tempdir().unwrap();
    let data = DataFolder::new(folder.path().join("data"));
    let store = Arc::new(Store::open(data.path()).await.unwrap());
    let agent =
        Agent { groups: vec!["developers".parse().unwrap()], clusters: ["prod".parse().unwrap()].into() };
    let agents = Agents::new(
        ["prod".parse().unwrap()],
        [("claude".parse().unwrap(), agent)],
        SignedDuration::from_hours(8),
    );
    let Loaded { sessions, .. } =
        Sessions::load(Arc::clone(&store), agents.unwrap(), Arc::new(SystemClock), Arc::new(SystemEntropy))
            .await
            .unwrap();
    let sessions = Arc::new(sessions);
    let ledger = testing::open(data.path());
    let recordings = recording::Config {
        folder: data.recordings(),
        reserve: 0,
        quota: u64::MAX,
        queue: 0,
        at_rest: Arc::new(recording::at_rest::Plain),
    };
    let (recorder, sealed) = Recorder::open(recordings, Timestamp::now).unwrap();
    tokio::spawn(gateway::segments::tell(sealed, ledger.clone()));
    let listener = bind(&data).unwrap();
    let inbox = Arc::new(Inbox::new(
        store,
        ledger.clone(),
        Arc::new(SystemClock),
        inbox::Limits { pending: 10, ever: 10 },
    ));
    let groups = BTreeMap::from([("claude".to_owned(), vec!["developers".to_owned()])]);
    let admin = Admin {
        control: Control::new(Arc::clone(&sessions), Arc::clone(&inbox), ledger.clone(), groups),
        inbox,
        eraser: Eraser::new(recorder.clone(), ledger.clone()),
        approvers: Arc::new([]),
        console: None,
        stopping: tokio_util::sync::CancellationToken::new(),
        server: "https://localhost:8443".to_owned(),
        ca: None,
    };
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve(listener, admin, async {
        stopped.await.ok();
    }));
    Gate { client: Client::new(&data), folder, sessions, ledger, recorder, stop, served }
}

fn wanted() -> OpenSession {
    OpenSession {
        agent: "claude".parse().unwrap(),
        delegator: "ada@example.com".parse().unwrap(),
        cluster: "prod".parse().unwrap(),
        reason: "look around".parse().unwrap(),
        ttl_seconds: 3600,
    }
}

fn because(why: &str) -> Because {
    Because { why: why.parse().unwrap() }
}

#[tokio::test]
async fn a_session_is_opened_recorded_listed_and_revoked() {
    let gate = gate().await;
    let opened = gate.client.open(&wanted()).await.unwrap();
    assert_eq!(gate.ledger.stats().appended, 2, "start, opened");
    let caller = gate.sessions.identify(&opened.token, Timestamp::now()).unwrap();
    assert_eq!(caller.session().as_str(), opened.session.id);
    assert_eq!(gate.client.list(false).await.unwrap(), std::slice::from_ref(&opened.session));

    let revoked = gate.client.revoke(caller.session(), &because("done")).await.unwrap();
    assert!(revoked.changed_now && revoked.unrecorded.is_none());
    assert_eq!(revoked.session.state, "revoked");
    assert!(revoked.session.revoked_by.unwrap().starts_with("local user "));
    assert_eq!(gate.ledger.stats().appended, 3, "start, opened, revoked");
    assert!(gate.sessions.identify(&opened.token, Timestamp::now()).is_err());
    assert!(gate.client.list(false).await.unwrap().is_empty());
    assert_eq!(gate.client.list(true).await.unwrap().len(), 1);

    let again = gate.client.revoke(caller.session(), &because("again")).await.unwrap();
    assert!(!again.changed_now);
    assert_eq!(gate.ledger.stats().appended, 3, "nothing happened, nothing is recorded");
}

#[tokio::test]
async fn a_session_is_frozen_recorded_and_thawed() {
    let gate = gate().await;
    let opened = gate.client.open(&wanted()).await.unwrap();
    let id = opened.session.id.as_str().parse_id();
    let ended = || gate.sessions.identify(&opened.token, Timestamp::now()).unwrap().ended().how();

    let frozen = gate.client.freeze(&id, &because("what is it doing?")).await.unwrap();
    assert!(frozen.changed_now && frozen.unrecorded.is_none());
    let view = &frozen.session;
    assert_eq!((&*view.state, view.frozen_why.as_deref()), ("frozen", Some("what is it doing?")));
    assert!(view.frozen_by.as_ref().unwrap().starts_with("local user "));
    assert!(matches!(ended(), Some(identity::End::Frozen(_))));
    assert_eq!(gate.client.list(false).await.unwrap(), std::slice::from_ref(view));
    assert!(!gate.client.freeze(&id, &because("again")).await.unwrap().changed_now);

    let thawed = gate.client.thaw(&id).await.unwrap();
    assert!(thawed.changed_now && thawed.session.frozen_at.is_none());
    assert_eq!((&*thawed.session.state, ended()), ("active", None));
    assert!(!gate.client.thaw(&id).await.unwrap().changed_now);

    gate.client.freeze(&id, &because("again")).await.unwrap();
    let revoked = gate.client.revoke(&id, &because("enough")).await.unwrap();
    assert_eq!((&*revoked.session.state, revoked.session.frozen_why.as_deref()), ("revoked", Some("again")));
    assert!(!gate.client.thaw(&id).await.unwrap().changed_now);
    gate.ledger.close(true).await.unwrap();
    let told = testing::events(&gate.folder.path().join("data"));
    let told: Vec<_> = told.iter().map(|event| event.kind().to_string()).collect();
    assert_snapshot!(told.join(" "), @"start session_opened session_frozen session_thawed session_frozen session_revoked stop");
}

#[tokio::test]
async fn a_recording_is_erased_and_the_ledger_told_by_whom_and_why() {
    let gate = gate().await;
    let id = "s-aaaaaaaaaaaaaaaa".parse_id();
    let tap = gate.recorder.session(&id.as_str().parse().unwrap()).await.unwrap();
    tap.flush().await.unwrap();
    let erased = gate.client.erase(&id, &because("the customer asked")).await.unwrap();
    assert_eq!(erased.unrecorded, None);
    assert!(erased.erased.why.as_str().ends_with(": the customer asked"), "{}", erased.erased.why.as_str());
    assert_eq!(tap.until_stopped().await, recording::Stopped::Erased);
    let none = gate.client.erase(&"s-bbbbbbbbbbbbbbbb".parse_id(), &because("x")).await.unwrap_err();
    assert_snapshot!(none, @"there is no recording of `s-bbbbbbbbbbbbbbbb`");
    gate.ledger.close(true).await.unwrap();
    let told = testing::events(&gate.folder.path().join("data"));
    let told: Vec<_> = told.iter().map(|event| event.kind().to_string()).collect();
    assert_snapshot!(told.join(" "), @"start recorded recording_erased stop");
}

#[tokio::test]
async fn what_the_ledger_does_not_take_is_frozen_all_the_same_and_not_thawed() {
    let gate = gate().await;
    let opened = gate.client.open(&wanted()).await.unwrap();
    let id = opened.session.id.as_str().parse_id();
    gate.ledger.close(true).await.unwrap();
    let frozen = gate.client.freeze(&id, &because("stop")).await.unwrap();
    assert_eq!(frozen.unrecorded.as_deref(), Some("the ledger is closed"));
    let refused = gate.client.thaw(&id).await.unwrap_err();
    assert_snapshot!(refused, @"the session is still frozen: the ledger is closed");
    assert!(gate.sessions.identify(&opened.token, Timestamp::now()).unwrap().ended().how().is_some());
}

#[tokio::test]
async fn refusals_say_what_would_be_right() {
    let gate = gate().await;
    let unknown = OpenSession { agent: "codex".parse().unwrap(), ..wanted() };
    assert_snapshot!(gate.client.open(&unknown).await.unwrap_err(), @"unknown agent `codex`: configured are `claude`");
    let long = OpenSession { ttl_seconds: 9 * 3600, ..wanted() };
    assert_snapshot!(gate.client.open(&long).await.unwrap_err(), @"ttl `9h` is too long: at most 8h are allowed");
    let nobody = "s-aaaaaaaaaaaaaaaa".parse_id();
    let refused = gate.client.revoke(&nobody, &because("gone")).await.unwrap_err();
    assert_snapshot!(refused, @"there is no session `s-aaaaaaaaaaaaaaaa`");
    let told = refused.to_string();
    assert_eq!(gate.client.freeze(&nobody, &because("gone")).await.unwrap_err().to_string(), told);
    assert_eq!(gate.client.thaw(&nobody).await.unwrap_err().to_string(), told);
    assert_eq!(gate.ledger.stats().appended, 1, "only the start");
}

#[tokio::test]
async fn a_session_that_cannot_be_recorded_is_not_opened_but_one_can_always_be_ended() {
    let gate = gate().await;
    let open = gate.client.open(&wanted()).await.unwrap();
    gate.ledger.close(true).await.unwrap();

    let refused = gate.client.open(&wanted()).await.unwrap_err();
    assert_snapshot!(refused, @"no session was opened: the ledger is closed");
    assert_eq!(gate.client.list(false).await.unwrap().len(), 1, "only the first");

    let revoked = gate.client.revoke(&open.session.id.as_str().parse_id(), &because("stop")).await.unwrap();
    assert_eq!(revoked.unrecorded.as_deref(), Some("the ledger is closed"));
    assert!(gate.sessions.identify(&open.token, Timestamp::now()).is_err());
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_goes_away_with_the_gate() {
    let gate = gate().await;
    let data = DataFolder::new(gate.folder.path().join("data"));
    let mode = fs::metadata(data.admin_socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let shown = |error: &dyn std::fmt::Display| {
        error.to_string().replace(&gate.folder.path().display().to_string(), "DIR")
    };
    assert_snapshot!(shown(&bind(&data).unwrap_err()), @"another gate is serving `DIR/data/admin.sock`; stop that one first");

    gate.stop.send(()).unwrap();
    gate.served.await.unwrap().unwrap();
    let refused = gate.client.list(false).await.unwrap_err();
    assert_snapshot!(shown(&refused), @"no gate answers at `DIR/data/admin.sock`: Connection refused (os error 111); is `portcullis serve` running, and are you its user?");
    // What a killed gate leaves behind is in nobody's way.
    assert!(bind(&data).is_ok());
}

#[tokio::test]
async fn a_place_that_is_not_safe_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |data: &DataFolder| {
        bind(data).unwrap_err().to_string().replace(&folder.path().display().to_string(), "DIR")
    };
    let open = DataFolder::new(folder.path().join("open"));
    fs::create_dir(open.path()).unwrap();
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_snapshot!(shown(&open), @"`DIR/open` is open to others (mode 755); run `chmod 700 DIR/open`");
    fs::set_permissions(open.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(open.admin_socket(), "").unwrap();
    assert_snapshot!(shown(&open), @"`DIR/open/admin.sock` exists and is not a socket; move it away");
    let long = DataFolder::new(folder.path().join("x".repeat(120)));
    assert!(shown(&long).contains("too long for a socket"));
}

/// Tests hold ids that are right.
trait ParseId {
    fn parse_id(&self) -> identity::SessionId;
}

impl ParseId for str {
    fn parse_id(&self) -> identity::SessionId {
        identity::SessionId::parse(self).unwrap()
    }
}
