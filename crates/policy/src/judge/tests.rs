use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Context;
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::body::{Body, Form};
use crate::bundle::Source;
use crate::settings::Own;
use crate::vocabulary::namespace_id;
use crate::wording::Refused;

fn judge(text: &str) -> Judge {
    let source = Source { name: "test.cedar".to_owned(), text: text.to_owned() };
    Judge::new(Bundle::compile(&[source]).unwrap(), Settings::default())
}

fn object<'a>(kind: &'a str, namespace: &'a str, name: &'a str) -> Object<'a> {
    let (kind, subresource) = kind.split_once('/').unwrap_or((kind, ""));
    let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
    Object { group, resource, subresource, namespace, name }
}

fn call<'a>(verb: &'a str, kind: &'a str, namespace: &'a str, name: &'a str) -> Call<'a> {
    Call::on_object(verb, object(kind, namespace, name), None, false)
}

/// The outcome and what an agent would read.
fn told(judge: &Judge, groups: &[&str], cluster: &str, call: &Call<'_>) -> (Outcome, String) {
    let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
    let who = Principal { agent: "claude", groups: &groups };
    let finding = judge.decide(&who, cluster, call);
    let ids: Vec<&str> = finding.rules.iter().map(|r| r.id.as_str()).collect();
    let words = match finding.outcome {
        Outcome::Allow => ids.join(","),
        _ => Refused::new("claude", cluster, call, &finding).message().to_owned(),
    };
    (finding.outcome, words)
}

fn outcome(judge: &Judge, groups: &[&str], cluster: &str, call: &Call<'_>) -> Outcome {
    told(judge, groups, cluster, call).0
}

const RULES: &str = r#"
@id("team") permit (principal in Group::"team", action, resource in Namespace::"prod/shop");
@id("reads") permit (principal in Group::"readers", action in Action::"read", resource);
@id("claude") permit (principal == Agent::"claude", action == Action::"get", resource in Cluster::"dev");
@id("no-pods") @reason("Pods come from workloads.") @hint("Change the Deployment instead.")
forbid (principal, action in Action::"write", resource)
when { resource.type == "pods" && resource.subresource == "" };
@id("ask-delete") @reason("Deleting cannot be undone.") @outcome("approval") @approvers("sre, lead") @quorum("2")
forbid (principal, action in Action::"destroy", resource) unless { context.approved };
"#;

#[test]
fn permits_are_scoped_by_principal_action_and_place() {
    let judge = judge(RULES);
    let get = |namespace| call("get", "pods", namespace, "web");
    let table = [
        (vec!["team"], "prod", get("shop"), Outcome::Allow),
        (vec!["team"], "prod", get("other"), Outcome::Deny),
        (vec!["team"], "dev", call("update", "configmaps", "shop", "web"), Outcome::Deny),
        (vec!["readers"], "prod", get("other"), Outcome::Allow),
        (vec![], "dev", get("any"), Outcome::Allow),
        (vec![], "prod", get("shop"), Outcome::Deny),
        (vec!["team"], "prod", call("create", "configmaps", "shop", ""), Outcome::Allow),
        (vec!["team"], "prod", call("create", "pods", "shop", ""), Outcome::Deny),
        (vec!["team"], "prod", call("delete", "configmaps", "shop", "a"), Outcome::Ask),
        (vec!["team"], "prod", call("create", "pods/eviction", "shop", "a"), Outcome::Ask),
        (vec!["team"], "prod", call("delete", "namespaces", "", "shop"), Outcome::Ask),
        (vec!["readers"], "prod", call("delete", "configmaps", "shop", "a"), Outcome::Deny),
        (vec!["team"], "prod", call("list", "pods", "", ""), Outcome::Deny),
        (vec!["team"], "prod", call("use", "pods", "shop", ""), Outcome::Deny),
        (vec!["team"], "prod", call("*", "*", "shop", ""), Outcome::Deny),
    ];
    for (groups, cluster, call, expected) in table {
        assert_eq!(outcome(&judge, &groups, cluster, &call), expected, "{groups:?} {cluster} {call:?}");
    }
    let nobody = Principal { agent: "", groups: &["team".to_owned()] };
    assert_eq!(judge.decide(&nobody, "prod", &get("shop")).outcome, Outcome::Deny);
}

#[test]
fn every_refusal_reads_well() {
    let judge = judge(&format!(
        "{RULES}@id(\"boom\") @reason(\"x\") forbid (principal, action == Action::\"patch\", resource) when {{ \
         context has replicas && context.replicas + 9223372036854775807 > 0 }};\n\
         @id(\"ask-too\") @reason(\"Namespaces hold much\") @hint(\"delete what is in it\") @outcome(\"approval\") \
         @approvers(\"owner\") forbid (principal, action in Action::\"destroy\", resource) \
         when {{ resource.type == \"namespaces\" }} unless {{ context.approved }};"
    ));
    let replicas = json!({ "spec": { "replicas": 1 } });
    let scaled = Body { value: &replicas, form: Form::Fragment };
    let calls = [
        call("delete", "deployments.apps", "elsewhere", "web"),
        call("get", "deployments.apps/scale", "elsewhere", "web"),
        call("list", "configmaps", "", ""),
        call("list", "nodes", "", ""),
        call("create", "pods", "shop", ""),
        call("delete", "pods", "shop", "web"),
        call("delete", "configmaps", "shop", "a"),
        call("delete", "namespaces", "", "shop"),
        Call::on_object("patch", object("deployments.apps", "shop", "web"), Some(scaled), false),
        call("get", "pods/exec", "shop", "web"),
        call("impersonate", "users", "", "admin\u{202e}\n"),
        Call::on_endpoint("get", "/debug/pprof"),
        Call::on_endpoint("get", "/healthz"),
    ];
    let lines: Vec<String> = calls
        .iter()
        .map(|call| told(&judge, &["team"], "prod", call))
        .map(|(o, m)| format!("{o}: {m}"))
        .collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn asking_needs_that_approval_would_help() {
    let judge = judge(RULES);
    // Nothing permits it, approved or not: the agent must not be sent to a human in vain.
    let (outcome, words) = told(&judge, &["readers"], "prod", &call("delete", "configmaps", "other", "a"));
    assert_eq!(outcome, Outcome::Deny);
    assert!(words.contains("no rule permits it"), "{words}");
    // Another forbid stands beside the one that asks.
    let (outcome, words) = told(&judge, &["team"], "prod", &call("delete", "pods", "shop", "web"));
    assert_eq!(outcome, Outcome::Deny);
    assert!(words.contains("no-pods"), "{words}");
}

#[test]
fn a_rule_that_errs_denies() {
    for effect in ["permit", "forbid"] {
        let judge = judge(&format!(
            "@id(\"all\") permit (principal, action, resource);\n@id(\"boom\") @reason(\"x\") {effect} (principal, action, resource) \
             when {{ context has replicas && context.replicas + 9223372036854775807 < 0 }};"
        ));
        let body = json!({ "spec": { "replicas": 1 } });
        let scale = |body| Call::on_object("update", object("deployments.apps", "a", "b"), body, false);
        assert_eq!(outcome(&judge, &[], "prod", &scale(None)), Outcome::Allow);
        let broken = scale(Some(Body { value: &body, form: Form::Whole }));
        let (outcome, words) = told(&judge, &[], "prod", &broken);
        assert_eq!(outcome, Outcome::Deny, "{effect}");
        assert!(words.contains("could not be evaluated, by an error in rule \"boom\""), "{words}");
    }
}

#[test]
fn a_call_on_a_collection_is_judged_for_every_place_it_covers() {
    let permit = "@id(\"all\") permit (principal, action, resource);\n";
    let forbid = |rule: &str| {
        judge(&format!(
            "{permit}@id(\"f\") @reason(\"private\") forbid (principal, action, resource is Object) {rule};"
        ))
    };
    let in_prod = judge(&format!(
        "{permit}@id(\"f\") @reason(\"private\") forbid (principal, action, resource in Namespace::\"prod/hr\");"
    ));
    let by_attribute = forbid("when { resource.namespace == \"hr\" }");
    let by_pattern = forbid("when { resource.namespace like \"kube-*\" }");
    let by_set = forbid("when { [\"hr\", \"legal\"].contains(resource.namespace) }");
    let all_but = forbid("when { resource.namespace != \"shop\" && resource.namespace != \"\" }");
    let by_name = forbid("when { resource.type == \"configmaps\" && resource.name == \"secret-plan\" }");
    let by_record = forbid("when { { ns: resource.namespace }.ns == \"hr\" }");
    let unless = judge(
        "@id(\"p\") permit (principal, action, resource is Object) unless { resource.namespace == \"hr\" };",
    );
    for judge in [&in_prod, &by_attribute, &by_pattern, &by_set, &all_but, &by_record, &unless] {
        for verb in ["list", "watch"] {
            assert_eq!(
                outcome(judge, &[], "prod", &call(verb, "pods", "", "")),
                Outcome::Deny,
                "{verb} {judge:?}"
            );
        }
        assert_eq!(outcome(judge, &[], "prod", &call("list", "nodes", "", "")), Outcome::Allow);
        assert_eq!(outcome(judge, &[], "prod", &call("list", "namespaces", "", "")), Outcome::Allow);
        assert_eq!(outcome(judge, &[], "prod", &call("list", "pods", "shop", "")), Outcome::Allow);
    }
    assert_eq!(
        outcome(&in_prod, &[], "dev", &call("list", "pods", "", "")),
        Outcome::Allow,
        "another cluster"
    );
    assert_eq!(outcome(&by_name, &[], "prod", &call("list", "configmaps", "shop", "")), Outcome::Deny);
    assert_eq!(
        outcome(&by_name, &[], "prod", &call("deletecollection", "configmaps", "shop", "")),
        Outcome::Deny
    );
    assert_eq!(outcome(&by_name, &[], "prod", &call("list", "pods", "shop", "")), Outcome::Allow);
    assert_eq!(outcome(&by_name, &[], "prod", &call("create", "configmaps", "shop", "")), Outcome::Allow);
    let words =
        |judge: &Judge, verb, kind, namespace| told(judge, &[], "prod", &call(verb, kind, namespace, "")).1;
    let lines = [
        words(&in_prod, "list", "pods", ""),
        words(&by_pattern, "watch", "pods", ""),
        words(&all_but, "list", "pods", ""),
        words(&unless, "list", "pods", ""),
        words(&by_name, "deletecollection", "configmaps", "shop"),
    ];
    assert_snapshot!(lines.join("\n"));
}

/// A list covers objects that only several patterns, or several rules, together single out.
#[test]
fn a_collection_is_judged_where_patterns_and_rules_meet() {
    let all = "@id(\"all\") permit (principal, action, resource);\n";
    let forbid = |condition: &str| {
        format!(
            "{all}@id(\"f\") @reason(\"x\") forbid (principal, action, resource is Object) when {{ {condition} }};"
        )
    };
    let permits = |one: &str, two: &str| {
        format!(
            "@id(\"one\") permit (principal, action, resource is Object) unless {{ {one} }};\n\
             @id(\"two\") permit (principal, action, resource is Object) unless {{ {two} }};"
        )
    };
    let (team, prod) = ("resource.namespace like \"team-*\"", "resource.namespace like \"*-prod\"");
    for rules in [
        forbid(&format!("{team} && {prod}")),
        forbid(&format!("{team} && !({prod}) && resource.namespace != \"team-*\"")),
        forbid(&format!("{team} && resource.name like \"*x*\" && !(resource.name like \"*xy*\")")),
        permits(team, prod),
        permits("resource.namespace == \"hr\"", "resource.name == \"plan\""),
        permits("resource.namespace == \"hr\"", "resource.name like \"*-plan\""),
    ] {
        let judge = judge(&rules);
        assert_eq!(outcome(&judge, &[], "prod", &call("list", "pods", "", "")), Outcome::Deny, "{rules}");
        assert_eq!(
            outcome(&judge, &[], "prod", &call("get", "pods", "shop", "a")),
            Outcome::Allow,
            "{rules}"
        );
    }
    // Nothing can be in both.
    let apart = forbid("resource.namespace like \"team-*\" && resource.namespace like \"kube-*\"");
    assert_eq!(outcome(&judge(&apart), &[], "prod", &call("list", "pods", "", "")), Outcome::Allow);
}

#[test]
fn a_generated_name_is_judged_as_every_name_it_may_become() {
    let judge = judge(
        r#"@id("all") permit (principal, action, resource);
        @id("n") @reason("x") forbid (principal, action, resource is Object) when { resource.namespace like "kube-*" };
        @id("f") @reason("x") forbid (principal, action, resource is Object) when { resource.name like "*-root" };
        @id("h") @reason("x") forbid (principal, action, resource in Namespace::"prod/hr-1");"#,
    );
    let create = |kind, namespace, prefix| {
        let mut call = call("create", kind, namespace, "");
        call.generated = Some(prefix);
        outcome(&judge, &[], "prod", &call)
    };
    assert_eq!(create("namespaces", "", "kube-"), Outcome::Deny);
    assert_eq!(create("namespaces", "", "ku"), Outcome::Deny);
    assert_eq!(create("namespaces", "", "hr"), Outcome::Deny);
    assert_eq!(create("configmaps", "shop", "a-"), Outcome::Deny, "it could end in `-root`");
    assert_eq!(create("configmaps", "kube-system", "a"), Outcome::Deny);
    let plain = self::judge(
        r#"@id("all") permit (principal, action, resource);
        @id("n") @reason("x") forbid (principal, action, resource is Object) when { resource.namespace like "kube-*" };"#,
    );
    for (kind, namespace, prefix, expected) in [
        ("namespaces", "", "team-", Outcome::Allow),
        ("namespaces", "", "portc", Outcome::Deny),
        ("configmaps", "shop", "kube-", Outcome::Allow),
        ("secrets", "shop", "bootstrap-token-", Outcome::Deny),
        ("secrets", "shop", "sh.helm.release.v1.web.", Outcome::Deny),
        ("secrets", "shop", "db-", Outcome::Allow),
        ("clusterroles.rbac.authorization.k8s.io", "", "portcullis:agent-", Outcome::Deny),
        ("clusterroles.rbac.authorization.k8s.io", "", "mine-", Outcome::Allow),
    ] {
        let mut call = call("create", kind, namespace, "");
        call.generated = Some(prefix);
        assert_eq!(outcome(&plain, &[], "prod", &call), expected, "{kind} {prefix}");
    }
}

#[test]
fn approvals_of_all_places_add_up() {
    let judge = judge(
        r#"@id("all") permit (principal, action, resource);
        @id("hr") @reason("private") @outcome("approval") @approvers("hr")
        forbid (principal, action, resource in Namespace::"prod/hr") unless { context.approved };
        @id("legal") @reason("private") @outcome("approval") @approvers("legal") @quorum("2")
        forbid (principal, action, resource in Namespace::"prod/legal") unless { context.approved };"#,
    );
    let who = Principal { agent: "claude", groups: &[] };
    let call = call("list", "pods", "", "");
    let finding = judge.decide(&who, "prod", &call);
    assert_eq!(finding.outcome, Outcome::Ask);
    let ids: Vec<&str> = finding.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["hr", "legal"]);
}

#[test]
fn one_object_under_two_groups_is_judged_alike() {
    let judge = judge(
        r#"@id("p") permit (principal, action, resource is Object)
        when { ["ingresses.networking.k8s.io", "events", "deployments.apps"].contains(resource.type) };"#,
    );
    for kind in [
        "ingresses.networking.k8s.io",
        "ingresses.extensions",
        "events",
        "events.events.k8s.io",
        "deployments.extensions",
    ] {
        assert_eq!(outcome(&judge, &[], "prod", &call("get", kind, "a", "b")), Outcome::Allow, "{kind}");
    }
    assert_eq!(outcome(&judge, &[], "prod", &call("get", "events.extensions", "a", "b")), Outcome::Deny);
}

#[test]
fn a_create_is_judged_by_the_name_in_its_body() {
    let judge = judge(
        r#"@id("all") permit (principal, action, resource);
        @id("f") @reason("taken") forbid (principal, action, resource is Object) when { resource.name == "root" };
        @id("n") @reason("taken") forbid (principal, action, resource in Namespace::"prod/hr");"#,
    );
    let named = |name: &str| json!({ "metadata": { "name": name } });
    let create = |kind, value: &Value| {
        let body = Body { value, form: Form::Whole };
        outcome(&judge, &[], "prod", &Call::on_object("create", object(kind, "", ""), Some(body), false))
    };
    assert_eq!(create("configmaps", &named("root")), Outcome::Deny);
    assert_eq!(create("configmaps", &named("hr")), Outcome::Allow);
    assert_eq!(create("namespaces", &named("hr")), Outcome::Deny);
    assert_eq!(create("namespaces", &named("shop")), Outcome::Allow);
}

#[test]
fn principals_that_no_rule_tells_apart_share_a_slice() {
    let judge = judge(RULES);
    let slice = |agent, groups: &[String]| judge.slices.of(&judge.bundle, &Principal { agent, groups });
    let (team, other) = (["team".to_owned()], ["unknown".to_owned()]);
    assert!(Arc::ptr_eq(&slice("a", &other), &slice("b", &[])));
    assert!(!Arc::ptr_eq(&slice("a", &team), &slice("a", &[])));
    let count = |slice: &Slice, action| slice.action(action).unwrap().policies.num_of_policies();
    assert_eq!(count(&slice("a", &[]), Action::Get), 0);
    assert_eq!(count(&slice("a", &[]), Action::Delete), 2);
    assert_eq!(count(&slice("claude", &team), Action::Get), 2);
}

#[test]
fn a_listing_of_rules_ends_before_it_takes_long() {
    let names: Vec<String> = (0..900).map(|n| format!("\"n{n}\"")).collect();
    let permit = "@id(\"p\") permit (principal, action in Action::\"read\", resource is Object)";
    let listed = |judge: &Judge| {
        let who = Principal { agent: "claude", groups: &[] };
        let rules = judge.rules_for(&who, "prod", "shop");
        rules.iter().map(|rule| rule.resources.len()).sum::<usize>()
    };
    let all = listed(&judge(&format!("{permit};")));
    let few = listed(&judge(&format!(
        "{permit} unless {{ [{}].contains(resource.name) && false }};",
        names.join(",")
    )));
    assert!(all > 50 && few < 3, "{all} {few}");
}

#[test]
fn lifting_is_by_cluster_and_by_id_of_what_can_be_lifted() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    let wrong = BTreeMap::from([("prod".to_owned(), ids(&["fixed/streams", "fixed/nonsense"]))]);
    assert_snapshot!(Settings::new(Own::default(), wrong).unwrap_err());
    let lifted = BTreeMap::from([("dev".to_owned(), ids(&["fixed/api-services"]))]);
    let settings = Settings::new(Own::default(), lifted).unwrap();
    assert_eq!(
        settings.lifted().map(|(c, d)| (c, d.id())).collect::<Vec<_>>(),
        [("dev", "fixed/api-services")]
    );
    let source =
        Source { name: "a".to_owned(), text: "@id(\"p\") permit (principal, action, resource);".to_owned() };
    let judge = Judge::new(Bundle::compile(&[source]).unwrap(), settings);
    let create = call("create", "apiservices.apiregistration.k8s.io", "", "");
    assert_eq!(outcome(&judge, &[], "dev", &create), Outcome::Allow);
    assert_eq!(outcome(&judge, &[], "prod", &create), Outcome::Deny);
}

#[test]
fn what_may_create_must_be_allowed_as_both() {
    let judge = judge(
        r#"@id("p") permit (principal, action in [Action::"update", Action::"patch"], resource);
        @id("c") permit (principal, action == Action::"create", resource in Namespace::"prod/shop");"#,
    );
    let put = |kind, namespace| outcome(&judge, &[], "prod", &call("update", kind, namespace, "a"));
    assert_eq!(put("configmaps", "other"), Outcome::Allow);
    assert_eq!(put("services", "other"), Outcome::Deny);
    assert_eq!(put("services", "shop"), Outcome::Allow);
    assert_eq!(put("runtimeclasses.node.k8s.io", ""), Outcome::Deny);
    let mut apply = call("patch", "configmaps", "other", "a");
    assert_eq!(outcome(&judge, &[], "prod", &apply), Outcome::Allow);
    apply.may_create = true;
    assert_eq!(outcome(&judge, &[], "prod", &apply), Outcome::Deny);
}

/// What approval can do is to take rules away that ask, and nothing else.
#[test]
fn approval_never_lifts_what_is_fixed() {
    let judge = judge(
        r#"@id("all") permit (principal, action, resource);
        @id("ask") @reason("x") @outcome("approval") @approvers("sre") forbid (principal, action, resource)
        unless { context.approved };"#,
    );
    let who = Principal { agent: "claude", groups: &[] };
    for call in
        [call("create", "services/proxy", "a", "b"), call("create", "serviceaccounts/token", "a", "b")]
    {
        let finding = judge.decide(&who, "prod", &call);
        assert!(matches!(finding.cause, Cause::Fixed(_)), "{finding:?}");
        assert_eq!(finding.outcome, Outcome::Deny);
    }
}

proptest! {
    /// Whatever stands in names, it stays a name: the question conforms to the schema, and only the real
    /// namespace, group and agent match.
    #[test]
    fn no_string_becomes_another_entity(
        agent in ".{1,12}", group in ".{0,12}", cluster in "[a-z/%\"]{0,12}", namespace in "[a-z/%\"]{0,12}", name in ".{0,12}",
    ) {
        prop_assume!(agent != "claude" && group != "team");
        let judge = judge(
            r#"@id("a") permit (principal == Agent::"claude", action, resource);
            @id("b") permit (principal in Group::"team", action, resource);
            @id("c") permit (principal, action, resource in Namespace::"prod/shop");"#,
        );
        let groups = [group];
        let who = Principal { agent: &agent, groups: &groups };
        let call = call("get", "pods", &namespace, &name);
        let expected = cluster == "prod" && namespace == "shop";
        prop_assert_eq!(judge.decide(&who, &cluster, &call).outcome == Outcome::Allow, expected);

        let evaluation = Evaluation {
            bundle: &judge.bundle, who: &who, cluster: &cluster, call: &call, action: Action::Get, subject: call.subject,
        };
        let (request, entities) = evaluation.question(false).unwrap();
        let schema = judge.bundle.vocabulary().validator.schema();
        let checked = cedar_policy::Request::new(
            request.principal().unwrap().clone(),
            request.action().unwrap().clone(),
            request.resource().unwrap().clone(),
            request.context().cloned().unwrap_or_else(Context::empty),
            Some(schema),
        );
        prop_assert!(checked.is_ok(), "{:?}", checked);
        let checked = cedar_policy::Entities::from_entities(entities, Some(schema));
        prop_assert!(checked.is_ok(), "{:?}", checked);
    }

    #[test]
    fn namespaces_of_two_clusters_never_meet(a in "[a-c/%]{0,5}", b in "[a-c/%]{0,5}", c in "[a-c/%]{0,5}", d in "[a-c/%]{0,5}") {
        let same = namespace_id(&a, &b) == namespace_id(&c, &d);
        prop_assert_eq!(same, a == c && b == d);
    }
}
