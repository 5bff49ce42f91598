use insta::assert_snapshot;

use super::*;
use crate::action::Action;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), text: text.to_owned() }
}

fn problems(text: &str) -> String {
    Bundle::compile(&[source("b.cedar", text)]).unwrap_err().to_string()
}

const PERMIT: &str = "@id(\"p\")\npermit (principal, action, resource);\n";

/// A forbid with extra annotations and clauses.
fn forbid(annotations: &str, clauses: &str) -> String {
    format!(
        "@id(\"f\") @reason(\"because\") {annotations}\nforbid (principal, action in Action::\"write\", resource) {clauses};"
    )
}

#[test]
fn actions_and_their_groups_are_those_of_the_schema() {
    let words = Vocabulary::shipped().unwrap();
    let entities = words.validator.schema().action_entities().unwrap();
    let mut declared: Vec<String> =
        words.validator.schema().actions().map(|uid| uid.id().unescaped().to_owned()).collect();
    let ours = Action::ALL
        .iter()
        .flat_map(|action| std::iter::once(action.as_str()).chain(action.groups().iter().copied()));
    let mut ours: Vec<String> = ours.map(str::to_owned).collect();
    ours.sort();
    ours.dedup();
    declared.sort();
    assert_eq!(ours, declared);
    for action in Action::ALL {
        let uid = words.action(action).unwrap().uid();
        let mut ancestors: Vec<_> =
            entities.ancestors(&uid).unwrap().map(|a| a.id().unescaped().to_owned()).collect();
        ancestors.sort();
        assert_eq!(ancestors, action.groups(), "{action}");
        assert_eq!(Action::ALL[action.index()], action);
    }
}

#[test]
fn every_problem_is_listed_with_its_place() {
    let first = source(
        "a.cedar",
        "@id(\"same\")\npermit (principal, action, resource);\n\n  permit (principal, action, resource);\n\
         @id(\"typo\") permit (principal, action, resource) when { resource.nam == \"x\" };\n\
         @id(\"t\") permit (principal == ?principal, action, resource);\n",
    );
    let second = source("b.cedar", "@id(\"same\") @color(\"red\") forbid (principal, action, resource);");
    let third = source("c.cedar", "permit (principal, action, resource)\npermit");
    let found = Bundle::compile(&[first, second, third]).unwrap_err();
    assert_snapshot!(found);
}

#[test]
fn asking_has_one_shape() {
    let ask = "@outcome(\"approval\") @approvers(\"sre\")";
    let unless = "unless { context.approved }";
    assert!(Bundle::compile(&[source("b", &forbid(ask, unless))]).is_ok());
    let table = [
        ("no clause", forbid(ask, "")),
        ("a weaker clause", forbid(ask, "unless { context.approved || context.dryRun }")),
        ("a second use", forbid(ask, "when { !context.approved } unless { context.approved }")),
        ("no approvers", forbid("@outcome(\"approval\")", unless)),
        ("blank approvers", forbid("@outcome(\"approval\") @approvers(\" , \")", unless)),
        ("quorum 0", forbid("@outcome(\"approval\") @approvers(\"sre\") @quorum(\"0\")", unless)),
        ("assurance", forbid("@outcome(\"approval\") @approvers(\"sre\") @assurance(\"finger\")", unless)),
        ("access", forbid("@outcome(\"approval\") @approvers(\"sre\") @access(\"always\")", unless)),
        ("hold", forbid("@outcome(\"approval\") @approvers(\"sre\") @hold(\"11m\")", unless)),
        (
            "hold that is no time",
            forbid("@outcome(\"approval\") @approvers(\"sre\") @hold(\"soon\")", unless),
        ),
        ("hold alone", forbid("@hold(\"5m\")", "")),
        ("access alone", forbid("@access(\"never\")", "")),
        ("assurance alone", forbid("@assurance(\"passkey\")", "")),
        ("quorum 11", forbid("@outcome(\"approval\") @approvers(\"sre\") @quorum(\"11\")", unless)),
        ("another outcome", forbid("@outcome(\"maybe\") @approvers(\"sre\")", unless)),
        ("author of what does not ask", forbid("@author(\"ada\")", "")),
        ("blank author", forbid("@author(\" \") @outcome(\"approval\") @approvers(\"sre\")", unless)),
        ("no outcome", forbid("@approvers(\"sre\") @quorum(\"1\")", "")),
        ("approved without outcome", forbid("", unless)),
        ("a permit that asks", format!("@id(\"p\") {ask} permit (principal, action, resource) {unless};")),
        (
            "a permit on approval",
            "@id(\"p\") permit (principal, action, resource) when { context.approved };".to_owned(),
        ),
        ("approval by another name", forbid("", "when { context == context }")),
        ("approval has", forbid("", "when { context has approved }")),
    ];
    let told: Vec<String> = table.iter().map(|(what, text)| format!("{what}:\n{}", problems(text))).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn limits_stand_on_what_permits_something_that_goes_on() {
    let permit = |annotations: &str, action: &str| {
        format!("@id(\"p\") {annotations}\npermit (principal, action {action}, resource);")
    };
    for action in
        ["", "== Action::\"exec\"", "in Action::\"copy\"", "in Action::\"read\"", "in Action::\"stream\""]
    {
        let rule = permit("@idle(\"90s\") @longest(\"24h\")", action);
        assert!(Bundle::compile(&[source("b", &rule)]).is_ok(), "{action}");
    }
    let exec = "== Action::\"exec\"";
    let table = [
        ("no time", permit("@idle(\"soon\")", exec)),
        ("nothing", permit("@longest(\"\")", exec)),
        ("no time at all", permit("@longest(\"0s\")", exec)),
        ("too long", permit("@longest(\"25h\")", exec)),
        ("never idle for so long", permit("@idle(\"1h\") @longest(\"60m\")", exec)),
        ("what does not go on", permit("@idle(\"5m\")", "in Action::\"write\"")),
        ("a list", permit("@longest(\"5m\")", "== Action::\"list\"")),
        ("a forbid", forbid("@longest(\"5m\")", "")),
    ];
    let told: Vec<String> = table.iter().map(|(what, text)| format!("{what}:\n{}", problems(text))).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn rules_are_named_and_literals_make_sense() {
    let rule = |id: &str, scope: &str| format!("@id(\"{id}\") permit (principal, action, resource {scope});");
    let table = [
        rule("fixed/mine", ""),
        rule("Upper", ""),
        rule("", ""),
        rule("ns", "in Namespace::\"shop\""),
        rule("deep", "in Namespace::\"prod/shop/x\""),
        rule("obj", "== Object::\"x\""),
        rule("eq", "== Namespace::\"prod/shop\""),
        "@id(\"f\") forbid (principal, action, resource);".to_owned(),
        "@id(\"f\") @reason(\"\") forbid (principal, action, resource);".to_owned(),
        "@id(\"f\") @reason(\"a\\nb\") forbid (principal, action, resource);".to_owned(),
        "@id(\"s\") permit (principal in Group::\"\", action, resource);".to_owned(),
        "@id(\"never\") permit (principal, action == Action::\"get\", resource is Endpoint);".to_owned(),
        "@id(\"bidi\") permit (principal, action, resource is Object) when { resource.name == \"a\u{202e}b\" };".to_owned(),
        String::new(),
    ];
    let told: Vec<String> = table.iter().map(|text| format!("{text}\n    {}", problems(text))).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn two_files_of_one_name_are_refused() {
    let found = Bundle::compile(&[source("a", PERMIT), source("a", "")]).unwrap_err();
    assert_snapshot!(found);
}

#[test]
fn the_digest_covers_names_and_texts_in_any_order() {
    let of = |sources: &[Source]| Bundle::compile(sources).unwrap().digest().clone();
    let (a, b) = (source("a", PERMIT), source("b", "// nothing"));
    let both = of(&[a.clone(), b.clone()]);
    assert_eq!(both, of(&[b.clone(), a.clone()]));
    assert_ne!(both, of(&[a.clone(), source("c", &b.text)]));
    assert_ne!(both, of(std::slice::from_ref(&a)));
    assert!(both.as_str().starts_with("sha256:"));
    assert_eq!(both.as_str().len(), 7 + 64);
}

#[test]
fn a_bundle_is_summed_up() {
    let summary = check(&[source("a", PERMIT), source("b", &forbid("", ""))]).unwrap();
    let text = summary.to_string();
    assert!(text.starts_with("2 files: 1 permits, 1 forbids, 0 that ask; sha256:"), "{text}");
}

#[test]
fn rules_whose_answers_for_a_collection_cannot_be_told_are_refused() {
    let told = |condition: &str| {
        let text =
            format!("@id(\"a\") permit (principal, action, resource is Object) when {{ {condition} }};");
        let source = Source { name: "a.cedar".to_owned(), text };
        Bundle::compile(&[source]).map_or_else(|problems| problems.to_string(), |_| "taken".to_owned())
    };
    for free in [
        "resource.name == resource.namespace",
        "resource.namespace != resource.cluster",
        "context.images.contains(resource.name)",
        "{ ns: resource.namespace }.ns == resource.group",
    ] {
        assert!(
            told(free).contains("can be compared only with strings and patterns"),
            "{free}: {}",
            told(free)
        );
    }
    let overlapping: Vec<String> = ('a'..='n').map(|c| format!("resource.name like \"*{c}*\"")).collect();
    assert!(told(&overlapping.join(" || ")).contains("single out more than 1000 pairs"));
    assert_eq!(told("resource.name == \"a\" && [\"b\"].contains(resource.namespace)"), "taken");
}
