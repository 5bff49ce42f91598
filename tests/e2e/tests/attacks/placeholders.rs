//! E: a placeholder that is written anywhere but back where it stood is refused, by path and before anything is sent.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{MASKED_DATA, MASKED_TEXT, audited, permissive};
use serde_json::{Value, json};

use crate::{
    case::{
        APPLY, Case,
        Control::{Leaks, Takes},
        Gated::{Fails, Refused},
        JSON, JSON_PATCH, MERGE, STRATEGIC, YAML, case, filled, rows_of,
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

/// Nothing of these goes upstream. The API server would take each.
fn pasted(read: &Read) -> Vec<Case> {
    let (text, base64) = (read.text.as_str(), read.base64.as_str());
    let namespace = "/api/v1/namespaces/NS";
    let twice = STANDARD.encode(base64);
    let named = |kind: &str, name: &str, more: Value| {
        let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
            object.extend(more.clone());
        }
        object.to_string()
    };
    let map = |value: &str| named("ConfigMap", "made", json!({"data": {"pasted": value}}));
    let create = format!("POST {namespace}/configmaps?dryRun=All");
    let settings = format!("PATCH {namespace}/configmaps/settings?dryRun=All");
    let web = "PATCH /apis/apps/v1/namespaces/NS/deployments/web?dryRun=All";
    let other = format!("PATCH {namespace}/secrets/other?dryRun=All");
    let database = format!("PATCH {namespace}/secrets/database?dryRun=All");
    let env = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": text}]}]}}}}).to_string();
    let applied =
        json!({"metadata": {"annotations": {"a": json!({"data": {"password": base64}}).to_string()}}})
            .to_string();
    let secret = |key: &str| json!({"data": {key: base64}}).to_string();
    vec![
        // E1: elsewhere.
        case("E1", &create, &[JSON], map(text), Takes(201), Refused(422, "/data/pasted")),
        case("E1", &create, &[JSON], map(base64), Takes(201), Refused(422, "/data/pasted")),
        case("E1", &create, &[JSON], map(&twice), Takes(201), Refused(422, "/data/pasted")),
        case(
            "E1",
            &create,
            &[JSON],
            map(&format!("password={text}\n")),
            Takes(201),
            Refused(422, "/data/pasted"),
        ),
        case("E1", &create, &[YAML], map(text), Takes(201), Refused(422, "/data/pasted")),
        case(
            "E1",
            &settings,
            &[MERGE],
            json!({"data": {"pasted": text}}).to_string(),
            Takes(200),
            Refused(422, "/data/pasted"),
        ),
        case(
            "E1",
            &settings,
            &[STRATEGIC],
            json!({"data": {"pasted": text}}).to_string(),
            Takes(200),
            Refused(422, "/data/pasted"),
        ),
        case("E1", &settings, &[MERGE], &applied, Takes(200), Refused(422, "/metadata/annotations/a")),
        case(
            "E1",
            &settings,
            &[JSON_PATCH],
            json!([{"op": "add", "path": "/data/pasted", "value": text}]).to_string(),
            Takes(200),
            Refused(422, "/0/value"),
        ),
        case(
            "E1",
            format!("{settings}&fieldManager=x&force=true"),
            &[APPLY],
            named("ConfigMap", "settings", json!({"data": {"pasted": text}})),
            Takes(200),
            Refused(422, "/data/pasted"),
        ),
        case(
            "E1",
            web,
            &[STRATEGIC],
            env,
            Takes(200),
            Refused(422, "/spec/template/spec/containers/0/env/0/value"),
        ),
        // Another key, another Secret, a new one.
        case("E1", &database, &[MERGE], secret("else"), Takes(200), Refused(422, "/data/else")),
        case("E1", &database, &[STRATEGIC], secret("else"), Takes(200), Refused(422, "/data/else")),
        case("E1", &other, &[MERGE], secret("password"), Takes(200), Refused(422, "/data/password")),
        case(
            "E1",
            format!("POST {namespace}/secrets?dryRun=All"),
            &[JSON],
            named("Secret", "made", json!({"data": {"password": base64}})),
            Takes(201),
            Refused(422, "/data/password"),
        ),
        case(
            "E1",
            format!("PUT {namespace}/secrets/other?dryRun=All"),
            &[JSON],
            named("Secret", "other", json!({"data": {"password": base64}})),
            Takes(200),
            Refused(422, "/data/password"),
        ),
        // E3: in a patch that does not say what it finds, and in a form that is not what was shown.
        case(
            "E3",
            &database,
            &[JSON_PATCH],
            json!([{"op": "replace", "path": "/data/password", "value": base64}]).to_string(),
            Takes(200),
            Refused(422, "/0/value"),
        ),
        case(
            "E3",
            &database,
            &[MERGE],
            json!({"stringData": {"password": format!("x{text}")}}).to_string(),
            Takes(200),
            Refused(422, "/stringData/password"),
        ),
        case(
            "E3",
            &database,
            &[MERGE],
            json!({"data": {"password": twice}}).to_string(),
            Takes(200),
            Refused(422, "/data/password"),
        ),
        case(
            "E3",
            format!("POST {namespace}/secrets?dryRun=All"),
            &[JSON],
            named(
                "Secret",
                "typed",
                json!({"type": "kubernetes.io/basic-auth", "stringData": {"password": text}}),
            ),
            Takes(201),
            Refused(422, "/stringData/password"),
        ),
    ]
}

/// E2: beside an error for which the API server quotes the whole patch.
fn quoted(read: &Read) -> Vec<Case> {
    let database = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All";
    // The control is what such a patch would be with the value put right.
    let one = |header, body: Value, real: &str| {
        let real = body.to_string().replace(&read.base64, real);
        [
            case("E2", database, &[header], real, Leaks, Fails),
            case("E2", database, &[header], body.to_string(), Takes(422), Fails),
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
