//! Leaves: a sample of each, round trips, and that nothing a client sends makes one too long.

use super::*;
use crate::tile::MAX_ENTRY;
use proptest::prelude::*;

fn position() -> Position {
    Position { writer_id: Id::new("gate-1").unwrap(), boot_epoch: 3, writer_seq: 7 }
}

fn time() -> Timestamp {
    Timestamp::from_microsecond(1_795_415_268_000_042).unwrap()
}

fn digester() -> Digester {
    let seed = zeroize::Zeroizing::new([7; 32]);
    Digester::new(&crate::note::Signer::from_seed("example.com/log", seed).unwrap())
}

fn leaf(event: &Event) -> Vec<u8> {
    event.encode().unwrap().leaf(&position(), &format_time(time()))
}

/// An intent with this text in every place that has text.
fn intent(text: &str) -> Event {
    let names = || std::iter::repeat_n(Name::new(text), 40).collect();
    let policy = Digest::of(b"policy");
    let rule = Rule { id: text.into(), policy: Some(policy) };
    let hidden = HiddenParameter { name: text.into(), value: Hidden::new("ls") };
    let mut intent = Event::Intent(Box::new(Intent {
        call: Id::from_u128(1),
        actor: Actor {
            agent: text.into(),
            groups: names(),
            delegator: text.into(),
            session: Id::from_u128(2),
            src: text.into(),
        },
        request: Request {
            cluster: text.into(),
            verb: text.into(),
            group: Some(text.into()),
            version: Some(text.into()),
            resource: Some(text.into()),
            subresource: Some(text.into()),
            namespace: Some(text.into()),
            name: Some(text.into()),
            generate_name: Some(text.into()),
            path: text.into(),
            hidden: std::iter::repeat_n(hidden, 40).collect(),
            dry_run: false,
            restores: None,
            body: Some(Hidden::new("{}")),
        },
        decision: Decision {
            outcome: Verdict::Allow,
            rules: std::iter::repeat_n(rule, 20).collect(),
            policy,
            masked_read: true,
            reveal: Some(Reveal {
                keys: std::iter::repeat_n(text.into(), 70).collect(),
                others: true,
                rules: std::iter::repeat_n(text.into(), 20).collect(),
            }),
        },
        impersonated: Impersonated { user: text.into(), groups: names() },
        audit_id: Id::from_u128(3),
        looks_for: None,
        through: None,
        approval: None,
        demands: vec![],
        part: None,
    }));
    intent.digest(&digester());
    intent
}

/// A refusal with all that an intent has and this text besides.
fn refusal(text: &str) -> Event {
    let Event::Intent(intent) = intent(text) else { panic!("an intent") };
    Event::Refusal(Box::new(Refusal {
        call: intent.call,
        cause: Cause::Policy,
        status: 403,
        src: text.into(),
        actor: Some(intent.actor),
        request: Some(intent.request),
        raw: Some(RawRequest { method: text.into(), path: text.into() }),
        decision: Some(intent.decision),
        message: text.into(),
    }))
}

/// A call answered by the gate itself, with this text everywhere.
fn answered(text: &str) -> Event {
    let Event::Intent(intent) = intent(text) else { panic!("an intent") };
    let Intent { call, actor, request, .. } = *intent;
    Event::Answered(Box::new(Answered { call, actor, request: Some(request), raw: None, status: None }))
}

/// A flood by this many sessions with ids as long as there are.
fn rejections(sessions: usize) -> Event {
    let session = Id::new(&"s".repeat(64)).unwrap();
    let over = Share { session, calls: 1 << 52 };
    Event::Rejections(Rejections {
        period_s: 10,
        unauthenticated: 1 << 52,
        over_limit: 1 << 52,
        sessions: std::iter::repeat_n(over.clone(), sessions).collect(),
        refused: 1 << 52,
        refused_sessions: std::iter::repeat_n(over.clone(), sessions).collect(),
        answered: 1 << 52,
        answered_sessions: std::iter::repeat_n(over, sessions).collect(),
    })
}

/// What is told of a session that was frozen, thawed and recorded, and of Secrets that are read.
fn freezes(text: &str) -> [Event; 7] {
    let session = Id::from_u128(2);
    let frozen = SessionFrozen { session: session.clone(), by: text.into(), reason: text.into() };
    let sent = KnownValueSent { call: Id::from_u128(1), session: session.clone(), values: u32::MAX };
    let digest = Digest::of(b"segment");
    [
        Event::Recorded(Recorded {
            session: session.clone(),
            segment: 1 << 52,
            sha256: digest,
            previous: Some(digest),
            bytes: 1 << 52,
            records: 1 << 52,
        }),
        Event::RecordingErased(RecordingErased {
            session: session.clone(),
            why: text.into(),
            segments: 1 << 52,
            last: Some(1 << 52),
            sha256: Some(digest),
        }),
        Event::SessionFrozen(frozen),
        Event::SessionThawed(SessionThawed { session, by: text.into() }),
        Event::SignedIn(Box::new(SignedIn {
            human: approval::testing::human("grace", &["sre"]),
            assurance: approval::Assurance::Link,
            src: text.into(),
        })),
        Event::KnownValueSent(sent),
        Event::SecretsRead(SecretsRead {
            cluster: text.into(),
            by: text.into(),
            namespaces: std::iter::repeat_n(text.into(), 40).collect(),
            except_types: std::iter::repeat_n(text.into(), 40).collect(),
        }),
    ]
}

#[test]
fn a_leaf_reads_back_and_is_canonical() {
    let stop = Event::Stop(Stop { clean: true });
    insta::assert_snapshot!(String::from_utf8(leaf(&stop)).unwrap(), @r#"{"boot_epoch":3,"event":{"clean":true},"event_id":"gate-1.3.7","schema_version":1,"time":"2026-11-23T06:27:48.000042Z","type":"stop","writer_id":"gate-1","writer_seq":7}"#);
    let calls = [stop, intent("agent \"x\"\n"), refusal("é"), answered("x"), rejections(0), rejections(3)];
    for event in calls.into_iter().chain(freezes("ada \"x\"")) {
        let read = Leaf::parse(&leaf(&event)).unwrap();
        assert_eq!(read, Leaf { position: position(), time: time(), event });
    }
}

#[test]
fn the_longest_leaves_fit() {
    for text in ["\u{1}".repeat(100_000), "\u{1f600}".repeat(100_000), "x".repeat(100_000)] {
        let calls = [intent(&text), refusal(&text), answered(&text), rejections(40)];
        for event in calls.into_iter().chain(freezes(&text)) {
            let bytes = leaf(&event);
            assert!(bytes.len() <= MAX_ENTRY, "{} bytes", bytes.len());
            assert_eq!(Leaf::parse(&bytes).unwrap().event, event);
        }
    }
}

#[test]
fn what_is_hidden_is_told_by_length_and_keyed_digest_alone() {
    let hidden = Hidden::new("hunter2");
    insta::assert_snapshot!(format!("{hidden:?}"), @"Hidden(7 bytes)");
    insta::assert_snapshot!(canonical::serialize(&hidden).unwrap_err(), @"no JSON form: a hidden value that was not digested");
    let digested = |seed: u8| {
        let seed = zeroize::Zeroizing::new([seed; 32]);
        let digester = Digester::new(&crate::note::Signer::from_seed("example.com/log", seed).unwrap());
        let mut hidden = hidden.clone();
        hidden.digest(&digester);
        assert!(digester.matches(&hidden, b"hunter2") && !digester.matches(&hidden, b"hunter3"));
        String::from_utf8(canonical::serialize(&hidden).unwrap()).unwrap()
    };
    insta::assert_snapshot!(digested(7), @r#"{"bytes":7,"digest":"hmac-sha256:71cfe7af3eb30958e74681a98f90c5560680ecac924742af54d751ca2406a75a"}"#);
    assert_ne!(digested(7), digested(8));
    let plain = Digest::of(b"hunter2").to_string();
    assert!(!digested(7).contains(plain.trim_start_matches("sha256:")));
}

#[test]
fn a_digest_for_one_purpose_is_none_for_another() {
    let signer = crate::note::Signer::from_seed("example.com/log", zeroize::Zeroizing::new([7; 32])).unwrap();
    let purposes = [Purpose::Told, Purpose::Asked, Purpose::Kept];
    for made in purposes {
        let digest = Digester::of(&signer, made).text(b"hunter2");
        for held in purposes {
            let digester = Digester::of(&signer, held);
            assert_eq!(digester.made(&digest, b"hunter2"), made == held, "{made:?} {held:?}");
            assert!(!digester.made(&digest, b"hunter3") && !digester.made("hmac-sha256:71", b"hunter2"));
        }
    }
}

#[test]
fn the_longest_name_of_a_person_is_whole() {
    for name in ["\u{1f600}".repeat(254), "\"".repeat(254)] {
        assert!(!Person::new(&name).is_cut());
    }
}

#[test]
fn cut_text_says_so() {
    let text: Text<4> = "abcdef".into();
    insta::assert_snapshot!(serde_json::to_string(&text).unwrap(), @r#"{"bytes":6,"prefix":"abcd","sha256":"sha256:bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721"}"#);
    assert_eq!((text.as_str(), text.is_cut(), text.to_string()), ("abcd", true, "abcd…".to_owned()));
    let list: List<u64, 2> = (0..5).collect();
    insta::assert_snapshot!(serde_json::to_string(&list).unwrap(), @r#"{"first":[0,1],"total":5}"#);
}

#[test]
fn bytes_that_are_no_leaf_are_refused() {
    let good = String::from_utf8(leaf(&Event::Stop(Stop { clean: true }))).unwrap();
    let refuse =
        |from: &str, to: &str| Leaf::parse(good.replace(from, to).as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(refuse(":1,\"time", ":2,\"time"), @"leaf schema version 2 is unknown: use a newer build to read it");
    insta::assert_snapshot!(refuse("\"type\":\"stop\"", "\"type\":\"halt\""), @"not a leaf of schema version 1: unknown variant `halt`, expected one of `start`, `stop`, `intent`, `outcome`, `refusal`, `answered`, `rejections`, `session_opened`, `session_revoked`, `session_expired`, `session_frozen`, `session_thawed`, `known_value_sent`, `secrets_read`, `policy_loaded`, `approval_asked`, `approval_step`, `signed_in`, `passkey_enrolled`, `passkey_removed`, `recorded`, `recording_erased`");
    insta::assert_snapshot!(refuse("true", "1"), @"not a leaf of schema version 1: invalid type: integer `1`, expected a boolean");
    insta::assert_snapshot!(refuse("true}", "true,\"more\":1}"), @"not a leaf of schema version 1: unknown field `more`, expected `clean`");
    insta::assert_snapshot!(refuse("\"writer_seq\":7", "\"writer_seq\":8"), @"not a leaf of schema version 1: `event_id` does not match the place in the sequence");
    insta::assert_snapshot!(refuse("000042Z", "42Z"), @"not a leaf of schema version 1: `time` is not RFC 3339 in UTC with microseconds");
    insta::assert_snapshot!(refuse("true", " true"), @"JSON, but not in the canonical form of RFC 8785");
}

#[test]
fn ids_are_bounded() {
    assert_eq!(Id::from_u128(u128::MAX).as_str(), "ffffffff-ffff-ffff-ffff-ffffffffffff");
    for text in ["", "a b", "a\"", &"x".repeat(65)] {
        assert_eq!(Id::new(text), Err(InvalidId));
    }
    assert_eq!(Digest::parse(&Digest::of(b"x").to_string()), Some(Digest::of(b"x")));
    assert_eq!(Digest::parse("sha256:00"), None);
}

proptest! {
    #[test]
    fn any_text_makes_a_leaf_that_reads_back(text in any::<String>()) {
        let event = intent(&text);
        prop_assert_eq!(Leaf::parse(&leaf(&event)).unwrap().event, event);
    }
}
