use http::header;
use kube_api::{Head, Resource};

use super::*;
use crate::bundle::{Bundle, Source};
use crate::decision::{Decision, RuleRef};
use crate::settings::Settings;
use crate::verdict::Verdict;

const READS: &str = r#"@id("reads") permit (principal, action in Action::"read", resource);"#;
const KEY: &str = r#"@id("user") permit (principal, action == Action::"reveal", resource in Namespace::"prod/shop")
when { resource.name == "db" && ["user", "host"].contains(context.key) };"#;
const ANY: &str =
    r#"@id("any") permit (principal, action == Action::"reveal", resource in Namespace::"prod/shop");"#;
const NOT_PW: &str = r#"@id("pw") @reason("x") forbid (principal, action == Action::"reveal", resource is Object) when { context.key == "pw" };"#;
const ASKS: &str = r#"@id("asks") @reason("x") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"reveal", resource is Object) when { context.key == "user" } unless { context.approved };"#;

fn judge(rules: &[&str]) -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: format!("{READS}\n{}", rules.join("\n")) };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

const WHO: Principal<'_> = Principal { agent: "claude", groups: &[] };
const DB: &str = "GET /api/v1/namespaces/shop/secrets/db";

fn decision(judge: &Judge, line: &str, accept: &str) -> Decision {
    let (method, uri) = line.split_once(' ').unwrap();
    let builder = http::Request::builder().method(method).uri(uri).header(header::ACCEPT, accept);
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    let request = Head::parse(&parts).unwrap().with_body(b"").unwrap();
    let verdict: Verdict = judge.judge(&WHO, "prod", request).verdict().unwrap();
    verdict.decision().clone()
}

fn shown(judge: &Judge, line: &str) -> (Vec<String>, bool) {
    let reveal = decision(judge, line, "application/json").reveal().clone();
    (reveal.keys().to_vec(), reveal.others())
}

fn keys(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_key_is_judged_by_itself() {
    let nothing = (keys(&[]), false);
    assert_eq!(shown(&judge(&[]), DB), nothing);
    assert_eq!(shown(&judge(&[KEY]), DB), (keys(&["host", "user"]), false));
    assert_eq!(shown(&judge(&[KEY, ASKS]), DB), (keys(&["host"]), false), "a reveal that asks is none");
    assert_eq!(shown(&judge(&[ANY]), DB), (keys(&[]), true));
    assert_eq!(shown(&judge(&[ANY, KEY]), DB), (keys(&["host", "user"]), true));
    // What is told has no exceptions.
    assert_eq!(shown(&judge(&[ANY, NOT_PW]), DB), nothing);
    assert_eq!(shown(&judge(&[ANY, KEY, NOT_PW]), DB), (keys(&["host", "user"]), false));
    assert_eq!(shown(&judge(&[KEY]), "GET /api/v1/namespaces/shop/secrets/other"), nothing);
    assert_eq!(shown(&judge(&[KEY]), "GET /api/v1/namespaces/hr/secrets/db"), nothing);
}

/// A decision names every rule that permitted something, for who asks later why a value was shown.
#[test]
fn a_decision_names_the_rules_that_reveal() {
    let rules = |rules: &[&str]| {
        let decision = decision(&judge(rules), DB, "application/json");
        let ids = |rules: &[RuleRef]| rules.iter().map(RuleRef::id).collect::<Vec<_>>().join(" ");
        (ids(decision.rules()), ids(decision.reveal().rules()))
    };
    let told = |read: &str, reveal: &str| (read.to_owned(), reveal.to_owned());
    assert_eq!(rules(&[]), told("reads", ""));
    assert_eq!(rules(&[KEY, ANY]), told("reads", "any user"));
    assert_eq!(rules(&[KEY, ASKS]), told("reads", "user"));
}

#[test]
fn a_permit_has_to_say_so() {
    let all = r#"@id("all") permit (principal, action, resource);"#;
    assert_eq!(shown(&judge(&[all]), DB), (keys(&[]), false));
    let group = r#"@id("g") permit (principal, action in Action::"disclose", resource);"#;
    assert_eq!(shown(&judge(&[group]), DB), (keys(&[]), true));
    // A forbid need not.
    let none = r#"@id("f") @reason("x") forbid (principal, action, resource is Object) when { resource.namespace == "none" || context.key != "" };"#;
    assert_eq!(shown(&judge(&[group, none]), DB), (keys(&[]), false));
}

#[test]
fn only_one_whole_secret_that_is_read_by_name_is_shown() {
    let judge = judge(&[ANY]);
    for (line, accept) in [
        ("GET /api/v1/namespaces/shop/secrets", "application/json"),
        ("GET /api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Ddb", "application/json"),
        ("GET /api/v1/namespaces/shop/secrets?watch=true", "application/json"),
        ("GET /api/v1/namespaces/shop/configmaps/db", "application/json"),
        ("GET /apis/example.com/v1/namespaces/shop/secrets/db", "application/json"),
        ("GET /api/v1/namespaces/shop/secrets/db/status", "application/json"),
        (DB, "application/json;as=Table;g=meta.k8s.io;v=v1, application/json"),
        (DB, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"),
    ] {
        assert!(decision(&judge, line, accept).reveal().is_none(), "{line} {accept}");
    }
    // The gate's own Secrets, never.
    let everywhere = self::judge(&[r#"@id("e") permit (principal, action == Action::"reveal", resource);"#]);
    assert!(decision(&everywhere, DB, "*/*").reveal().others());
    assert!(decision(&everywhere, "GET /api/v1/namespaces/portcullis/secrets/db", "*/*").reveal().is_none());
}

#[test]
fn asking_about_a_secret_asks_about_every_key() {
    let probe = |rules: &[&str]| {
        let secret = Resource::asked("", "v1", "secrets", None, Some("shop"), Some("db")).unwrap();
        judge(rules).probe(&WHO, "prod", "reveal", &secret).outcome()
    };
    assert_eq!(probe(&[]), Outcome::Deny);
    assert_eq!(probe(&[KEY]), Outcome::Deny);
    assert_eq!(probe(&[ANY]), Outcome::Allow);
    assert_eq!(probe(&[ANY, ASKS]), Outcome::Ask);
    assert_eq!(probe(&[ANY, NOT_PW]), Outcome::Deny);
}

#[test]
fn a_key_is_compared_with_strings_only() {
    let told = |condition: &str| {
        let text = format!(
            "@id(\"a\") permit (principal, action == Action::\"reveal\", resource is Object) when {{ {condition} }};"
        );
        let source = Source { name: "a.cedar".to_owned(), text };
        Bundle::compile(&[source]).map_or_else(|problems| problems.to_string(), |_| "taken".to_owned())
    };
    for free in [
        "context.key like \"pw*\"",
        "context.key == resource.name",
        "[\"a\", resource.name].contains(context.key)",
        "[context.key].contains(\"a\")",
        "[context.key] == [\"a\"]",
        "{ k: context.key }.k == \"a\"",
        "(if context.dryRun then context.key else \"a\") == \"a\"",
        "context[\"key\"] < \"a\"",
        "context.images.contains(context.key)",
        "context.key == \"a\" && context.key == context.key",
    ] {
        assert!(
            told(free).contains("`context.key` can be compared only") || told(free).contains("must"),
            "{free}: {}",
            told(free)
        );
        assert_ne!(told(free), "taken", "{free}");
    }
    for fine in [
        "context.key == \"a\" || \"b\" != context.key",
        "[\"a\", \"b\"].contains(context[\"key\"])",
        "!(context.key == \"a\") && resource.name like \"app-*\"",
    ] {
        assert_eq!(told(fine), "taken", "{fine}");
    }
    let many = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!("\"k{n}\"")).collect();
        told(&format!("[{}].contains(context.key)", keys.join(",")))
    };
    assert_eq!(many(64), "taken");
    assert!(
        many(65)
            .contains("more than 64 keys of Secrets; permit every key of a Secret in place of naming each"),
        "{}",
        many(65)
    );
}
