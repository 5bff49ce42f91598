//! The API server is the leak: patches that copy, errors that quote, writes that read, and placeholders that tell.

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::permissive;
use serde_json::{Value, json};

use crate::{
    case::{
        Case,
        Control::{Leaks, Takes},
        Gated::{Masked, Plain, Refused},
        JSON, JSON_PATCH, MERGE, METADATA, METADATA_LIST, STRATEGIC, case, filled, row_of, rows_of,
    },
    world::{World, secret},
};

const SECRETS: &str = "/api/v1/namespaces/NS/secrets";
const DATABASE: &str = "/api/v1/namespaces/NS/secrets/database";
const DRY_PATCH: &str = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All";
const OPAQUE: &str = "fixed/opaque-patch";

pub(crate) fn rows() -> Vec<&'static str> {
    let tables = [copies(), errors(), reads(), rest()].concat();
    [rows_of(&tables), vec![row_of("A13", equal_and_different_values_are_indistinguishable)]].concat()
}

/// A1: each copies the value to where metadata shows it.
fn copies() -> Vec<Case> {
    let copies = [
        ("copy", "/data/password", "/metadata/annotations/x"),
        ("move", "/data/password", "/metadata/annotations/x"),
        ("copy", "/data/spiky", "/metadata/annotations/x"),
        ("copy", "/data", "/metadata/annotations"),
        ("move", "/data", "/metadata/annotations"),
        (
            "copy",
            "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
            "/metadata/annotations/x",
        ),
        ("copy", "/data/password", "/metadata/annotations/a~1b"),
        ("copy", "/data/password", "/metadata/finalizers"),
    ];
    let mut all = Vec::new();
    for (op, from, path) in copies {
        let body = json!([{"op": op, "from": from, "path": path}]).to_string();
        for target in [DRY_PATCH, &format!("PATCH {DATABASE}")] {
            // Without a dry run, the control would change what other cases look at.
            let line = if op == "move" { DRY_PATCH } else { target };
            all.push(case("A1", line, &[JSON_PATCH, METADATA], body.clone(), Leaks, Refused(403, OPAQUE)));
        }
    }
    for (from, path) in [("", "/metadata/annotations/x"), ("", "/data/copy"), ("/metadata", "/data")] {
        let body = json!([{"op": "copy", "from": from, "path": path}]).to_string();
        // The API server itself does not do this: the types do not fit.
        all.push(case("A1", DRY_PATCH, &[JSON_PATCH], body, Takes(422), Refused(403, OPAQUE)));
    }
    all
}

/// A2: errors that quote.
fn errors() -> Vec<Case> {
    let mut all = Vec::new();
    for path in ["/metadata/labels/x", "/metadata/name", "/metadata/uid", "/type"] {
        let body = json!([{"op": "copy", "from": "/data/password", "path": path}]).to_string();
        all.push(case("A2", DRY_PATCH, &[JSON_PATCH], body, Leaks, Refused(403, OPAQUE)));
    }
    all.extend([
        case("A2", DRY_PATCH, &[MERGE], r#"{"type":"CANARY"}"#, Leaks, Refused(422, "words are withheld")),
        case(
            "A2",
            DRY_PATCH,
            &[MERGE],
            r#"{"metadata":{"labels":{"x":"CANARY64"}}}"#,
            Leaks,
            Refused(422, "words are withheld"),
        ),
        case(
            "A2",
            DRY_PATCH,
            &[STRATEGIC],
            r#"{"data":{"password":"CANARY"},"immutable":"x"}"#,
            Leaks,
            Refused(422, "withheld"),
        ),
    ]);
    all
}

/// A3: writes that read.
fn reads() -> Vec<Case> {
    let with = |options: &str| format!("DELETE {DATABASE}?dryRun=All{options}");
    vec![
        case("A3", DRY_PATCH, &[MERGE], "{}", Leaks, Masked(200)),
        case("A3", DRY_PATCH, &[STRATEGIC], "{}", Leaks, Masked(200)),
        case("A3", DRY_PATCH, &[JSON_PATCH], "[]", Leaks, Masked(200)),
        case(
            "A3",
            format!("PATCH {DATABASE}"),
            &[MERGE],
            r#"{"metadata":{"labels":{"seen":"yes"}}}"#,
            Leaks,
            Masked(200),
        ),
        case("A3", DRY_PATCH, &[MERGE, METADATA], "{}", Leaks, Masked(200)),
        case("A3", with("&propagationPolicy=Foreground"), &[], "", Leaks, Masked(200)),
        case("A3", with("&propagationPolicy=Orphan"), &[], "", Leaks, Masked(200)),
        case("A3", format!("DELETE {SECRETS}?dryRun=All"), &[], "", Leaks, Masked(200)),
        case(
            "A3",
            format!("DELETE {SECRETS}?dryRun=All&labelSelector=app%3Dweb"),
            &[METADATA_LIST],
            "",
            Leaks,
            Masked(200),
        ),
        // The list is of what is gone.
        case("A3", format!("DELETE {SECRETS}?labelSelector=to%3Dgo"), &[], "", Leaks, Masked(200)),
        case(
            "A3",
            format!("POST {SECRETS}?dryRun=All"),
            &[JSON],
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"echo"},"stringData":{"password":"CANARY"}}"#,
            Leaks,
            Masked(201),
        ),
        case(
            "A3",
            format!("PUT {DATABASE}?dryRun=All"),
            &[JSON],
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"database"},"stringData":{"password":"CANARY"}}"#,
            Leaks,
            Masked(200),
        ),
    ]
}

/// A4: a test tells whether a guess is right. A12: the copy that `kubectl apply` leaves.
fn rest() -> Vec<Case> {
    vec![
        case(
            "A4",
            DRY_PATCH,
            &[JSON_PATCH],
            r#"[{"op":"test","path":"/data/password","value":"CANARY64"}]"#,
            Takes(200),
            Refused(403, "fixed/secret-test"),
        ),
        case(
            "A4",
            DRY_PATCH,
            &[JSON_PATCH],
            r#"[{"op":"test","path":"/data/password","value":"Z3Vlc3M="}]"#,
            Takes(422),
            Refused(403, "fixed/secret-test"),
        ),
        case("A12", format!("GET {DATABASE}"), &[METADATA], "", Leaks, Masked(200)),
        case("A12", format!("GET {DATABASE}"), &[], "", Leaks, Masked(200)),
        case("A12", "GET /api/v1/namespaces/NS/secrets/absent", &[], "", Takes(404), Plain(404, "not found")),
    ]
}

#[test]
fn the_api_server_is_no_leak() -> anyhow::Result<()> {
    let world = World::new("leaks", &permissive())?;
    // By what `portcullis rbac` prints, agents may delete Secrets by name alone.
    let line = filled(&format!("DELETE {SECRETS}?dryRun=All"), world.namespace());
    let refused = world.gated.ask(&line, &[], "")?;
    Refused(403, "withheld").check(&refused).with_context(|| format!("{refused:?}"))?;
    world.grant("", "secrets", &["deletecollection"])?;
    let mut passing = secret("passing");
    passing["metadata"]["labels"] = json!({"to": "go"});
    world.make(SECRETS, &passing)?;
    let live = world.live()?;
    let listed = world.gated.ask(&line, &[], "")?;
    let list: Value = serde_json::from_str(&listed.body)?;
    ensure!(
        list["kind"] == "SecretList" && list["items"].as_array().is_some_and(|items| items.len() == 2),
        "{listed:?}"
    );
    world.try_all(&[copies(), errors(), reads(), rest()].concat())?;
    let gone = world.gated.ask(&filled(&format!("GET {SECRETS}/passing"), world.namespace()), &[], "")?;
    ensure!(gone.status == 404, "{gone:?}");
    // None of it has cost the value.
    assert_eq!(world.live()?, live);
    Ok(())
}

/// A13: what stands for a value tells neither its length, nor whether there is one, nor whether two are equal.
#[test]
fn equal_and_different_values_are_indistinguishable() -> anyhow::Result<()> {
    let world = World::new("alike", &permissive())?;
    let long = "y".repeat(5_000);
    let values = [
        ("equal-a", "same-value-4711"),
        ("equal-b", "same-value-4711"),
        ("other-c", "else-value-1147"),
        ("empty-d", ""),
        ("long--e", long.as_str()),
    ];
    let data: serde_json::Map<String, Value> =
        values.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    world.make(
        "/api/v1/namespaces/NS/secrets",
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "alike"}, "stringData": data}),
    )?;
    let read = |client: &e2e::Client| -> anyhow::Result<Vec<String>> {
        let answer =
            client.ask(&filled("GET /api/v1/namespaces/NS/secrets/alike", world.namespace()), &[], "")?;
        let secret: Value = serde_json::from_str(&answer.body)?;
        Ok(values
            .iter()
            .map(|(key, _)| secret["data"][*key].as_str().unwrap_or_default().to_owned())
            .collect())
    };
    let direct = read(&world.direct)?;
    assert!(direct[0] == direct[1] && direct[0] != direct[2] && direct[3].is_empty());
    let shown = read(&world.gated)?;
    assert!(shown.iter().all(|placeholder| placeholder.len() == shown[0].len()), "{shown:?}");
    for shown in &shown {
        assert!(STANDARD.decode(shown).unwrap().starts_with(b"masked-by-portcullis"), "{shown}");
    }
    // Equal ones are no more alike than others: all the same, or each its own.
    let alike = |a: usize, b: usize| shown[a] == shown[b];
    assert!(
        alike(0, 1) == alike(0, 2) && alike(0, 1) == alike(0, 3) && alike(0, 1) == alike(0, 4),
        "{shown:?}"
    );
    Ok(())
}
