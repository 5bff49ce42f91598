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

use crate::terminal::visible;
use chronicle::story;

use super::{
    checkpoint,
    hidden::matching,
    proof::checked,
    read::{Seal, json, line, range},
    shown,
};

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
    let lines: Vec<String> = leaves.map(|leaf| line(&leaf.unwrap(), Seal::Sealed)).collect();
    assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn the_report_ends_with_the_verdict_and_says_whose_key_was_believed() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = write_ledger(folder.path()).await;
    let report = verify::verify(folder.path(), &verifier);
    assert!(report.intact());
    let text = shown(&report.clone().self_keyed(), None, true);
    let root = report.root.unwrap().to_string();
    assert_snapshot!(text.replace(&root, "ROOT"));
    let kept = shown(&report, Some(Path::new("kept.vkey")), false);
    assert_snapshot!(kept.lines().last().unwrap(), @"INTACT: 7 leaves under the checkpoint, each what was signed; 0 problems, 0 to explain");
    assert!(shown(&report, Some(Path::new("kept.vkey")), true).ends_with("\u{1b}[0m\n"));

    let checkpoint = folder.path().join("checkpoint");
    let forged = fs::read_to_string(&checkpoint).unwrap().replace("\n7\n", "\n6\n");
    fs::write(&checkpoint, forged).unwrap();
    let report = verify::verify(folder.path(), &verifier);
    assert!(!report.intact());
    assert!(shown(&report, None, false).contains("NOT INTACT"));
}

#[tokio::test]
async fn what_a_leaf_hides_can_be_matched_by_who_has_the_key() {
    let keys = tempfile::tempdir().unwrap();
    let digester = Key::generate(&keys.path().join("key"), "gate.example.com/ledger").unwrap().digester();
    let hide = |value: &'static str| leaf::Hidden::new(value);
    let command = |value| leaf::HiddenParameter { name: "command".into(), value: hide(value) };
    let mut event = events().swap_remove(1);
    let Event::Intent(intent) = &mut event else { panic!("{event:?}") };
    intent.request.body = Some(hide("{}"));
    intent.request.hidden = ["ls", "-l"].map(command).into_iter().collect();
    event.digest(&digester);
    let told = |value: &[u8]| matching(&event, &digester, value).unwrap();
    assert_snapshot!(told(b"{}").unwrap(), @"the body");
    assert_snapshot!(told(b"-l").unwrap(), @"hidden parameter 2, `command`,");
    assert_eq!(told(b"{ }"), None);
    let none = matching(&events().swap_remove(0), &digester, b"").unwrap_err();
    assert_snapshot!(none, @"the leaf is a session_opened, which hides nothing: name an intent, a refusal or a call answered");
}

#[tokio::test]
async fn a_leaf_that_nothing_signed_yet_cannot_be_taken_for_one_that_was() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = write_ledger(folder.path()).await;
    let leaf = Reader::new(folder.path(), verifier).leaf(6).unwrap();
    assert_snapshot!(line(&leaf, Seal::Unsealed), @"      6  2026-11-23T12:00:00.000Z  stop             (not yet sealed) every call had come to its end");
    let sealed = json(&leaf, Seal::Sealed);
    assert_eq!(json(&leaf, Seal::Unsealed), format!("{{\"unsealed\":{sealed}}}"));
    assert!(leaf::Leaf::parse(json(&leaf, Seal::Unsealed).as_bytes()).is_err());
}

#[test]
fn calls_turned_away_are_told_in_one_line() {
    let over = leaf::Share { session: id("s-2g4kq7nd5wvx3jhc"), calls: 7 };
    let told = |sessions: Vec<leaf::Share>, refused: u64| {
        story::of(&Event::Rejections(leaf::Rejections {
            period_s: 10,
            unauthenticated: 1234,
            over_limit: sessions.iter().map(|over| over.calls).sum(),
            refused,
            refused_sessions: sessions
                .iter()
                .take(1)
                .map(|over| leaf::Share { calls: refused, ..over.clone() })
                .collect(),
            answered: refused / 2,
            answered_sessions: sessions.iter().cloned().collect(),
            sessions: sessions.into_iter().collect(),
        }))
    };
    assert_snapshot!(told(vec![], 0), @"1234 without a valid token, 0 over the limit, 0 more refused, within 10 s");
    assert_snapshot!(told(vec![over], 9), @"1234 without a valid token, 7 over the limit (7 of s-2g4kq7nd5wvx3jhc), 9 more refused (9 of s-2g4kq7nd5wvx3jhc), 4 more answered (7 of s-2g4kq7nd5wvx3jhc), within 10 s");
}

#[tokio::test]
async fn a_proof_is_checked_without_the_log_and_a_changed_byte_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = write_ledger(folder.path()).await;
    let reader = Reader::new(folder.path(), verifier.clone());
    let (text, leaf) = (reader.prove(4).unwrap().to_string(), reader.leaf(4).unwrap().json);
    let told = checked(&text, None, &verifier).unwrap();
    let shown = visible(&String::from_utf8(leaf.clone()).unwrap());
    assert_snapshot!(told.replace(&shown, "LEAF"), @r"
          4  2026-11-23T12:00:00.000Z  refusal          claude for ada@example.com (s-2g4kq7nd5wvx3jhc) delete deployments.apps/scale \u001b[2J\u202eweb -n shop on prod: 403 no rule permits it
    LEAF
    PROVEN: leaf 4 is in the log `gate.example.com/ledger`, under its checkpoint of 7 leaves
    ");
    assert_eq!(checked(&text, Some(leaf), &verifier).unwrap(), told);

    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        // What is no UTF-8 is not even read.
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(checked(&changed, None, &verifier).is_err(), "byte {at}:\n{changed}");
    }
    let refused = |text: &str, leaf: Option<&[u8]>| {
        format!("{:#}", checked(text, leaf.map(<[u8]>::to_vec), &verifier).unwrap_err())
    };
    assert_snapshot!(refused(&text, Some(b"{}")), @"NOT PROVEN: the proof leads to another root: the entry or the tree is not what was signed");
    assert_snapshot!(refused("", None), @"NOT PROVEN: not a tlog-proof: no empty line");
    let bare: String =
        text.lines().filter(|line| !line.starts_with("extra")).map(|line| format!("{line}\n")).collect();
    assert_snapshot!(refused(&bare, None), @"NOT PROVEN: the proof brings no leaf along; give it with --leaf");
}

#[tokio::test]
async fn only_a_checkpoint_of_this_log_is_verified_against() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let verifier = write_ledger(folder.path()).await;
    assert_eq!(checkpoint(&folder.path().join("checkpoint"), &verifier).unwrap().size, 7);
    write_ledger(other.path()).await;
    let file = other.path().join("checkpoint");
    let error = format!("{:#}", checkpoint(&file, &verifier).unwrap_err());
    let key = verifier.to_string();
    let key: Vec<&str> = key.splitn(3, '+').take(2).collect();
    assert_snapshot!(error.replace(&file.display().to_string(), "FILE").replace(&key.join("+"), "KEY"), @"nothing was verified, since `FILE` is no checkpoint of this log: not signed by `KEY`");
}

async fn write_ledger(folder: &Path) -> Verifier {
    let keys = tempfile::tempdir().unwrap();
    let config = ledger::Config {
        folder: folder.to_owned(),
        key: Key::generate(&keys.path().join("key"), "gate.example.com/ledger").unwrap(),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::from_secs(1),
        queue: 16,
        reserve: 0,
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
        generate_name: None,
        path: "/apis/apps/v1/namespaces/shop/deployments/web/scale".into(),
        hidden: Default::default(),
        dry_run: false,
        restores: None,
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
        reveal: None,
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
            looks_for: None,
            through: None,
            approval: None,
            demands: vec![],
            part: None,
        })),
        Event::Outcome(leaf::Outcome {
            call: id("c-1"),
            stage: leaf::Stage::Completed,
            status: Some(200),
            delivered: 1234,
            masked: 2,
            duration_us: 5_678,
            error: None,
            again_as: None,
            stream: None,
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
