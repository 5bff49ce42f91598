use insta::assert_snapshot;

use super::*;
use crate::bundle::Source;

fn bundle() -> Bundle {
    let text = r#"
        @id("reads") permit (principal in Group::"team", action in Action::"read", resource);
        @id("never") permit (principal == Agent::"other", action, resource);
        @id("changes") permit (principal in Group::"makers", action in Action::"change", resource);
        @id("secrets") @reason("private") forbid (principal, action, resource is Object) when { resource.type == "secrets" };
    "#;
    Bundle::compile(&[Source { name: "test.cedar".to_owned(), text: text.to_owned() }]).unwrap()
}

const HEAD: &str = "defaults: { agent: claude, groups: [team], cluster: prod }\ncases:\n";

#[test]
fn a_report_tells_what_went_otherwise_and_what_nothing_proves() {
    let text = format!(
        "{HEAD}\
         - {{ name: as expected, request: GET /api/v1/pods, expect: allow, rule: reads, maskedRead: false }}\n\
         - {{ name: other outcome, request: GET /api/v1/secrets, expect: allow }}\n\
         - {{ name: other rule, request: GET /api/v1/pods, expect: allow, rule: secrets }}\n\
         - {{ name: other groups, request: GET /api/v1/pods, groups: [], expect: deny }}\n\
         - {{ name: masked, request: GET /api/v1/pods, expect: allow, maskedRead: true }}\n\
         - {{ name: a question, can: {{ verb: get, resource: pods/log, namespace: a, name: b }}, expect: allow }}\n"
    );
    let report = run_tests(&bundle(), "tests.yaml", &text).unwrap();
    assert!(!report.passed());
    assert_snapshot!(report);
}

#[test]
fn a_wrong_file_is_refused() {
    let table = [
        "cases: [".to_owned(),
        "cases: []".to_owned(),
        format!("{HEAD}- {{ name: a, expect: allow, colour: red }}"),
        format!("{HEAD}- {{ name: a, expect: maybe }}"),
        format!(
            "{HEAD}- {{ name: neither, expect: allow }}\n- {{ name: no method, request: /api, expect: allow }}"
        ),
        format!("{HEAD}- {{ name: bad path, request: GET /api//v1, expect: allow }}"),
        format!("{HEAD}- {{ name: no body wanted, request: GET /api/v1/pods, body: {{}}, expect: allow }}"),
        format!(
            "{HEAD}- {{ name: a command, groups: [makers], request: PATCH /api/v1/namespaces/a/pods/b, contentType: application/merge-patch+json, \
             body: {{ spec: {{ env: x }} }}, expect: allow }}\n\
             - {{ name: no patch, request: GET /api/v1/pods, merged: {{}}, expect: allow }}"
        ),
        format!("{HEAD}- {{ name: bad resource, can: {{ verb: get, resource: \"p ods\" }}, expect: allow }}"),
    ];
    let told: Vec<String> =
        table.iter().map(|text| run_tests(&bundle(), "tests.yaml", text).unwrap_err().to_string()).collect();
    assert_snapshot!(told.join("\n---\n"));
}

#[test]
fn what_is_revealed_has_to_be_said() {
    let text = r#"
        @id("reads") permit (principal, action in Action::"read", resource);
        @id("user") permit (principal, action == Action::"reveal", resource) when { context.key == "user" };
    "#;
    let bundle = Bundle::compile(&[Source { name: "test.cedar".to_owned(), text: text.to_owned() }]).unwrap();
    let db = "request: GET /api/v1/namespaces/a/secrets/db, expect: allow";
    let text = format!(
        "{HEAD}- {{ name: said, {db}, reveal: [user] }}\n- {{ name: not said, {db} }}\n- {{ name: too much, {db}, reveal: [user, \"*\"] }}\n"
    );
    let report = run_tests(&bundle, "tests.yaml", &text).unwrap();
    let told: Vec<&str> = report.cases().iter().map(|case| case.failure().unwrap_or("ok")).collect();
    assert_snapshot!(told.join("\n"), @r#"
    ok
    expected reveal {}, got {"user"}
    expected reveal {"*", "user"}, got {"user"}
    "#);
}
