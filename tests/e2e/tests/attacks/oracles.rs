//! A4: the right guess at a value and a wrong one are answered in the same bytes, and leave the same traces.

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Answer, CANARY, Client, contains_canary, permissive};
use serde_json::json;

use crate::{
    alike::normalised,
    case::{APPLY, JSON, JSON_PATCH, MERGE, STRATEGIC, each, filled, row_of, version},
    world::{World, secret},
};

pub(crate) fn rows() -> Vec<&'static str> {
    ORACLES.iter().map(|_oracle| "A4").chain([row_of("A4", a_watch_shows_no_guess)]).collect()
}

/// A wrong guess, as long as the right one.
const WRONG: &str = "canary-ffffffffffffffff-value";

/// How a guess is written: `GUESS` and `GUESS64` stand for it, `NAME` for the Secret, `VERSION` for its resource version.
struct Oracle {
    /// The Secret that it is tried on; each has its own.
    name: &'static str,
    line: &'static str,
    header: &'static str,
    body: &'static str,
    /// Whether the answer or the traces tell directly: the control. Where not, the gate must not make it so.
    tells: bool,
}

const fn oracle(
    name: &'static str,
    line: &'static str,
    header: &'static str,
    body: &'static str,
    tells: bool,
) -> Oracle {
    Oracle { name, line, header, body, tells }
}

const SECRET: &str = "/api/v1/namespaces/NS/secrets";

const PUT: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"NAME","labels":{"app":"web"}},"data":{"password":"GUESS64"}}"#;
const DATA: &str = r#"{"data":{"password":"GUESS64"}}"#;
const TEXT: &str = r#"{"stringData":{"password":"GUESS"}}"#;
const APPLIED: &str =
    r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"NAME"},"data":{"password":"GUESS64"}}"#;
const REPLACE: &str = r#"[{"op":"replace","path":"/data/password","value":"GUESS64"}]"#;
const ADD: &str = r#"[{"op":"add","path":"/data/password","value":"GUESS64"}]"#;
const TEST: &str = r#"[{"op":"test","path":"/data/password","value":"GUESS64"}]"#;
const TEST_ALL: &str = r#"[{"op":"test","path":"/data","value":{"password":"GUESS64"}}]"#;

const ORACLES: &[Oracle] = &[
    // Whether the version goes up tells.
    oracle("put", "PUT SECRET/NAME", JSON, PUT, true),
    oracle("merge", "PATCH SECRET/NAME", MERGE, DATA, true),
    oracle("merge-text", "PATCH SECRET/NAME", MERGE, TEXT, true),
    oracle("strategic", "PATCH SECRET/NAME", STRATEGIC, DATA, true),
    oracle("replace", "PATCH SECRET/NAME", JSON_PATCH, REPLACE, true),
    oracle("add", "PATCH SECRET/NAME", JSON_PATCH, ADD, true),
    oracle("apply-force", "PATCH SECRET/NAME?fieldManager=other&force=true", APPLY, APPLIED, true),
    // Whether there is a conflict, or an error, tells.
    oracle("apply", "PATCH SECRET/NAME?fieldManager=other", APPLY, APPLIED, true),
    oracle("test", "PATCH SECRET/NAME", JSON_PATCH, TEST, true),
    oracle("test-all", "PATCH SECRET/NAME", JSON_PATCH, TEST_ALL, true),
    oracle(
        "immutable-put",
        "PUT SECRET/NAME",
        JSON,
        r#"{"apiVersion":"v1","kind":"Secret","immutable":true,"metadata":{"name":"NAME"},"data":{"password":"GUESS64"}}"#,
        true,
    ),
    oracle("immutable-merge", "PATCH SECRET/NAME", MERGE, DATA, true),
    // The same, without doing it.
    oracle("dry-put", "PUT SECRET/NAME?dryRun=All", JSON, PUT, true),
    oracle("dry-merge", "PATCH SECRET/NAME?dryRun=All", MERGE, DATA, true),
    oracle("dry-strategic", "PATCH SECRET/NAME?dryRun=All", STRATEGIC, DATA, true),
    oracle("dry-replace", "PATCH SECRET/NAME?dryRun=All", JSON_PATCH, REPLACE, true),
    oracle("dry-add", "PATCH SECRET/NAME?dryRun=All", JSON_PATCH, ADD, true),
    oracle("dry-test", "PATCH SECRET/NAME?dryRun=All", JSON_PATCH, TEST, true),
    oracle("dry-apply", "PATCH SECRET/NAME?dryRun=All&fieldManager=other", APPLY, APPLIED, true),
    oracle(
        "dry-apply-force",
        "PATCH SECRET/NAME?dryRun=All&fieldManager=other&force=true",
        APPLY,
        APPLIED,
        true,
    ),
    oracle("dry-immutable", "PATCH SECRET/NAME?dryRun=All", MERGE, DATA, true),
    // The API server knows of no such selector, and says so.
    oracle("selector", "GET SECRET?fieldSelector=data.password=GUESS", "Accept: */*", "", false),
];

/// What a client gets to see of a guess: the answer, and the object, its managers and its watch before and after.
fn transcript(
    world: &World,
    client: &Client,
    namespace: &str,
    oracle: &Oracle,
    guess: &str,
) -> anyhow::Result<String> {
    let fill = |text: &str| {
        let text = text.replace("SECRET", SECRET).replace("NAME", oracle.name);
        filled(&text.replace("GUESS64", &STANDARD.encode(guess)).replace("GUESS", guess), namespace)
    };
    let one = fill("GET SECRET/NAME");
    let before = client.ask(&one, &[], "")?;
    let version = version(&before.body)?;
    let answer = client.ask(&fill(oracle.line), &[oracle.header], &fill(oracle.body))?;
    let after = client.ask(&one, &[], "")?;
    // By the time at which this is seen, everything before it was.
    let mark = fill("PATCH SECRET/NAME");
    let marked = world.direct.ask(&mark, &[MERGE], r#"{"metadata":{"labels":{"marked":"yes"}}}"#)?;
    ensure!(marked.status == 200, "{marked:?}");
    let watched = watch(
        client,
        &fill(&format!("SECRET?fieldSelector=metadata.name%3DNAME&resourceVersion={version}")),
    )?;
    let told =
        [&before, &answer, &after, &watched].map(|answer| format!("{} {}", answer.status, answer.body));
    let warnings: Vec<&str> =
        answer.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("warning:")).collect();
    Ok(normalised(&format!("{}\n{}", told.join("\n"), warnings.join("\n"))))
}

/// Events up to the one that shows the label `marked`.
fn watch(client: &Client, list: &str) -> anyhow::Result<Answer> {
    let marked = |answer: &Answer| answer.body.contains(r#""marked":"yes""#) && answer.body.ends_with('\n');
    let watched = client.ask_until(&format!("GET {list}&watch=true&timeoutSeconds=15"), &[], marked)?;
    ensure!(marked(&watched), "the watch ended before: {watched:?}");
    Ok(watched)
}

/// Secrets for every oracle, with nothing in them but what is guessed at.
fn prepare(world: &World, namespace: &str) -> anyhow::Result<()> {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    world.direct.ask("POST /api/v1/namespaces", &[JSON], &object.to_string())?;
    each(ORACLES, |oracle| {
        let mut object = secret(oracle.name);
        object["metadata"].as_object_mut().context("no object")?.remove("annotations");
        object["stringData"] = json!({"password": CANARY});
        if oracle.name.contains("immutable") {
            object["immutable"] = json!(true);
        }
        let line = format!("POST /api/v1/namespaces/{namespace}/secrets?fieldManager=maker");
        let answer = world.direct.ask(&line, &[JSON], &object.to_string())?;
        ensure!(answer.status == 201, "{answer:?}");
        Ok(())
    })
}

/// Both guesses by one client, each in a namespace of its own; what of them can be told apart. To a client to which values are
/// `shown`, they are taken out first.
fn told_apart(
    world: &World,
    client: &Client,
    shown: bool,
) -> anyhow::Result<Vec<(&'static str, String, String)>> {
    let namespaces = ["right", "wrong"].map(|guess| format!("oracles-{guess}"));
    for namespace in &namespaces {
        prepare(world, namespace)?;
    }
    let apart = parking_lot::Mutex::new(Vec::new());
    each(ORACLES, |oracle| {
        let mut both = [
            transcript(world, client, &namespaces[0], oracle, CANARY)?,
            transcript(world, client, &namespaces[1], oracle, WRONG)?,
        ];
        if shown {
            // What tells although the values themselves are hidden.
            for value in [CANARY, WRONG] {
                both =
                    both.map(|text| text.replace(value, "VALUE").replace(&STANDARD.encode(value), "VALUE"));
            }
        }
        let [right, wrong] = both;
        ensure!(!contains_canary(right.as_bytes()), "{}: {right}", oracle.name);
        if right != wrong {
            apart.lock().push((oracle.name, right, wrong));
        }
        Ok(())
    })?;
    for namespace in &namespaces {
        each(ORACLES, |oracle| {
            world
                .direct
                .ask(&format!("DELETE {}/{}", filled(SECRET, namespace), oracle.name), &[], "")
                .map(drop)
        })?;
    }
    Ok(apart.into_inner())
}

#[test]
fn right_and_wrong_guesses_are_answered_alike() -> anyhow::Result<()> {
    let world = World::new("oracles", &permissive())?;
    // The control: to who reads the versions, though not the values, each tells.
    let direct = told_apart(&world, &world.reader()?, true)?;
    for oracle in ORACLES.iter().filter(|oracle| oracle.tells) {
        ensure!(
            direct.iter().any(|(name, ..)| *name == oracle.name),
            "the control: {} tells nothing",
            oracle.name
        );
    }
    let gated = told_apart(&world, &world.gated, false)?;
    let all: Vec<String> = gated
        .iter()
        .map(|(name, right, wrong)| format!("{name}\n--- right\n{right}\n--- wrong\n{wrong}"))
        .collect();
    assert!(all.is_empty(), "{} tell right from wrong:\n{}", all.len(), all.join("\n\n"));
    Ok(())
}

/// A guess that comes true is no more to be seen by others: in what a session watches, the value before and after is masked.
#[test]
fn a_watch_shows_no_guess() -> anyhow::Result<()> {
    let world = World::new("watched", &permissive())?;
    let one = filled(&format!("{SECRET}/database"), world.namespace());
    let before = version(&world.direct.ask(&format!("GET {one}"), &[], "")?.body)?;
    for guess in [CANARY, WRONG] {
        let body = json!({"stringData": {"password": guess}}).to_string();
        let answer = world.gated.ask(&format!("PATCH {one}"), &[MERGE], &body)?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    world.direct.ask(&format!("PATCH {one}"), &[MERGE], r#"{"metadata":{"labels":{"marked":"yes"}}}"#)?;
    let events = filled(&format!("{SECRET}?resourceVersion={before}"), world.namespace());
    ensure!(watch(&world.reader()?, &events)?.leaks(), "the control");
    let watched = watch(&world.gated, &events)?;
    ensure!(
        watched.status == 200 && !watched.leaks() && !watched.body.contains(&STANDARD.encode(WRONG)),
        "{watched:?}"
    );
    assert_eq!(
        watched.body.matches(r#""type":"MODIFIED""#).count(),
        3,
        "each guess is an event, and the mark"
    );
    Ok(())
}
