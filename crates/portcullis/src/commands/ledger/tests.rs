use std::{fs, path::Path, time::Duration};

use insta::assert_snapshot;
use jiff::Timestamp;
use ledger::{
    Key, Ledger,
    leaf::{self, Event, Id},
    note::Verifier,
    reader::Reader,
    verify,
};

use super::{line, range, shown};

#[test]
fn ranges_are_read_as_rust_writes_them() {
    assert_eq!(range("17"), Ok(17..18));
    assert_eq!(range("17..42"), Ok(17..42));
    assert_eq!(range("17.."), Ok(17..u64::MAX));
    assert_eq!(range("..42"), Ok(0..42));
    assert_eq!(range(".."), Ok(0..u64::MAX));
    for text in ["", "a", "1...2", "-1", "1..b", "18446744073709551615", "1,2"] {
        assert!(range(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_ledger_reads_as_a_story_and_what_cannot_be_seen_is_written_out() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = write_ledger(folder.path()).await;
    let reader = Reader::new(folder.path(), verifier);
    let leaves = reader.leaves(0..u64::MAX).unwrap();
    let lines: Vec<String> = leaves.map(|leaf| line(&leaf.unwrap())).collect();
    assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn the_report_ends_with_the_verdict_and_says_whose_key_was_believed() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = write_ledger(folder.path()).await;
    let report = verify::verify(folder.path(), &verifier);
    assert!(report.intact());
    let text = shown(&report, None, false);
    let root = report.root.unwrap().to_string();
    assert_snapshot!(text.replace(&root, "ROOT"));
    assert!(shown(&report, Some(Path::new("kept.vkey")), true).ends_with("\u{1b}[0m\n"));

    let checkpoint = folder.path().join("checkpoint");
    let forged = fs::read_to_string(&checkpoint).unwrap().replace("\n7\n", "\n6\n");
    fs::write(&checkpoint, forged).unwrap();
    let report = verify::verify(folder.path(), &verifier);
    assert!(!report.intact());
    assert!(shown(&report, None, false).contains("NOT INTACT"));
}

async fn write_ledger(folder: &Path) -> Verifier {
    let keys = tempfile::tempdir().unwrap();
    let config = ledger::Config {
        folder: folder.to_owned(),
        key: Key::generate(&keys.path().join("key"), "gate.example.com/ledger").unwrap(),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::from_secs(1),
        queue: 16,
    };
    let noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let (ledger, _recovery) = Ledger::open(config, start(), move || noon).unwrap();
    for event in events() {
        drop(ledger.append(event).await.unwrap());
    }
    ledger.close(true).await.unwrap();
    Verifier::parse(fs::read_to_string(folder.join("ledger.vkey")).unwrap().trim()).unwrap()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn start() -> leaf::Start {
    leaf::Start {
        build: "portcullis 0.1.0".into(),
        config: leaf::Digest([1; 32]),
        policy: leaf::Digest([2; 32]),
        clusters: [leaf::Name::from("prod")].into_iter().collect(),
        lifted: Default::default(),
        previous: Default::default(),
    }
}

fn actor() -> leaf::Actor {
    leaf::Actor {
        agent: "claude".into(),
        groups: [leaf::Name::from("developers")].into_iter().collect(),
        delegator: "ada@example.com".into(),
        session: id("s-2g4kq7nd5wvx3jhc"),
        src: "127.0.0.1:40000".into(),
    }
}

fn request(verb: &str, name: &str) -> leaf::Request {
    leaf::Request {
        cluster: "prod".into(),
        verb: verb.into(),
        group: Some("apps".into()),
        version: Some("v1".into()),
        resource: Some("deployments".into()),
        subresource: Some("scale".into()),
        namespace: Some("shop".into()),
        name: Some(name.into()),
        path: "/apis/apps/v1/namespaces/shop/deployments/web/scale".into(),
        dry_run: false,
        body: None,
    }
}

fn decision(outcome: leaf::Verdict, rule: &str) -> leaf::Decision {
    let rule = leaf::Rule { id: rule.into(), policy: None };
    leaf::Decision {
        outcome,
        rules: [rule].into_iter().collect(),
        policy: leaf::Digest([2; 32]),
        masked_read: false,
    }
}

fn events() -> Vec<Event> {
    vec![
        Event::SessionOpened(Box::new(leaf::SessionOpened {
            session: id("s-2g4kq7nd5wvx3jhc"),
            agent: "claude".into(),
            groups: Default::default(),
            delegator: "ada@example.com".into(),
            cluster: "prod".into(),
            reason: leaf::Asserted { self_asserted: "look around".into() },
            by: "local user 0".into(),
            expires: "2026-11-23T13:00:00Z".into(),
        })),
        Event::Intent(Box::new(leaf::Intent {
            call: id("c-1"),
            actor: actor(),
            request: request("update", "web"),
            decision: decision(leaf::Verdict::Allow, "developer/scale"),
            impersonated: leaf::Impersonated {
                user: "portcullis:agent:claude".into(),
                groups: Default::default(),
            },
            audit_id: id("c-1"),
        })),
        Event::Outcome(leaf::Outcome {
            call: id("c-1"),
            stage: leaf::Stage::Completed,
            status: Some(200),
            delivered: 1234,
            masked: 2,
            duration_us: 5_678,
            error: None,
        }),
        Event::Refusal(Box::new(leaf::Refusal {
            call: id("c-2"),
            cause: leaf::Cause::Policy,
            status: 403,
            src: "127.0.0.1:40000".into(),
            actor: Some(actor()),
            request: Some(request("delete", "\u{1b}[2J\u{202e}web")),
            raw: None,
            decision: Some(decision(leaf::Verdict::Deny, "developer/none")),
            message: "no rule permits it".into(),
        })),
        Event::SessionRevoked(leaf::SessionRevoked {
            session: id("s-2g4kq7nd5wvx3jhc"),
            by: "local user 0".into(),
            reason: Some("done".into()),
        }),
    ]
}
