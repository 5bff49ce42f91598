//! A4, of what is masked in other kinds: a variable of a workload must not be guessed at either.

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Answer, CANARY, Client, LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    alike::normalised,
    case::{APPLY, JSON, JSON_PATCH, MERGE, STRATEGIC, filled, holds_placeholder, row_of, with},
    world::World,
};

/// The right guess is in no Secret, and like no credential.
const RIGHT: &str = LITERAL;
/// As long.
const WRONG: &str = "guessed8loud4abcd";

const POD: &str = "/api/v1/namespaces/NS/pods/held";
const JOB: &str = "/apis/batch/v1/namespaces/NS/jobs/once";
/// Suspended, so that its controller leaves it as it is.
const CRON: &str = "/apis/batch/v1/namespaces/NS/cronjobs/nightly";
const REVISION: &str = "/apis/apps/v1/namespaces/NS/controllerrevisions/store-1";

pub(crate) fn rows() -> Vec<&'static str> {
    let secrets = row_of("A4", no_dry_run_tells_whether_a_value_of_a_secret_was_guessed);
    GUESSES.iter().map(|_guess| "A4").chain([secrets]).collect()
}

/// A write that holds a guess.
struct Guess {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    header: &'static str,
    /// `GUESS` stands for it; the whole object as it is stored, but for the guess, if this is empty.
    body: &'static str,
    /// What comes of either through the gate.
    gated: u16,
}

const fn guess(
    method: &'static str,
    path: &'static str,
    query: &'static str,
    header: &'static str,
    body: &'static str,
    gated: u16,
) -> Guess {
    Guess { method, path, query, header, body, gated }
}

const IN_TEMPLATE: &str = r#"{"spec":{"template":{"spec":{"containers":[{"name":"one","env":[{"name":"DB_PASSWORD","value":"GUESS"}]}]}}}}"#;
const IN_CRON: &str = r#"{"spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"name":"one","env":[{"name":"DB_PASSWORD","value":"GUESS"}]}]}}}}}}"#;
const IN_POD: &str =
    r#"{"spec":{"containers":[{"name":"one","env":[{"name":"DB_PASSWORD","value":"GUESS"}]}]}}"#;
const TEST: &str = r#"[{"op":"test","path":"/spec/jobTemplate/spec/template/spec/containers/0/env/0/value","value":"GUESS"},{"op":"add","path":"/metadata/annotations","value":{"seen":"yes"}}]"#;
const TEST_POD: &str = r#"[{"op":"test","path":"/spec/containers/0/env/0/value","value":"GUESS"},{"op":"add","path":"/metadata/annotations","value":{"seen":"yes"}}]"#;
const REPLACE_POD: &str = r#"[{"op":"replace","path":"/spec/containers/0/env/0/value","value":"GUESS"}]"#;
const APPLIED: &str = r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"nightly"},"spec":{"schedule":"0 3 * * *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"one","image":"example.com/none:1","env":[{"name":"DB_PASSWORD","value":"GUESS"}]}]}}}}}}"#;
const RESIZE: &str = "/api/v1/namespaces/NS/pods/held/resize";
const FROZEN: &str = "/api/v1/namespaces/NS/configmaps/frozen";
const LOOSE: &str = "/api/v1/namespaces/NS/configmaps/loose";
const IN_MAP: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"loose"},"data":{"config":"apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    password: GUESS\n"}}"#;
const DRY: &str = "?dryRun=All";

const GUESSES: &[Guess] = &[
    // Whether the generation goes up tells.
    guess("PATCH", CRON, DRY, STRATEGIC, IN_CRON, 422),
    guess("PUT", CRON, DRY, JSON, "", 422),
    guess("PATCH", CRON, "?dryRun=All&fieldManager=other&force=true", APPLY, APPLIED, 422),
    // Whether there is a conflict does.
    guess("PATCH", CRON, "?dryRun=All&fieldManager=other", APPLY, APPLIED, 422),
    guess("PATCH", CRON, "?fieldManager=other", APPLY, APPLIED, 422),
    guess("PATCH", CRON, DRY, JSON_PATCH, TEST, 403),
    guess("PATCH", CRON, "", JSON_PATCH, TEST, 403),
    // What cannot be changed is taken if it is the same.
    guess("PUT", POD, "", JSON, "", 422),
    guess("PUT", POD, DRY, JSON, "", 422),
    guess("PATCH", POD, "", STRATEGIC, IN_POD, 422),
    guess("PATCH", POD, "", JSON_PATCH, REPLACE_POD, 422),
    guess("PATCH", POD, "", JSON_PATCH, TEST_POD, 403),
    guess("PUT", JOB, "", JSON, "", 422),
    guess("PATCH", JOB, "", STRATEGIC, IN_TEMPLATE, 422),
    guess("PUT", REVISION, DRY, JSON, "", 422),
    guess("PUT", REVISION, "", JSON, "", 422),
    // A resize takes nothing else, and the managers tell what it was asked for.
    guess("PATCH", RESIZE, "?fieldManager=guesser", STRATEGIC, IN_POD, 422),
    // A password that is masked by the shape of what is around it.
    guess("PUT", FROZEN, DRY, JSON, "", 422),
    guess("PUT", FROZEN, "", JSON, "", 422),
    guess("PUT", LOOSE, "?dryRun=All&fieldManager=guesser", JSON, "", 422),
    guess("PATCH", LOOSE, "?dryRun=All&fieldManager=guesser", APPLY, IN_MAP, 422),
    guess("PATCH", LOOSE, "?fieldManager=guesser2", APPLY, IN_MAP, 422),
];

/// The objects at these paths.
fn objects() -> Vec<(&'static str, Value)> {
    let container = json!({"name": "one", "image": "example.com/none:1", "env": [{"name": "DB_PASSWORD", "value": RIGHT}]});
    let labels = json!({"app": "web"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let mut never = template.clone();
    never["spec"]["restartPolicy"] = json!("Never");
    // It is not scheduled, so that it stays as it is.
    let gates = json!([{"name": "example.com/held"}]);
    let config = format!("apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    password: {RIGHT}\n");
    let revision = json!({"spec": {"template": {"$patch": "replace", "spec": template["spec"]}}});
    let named = |version: &str, kind: &str, name: &str, more: Value| {
        with(json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}}), more)
    };
    vec![
        (FROZEN, named("v1", "ConfigMap", "frozen", json!({"immutable": true, "data": {"config": config}}))),
        (LOOSE, named("v1", "ConfigMap", "loose", json!({"data": {"config": config}}))),
        (
            POD,
            named(
                "v1",
                "Pod",
                "held",
                json!({"spec": {"schedulingGates": gates, "containers": [container]}}),
            ),
        ),
        (
            JOB,
            named("batch/v1", "Job", "once", json!({"spec": {"suspend": true, "template": never.clone()}})),
        ),
        (
            CRON,
            named(
                "batch/v1",
                "CronJob",
                "nightly",
                json!({"spec": {"suspend": true, "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": never}}}}),
            ),
        ),
        (
            REVISION,
            named("apps/v1", "ControllerRevision", "store-1", json!({"revision": 1, "data": revision})),
        ),
    ]
}

/// The answer to a guess, and how the object is afterwards.
fn told(
    world: &World,
    client: &Client,
    namespace: &str,
    guess: &Guess,
    value: &str,
) -> anyhow::Result<(Answer, String)> {
    let path = filled(guess.path, namespace);
    let one = format!("GET {}", path.trim_end_matches("/resize"));
    let body = if guess.body.is_empty() {
        let mut live: Value = serde_json::from_str(&world.direct.ask(&one, &[], "")?.body)?;
        for varying in ["managedFields", "resourceVersion"] {
            live["metadata"].as_object_mut().and_then(|metadata| metadata.remove(varying));
        }
        live.to_string().replace(RIGHT, value)
    } else {
        guess.body.replace("GUESS", value)
    };
    let answer = client.ask(&format!("{} {path}{}", guess.method, guess.query), &[guess.header], &body)?;
    let after = client.ask(&one, &[], "")?;
    let told = format!("{} {}\n{} {}", answer.status, answer.body, after.status, after.body);
    // The values are hidden; whatever else differs tells.
    Ok((answer, normalised(&told.replace(value, "VALUE").replace(RIGHT, "VALUE"))))
}

#[test]
fn no_write_tells_whether_what_is_masked_was_guessed() -> anyhow::Result<()> {
    let world = World::new("guessed", &permissive())?;
    for (path, object) in objects() {
        let (list, _name) = path.rsplit_once('/').unwrap_or_default();
        world.make(list, &object)?;
        let shown = world.gated.ask(&filled(&format!("GET {path}"), world.namespace()), &[], "")?;
        ensure!(shown.status == 200 && holds_placeholder(&shown.body) && !shown.leaks(), "{shown:?}");
    }
    for namespace in &world.namespaces {
        // After which it is left as it is.
        world.wait_in(namespace, "condition=Suspended", &["job/once"])?;
    }
    let mut wrong = Vec::new();
    for guess in GUESSES {
        let what = format!("{} {}{} {}", guess.method, guess.path, guess.query, guess.header);
        let both = |client: &Client, namespace: &str| -> anyhow::Result<_> {
            Ok([
                told(&world, client, namespace, guess, RIGHT)?,
                told(&world, client, namespace, guess, WRONG)?,
            ])
        };
        let [(_, told), (_, otherwise)] = both(&world.direct, &world.namespaces[0])?;
        ensure!(told != otherwise, "the control: {what}: {told}");
        let [(right, told), (other, otherwise)] = both(&world.gated, world.namespace())?;
        let alike = told == otherwise && right.status == guess.gated && other.status == guess.gated;
        if !alike || right.leaks() || other.leaks() {
            wrong.push(format!("{what}\n--- right\n{told}\n--- wrong\n{otherwise}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

/// `metadata.managedFields` names the manager that changed a value: none if the guess is right.
#[test]
fn no_dry_run_tells_whether_a_value_of_a_secret_was_guessed() -> anyhow::Result<()> {
    let world = World::new("guessed-secret", &permissive())?;
    let line = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All&fieldManager=guesser";
    let told = |client: &Client, namespace: &str, guess: &str| -> anyhow::Result<String> {
        let body = json!({"data": {"password": STANDARD.encode(guess)}});
        let answer = client.ask(&filled(line, namespace), &[MERGE], &body.to_string())?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(normalised(&answer.body))
    };
    let both = |client: &Client, namespace: &str| -> anyhow::Result<[String; 2]> {
        Ok([told(client, namespace, CANARY)?, told(client, namespace, RIGHT)?])
    };
    let named = both(&world.direct, &world.namespaces[0])?.map(|told| told.contains("guesser"));
    assert_eq!(named, [false, true], "the control");
    let [right, wrong] = both(&world.gated, world.namespace())?;
    assert_eq!(right, wrong, "the manager is named for a wrong guess only");
    ensure!(right.contains("MASK"), "{right}");
    Ok(())
}
