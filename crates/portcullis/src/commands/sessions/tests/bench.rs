//! Recordings of every kind with given times, and the ledger of a gate that runs.

use std::{fs, path::Path};

use jiff::Timestamp;
use ledger::{
    Ledger,
    leaf::{
        Asserted, Cause, Digest, Event, Id, Intent, Recorded, RecordingErased, Refusal, SessionOpened,
        Verdict,
    },
    testing,
};
use recording::{
    Segment, Session,
    record::{Answered, Called, Channel, Kind, Opened, Payload, What},
    testing::Script,
};
use tempfile::TempDir;

use super::super::place::{Place, Shelf};

/// The data folder of a gate.
pub(super) struct Bench {
    folder: TempDir,
    /// The gate is not stopped: its last leaves may be in the journal alone.
    running: Ledger,
}

pub(super) fn session(id: &str) -> Session {
    id.parse().unwrap()
}

fn began() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

// === impl Bench ===

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = opened(folder.path());
        let (recordings, first) = (folder.path().join("recordings"), &ledger);
        for (id, agent) in [("s-whole", "claude"), ("s-interrupted", "codex"), ("s-damaged", "claude")] {
            append(first, Event::SessionOpened(Box::new(session_opened(id, agent)))).await;
        }
        append(first, Event::Intent(Box::new(intent("s-whole", None)))).await;
        append(first, Event::Intent(Box::new(intent("s-whole", Some("c-1"))))).await;
        append(first, Event::Refusal(Box::new(refusal("s-whole")))).await;
        record(first, &whole(&recordings)).await;
        record(first, &exec(script(&recordings, "s-interrupted")).killed()).await;
        record(first, &exec(script(&recordings, "s-crashed")).killed()).await;
        for id in ["s-gap", "s-damaged"] {
            record(first, &damaged(script(&recordings, id))).await;
        }
        record(first, &stopped(script(&recordings, "s-gone"))).await;
        for id in ["s-erased", "s-wiped", "s-returned"] {
            record(first, &stopped(script(&recordings, id))).await;
            append(first, erased(id)).await;
        }
        record(first, &stopped(script(&recordings, "s-bad-stone"))).await;
        // A gate that was killed over the leaf of its last segment.
        let untold = exec(script(&recordings, "s-untold")).killed();
        record(first, untold.split_last().unwrap().1).await;
        ledger.close(false).await.unwrap();

        let ledger = opened(folder.path());
        let open = script(&recordings, "s-open").sealed().at(500, What::Began {}).sealed();
        let open = open.at(1_000, call("c-8", "watch pods -n shop")).sealed();
        record(&ledger, &open.killed()).await;
        let again =
            Script::new(&recordings, "s-interrupted", began()).at(60_000, What::Interrupted { torn: true });
        record(&ledger, &again.at(61_000, call("c-9", "get pods -n shop")).stopped()).await;
        let bench = Self { folder, running: ledger };
        bench.change(&recordings);
        bench
    }

    /// What nobody should do.
    fn change(&self, recordings: &Path) {
        let file = |path: &str| recordings.join(path);
        fs::remove_file(file("s-gap/00000002.seg")).unwrap();
        let mut bytes = fs::read(file("s-damaged/00000003.seg")).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file("s-damaged/00000003.seg"), bytes).unwrap();
        fs::write(file("s-damaged/notes.txt"), "").unwrap();
        fs::write(file("s-damaged/00000009.seg.tmp"), "").unwrap();
        let _nobody_told_the_ledger = stopped(script(recordings, "s-foreign").sealed());
        for id in ["s-gone", "s-wiped"] {
            fs::remove_dir_all(file(id)).unwrap();
        }
        fs::remove_file(file("s-erased/00000001.seg")).unwrap();
        let tombstone = r#"{"session":"s-erased","at":"2026-09-01T00:00:00Z","why":"recordings.keep: 90d","segments":1,"bytes":400,"last":1,"sha256":null}"#;
        fs::write(file("s-erased/erased.json"), tombstone).unwrap();
        fs::write(file("s-bad-stone/erased.json"), "{}").unwrap();
        fs::create_dir(file("s-torn")).unwrap();
        fs::write(file("s-torn/00000001.seg"), "").unwrap();
    }

    pub(super) async fn stop(&self) {
        self.running.close(true).await.unwrap();
    }

    pub(super) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn place(&self) -> Place {
        Place::of(self.folder.path().to_owned())
    }

    pub(super) fn shelf(&self) -> Shelf {
        self.place().shelf().unwrap()
    }

    pub(super) fn recording(&self, id: &str) -> anyhow::Result<recording::reader::Recording> {
        self.shelf().recording(&session(id))
    }
}

fn opened(folder: &Path) -> Ledger {
    Ledger::open(testing::config(folder), testing::start(), began).unwrap().0
}

async fn append(ledger: &Ledger, event: Event) {
    let _receipt = ledger.append(event).await.unwrap();
}

async fn record(ledger: &Ledger, segments: &[Segment]) {
    for segment in segments {
        let Segment { session, number, sha256, previous, bytes, records, .. } = segment;
        let leaf = Recorded {
            session: Id::new(session.as_str()).unwrap(),
            segment: *number,
            sha256: Digest(sha256.0),
            previous: previous.map(|digest| Digest(digest.0)),
            bytes: *bytes,
            records: *records,
        };
        append(ledger, Event::Recorded(leaf)).await;
    }
}

fn session_opened(id: &str, agent: &str) -> SessionOpened {
    SessionOpened {
        session: Id::new(id).unwrap(),
        agent: agent.into(),
        groups: std::iter::empty::<&str>().map(Into::into).collect(),
        delegator: "ada@example.com".into(),
        cluster: "prod".into(),
        reason: Asserted { self_asserted: "find out why checkout\u{202e} is slow".into() },
        by: "local user 1000".into(),
        expires: "2026-06-01T13:00:00Z".into(),
    }
}

fn intent(id: &str, looks_for: Option<&str>) -> Intent {
    Intent {
        call: Id::new("c-1").unwrap(),
        actor: ledger::leaf::Actor { session: Id::new(id).unwrap(), ..testing::actor() },
        request: testing::request("list", "/api/v1/namespaces/shop/pods"),
        decision: testing::decision(Verdict::Allow),
        impersonated: ledger::leaf::Impersonated {
            user: "portcullis:agent:claude".into(),
            groups: std::iter::empty::<&str>().map(Into::into).collect(),
        },
        audit_id: Id::new("c-1").unwrap(),
        looks_for: looks_for.map(|call| Id::new(call).unwrap()),
        through: None,
        approval: None,
        demands: vec![],
        part: None,
    }
}

fn refusal(id: &str) -> Refusal {
    Refusal {
        call: Id::new("c-3").unwrap(),
        cause: Cause::Policy,
        status: 403,
        src: "127.0.0.1:4000".into(),
        actor: Some(ledger::leaf::Actor { session: Id::new(id).unwrap(), ..testing::actor() }),
        request: Some(testing::request("delete", "/api/v1/namespaces/shop")),
        raw: None,
        decision: Some(testing::decision(Verdict::Deny)),
        message: "no rule allows that".into(),
    }
}

fn erased(id: &str) -> Event {
    let (session, why) = (Id::new(id).unwrap(), "recordings.keep: 90d".into());
    Event::RecordingErased(RecordingErased { session, why, segments: 1, last: Some(1), sha256: None })
}

fn script(recordings: &Path, id: &str) -> Script {
    // The recorder has made the recording a moment before its first record.
    Script::new(recordings, id, began()).at(7, What::Began {})
}

fn call(call: &str, act: &str) -> What {
    What::Called(Called { call: call.into(), act: act.into(), body: None })
}

fn answer(call: &str, status: u16) -> What {
    What::Answered(Answered { call: call.into(), status, media: Some("application/json".into()), body: None })
}

fn open(stream: u32, kind: Kind, argv: &[&str], tty: bool) -> What {
    What::Opened(Opened {
        stream,
        call: format!("c-{}", stream + 3).as_str().into(),
        kind,
        namespace: "shop".into(),
        pod: "web-1".into(),
        container: Some("app".into()),
        argv: argv.iter().collect(),
        tty,
    })
}

fn shows(stream: u32, channel: Channel, text: &'static str) -> What {
    What::Bytes { stream, channel, bytes: Payload(text.as_bytes().into()) }
}

fn closed(stream: u32, how: &str) -> What {
    What::Closed { stream, how: how.into() }
}

/// Calls, a shell that shows hostile things, a log.
fn whole(recordings: &Path) -> Vec<Segment> {
    let body = "x".repeat(1300);
    script(recordings, "s-whole")
        .at(1_250, call("c-1", "list pods -n shop"))
        .with_body(1_300, answer("c-1", 200), body.as_bytes())
        .with_body(1_500, call("c-2", "create configmaps a\u{202e}b -n shop"), b"{}")
        .sealed()
        .at(1_800, answer("c-2", 201))
        .at(2_000, open(1, Kind::Exec, &["sh", "-c", "ls -l"], true))
        .at(2_000, What::Resized { stream: 1, width: 120, height: 40 })
        .at(3_000, shows(1, Channel::Stdin, "ls\r"))
        .at(3_000, shows(1, Channel::Stdout, "\u{1b}[31mpermission den"))
        .at(8_000, shows(1, Channel::Stdout, "ied\u{1b}[0m\r\n\u{1b}]52;c;AAAA\u{7}\u{1b}[6n"))
        .sealed()
        .at(8_250, shows(1, Channel::Stderr, "a\u{202e}b\n"))
        .at(9_000, open(2, Kind::Log, &[], false))
        .at(9_100, shows(2, Channel::Data, "access denied to \u{1b}[1mx\u{1b}[0m\nfine\nden"))
        .at(9_200, shows(2, Channel::Data, "ied again"))
        .at(9_900, closed(1, "exit status 0"))
        .at(9_950, closed(2, "the session ended"))
        .stopped()
}

/// A stream that is open, and shows something before and after a segment ends.
fn exec(script: Script) -> Script {
    script
        .sealed()
        .at(1_000, open(1, Kind::Exec, &["sh"], true))
        .at(1_500, shows(1, Channel::Stdout, "one\r\n"))
        .at(1_600, call("c-7", "get secrets -n shop"))
        .sealed()
        .at(2_500, shows(1, Channel::Stdout, "two: denied\r\n"))
        .sealed()
        .at(3_000, shows(1, Channel::Stdout, "lost"))
}

fn damaged(script: Script) -> Vec<Segment> {
    exec(script)
        .at(3_100, What::Answered(Answered { call: "c-7".into(), status: 200, media: None, body: None }))
        .at(3_200, closed(1, "exit status 1"))
        .stopped()
}

fn stopped(script: Script) -> Vec<Segment> {
    script.at(1_000, call("c-1", "list pods -n shop")).stopped()
}
