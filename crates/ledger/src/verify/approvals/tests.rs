use approval::{Asked, Assurance, Demand, Human, What};
use jiff::Timestamp;

use super::*;
use crate::leaf::{Actor, Decision, Digest, Hidden, Id, Impersonated, Request, Verdict};
use crate::note::Signer;

const DELETE: &str = "/api/v1/namespaces/shop";

/// A log in which one approval was asked for, approved and used for call 1, and then this.
fn told(tamper: impl FnOnce(&mut Asked, &mut Vec<What>, &mut Vec<Intent>)) -> String {
    let digester =
        crate::leaf::Digester::new(&Signer::from_seed("test", zeroize::Zeroizing::new([7; 32])).unwrap());
    let body = |text: &str| {
        let mut event = crate::leaf::Event::Intent(Box::new(intent(1, text)));
        event.digest(&digester);
        let crate::leaf::Event::Intent(intent) = event else { panic!("an intent") };
        *intent
    };
    let mut asked = asked(digester.text(b"{}"));
    let digest = asked.bound.digest().to_string();
    let used = Id::from_u128(1).to_string();
    let mut steps = vec![yes("grace"), What::Consumed { call: used, digest }];
    let mut intents = vec![body("{}")];
    tamper(&mut asked, &mut steps, &mut intents);
    // A body that was not told yet.
    let intents = intents.into_iter().map(|intent| {
        let mut event = crate::leaf::Event::Intent(Box::new(intent));
        event.digest(&digester);
        let crate::leaf::Event::Intent(intent) = event else { panic!("an intent") };
        *intent
    });

    let (mut approvals, mut report) = (Approvals::default(), Report::new("test"));
    let Intent { actor, request, decision, call, .. } = intent(1, "{}");
    let leaf = ApprovalAsked { asked: asked.clone(), call, actor, request, decision };
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
    for (at, intent) in intents.enumerate() {
        approvals.intent(10 + at as u64, &intent, false, &mut report);
    }
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    findings.join("\n")
}

fn yes(who: &str) -> What {
    let by = Human { subject: who.into(), aliases: vec![], groups: vec!["sre".into()] };
    What::Approved { by, assurance: Assurance::LocalAccount }
}

fn asked(body: String) -> Asked {
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let bound = Bound {
        agent: "claude".into(),
        body: Some(body),
        cluster: "dev".into(),
        content_type: None,
        decide_by: Timestamp::MAX.to_string(),
        hidden: None,
        method: "DELETE".into(),
        nonce: "n".into(),
        policy: Digest::of(b"").to_string(),
        result: None,
        session: "s-1".into(),
        target: None,
        url: DELETE.into(),
    };
    let demand = Demand { rule: "asks".into(), approvers: vec!["sre".into()], quorum: 1, authors: vec![] };
    Asked {
        id: "a-1".into(),
        at,
        decide_by: Timestamp::MAX,
        use_seconds: 60,
        bound,
        delegator: "ada".into(),
        demands: vec![demand],
    }
}

fn intent(call: u128, body: &str) -> Intent {
    Intent {
        call: Id::from_u128(call),
        actor: Actor {
            agent: "claude".into(),
            groups: [].into_iter().collect(),
            delegator: "ada".into(),
            session: Id::new("s-1").unwrap(),
            src: "127.0.0.1:4000".into(),
        },
        request: Request {
            cluster: "dev".into(),
            verb: "delete".into(),
            group: None,
            version: None,
            resource: None,
            subresource: None,
            namespace: None,
            name: None,
            generate_name: None,
            hidden: [].into_iter().collect(),
            path: DELETE.into(),
            dry_run: false,
            body: Some(Hidden::new(body.to_owned())),
        },
        decision: Decision {
            outcome: Verdict::Allow,
            rules: [].into_iter().collect(),
            policy: Digest::of(b""),
            masked_read: false,
            reveal: None,
        },
        impersonated: Impersonated { user: "agent".into(), groups: [].into_iter().collect() },
        audit_id: Id::from_u128(call),
        looks_for: None,
        approval: Some(Id::new("a-1").unwrap()),
    }
}

#[test]
fn a_call_that_had_its_approval_needs_no_explanation() {
    assert_eq!(told(|_, _, _| {}), "");
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
            "another cluster",
            told(|_, _, intents| {
                intents.iter_mut().for_each(|intent| intent.request.cluster = "prod".into())
            }),
        ),
        ("approved by the delegator", told(|_, steps, _| *steps = vec![yes("Ada")])),
        ("not asked", told(|asked, _, _| asked.id = "a-2".into())),
        ("asked of nobody", told(|asked, _, _| asked.demands.clear())),
    ];
    let text: Vec<String> = cases.iter().map(|(name, told)| format!("{name}:\n{told}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}
