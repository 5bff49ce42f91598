use super::*;
use Standing::{Allowed, Approved, Consumed, Expired, Pending, Refused, Superseded, Withdrawn};

fn answer(state: Standing) -> Answer {
    Answer {
        approval: Some("a-2g4kq7nd5wvx".to_owned()),
        state,
        how: match state {
            Approved => "can be used until 2026-11-23T07:00:00Z".to_owned(),
            _ => String::new(),
        },
        needs: "2 of sre".to_owned(),
        until: Some("2026-11-23T07:00:00.5Z".parse().unwrap()),
        page: Some("https://gate.example.com:9443/approvals/a-2g4kq7nd5wvx".to_owned()),
        asked: vec![
            "create configmaps \"a\" in namespace \"shop\"".to_owned(),
            "patch \u{202e}\n".to_owned(),
        ],
        allowed: vec!["patch configmaps \"b\" in namespace \"shop\"".to_owned()],
    }
}

fn apply(how: How) -> Next {
    let files = vec!["shop".into(), "it's here".into()];
    let sources = Sources { files, recursive: how != How::Client };
    Next::Apply { sources, how, namespace: Some("shop".into()), kubeconfig: Some("my config".into()) }
}

#[test]
fn what_is_asked_for_is_told() {
    insta::assert_snapshot!(asked(&answer(Pending)));
    let nothing = Answer { approval: None, needs: String::new(), asked: vec![], ..answer(Allowed) };
    insta::assert_snapshot!(asked(&nothing), @r#"allowed   patch configmaps "b" in namespace "shop""#);
}

#[test]
fn what_came_of_it_is_told() {
    let refused = Answer { how: "not on a \u{1b}[2JFriday".to_owned(), ..answer(Refused) };
    let allowed = Answer { approval: None, until: None, ..answer(Allowed) };
    let told = [
        outcome(&answer(Approved), &Next::Calls),
        outcome(&answer(Approved), &apply(How::Client)),
        outcome(&answer(Approved), &apply(How::Server { force: false })),
        outcome(&allowed, &apply(How::Server { force: true })),
        outcome(&refused, &Next::Calls),
        outcome(&answer(Expired), &Next::Calls),
        outcome(&answer(Pending), &Next::Calls),
        outcome(
            &Answer { until: None, how: "by call 1".to_owned(), ..answer(Consumed) },
            &apply(How::Client),
        ),
    ];
    insta::assert_snapshot!(told.concat());
    let agreed = [Approved, Consumed, Allowed, Pending, Refused, Expired, Withdrawn, Superseded]
        .map(|state| agreed(&answer(state)));
    assert_eq!(agreed, [true, true, true, false, false, false, false, false]);
}
