//! What was approved ahead of calls.

use approval::Changes;
use jiff::SignedDuration;

use super::*;
use crate::leaf::Rule;

const CHANGED: &str = "/api/v1/namespaces/shop/configmaps";

/// A log in which this was approved, and calls sent by it, one a minute; after somebody changed that.
fn log(
    subject: Subject,
    steps: Vec<What>,
    intents: Vec<Intent>,
    tamper: impl FnOnce(&mut ApprovalAsked),
) -> String {
    let asked = approvals::asked_for("a-1", Timestamp::from_second(1_800_000_000).unwrap(), subject);
    let (mut approvals, mut report) = (Approvals::default(), Report::new("test"));
    let at = asked.at;
    let mut leaf = ApprovalAsked { asked, call: Id::from_u128(9), actor: testing::actor(), judged: None };
    tamper(&mut leaf);
    approvals.asked(0, &leaf, &mut report);
    for (number, what) in (1..).zip(steps) {
        let at = if what == What::Expired { at + SignedDuration::from_mins(5) } else { at };
        let step = Transition { number, at, what };
        approvals.step(
            number.into(),
            &ApprovalStep { approval: Id::new("a-1").unwrap(), step },
            false,
            &mut report,
        );
    }
    for (index, intent) in (10..).zip(intents) {
        let minutes = i64::try_from(index).unwrap() - 9;
        approvals.intent(index, at + SignedDuration::from_mins(minutes), &intent, false, &mut report);
    }
    report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn creates(call: u128, name: &str) -> Intent {
    let (namespace, name) = (Some("shop".into()), Some(name.into()));
    let resource = Some("configmaps".into());
    let request = Request { namespace, name, resource, ..testing::request("create", CHANGED) };
    let rules = [Rule { id: "asks".into(), policy: None }].into_iter().collect();
    let decision = Decision { rules, ..testing::decision(Verdict::Allow) };
    Intent { request, decision, demands: vec![approvals::demand("asks", &["sre"], 1)], ..intent(call, "{}") }
}

/// As [`creates`], of what was approved, used by each of these calls for a change of this name.
fn changes(made: &[(u128, &str)], intents: Vec<Intent>) -> String {
    let members = vec![approvals::change("a"), approvals::change("b")];
    let used = |(call, name): &(u128, &str)| What::Consumed {
        call: Id::from_u128(*call).to_string(),
        digest: approvals::change(name).digest().to_string(),
    };
    let steps = std::iter::once(yes("grace")).chain(made.iter().map(used)).collect();
    log(Subject::Changes(Changes { members, reason: "roll out".into() }), steps, intents, |_| {})
}

fn access(steps: Vec<What>, intents: Vec<Intent>) -> String {
    let scope = approvals::access(&["create configmaps named a in shop"], Some("INC-7"));
    log(Subject::Access(scope), steps, intents, |_| {})
}

#[test]
fn calls_that_do_what_was_approved_need_no_explanation() {
    assert_eq!(changes(&[(1, "b"), (2, "a")], vec![creates(2, "a"), creates(1, "b")]), "");
    assert_eq!(access(vec![yes("grace")], vec![creates(1, "a"), creates(2, "a"), creates(3, "a")]), "");
    let last = vec![yes("grace"), What::Expired];
    assert_eq!(access(last, vec![creates(1, "a")]), "", "it was sent before that");
}

#[test]
fn calls_that_do_anything_else_are_told() {
    let with = |change: fn(&mut Intent)| {
        let mut intent = creates(1, "a");
        change(&mut intent);
        vec![intent]
    };
    let other = |change: fn(&mut ApprovalAsked)| {
        let scope = approvals::access(&["create configmaps in shop"], None);
        log(Subject::Access(scope), vec![yes("grace")], vec![creates(1, "a")], change)
    };
    let made = [(1, "a")];
    let granted = || vec![yes("grace")];
    let ended = What::Withdrawn { why: "enough".into(), by: Some(approvals::human("joan", &[])) };
    let reviewed = What::Reviewed {
        by: approvals::human("joan", &["leads"]),
        note: "fine".into(),
        assurance: Assurance::Provider,
    };
    let cases = [
        ("a change that was not used", changes(&[], with(|_| {}))),
        ("a change used for another call", changes(&made, with(|intent| intent.call = Id::from_u128(2)))),
        ("another object", changes(&made, with(|intent| intent.request.name = Some("b".into())))),
        ("a change twice", changes(&made, vec![creates(1, "a"), creates(1, "a")])),
        ("a delete", changes(&made, with(|intent| intent.request.verb = "delete".into()))),
        ("a change for another session", changes(&made, with(|it| it.actor.session = Id::from_u128(5)))),
        ("access that nobody gave", access(vec![], with(|_| {}))),
        ("another name", access(granted(), with(|intent| intent.request.name = Some("b".into())))),
        ("another namespace", access(granted(), with(|it| it.request.namespace = Some("blog".into())))),
        ("another verb", access(granted(), with(|intent| intent.request.verb = "update".into()))),
        ("a subresource", access(granted(), with(|it| it.request.subresource = Some("scale".into())))),
        ("another agent", access(granted(), with(|intent| intent.actor.agent = "codex".into()))),
        ("another policy", access(granted(), with(|it| it.decision.policy = crate::leaf::Digest([7; 32])))),
        ("no rule", access(granted(), with(|intent| intent.demands.clear()))),
        (
            "a rule that decided nothing",
            access(granted(), with(|intent| intent.demands.push(approvals::demand("other", &["sre"], 1)))),
        ),
        (
            "a rule that asks others",
            changes(&made, with(|intent| intent.demands = vec![approvals::demand("asks", &["dba"], 2)])),
        ),
        (
            "a rule that wants to be shown each call",
            access(granted(), with(|intent| intent.demands.iter_mut().for_each(|it| it.no_access = true))),
        ),
        ("too late", access(granted(), (1..=6).map(|call| creates(call, "a")).collect())),
        ("after it was ended", access(vec![yes("grace"), ended.clone()], with(|_| {}))),
        ("after it was signed off", access(vec![yes("grace"), ended, reviewed], with(|_| {}))),
        ("asked by another", other(|asked| asked.actor.agent = "codex".into())),
        (
            "told as one call",
            other(|asked| {
                let Intent { request, decision, .. } = creates(1, "a");
                asked.judged = Some(Judged { request, decision });
            }),
        ),
    ];
    let text: Vec<String> = cases.iter().map(|(name, told)| format!("{name}:\n{told}")).collect();
    insta::assert_snapshot!(text.join("\n"));
}
