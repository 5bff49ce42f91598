use insta::assert_snapshot;
use lettre::message::Mailboxes;
use serde_json::Value;

use super::{mail, slack, teams, webhook};
use crate::{Address, Decision, Event, Id, Name, Notice, Words};

/// What an agent may write to be told to people as something else.
const HOSTILE: &str = "=?utf-8?q?=E2=80=AE?= \u{202e}txet\u{202c} a\u{200b}b \u{1b}[2J\u{1b}]8;;https://evil.example\u{7}\r\nBcc: eve@evil.example\n\n\
    <!channel> <!here|x> <@U123> @everyone <https://evil.example|the console> [the console](https://evil.example) \
    www.evil.example mailto:eve@evil.example *b* _i_ `c` ~s~ # h\t> q <b onload=x>&lt;!channel&gt;</b> <at>ada</at> {{DATE(1970-01-01)}} \
    ${x} \"quoted\" \\ \u{e0041}\u{feff}é";

/// A notice that somebody asks for an approval.
pub(crate) fn notice(id: &str, event: Event) -> Notice {
    Notice {
        id: Id::try_from(id.to_owned()).unwrap(),
        at: "2026-11-24T09:30:00Z".parse().unwrap(),
        event,
        cluster: "prod".into(),
        agent: "claude".into(),
        delegator: "ada@example.com".into(),
        session: "s-2g4kq7nd5wvx3jhc".into(),
        approval: Some("a-abcdefghijkl".into()),
        what: r#"delete namespaces "shop" of cluster "prod""#.into(),
        reason: "the shop has moved".into(),
        rules: vec!["prod-deletes".into()],
        approvers: vec!["sre".into(), "grace@example.com".into()],
        decide_by: Some("2026-11-24T09:45:00Z".parse().unwrap()),
        by: Vec::new(),
        console: Some(Address::try_from("https://gate.example/approvals/a-abcdefghijkl".to_owned()).unwrap()),
    }
}

fn hostile() -> Notice {
    let name = |text: &str| Name::from(text);
    Notice {
        cluster: name(HOSTILE),
        agent: name("<!channel>"),
        delegator: name("[a](https://evil.example)"),
        session: name("a\nb"),
        approval: Some(name("\u{202e}a")),
        what: Words::from(HOSTILE),
        reason: Words::from(format!("{HOSTILE}{}", "long ".repeat(1_000))),
        rules: (0..12).map(|n| name(&format!("rule-{n} {HOSTILE}"))).collect(),
        approvers: vec![name("@everyone")],
        by: vec![name(HOSTILE)],
        ..notice("n-1", Event::BreakGlass)
    }
}

/// All that a notice can have left out.
fn bare() -> Notice {
    Notice {
        approval: None,
        rules: Vec::new(),
        approvers: Vec::new(),
        decide_by: None,
        console: None,
        what: "sent 3 known values".into(),
        ..notice("n-2", Event::SessionFrozen)
    }
}

fn asked() -> Notice {
    notice("a-abcdefghijkl-asked", Event::ApprovalAsked)
}

fn pretty(body: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(body).unwrap()).unwrap()
}

fn mailed(notice: &Notice) -> String {
    let to: Mailboxes = "SRE <sre@example.com>, ops@example.com".parse().unwrap();
    let message = mail::message(notice, &"Portcullis <gate@example.com>".parse().unwrap(), &to).unwrap();
    String::from_utf8(message.formatted()).unwrap().replace("\r\n", "\n")
}

#[test]
fn webhook() {
    assert_snapshot!("webhook", pretty(&webhook::body(&asked()).unwrap()));
    assert_snapshot!("webhook_hostile", pretty(&webhook::body(&hostile()).unwrap()));
    assert_snapshot!("webhook_bare", pretty(&webhook::body(&bare()).unwrap()));
}

#[test]
fn the_manual_shows_what_is_sent() {
    let manual = include_str!("../../../../docs/notices.md");
    let (_, rest) = manual.split_once("```json").unwrap();
    let shown: Value = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
    assert_eq!(shown, serde_json::from_str::<Value>(&webhook::body(&asked()).unwrap()).unwrap());
}

#[test]
fn slack() {
    assert_snapshot!("slack", pretty(&slack::body(&asked())));
    assert_snapshot!("slack_hostile", pretty(&slack::body(&hostile())));
}

#[test]
fn teams() {
    assert_snapshot!("teams", pretty(&teams::body(&asked())));
    assert_snapshot!("teams_hostile", pretty(&teams::body(&hostile())));
}

#[test]
fn mail() {
    assert_snapshot!("mail", mailed(&asked()));
    assert_snapshot!("mail_hostile", mailed(&hostile()));
    assert_snapshot!("mail_bare", mailed(&bare()));
}

/// Every text in a body, in its order.
fn texts(body: &Value, found: &mut Vec<String>) {
    match body {
        Value::String(text) => found.push(text.clone()),
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, found)),
        Value::Object(parts) => parts.values().for_each(|part| texts(part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn nothing_hostile_works_in_any_format() {
    let worst = |c: &str| Notice {
        what: Words::from(c.repeat(9_999)),
        reason: Words::from(c.repeat(9_999)),
        ..hostile()
    };
    for notice in [hostile(), worst("&"), worst("\u{202e}"), worst("𝕏")] {
        let bodies = [webhook::body(&notice).unwrap(), slack::body(&notice), teams::body(&notice)];
        for (body, most) in bodies.iter().zip([usize::MAX, 3_000, usize::MAX]) {
            // What Teams takes.
            assert!(body.len() < 28 * 1024, "{}", body.len());
            let mut found = Vec::new();
            texts(&serde_json::from_str(body).unwrap(), &mut found);
            for text in found {
                assert!(text.chars().count() <= most, "{text}");
                assert!(!text.contains(['\u{202e}', '\u{1b}', '\n', '\u{200b}', '\u{e0041}']), "{text}");
            }
        }
        for tag in ["<!", "<@", "<https://evil"] {
            assert!(!bodies[1].contains(tag), "{tag}");
        }
        for body in &bodies[1..] {
            assert!(!body.contains("https://evil"));
        }
        assert!(!bodies[2].contains("{{"));
        assert!(!mailed(&notice).contains("=?utf-8?q?"), "an encoded word of the agent's");
        assert!(!mailed(&notice).lines().any(|line| line.starts_with("Bcc")));
    }
}

#[test]
fn every_decision_has_its_title() {
    use Decision::{Approved, Expired, Refused, Superseded, Withdrawn};
    let titles = [Approved, Refused, Expired, Withdrawn, Superseded]
        .map(|decision| super::title(Event::ApprovalDecided(decision)));
    assert_snapshot!(titles.join("\n"), @"
    Approved
    Refused
    Expired without a decision or use
    Withdrawn
    Superseded: asked again, since something has changed
    ");
}
