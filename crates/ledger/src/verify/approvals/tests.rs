mod ahead;

use approval::{Asked, Target, What, testing as approvals};
use jiff::Timestamp;
use passkey::Credential;

use super::*;
use crate::leaf::{Digester, Event, Hidden, Id, Impersonated, Request, Verdict};
use crate::note::Signer;
use crate::testing;

/// A log in which one approval was asked for, approved and used for call 1, after somebody changed it.
fn told(tamper: impl FnOnce(&mut Asked, &mut Vec<What>, &mut Vec<Intent>)) -> String {
    told_with(&[], tamper)
}

/// As [`told`], after these passkeys were enrolled.
fn told_with(
    enrolled: &[(&str, &Credential)],
    tamper: impl FnOnce(&mut Asked, &mut Vec<What>, &mut Vec<Intent>),
) -> String {
    let seed = zeroize::Zeroizing::new([7; 32]);
    let digester = Digester::new(&Signer::from_seed("test", seed).unwrap());
    let mut asked = asked(digester.text(b"{}"));
    let used = approvals::used(&asked.bound, CALL);
    let (mut steps, mut intents) = (vec![yes("grace"), used], vec![intent(1, "{}")]);
    tamper(&mut asked, &mut steps, &mut intents);

    let (mut approvals, mut report) = (Approvals::default(), Report::new("test"));
    for (who, passkey) in enrolled {
        approvals.enrolled(&PasskeyEnrolled {
            human: approvals::human(who, &[]),
            name: "key".into(),
            origin: approvals::ORIGIN.into(),
            passkey: (*passkey).clone(),
            assurance: Assurance::Provider,
            src: "127.0.0.1:1".into(),
        });
    }
    let Intent { actor, request, decision, call, .. } = intent(1, "{}");
    let judged = asked.bound.call().map(|call| {
        let request = if call.each.is_empty() { request } else { collection() };
        Judged { request, decision }
    });
    let mut leaf =
        Event::ApprovalAsked(Box::new(ApprovalAsked { asked: asked.clone(), call, actor, judged }));
    leaf.digest(&digester);
    let Event::ApprovalAsked(leaf) = leaf else { panic!("a request") };
    if asked.id == "a-1" {
        approvals.asked(0, &leaf, &mut report);
    }
    for (at, what) in steps.into_iter().enumerate() {
        let number = u32::try_from(at).unwrap() + 1;
        let step = Transition { number, at: asked.at, what };
        let leaf = ApprovalStep { approval: Id::new("a-1").unwrap(), step };
        approvals.step(u64::from(number), &leaf, false, &mut report);
        // Told twice by a gate that was killed in between.
        approvals.step(u64::from(number), &leaf, false, &mut report);
    }
    let at = asked.at;
    for (index, intent) in (10..).zip(intents) {
        let mut event = Event::Intent(Box::new(intent));
        event.digest(&digester);
        let Event::Intent(intent) = event else { panic!("an intent") };
        approvals.intent(index, at, &intent, false, &mut report);
    }
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    findings.join("\n")
}

/// A log in which the deletion of two objects was approved at once, and each was deleted; after somebody changed that.
fn each(tamper: impl FnOnce(&mut Asked, &mut Vec<What>, &mut Vec<Intent>)) -> String {
    told(|asked, steps, intents| {
        let objects = vec![object("u-1"), object("u-2")];
        change(asked, |call| *call = Call { each: objects, url: COLLECTION.into(), ..approvals::call() });
        *intents = vec![part("u-1", "a"), part("u-2", "b")];
        steps.pop();
        tamper(asked, steps, intents);
        steps.push(approvals::used(&asked.bound, CALL));
    })
}

fn change(asked: &mut Asked, how: impl FnOnce(&mut Call)) {
    let Subject::Call(call) = &mut asked.bound.subject else { panic!("a call") };
    how(call);
}

/// The id of call 1.
const CALL: &str = "00000000-0000-0000-0000-000000000001";

const COLLECTION: &str = "/api/v1/namespaces/shop/pods";

fn object(uid: &str) -> Target {
    Target { uid: uid.into(), resource_version: "7".into() }
}

fn collection() -> Request {
    Request { name: None, namespace: Some("shop".into()), ..testing::request("deletecollection", COLLECTION) }
}

fn part(uid: &str, name: &str) -> Intent {
    let path = format!("{COLLECTION}/{name}");
    let sent = Request {
        name: Some(name.into()),
        namespace: Some("shop".into()),
        body: Some(Hidden::new(format!("{{\"preconditions\":{{\"uid\":\"{uid}\"}}}}"))),
        ..testing::request("delete", &path)
    };
    let number = 100 + u128::from(*name.as_bytes().first().unwrap());
    let of = Id::from_u128(1);
    Intent { request: sent, part: Some(Part { of, object: object(uid) }), ..intent(number, "{}") }
}

fn yes(who: &str) -> What {
    approvals::yes(approvals::human(who, &["sre"]))
}

fn asked(body: String) -> Asked {
    let asked = approvals::asked("a-1", Timestamp::from_second(1_800_000_000).unwrap());
    let call = Call { body: Some(body), ..approvals::call() };
    Asked { bound: Bound { subject: Subject::Call(call), ..asked.bound.clone() }, ..asked }
}

fn intent(call: u128, body: &str) -> Intent {
    let request = testing::request("delete", "/api/v1/namespaces/shop");
    Intent {
        call: Id::from_u128(call),
        actor: testing::actor(),
        request: Request { body: Some(Hidden::new(body.to_owned())), ..request },
        decision: testing::decision(Verdict::Allow),
        impersonated: Impersonated { user: "agent".into(), groups: [].into_iter().collect() },
        audit_id: Id::from_u128(call),
        looks_for: None,
        through: None,
        approval: Some(Id::new("a-1").unwrap()),
        demands: vec![],
        part: None,
    }
}

#[test]
fn a_call_that_had_its_approval_needs_no_explanation() {
    assert_eq!(told(|_, _, _| {}), "");
}

#[test]
fn what_a_passkey_signed_is_verified_again_and_the_passkey_must_be_theirs() {
    let signed_by = |who: &'static str| {
        move |asked: &mut Asked, steps: &mut Vec<What>, _: &mut Vec<Intent>| {
            let signed = approvals::signed("key", &asked.bound);
            steps[0] =
                What::Approved { by: approvals::human(who, &["sre"]), assurance: Assurance::Passkey(signed) };
        }
    };
    let passkey = approvals::signed("key", &approvals::bound()).passkey;
    let other = approvals::signed("other", &approvals::bound()).passkey;
    assert_eq!(told_with(&[("grace", &passkey)], signed_by("grace")), "");
    let forged = told_with(&[("grace", &passkey)], |asked, steps, intents| {
        signed_by("grace")(asked, steps, intents);
        asked.bound.nonce = "another".into();
    });
    insta::assert_snapshot!(
        [
            told(signed_by("grace")),
            told_with(&[("alan", &passkey)], signed_by("grace")),
            told_with(&[("grace", &other)], signed_by("grace")),
            forged,
        ]
        .join("\n\n")
    );
}

#[test]
fn whatever_was_not_approved_is_told() {
    let cases = [
        ("used twice", told(|_, _, intents| intents.push(intent(1, "{}")))),
        ("used for another call", told(|_, _, intents| *intents = vec![intent(2, "{}")])),
        ("never used", told(|_, steps, _| drop(steps.pop()))),
        ("another body", told(|_, _, intents| *intents = vec![intent(1, "{\"dryRun\":[]}")])),
        (
            "another path",
            told(|_, _, intents| intents.iter_mut().for_each(|intent| intent.request.path = "/api".into())),
        ),
        (
            "another verb",
            told(|_, _, intents| intents.iter_mut().for_each(|intent| intent.request.verb = "patch".into())),
        ),
        (
            "another cluster",
            told(|_, _, intents| {
                intents.iter_mut().for_each(|intent| intent.request.cluster = "test".into())
            }),
        ),
        ("approved by the delegator", told(|_, steps, _| *steps = vec![yes("Ada")])),
        ("bound to another agent", told(|asked, _, _| asked.bound.agent = "codex".into())),
        ("given more time", told(|asked, _, _| asked.decide_by = Timestamp::MAX)),
        ("not asked", told(|asked, _, _| asked.id = "a-2".into())),
        ("asked of nobody", told(|asked, _, _| asked.demands.clear())),
    ];
    let text: Vec<String> = cases.iter().map(|(name, told)| format!("{name}:\n{told}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn deletes_of_the_objects_that_were_approved_at_once_need_no_explanation() {
    assert_eq!(each(|_, _, _| {}), "");
    assert_eq!(each(|_, _, intents| drop(intents.pop())), "", "the gate was killed in between");
}

#[test]
fn deletes_of_anything_else_are_told() {
    let first =
        |tamper: fn(&mut Intent)| each(|_, _, intents| intents.first_mut().into_iter().for_each(tamper));
    let cases = [
        ("a foreign object", each(|_, _, intents| intents.push(part("u-3", "c")))),
        ("an object twice", each(|_, _, intents| intents.push(part("u-1", "a")))),
        ("an object twice, by another name", each(|_, _, intents| intents.push(part("u-1", "c")))),
        (
            "an object in another version",
            first(|intent| {
                if let Some(part) = &mut intent.part {
                    part.object.resource_version = "8".into();
                }
            }),
        ),
        (
            "a part of another call",
            first(|intent| {
                if let Some(part) = &mut intent.part {
                    part.of = Id::from_u128(9);
                }
            }),
        ),
        ("no part", first(|intent| intent.part = None)),
        (
            "the whole collection",
            each(|_, _, intents| {
                *intents = vec![Intent { request: collection(), part: None, ..intent(1, "{}") }]
            }),
        ),
        ("without a name", first(|intent| intent.request.name = None)),
        ("without preconditions", first(|intent| intent.request.body = None)),
        ("another verb", first(|intent| intent.request.verb = "update".into())),
        ("another namespace", first(|intent| intent.request.namespace = Some("other".into()))),
        ("another kind", first(|intent| intent.request.resource = Some("services".into()))),
        ("another session", first(|intent| intent.actor.session = Id::from_u128(5))),
        ("never approved", each(|_, steps, _| steps.clear())),
        (
            "approved with an object twice",
            each(|asked, _, _| change(asked, |call| call.each = vec![object("u-1"), object("u-1")])),
        ),
        ("a part of what was asked about whole", told(|_, _, intents| *intents = vec![part("u-1", "a")])),
    ];
    let text: Vec<String> = cases.iter().map(|(name, told)| format!("{name}:\n{told}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}
