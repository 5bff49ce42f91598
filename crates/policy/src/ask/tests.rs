use approval::{Asked, Subject, testing};
use jiff::Timestamp;
use kube_api::Head;
use serde_json::{Value, json};

use super::*;
use crate::{Bundle, Judge, Judgement, Settings, Source, Verdict};

const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("asks") @reason("x") @outcome("approval") @approvers("sre") @author("Ada, grace@example.com")
forbid (principal, action in [Action::"change", Action::"destroy"], resource) unless { context.approved };
"#;
const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";

fn judge() -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: RULES.to_owned() };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

fn request(line: &str, content: &str, body: &str) -> Request {
    let (method, uri) = line.split_once(' ').unwrap();
    let mut builder = http::Request::builder().method(method).uri(uri);
    if !content.is_empty() {
        builder = builder.header("content-type", content);
    }
    Head::parse(&builder.body(()).unwrap().into_parts().0).unwrap().with_body(body.as_bytes()).unwrap()
}

fn asked_for(line: &str, content: &str, body: &str) -> Ask {
    match judge().judge(&WHO, "prod", request(line, content, body)) {
        Judgement::Verdict(Verdict::Ask(ask)) => ask,
        other => panic!("{other:?}"),
    }
}

fn ask() -> Ask {
    asked_for(&format!("DELETE {WEB}"), "", "")
}

fn bound() -> Bound {
    let asked = testing::asked("a", Timestamp::UNIX_EPOCH);
    let bound = Bound { policy: judge().bundle().digest().as_str().into(), ..asked.bound };
    to(Call { url: WEB.into(), ..testing::call() }, bound)
}

fn to(call: Call, bound: Bound) -> Bound {
    Bound { subject: Subject::Call(call), ..bound }
}

fn used(bound: &Bound) -> Consumed {
    let now = Timestamp::UNIX_EPOCH;
    let asked = Asked { bound: bound.clone(), demands: ask().demands().to_vec(), ..testing::asked("a", now) };
    let approved =
        Approval::new(asked).unwrap().next(testing::yes(testing::human("alan", &["sre"])), now).unwrap().1;
    approved.next(testing::used(bound, "c"), now).unwrap().1.consumed().unwrap()
}

#[test]
fn an_approval_of_exactly_this_makes_a_permit_for_it() {
    let permit = ask().approved(&bound(), used(&bound())).unwrap();
    assert_eq!(permit.request().path_and_query(), WEB);
    let rules: Vec<&str> = permit.decision().rules().iter().map(|rule| rule.id()).collect();
    assert_eq!(rules, ["all", "asks"]);
    assert_eq!(permit.decision().outcome(), crate::Outcome::Allow);
    let approval = once(&permit);
    assert_eq!((approval.approval(), approval.call()), ("a", "c"));
}

fn once(permit: &Permit) -> &Consumed {
    match permit.approval() {
        Some(Approved::Once(consumed)) => consumed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_approval_of_anything_else_does_not() {
    let call = || bound().call().unwrap().clone();
    for other in [
        Bound { agent: "codex".into(), ..bound() },
        Bound { cluster: "test".into(), ..bound() },
        Bound { policy: "sha256:00".into(), ..bound() },
        to(Call { method: "PUT".into(), ..call() }, bound()),
        to(Call { url: "/api/v1/namespaces/shop".into(), ..call() }, bound()),
        to(Call { content_type: Some("application/json".into()), ..call() }, bound()),
        to(Call { body: Some("hmac-sha256:00".into()), ..call() }, bound()),
    ] {
        assert!(ask().approved(&other, used(&other)).is_err(), "{other:?}");
    }
    let other = to(Call { url: "/api/v1/namespaces/shop".into(), ..call() }, bound());
    assert!(ask().approved(&bound(), used(&other)).is_err());
}

#[test]
fn what_waits_is_bound_to_the_object_as_it_was_looked_at() {
    let target = |version: &str| Target { uid: "u".into(), resource_version: version.into() };
    let body = |ask: &Ask| ask.request().body().map(|body| body.value().clone()).unwrap_or_default();
    let version = |version: &str| json!({"metadata": {"resourceVersion": version}, "spec": {}});
    let deletes = ask().bind(&target("7")).unwrap();
    assert_eq!(body(&deletes)["preconditions"], json!({"uid": "u", "resourceVersion": "7"}));

    let merge = || asked_for(&format!("PATCH {WEB}/scale"), "application/merge-patch+json", r#"{"spec":{}}"#);
    assert_eq!(body(&merge().bind(&target("7")).unwrap()), version("7"));
    let seen = || merge().at_version(Some("7".into()));
    assert_eq!(body(&seen().bind(&target("7")).unwrap()), json!({"spec": {}}), "bound when it was judged");
    let error = seen().bind(&target("8")).unwrap_err();
    insta::assert_snapshot!(error, @"the body is not a write of the object as it is: the object has changed meanwhile; send the request again");

    let creates = asked_for(
        "POST /api/v1/namespaces/shop/configmaps",
        "application/json",
        r#"{"metadata":{"name":"a"}}"#,
    );
    assert_eq!(body(&creates.bind(&target("7")).unwrap()), json!({"metadata": {"name": "a"}}));
}

#[test]
fn its_dry_run_is_a_look() {
    assert!(ask().dry_run().is_none(), "a delete has none");
    let ask = asked_for(&format!("PATCH {WEB}/scale"), "application/merge-patch+json", r#"{"spec":{}}"#);
    let look = ask.dry_run().unwrap();
    assert!(look.request().dry_run() && look.decision().is_look());
    assert!(look.approval().is_none());
}

#[test]
fn it_waits_as_long_as_the_most_patient_of_its_rules_says() {
    let hold = |annotations: [&str; 2]| {
        let asks = |(at, annotation): (usize, &str)| {
            format!(
                "@id(\"asks-{at}\") @reason(\"x\") @outcome(\"approval\") @approvers(\"sre\") {annotation} forbid (principal, action, resource) unless {{ context.approved }};"
            )
        };
        let rules = annotations.into_iter().enumerate().map(asks).collect::<String>();
        let text = format!("@id(\"all\") permit (principal, action, resource); {rules}");
        let judge = Judge::new(
            Bundle::compile(&[Source { name: "test.cedar".to_owned(), text }]).unwrap(),
            Settings::default(),
        );
        match judge.judge(&WHO, "prod", request(&format!("DELETE {WEB}"), "", "")) {
            Judgement::Verdict(Verdict::Ask(ask)) => ask.hold().map(|hold| hold.as_secs()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(hold(["", ""]), None);
    assert_eq!(hold(["@hold(\"90s\")", ""]), Some(90));
    assert_eq!(hold(["@hold(\"90s\")", "@hold(\"10m\")"]), Some(600));
}

#[test]
fn demands_name_the_rule_its_approvers_and_its_authors() {
    let demands = serde_json::to_value(ask().demands()).unwrap();
    let expected: Value =
        json!([{"rule": "asks", "approvers": ["sre"], "quorum": 1, "authors": ["Ada", "grace@example.com"]}]);
    assert_eq!(demands, expected);
}

const PODS: &str = "/api/v1/namespaces/shop/pods";

fn member(name: &str, uid: &str) -> Member {
    let object = Target { uid: uid.into(), resource_version: "7".into() };
    Member { namespace: "shop".into(), name: name.into(), object }
}

fn ask_each() -> Ask {
    let line = format!("DELETE {PODS}?labelSelector=app%3Dweb&gracePeriodSeconds=0");
    asked_for(&line, "", "").of_each(&[member("b", "u-2"), member("a", "u-1")]).unwrap()
}

fn bound_each() -> Bound {
    let each = ask_each().each().cloned().collect();
    to(Call { each, url: ask_each().request().path_and_query(), ..testing::call() }, bound())
}

#[test]
fn one_approval_of_several_objects_makes_one_permit_for_each() {
    let permits = ask_each().approved_each(&bound_each(), used(&bound_each())).unwrap();
    let sent: Vec<String> = permits
        .iter()
        .map(|permit| {
            let request = permit.request();
            let proof = once(permit);
            assert_eq!((proof.approval(), proof.call()), ("a", "c"));
            let (line, body) = (request.path_and_query(), request.body().unwrap().value());
            format!("{} {line} {body} {}", request.method(), proof.part().unwrap().uid)
        })
        .collect();
    insta::assert_snapshot!(sent.join("\n"));
}

#[test]
fn an_approval_of_other_objects_makes_none_and_none_makes_one_for_the_collection() {
    let call = || bound_each().call().unwrap().clone();
    let each = |each: Vec<Target>| to(Call { each, ..call() }, bound());
    let more = member("c", "u-3").object;
    let two = call().each;
    for other in [
        each(vec![]),
        each(two.iter().take(1).cloned().collect()),
        each(two.iter().cloned().chain([more]).collect()),
        each(two.iter().map(|it| Target { resource_version: "8".into(), ..it.clone() }).collect()),
        to(Call { url: PODS.into(), ..call() }, bound()),
    ] {
        assert!(ask_each().approved_each(&other, used(&other)).is_err(), "{other:?}");
    }
    assert!(ask_each().approved_each(&bound_each(), used(&bound())).is_err());
    assert!(ask_each().approved(&bound_each(), used(&bound_each())).is_err());
    let whole = each(vec![]);
    assert!(ask_each().approved(&whole, used(&whole)).is_err());
    // The proof for one object is none for all of them.
    let part = used(&bound_each()).each(&bound_each()).unwrap().remove(0);
    assert!(ask_each().approved_each(&bound_each(), part).is_err());
    assert!(used(&bound()).each(&bound()).is_none());
    assert!(used(&bound_each()).each(&bound()).is_none());
}

#[test]
fn only_what_is_in_the_collection_can_be_deleted_by_it() {
    let collection = |line: &str| asked_for(&format!("DELETE {line}"), "", "");
    let named = |namespace: &str, name: &str| Member { namespace: namespace.into(), ..member(name, "u") };
    for (line, member) in [
        (PODS, named("other", "a")),
        (PODS, named("", "a")),
        (PODS, named("shop", "a/b")),
        (PODS, named("shop", "..")),
        (PODS, named("shop", "")),
        ("/api/v1/persistentvolumes", named("shop/..", "a")),
        (WEB, named("shop", "web")),
    ] {
        assert!(collection(line).of_each(std::slice::from_ref(&member)).is_err(), "{line} {member:?}");
    }
    assert!(collection("/api/v1/persistentvolumes").of_each(&[named("", "a")]).is_ok());
}

mod ahead;
