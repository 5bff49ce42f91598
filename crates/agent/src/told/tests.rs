use super::*;

fn answer(state: &str) -> Answer {
    Answer {
        approval: Some("a-2g4kq7nd5wvx".to_owned()),
        state: state.to_owned(),
        how: String::new(),
        needs: "2 of sre by rule `changes`".to_owned(),
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
    insta::assert_snapshot!(asked(&answer("pending")));
    let nothing = Answer { approval: None, needs: String::new(), asked: vec![], ..answer("allowed") };
    insta::assert_snapshot!(asked(&nothing), @r#"allowed   patch configmaps "b" in namespace "shop""#);
}

#[test]
fn what_came_of_it_is_told() {
    let refused = Answer { how: "not on a \u{1b}[2JFriday".to_owned(), ..answer("refused") };
    let allowed = Answer { approval: None, until: None, ..answer("allowed") };
    let told = [
        outcome(&answer("approved"), &Next::Calls),
        outcome(&answer("approved"), &apply(How::Client)),
        outcome(&answer("approved"), &apply(How::Server { force: false })),
        outcome(&allowed, &apply(How::Server { force: true })),
        outcome(&refused, &Next::Calls),
        outcome(&answer("expired"), &Next::Calls),
        outcome(&answer("pending"), &Next::Calls),
    ];
    insta::assert_snapshot!(told.concat());
    let agreed =
        ["approved", "consumed", "allowed", "pending", "refused", "expired", "withdrawn", "superseded", ""]
            .map(|state| agreed(&answer(state)));
    assert_eq!(agreed, [true, true, true, false, false, false, false, false, false]);
}
