use approval::{
    Access, Beside, Bound, BreakGlass, Call, Change, Changes, Demand, Shown, Subject, Target, Why,
};
use serde_json::{Value, json};

use super::*;
use crate::admin::{ApprovalDetail, ReviewView};

fn detail(before: Value, after: Value, hostile: &str) -> ApprovalDetail {
    let at = |text: &str| text.parse().unwrap();
    let bound = Bound {
        agent: "claude".into(),
        cluster: "prod".into(),
        decide_by: "2026-11-23T07:00:00Z".into(),
        delegator: "ada@example.com".into(),
        nonce: "n".into(),
        policy: "sha256:00".into(),
        session: "s-2g4kq7nd5wvx3jhc".into(),
        subject: Subject::Call(Call {
            body: Some("hmac-sha256:aa".into()),
            content_type: Some("application/json".into()),
            method: "PUT".into(),
            target: Some(Target { uid: "6e0a".into(), resource_version: "7".into() }),
            url: "/apis/apps/v1/namespaces/shop/deployments/web".into(),
            ..Call::default()
        }),
    };
    let approval = ApprovalView {
        id: "a-2g4kq7nd5wvx".into(),
        state: "pending".into(),
        how: String::new(),
        asked_at: at("2026-11-23T06:00:00.123Z"),
        deadline: Some(at("2026-11-23T07:00:00Z")),
        act: format!("update deployments.apps \"web{hostile}\" of cluster \"prod\""),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        session: bound.session.clone(),
        reason: format!("roll out{hostile}"),
        demands: vec![Demand {
            rule: "asks".into(),
            approvers: vec!["sre".into()],
            quorum: 2,
            assurance: None,
            no_access: false,
            authors: vec![],
        }],
        missing: vec![(1, "asks".into())],
        votes: vec![("grace".into(), at("2026-11-23T06:01:00Z"))],
        reviewers: vec![],
        review: None,
    };
    let rules = vec![Why { rule: "asks".into(), reason: "changes are looked at".into() }];
    let (act, reason) = (approval.act.clone(), approval.reason.clone());
    let (verb, options, hidden) = ("update".into(), vec![], vec!["data.password".into()]);
    let (listing, beside) = (None, Beside::default());
    let shown = Shown {
        verb,
        dry_run: false,
        act,
        reason,
        rules,
        options,
        restores: None,
        hidden,
        before,
        after,
        listing,
        runs: None,
        beside,
    };
    ApprovalDetail { digest: "sha256:01".into(), approval, bound, shown: vec![shown] }
}

fn deployment(image: &str) -> Value {
    json!({"metadata": {"name": "web", "resourceVersion": "7"}, "spec": {"image": image, "replicas": 2}})
}

#[test]
fn an_approver_sees_who_asks_for_what_and_what_would_change() {
    let detail = detail(deployment("web:1.2"), deployment("web:1.3"), "");
    insta::assert_snapshot!(text(&detail, false));
    insta::assert_snapshot!(table(&[detail.approval]));
}

#[test]
fn changes_are_shown_one_after_another_and_access_by_what_it_permits() {
    let one = detail(deployment("web:1.2"), deployment("web:1.3"), "");
    let change = |name: &str, target| Change {
        applied: None,
        call: None,
        gone: false,
        name: name.into(),
        namespace: "shop".into(),
        resource: "deployments.apps".into(),
        result: "hmac-sha256:bb".into(),
        target,
    };
    let target = Target { uid: "6e0a".into(), resource_version: "7".into() };
    let members = vec![change("api", None), change("web", Some(target))];
    let subject = Subject::Changes(Changes { members, reason: "release 1.3".into() });
    let mut created = Shown { before: Value::Null, verb: "create".into(), ..one.shown[0].clone() };
    created.rules.push(Why { rule: "other".into(), reason: "two rules ask".into() });
    let shown = vec![created.clone(), one.shown[0].clone()];
    let changes = ApprovalDetail { bound: Bound { subject, ..one.bound.clone() }, shown, ..one.clone() };
    let glass = BreakGlass { incident: "INC-7".into(), reviewers: vec!["leads".into()] };
    let scopes = vec!["patch deployments.apps in shop".parse().unwrap()];
    let access = Access { break_glass: Some(glass), reason: "roll back".into(), scopes, seconds: 900 };
    let mut broken = ApprovalDetail {
        bound: Bound { subject: Subject::Access(access), ..one.bound.clone() },
        shown: vec![],
        ..one
    };
    broken.approval.reviewers = vec!["leads".into()];
    let (by, found) = ("joan".into(), "as it had to be".into());
    let reviewed = Some(ReviewView { by, at: broken.approval.asked_at, found });
    let approval = ApprovalView { reviewers: vec![], review: reviewed, ..broken.approval.clone() };
    let signed = ApprovalDetail { approval, ..broken.clone() };
    let told = [changes, broken, signed].map(|detail| text(&detail, false));
    insta::assert_snapshot!(told.join("\n---\n"));
}

#[test]
fn what_an_agent_wrote_cannot_move_the_cursor_or_hide_anything() {
    let hostile = "\u{1b}[2J\u{202e}\r\napproved\u{200b}";
    let detail = detail(deployment("web"), deployment(hostile), hostile);
    let (shown, listed) = (text(&detail, false), table(&[detail.approval]).to_string());
    for unseen in ["\u{1b}", "\u{202e}", "\r", "\u{200b}", "\napproved"] {
        assert!(!shown.contains(unseen) && !listed.contains(unseen), "{unseen:?} in {shown}{listed}");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn ten_thousand_lines_are_folded_or_shown_and_counted() {
    let lines: Vec<usize> = (0..10_000).collect();
    let object = |last: &str| json!({"data": lines, "last": last});
    let folded = text::changes(&detail(object("a"), object("b"), "").shown[0].diff(), false);
    insta::assert_snapshot!(folded);
    let whole = text::changes(&detail(Value::Null, object("a"), "").shown[0].diff(), false);
    assert_eq!(whole.lines().filter(|line| line.starts_with('+')).count(), 10_002);
}

#[test]
fn an_approval_has_an_id_of_its_own_form() {
    assert!(id("a-2g4kq7nd5wvx").is_ok());
    for wrong in ["", "a-", "s-2g4k", "a-../sessions", "a-x?y", "a-\u{202e}"] {
        assert!(id(wrong).is_err(), "{wrong}");
    }
}
