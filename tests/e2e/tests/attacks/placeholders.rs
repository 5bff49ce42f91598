//! E: a placeholder that is written anywhere but back where it stood is refused, by path and before anything is sent.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{MASKED_DATA, MASKED_TEXT, audited, permissive};
use serde_json::{Value, json};

use crate::{
    case::{
        APPLY, Case,
        Control::{Leaks, Takes},
        Gated::Refused,
        JSON, JSON_PATCH, MERGE, STRATEGIC, YAML, case, filled, rows_of, with,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    let read = Read { text: MASKED_TEXT.to_owned(), base64: MASKED_DATA.to_owned() };
    [rows_of(&pasted(&read)), rows_of(&quoted(&read)), rows_of(&releases())].concat()
}

/// What an agent was shown for the key `password` of the Secret `database`.
struct Read {
    base64: String,
    text: String,
}

const MAPS: &str = "/api/v1/namespaces/NS/configmaps";
const SECRETS: &str = "/api/v1/namespaces/NS/secrets";

/// The API server would take it. Nothing of it goes upstream.
fn refused(
    row: &'static str,
    line: impl Into<String>,
    header: &'static str,
    body: impl ToString,
    path: &'static str,
) -> Case {
    let line = line.into();
    let status = if line.starts_with("POST") { 201 } else { 200 };
    case(row, line, &[header], body.to_string(), Takes(status), Refused(422, path))
}

fn named(kind: &str, name: &str, more: &Value) -> Value {
    with(json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}), more.clone())
}

/// E1: in another kind, as it is, encoded, in a text, in every form of write.
fn elsewhere(Read { text, base64 }: &Read) -> Vec<Case> {
    let create = format!("POST {MAPS}?dryRun=All");
    let settings = format!("PATCH {MAPS}/settings?dryRun=All");
    let applied = format!("{settings}&fieldManager=x&force=true");
    let web = "PATCH /apis/apps/v1/namespaces/NS/deployments/web?dryRun=All";
    let map = |value: &str| named("ConfigMap", "made", &json!({"data": {"pasted": value}}));
    let data = json!({"data": {"pasted": text}});
    let add = json!([{"op": "add", "path": "/data/pasted", "value": text}]);
    let env = json!([{"name": "A", "value": text}]);
    let env = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": env}]}}}});
    let note = json!({"data": {"password": base64}}).to_string();
    let note = json!({"metadata": {"annotations": {"a": note}}});
    let at = "/data/pasted";
    vec![
        refused("E1", &create, JSON, map(text), at),
        refused("E1", &create, JSON, map(base64), at),
        refused("E1", &create, JSON, map(&STANDARD.encode(base64)), at),
        refused("E1", &create, JSON, map(&format!("password={text}\n")), at),
        refused("E1", &create, YAML, map(text), at),
        refused("E1", &settings, MERGE, &data, at),
        refused("E1", &settings, STRATEGIC, &data, at),
        refused("E1", &settings, MERGE, note, "/metadata/annotations/a"),
        refused("E1", &settings, JSON_PATCH, add, "/0/value"),
        refused("E1", applied, APPLY, named("ConfigMap", "settings", &data), at),
        refused("E1", web, STRATEGIC, env, "/spec/template/spec/containers/0/env/0/value"),
    ]
}

/// E1: under another key, in another Secret, in a new one.
fn other_secrets(Read { base64, .. }: &Read) -> Vec<Case> {
    let database = format!("PATCH {SECRETS}/database?dryRun=All");
    let other = format!("{SECRETS}/other?dryRun=All");
    let secret = |key: &str| json!({"data": {key: base64}});
    let made = named("Secret", "made", &secret("password"));
    vec![
        refused("E1", &database, MERGE, secret("else"), "/data/else"),
        refused("E1", &database, STRATEGIC, secret("else"), "/data/else"),
        refused("E1", format!("PATCH {other}"), MERGE, secret("password"), "/data/password"),
        refused("E1", format!("POST {SECRETS}?dryRun=All"), JSON, made, "/data/password"),
        refused(
            "E1",
            format!("PUT {other}"),
            JSON,
            named("Secret", "other", &secret("password")),
            "/data/password",
        ),
    ]
}

/// E3: in a patch that does not say what it finds, and in a form that is not what was shown.
fn other_forms(Read { text, base64 }: &Read) -> Vec<Case> {
    let database = format!("PATCH {SECRETS}/database?dryRun=All");
    let replace = json!([{"op": "replace", "path": "/data/password", "value": base64}]);
    let longer = json!({"stringData": {"password": format!("x{text}")}});
    let twice = json!({"data": {"password": STANDARD.encode(base64)}});
    let typed = json!({"type": "kubernetes.io/basic-auth", "stringData": {"password": text}});
    let typed = named("Secret", "typed", &typed);
    vec![
        refused("E3", &database, JSON_PATCH, replace, "/0/value"),
        refused("E3", &database, MERGE, longer, "/stringData/password"),
        refused("E3", &database, MERGE, twice, "/data/password"),
        refused("E3", format!("POST {SECRETS}?dryRun=All"), JSON, typed, "/stringData/password"),
    ]
}

fn pasted(read: &Read) -> Vec<Case> {
    [elsewhere(read), other_secrets(read), other_forms(read)].concat()
}

/// E2: beside an error for which the API server quotes the whole patch.
fn quoted(read: &Read) -> Vec<Case> {
    let database = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All";
    // The control is what such a patch would be with the value put right.
    let one = |header, body: Value, real: &str| {
        let real = body.to_string().replace(&read.base64, real);
        [
            case("E2", database, &[header], real, Leaks, Refused(422, "withheld")),
            case("E2", database, &[header], body.to_string(), Takes(422), Refused(400, "withheld")),
        ]
    };
    let broken = json!({"data": {"password": read.base64}, "immutable": "x"});
    [one(STRATEGIC, broken.clone(), "CANARY64"), one(MERGE, broken, "CANARY64")].concat()
}

/// E4: Helm keeps what it read, masked or not, in releases that it would roll back to.
fn releases() -> Vec<Case> {
    let release = r#"{"apiVersion":"v1","kind":"Secret","type":"helm.sh/release.v1","metadata":{"name":"sh.helm.release.v1.web.v2","labels":{"owner":"helm"}},"data":{"release":"SDRzSUFBQUE="}}"#;
    let secrets = "/api/v1/namespaces/NS/secrets";
    let one = format!("{secrets}/sh.helm.release.v1.web.v1");
    let refused = Refused(403, "fixed/helm-releases");
    vec![
        case("E4", format!("POST {secrets}?dryRun=All"), &[JSON], release, Takes(201), refused),
        case(
            "E4",
            format!("PATCH {one}?dryRun=All"),
            &[MERGE],
            r#"{"metadata":{"labels":{"status":"superseded"}}}"#,
            Takes(200),
            refused,
        ),
        case(
            "E4",
            format!("PUT {one}?dryRun=All"),
            &[JSON],
            release.replace(".v2", ".v1"),
            Takes(200),
            refused,
        ),
        case("E4", format!("DELETE {one}?dryRun=All"), &[], "", Takes(200), refused),
    ]
}

#[test]
fn a_placeholder_goes_back_to_where_it_stood_or_nowhere() -> anyhow::Result<()> {
    let world = World::new("pasted", &permissive())?;
    let release = json!({"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.web.v1"}, "stringData": {"release": "x"}});
    world.make("/api/v1/namespaces/NS/secrets", &release)?;
    world.make("/api/v1/namespaces/NS/secrets", &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other"}, "stringData": {"password": "something-else"}}))?;
    world.make("/api/v1/namespaces/NS/configmaps", &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "green"}}))?;
    let container = json!({"name": "web", "image": "busybox"});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}});
    let spec = json!({"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    world.make(
        "/apis/apps/v1/namespaces/NS/deployments",
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}),
    )?;
    let answer =
        world.gated.ask(&filled("GET /api/v1/namespaces/NS/secrets/database", world.namespace()), &[], "")?;
    let shown: Value = serde_json::from_str(&answer.body)?;
    let base64 = shown["data"]["password"].as_str().context("no placeholder")?.to_owned();
    let read = Read { text: String::from_utf8(STANDARD.decode(&base64)?)?, base64 };
    let live = world.live()?;
    world.try_all(&pasted(&read))?;
    world.try_all(&releases())?;
    let sent = audited(world.lab.cluster, |event| {
        event["objectRef"]["namespace"] == "pasted-gated"
            && event["impersonatedUser"].is_object()
            && matches!(event["verb"].as_str(), Some("create" | "update" | "patch" | "delete"))
    })?;
    assert!(sent.is_empty(), "{sent:?}");
    world.try_all(&quoted(&read))?;
    assert_eq!(world.live()?, live);
    Ok(())
}
