//! E3: an object that was read masked can be written back: what was not touched stays as it is, what was changed is written.

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Client, contains_canary, permissive, text};
use serde_json::{Value, json};
use testkit::Session;

use crate::{
    case::{JSON, MERGE, STRATEGIC, filled, holds_placeholder, row_of},
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    vec![
        row_of("E3", kubectl_can_edit_replace_and_apply_what_it_read_masked),
        row_of("E3", a_placeholder_is_put_right_only_for_whom_and_where_it_was_shown),
    ]
}

const ONE: &str = "/api/v1/namespaces/NS/secrets/database";

/// Runs kubectl in the agent's namespace and gives what it printed.
fn kubectl(world: &World, session: &Session<'_>, arguments: &[&str], input: &str) -> anyhow::Result<String> {
    let mut command = session.command(&[&["-n", world.namespace()], arguments].concat())?;
    // The editor: a label is another, and nothing else.
    command.env("KUBE_EDITOR", "sed -i 's/app: web$/app: shop/'");
    let output = testkit::run_with_input(&mut command, input)?;
    let shown = text(&output);
    ensure!(!contains_canary(shown.as_bytes()), "it leaks: {shown}");
    ensure!(output.status.success(), "kubectl {}: {shown}", arguments.join(" "));
    Ok(shown)
}

fn label(world: &World) -> anyhow::Result<Value> {
    let answer = world.direct.ask(&filled(&format!("GET {ONE}"), world.namespace()), &[], "")?;
    let object: Value = serde_json::from_str(&answer.body)?;
    ensure!(!holds_placeholder(&answer.body), "a placeholder is stored: {object}");
    Ok(object["metadata"]["labels"]["app"].clone())
}

#[test]
fn kubectl_can_edit_replace_and_apply_what_it_read_masked() -> anyhow::Result<()> {
    let world = World::new("written-back", &permissive())?;
    let session = world.lab.gate.session("kubectl")?;
    let live = world.live()?;
    let read = |format: &str| kubectl(&world, &session, &["get", "secret", "database", "-o", format], "");

    kubectl(&world, &session, &["edit", "secret", "database"], "")?;
    assert_eq!((world.live()?, label(&world)?), (live.clone(), json!("shop")));
    for (verb, app) in [("replace", "replaced"), ("apply", "applied")] {
        let edited = read("yaml")?
            .replace("app: shop", &format!("app: {app}"))
            .replace("app: replaced", &format!("app: {app}"));
        kubectl(&world, &session, &[verb, "-f", "-"], &edited)?;
        assert_eq!((world.live()?, label(&world)?), (live.clone(), json!(app)), "{verb}");
    }
    kubectl(&world, &session, &["label", "secret", "database", "app=web", "--overwrite"], "")?;

    // One value is new, the other was not touched.
    let mut object: Value = serde_json::from_str(&read("json")?)?;
    object["data"]["spiky"] = json!(STANDARD.encode("a-new-value"));
    kubectl(&world, &session, &["replace", "-f", "-"], &object.to_string())?;
    let mut wanted = live;
    wanted["spiky"] = json!(STANDARD.encode("a-new-value"));
    assert_eq!(world.live()?, wanted);
    // A key that is left out is gone, and one that is added is there.
    let mut object: Value = serde_json::from_str(&read("json")?)?;
    object["data"].as_object_mut().context("no data")?.remove("spiky");
    object["data"]["added"] = json!(STANDARD.encode("one-more-value"));
    kubectl(&world, &session, &["replace", "-f", "-"], &object.to_string())?;
    assert_eq!(
        world.live()?,
        json!({"password": STANDARD.encode(CANARY), "added": STANDARD.encode("one-more-value")})
    );
    Ok(())
}

fn read(client: &Client, world: &World) -> anyhow::Result<Value> {
    let answer = client.ask(&filled(&format!("GET {ONE}"), world.namespace()), &[], "")?;
    Ok(serde_json::from_str(&answer.body)?)
}

#[test]
fn a_placeholder_is_put_right_only_for_whom_and_where_it_was_shown() -> anyhow::Result<()> {
    let world = World::new("bound", &permissive())?;
    let live = world.live()?;
    let put = filled(&format!("PUT {ONE}"), world.namespace());
    let shown = read(&world.gated, &world)?;

    // The control: past the gate, what was shown is stored, and the value is gone.
    let mut foreign = shown.clone();
    foreign["metadata"] = json!({"name": "database"});
    let direct = world.direct.ask(
        &filled(&format!("PUT {ONE}"), &world.namespaces[0]),
        &[JSON],
        &foreign.to_string(),
    )?;
    ensure!(
        direct.status == 200 && holds_placeholder(&direct.body) && !direct.leaks(),
        "the control: {direct:?}"
    );

    let refused = |client: &Client, line: &str, body: &Value| {
        let answer = client.ask(line, &[JSON], &body.to_string())?;
        let path = ["/data/", "/metadata/annotations/"].iter().any(|path| answer.body.contains(path));
        ensure!(answer.status == 422 && path, "{line}: {answer:?}");
        ensure!(world.live()? == live, "{line} changed the value");
        Ok(())
    };
    // Another session was not shown it.
    let other = Client::new(&world.lab.gate, &world.lab.gate.session("other")?)?;
    refused(&other, &put, &shown)?;
    // Under another key.
    let mut swapped = shown.clone();
    swapped["data"]["spiky"] = shown["data"]["password"].clone();
    swapped["data"]["password"] = shown["data"]["spiky"].clone();
    assert_ne!(swapped, shown, "what is shown tells the keys apart");
    refused(&world.gated, &put, &swapped)?;
    // In a patch: left out, since the value is there already.
    for header in [MERGE, STRATEGIC] {
        let shown = read(&world.gated, &world)?;
        let patch = json!({"metadata": {"labels": {"patched": "yes"}}, "data": {"password": shown["data"]["password"]}});
        let answer = world.gated.ask(&put.replace("PUT", "PATCH"), &[header], &patch.to_string())?;
        ensure!(answer.status == 200 && holds_placeholder(&answer.body), "{answer:?}");
        assert_eq!(world.live()?, live);
    }
    // What was changed in between is not overwritten.
    let stale = world.gated.ask(&put, &[JSON], &shown.to_string())?;
    ensure!(stale.status == 409 && stale.body.contains("version"), "{stale:?}");
    assert_eq!(world.live()?, live);
    // And where it stood, it goes back.
    let fresh = read(&world.gated, &world)?;
    let answer = world.gated.ask(&put, &[JSON], &fresh.to_string())?;
    ensure!(answer.status == 200 && holds_placeholder(&answer.body) && !answer.leaks(), "{answer:?}");
    assert_eq!(world.live()?, live);
    Ok(())
}
