//! What humans approved ahead of calls.

use approval::{Approval, Asked, Changes, Demand, testing::demand};

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// This, approved by one of `sre`.
fn approved(subject: Subject) -> Approval {
    let bound = Bound { subject, ..bound() };
    let asked = Asked { bound, ..testing::asked_for("a", NOW, Subject::Access(testing::access(&[], None))) };
    pending(asked).next(testing::yes(testing::human("alan", &["sre"])), NOW).unwrap().1
}

fn pending(asked: Asked) -> Approval {
    Approval::new(Asked { demands: vec![demand("ahead", &["sre"], 1)], ..asked }).unwrap()
}

fn access(scope: &str) -> Approval {
    approved(Subject::Access(testing::access(&[scope], None)))
}

/// With the creation of the ConfigMap `a` made by call `c`.
fn made() -> Approval {
    let change = testing::change("a");
    let digest = change.digest().to_string();
    let members = vec![change, testing::change("b")];
    let approval = approved(Subject::Changes(Changes { members, reason: "roll out".into() }));
    approval.next(approval::What::Consumed { call: "c".into(), digest }, NOW).unwrap().1
}

fn creates(name: &str) -> Ask {
    let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
    asked_for("POST /api/v1/namespaces/shop/configmaps", "application/json", &body)
}

/// Access, and broken glass, were given before anybody saw that values would be put back.
#[test]
fn access_puts_no_values_back() {
    let put = |restores: Option<&str>| {
        let builder = http::Request::put(WEB).header("content-type", "application/json");
        let builder = restores
            .into_iter()
            .fold(builder, |builder, restores| builder.header(kube_api::RESTORE_HEADER, restores));
        let head = Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap();
        let request = head.with_body(br#"{"metadata":{"name":"web","resourceVersion":"1"}}"#).unwrap();
        let Judgement::Verdict(Verdict::Ask(ask)) = judge().judge(&WHO, "prod", request) else {
            panic!("nobody is asked");
        };
        ask.by_access(&access("create,update deployments.apps in shop"), NOW).is_ok()
    };
    assert!(put(None));
    assert!(!put(Some("s-2g4kq7nd5wvx3jhc/0197-1")));
}

/// Those who gave access, or broke the glass, saw no command and no container. Scopes that are asked for name none of these; what an older
/// gate kept may.
#[test]
fn access_covers_no_command() {
    let rules = r#"@id("all") permit (principal, action, resource);
@id("asks") @reason("x") @outcome("approval") @approvers("sre")
forbid (principal, action in [Action::"exec", Action::"attach"], resource) unless { context.approved };"#;
    let source = Source { name: "test.cedar".to_owned(), text: rules.to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default());
    let policy = judge.bundle().digest().as_str().to_owned();
    for (subresource, query) in [("exec", "command=id&stdout=true"), ("attach", "stdout=true")] {
        for incident in [None, Some("INC-7")] {
            let line = format!("POST /api/v1/namespaces/shop/pods/web/{subresource}?{query}");
            let Judgement::Verdict(Verdict::Ask(ask)) = judge.judge(&WHO, "prod", request(&line, "", ""))
            else {
                panic!("nobody is asked");
            };
            let mut access = testing::access(&["create pods in shop"], incident);
            access.scopes[0].resources = vec![format!("pods/{subresource}")];
            assert!(access.covers(&ask.usage().unwrap()));
            let subject = Subject::Access(access);
            let bound = Bound { policy: policy.clone(), subject, ..bound() };
            let asked = testing::asked_for("a", NOW, Subject::Call(testing::call()));
            let given = pending(Asked { bound, ..asked });
            let given = given.next(testing::yes(testing::human("alan", &["sre"])), NOW).unwrap().1;
            assert!(ask.by_access(&given, NOW).is_err(), "{subresource}");
        }
    }
}

/// What is asked, once its rule asks somebody else.
fn of_others(ask: Ask, demands: Vec<Demand>) -> Ask {
    let asking = Asking { demands, ..*ask.asking };
    Ask { asking: Box::new(asking), ..ask }
}

#[test]
fn access_permits_what_it_covers() {
    let permit = ask().by_access(&access("delete deployments.apps in shop"), NOW).unwrap();
    assert_eq!(permit.request().path_and_query(), WEB);
    assert_eq!(permit.decision().outcome(), crate::Outcome::Allow);
    assert!(matches!(permit.approval(), Some(Approved::Access(grant)) if grant.approval() == "a"));
    // A namespace is in none, whatever the API server says.
    let namespace = || asked_for("DELETE /api/v1/namespaces/shop", "", "");
    assert!(namespace().by_access(&access("delete namespaces named shop"), NOW).is_ok());
    assert!(namespace().by_access(&access("delete namespaces in shop"), NOW).is_err());
    let apply =
        || asked_for(&format!("PATCH {WEB}?fieldManager=kubectl"), "application/apply-patch+yaml", "{}");
    assert!(apply().by_access(&access("patch deployments.apps in shop"), NOW).is_err(), "it may create");
    assert!(apply().by_access(&access("create,patch deployments.apps in shop"), NOW).is_ok());
    let scale = asked_for(&format!("PATCH {WEB}/scale"), "application/merge-patch+json", "{}");
    assert!(scale.by_access(&access("patch deployments.apps/scale named web in shop"), NOW).is_ok());
}

#[test]
fn access_permits_nothing_else() {
    for scope in
        ["delete deployments.apps in blog", "patch deployments.apps in shop", "delete deployments.apps"]
    {
        assert!(ask().by_access(&access(scope), NOW).is_err(), "{scope}");
    }
    let covering = access("delete deployments.apps in shop");
    let later = NOW + jiff::SignedDuration::from_mins(5);
    assert!(ask().by_access(&covering, later).is_err());
    let others = of_others(ask(), vec![demand("asks", &["dba"], 1)]);
    assert!(others.by_access(&covering, NOW).is_err());
    for other in [
        Ask { agent: "codex".into(), ..ask() },
        Ask { cluster: "test".into(), ..ask() },
        Ask { each: ask_each().each, ..ask() },
    ] {
        assert!(other.by_access(&covering, NOW).is_err());
    }
    let subject = covering.asked().bound.subject.clone();
    let by_other_policy = Bound { policy: "sha256:00".into(), subject, ..bound() };
    let asked = Asked { bound: by_other_policy, ..covering.asked().clone() };
    let by_other_policy = pending(asked).next(testing::yes(testing::human("alan", &["sre"])), NOW).unwrap().1;
    assert!(ask().by_access(&by_other_policy, NOW).is_err());
    let bound = Bound { subject: Subject::Call(testing::call()), ..bound() };
    let one = pending(Asked { bound, ..testing::asked("a", NOW) });
    let one = one.next(testing::yes(testing::human("alan", &["sre"])), NOW).unwrap().1;
    assert!(ask().by_access(&one, NOW).is_err(), "that is one call");
}

#[test]
fn a_change_permits_the_call_that_makes_it() {
    let permit = creates("a").by_change(&made(), "c").unwrap();
    assert!(matches!(permit.approval(), Some(Approved::Change(making)) if making.call() == "c"));
    let refused = [
        creates("b").by_change(&made(), "c"),
        creates("a").by_change(&made(), "d"),
        of_others(creates("a"), vec![demand("asks", &["dba"], 1)]).by_change(&made(), "c"),
        asked_for("DELETE /api/v1/namespaces/shop/configmaps/a", "", "").by_change(&made(), "c"),
        Ask { agent: "codex".into(), ..creates("a") }.by_change(&made(), "c"),
    ];
    assert!(refused.iter().all(Result::is_err));
}
