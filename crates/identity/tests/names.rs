//! What names may look like, and what is said when they do not.

use identity::{AgentName, ClusterName, Delegator, GroupName, NameError, Operator, Reason, SessionId};
use insta::assert_snapshot;
use proptest::prelude::*;

fn said<T: std::fmt::Debug>(result: Result<T, NameError>) -> String {
    match result {
        Ok(name) => format!("accepted {name:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn good_names_are_taken_as_they_are() {
    for name in ["a", "claude-code", "ci.build-7", "0", "a..b", &"a".repeat(63)] {
        assert_eq!(AgentName::parse(name).unwrap().as_str(), name);
        assert_eq!(ClusterName::parse(name).unwrap().as_str(), name);
    }
    for name in ["SRE", "team:payments", "oidc:https://idp/x@y", "systems", &"g".repeat(128)] {
        assert_eq!(GroupName::parse(name).unwrap().as_str(), name);
    }
    for name in ["ada@example.com", "José Núñez", "山田 太郎", "e\u{301}a", &"é".repeat(254)] {
        assert_eq!(Delegator::parse(name).unwrap().as_str(), name);
    }
    assert_eq!(Reason::parse("roll out 1.4 🚀").unwrap().as_str(), "roll out 1.4 🚀");
}

#[test]
fn each_refusal_names_the_part_and_the_remedy() {
    let refusals = [
        said(AgentName::parse("")),
        said(AgentName::parse(&"a".repeat(64))),
        said(AgentName::parse("Claude")),
        said(AgentName::parse("-a")),
        said(AgentName::parse("a.")),
        said(AgentName::parse("system:admin")),
        said(AgentName::parse("SYSTEM:masters")),
        said(AgentName::parse("a b")),
        said(AgentName::parse("a\nb")),
        said(AgentName::parse("сlaude")),
        said(ClusterName::parse("")),
        said(ClusterName::parse("prod/eu")),
        said(GroupName::parse("system:masters")),
        said(GroupName::parse("portcullis:masked-reader")),
        said(GroupName::parse("a,b")),
        said(GroupName::parse(":a")),
        said(Delegator::parse("")),
        said(Delegator::parse(" ada")),
        said(Delegator::parse("ada\u{202e}moc")),
        said(Delegator::parse(&"a".repeat(255))),
        said(Operator::parse("ada\u{a0}")),
        said(Reason::parse("")),
        said(Reason::parse("   ")),
        said(Reason::parse("two\nlines")),
        said(Reason::parse(&"r".repeat(501))),
        said(SessionId::parse("s-`\u{1b}[2J")),
        said(SessionId::parse(&"x".repeat(1000))),
    ];
    assert_snapshot!(refusals.join("\n"), @r"
    agent name is empty: give 1 to 63 characters
    agent name has 64 characters: at most 63 are allowed
    agent name has `C` (U+0043) at character 1: only `a-z`, `0-9`, `-` and `.` are allowed
    agent name `-a` must begin and end with `a-z` or `0-9`
    agent name `a.` must begin and end with `a-z` or `0-9`
    agent name `system:admin` is reserved: choose one that does not begin with `system:`
    agent name `SYSTEM:masters` is reserved: choose one that does not begin with `system:`
    agent name has ` ` (U+0020) at character 2: only `a-z`, `0-9`, `-` and `.` are allowed
    agent name has U+000A at character 2: only `a-z`, `0-9`, `-` and `.` are allowed
    agent name has `с` (U+0441) at character 1: only `a-z`, `0-9`, `-` and `.` are allowed
    cluster name is empty: give 1 to 63 characters
    cluster name has `/` (U+002F) at character 5: only `a-z`, `0-9`, `-` and `.` are allowed
    group name `system:masters` is reserved: choose one that does not begin with `system:`
    group name `portcullis:masked-reader` is reserved: choose one that does not begin with `portcullis:`
    group name has `,` (U+002C) at character 2: only `a-z`, `A-Z`, `0-9` and `-._:/@` are allowed
    group name `:a` must begin and end with a letter or digit
    delegator is empty: give 1 to 254 characters
    delegator ` ada` must begin and end with something other than a space
    delegator has U+202E at character 4: control and invisible characters are not allowed
    delegator has 255 characters: at most 254 are allowed
    operator has U+00A0 at character 4: control and invisible characters are not allowed
    reason is empty: give 1 to 500 characters
    reason `   ` must begin and end with something other than a space
    reason has U+000A at character 4: control and invisible characters are not allowed
    reason has 501 characters: at most 500 are allowed
    session id `s-\u{60}\u{1b}[2J` is malformed: it looks like `s-2g4kq7nd5wvx3jhc`
    session id `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is malformed: it looks like `s-2g4kq7nd5wvx3jhc`
    ");
}

#[test]
fn what_cannot_be_seen_is_refused_in_text_for_people() {
    let unseen = [
        '\0',
        '\t',
        '\u{7f}',
        '\u{85}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{115f}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200f}',
        '\u{2028}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{e000}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{ffff}',
        '\u{e0041}',
        '\u{e0100}',
        '\u{f0000}',
        '\u{10ffff}',
    ];
    for c in unseen {
        let text = format!("a{c}b");
        assert!(Delegator::parse(&text).is_err(), "{c:?}");
        assert!(Operator::parse(&text).is_err(), "{c:?}");
        assert!(Reason::parse(&text).is_err(), "{c:?}");
    }
}

#[test]
fn names_pass_through_json_only_if_they_are_good() {
    let name: AgentName = serde_json::from_str("\"claude\"").unwrap();
    assert_eq!(serde_json::to_string(&name).unwrap(), "\"claude\"");
    assert_snapshot!(
        serde_json::from_str::<AgentName>("\"system:admin\"").unwrap_err().to_string(),
        @"agent name `system:admin` is reserved: choose one that does not begin with `system:`"
    );
    assert!(serde_json::from_str::<SessionId>("\"s-1\"").is_err());
}

proptest! {
    /// Whatever comes in: no panic, and what is accepted can stand in a header, a log line and a message.
    #[test]
    fn any_input_is_taken_whole_or_refused_in_one_line(input in "\\PC*|.*") {
        for said in [
            said(AgentName::parse(&input)), said(GroupName::parse(&input)),
            said(Delegator::parse(&input)), said(SessionId::parse(&input)),
        ] {
            prop_assert!(!said.chars().any(char::is_control), "{said:?}");
        }
        if let Ok(name) = AgentName::parse(&input) {
            prop_assert_eq!(name.as_str(), &input);
            prop_assert!(input.bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
