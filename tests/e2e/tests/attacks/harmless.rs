//! The inverse of the attacks: what only looks like a secret, or like nothing at all, comes through the gate byte for byte as
//! it comes to the agent's own user without it.

mod objects;
mod requests;

use anyhow::ensure;
use e2e::Client;
use serde_json::{Value, json};
use testkit::Options;

use self::{
    objects::{definition, objects},
    requests::{ANY, NOTHING, REQUESTS, WRITES},
};
use crate::{
    alike::normalised,
    case::{JSON, each, filled, holds_placeholder, version},
    world::World,
};

/// How often what is read may change in between: ages, and documents that describe kinds which other tests define.
const TRIES: usize = 12;

#[test]
fn what_is_harmless_comes_through_byte_for_byte() -> anyhow::Result<()> {
    let asked = REQUESTS.len() + NOTHING.len() + WRITES.len();
    assert!(asked >= 116, "{asked}");
    let world = World::new("harmless", &Options::default())?;
    let admin = &world.direct;
    let create = |path: &str, object: &Value| {
        let (line, body) = (
            filled(&format!("POST {path}"), world.namespace()),
            filled(&object.to_string(), world.namespace()),
        );
        let answer = admin.ask(&line, &[JSON], &body)?;
        ensure!(answer.status == 201, "{line}: {answer:?}");
        version(&answer.body)
    };
    create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition())?;
    let from = version(&admin.ask(&filled("GET /api/v1/namespaces/NS", world.namespace()), &[], "")?.body)?;
    for (path, object) in objects() {
        create(path, &object)?;
    }
    let wait = |what: &str, objects: &[&str]| world.wait_in(world.namespace(), what, objects);
    wait("jsonpath={.status.phase}=Succeeded", &["pod/done"])?;
    wait("condition=Established", &["crd/gadgets.harmless.example.com"])?;
    wait("jsonpath={.status.observedGeneration}=1", &["deployment/web", "statefulset/store", "pdb/web"])?;
    // What controllers add to a namespace and to the objects is there by now; this is made after it.
    let at = create(
        "/api/v1/namespaces/NS/configmaps",
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "last"}}),
    )?;
    let reader = world.reader()?;
    let line = |path: &str| {
        filled(path, world.namespace())
            .replace("AT", &format!("resourceVersion={at}&resourceVersionMatch=Exact"))
            .replace("FROM", &format!("watch=true&timeoutSeconds=1&resourceVersion={from}"))
    };
    let found = REQUESTS.iter().map(|(path, accept)| (*path, *accept, 200));
    let all: Vec<_> = found.chain(NOTHING.iter().map(|(path, status)| (*path, ANY, *status))).collect();
    each(&all, |(path, accept, status)| {
        same(&reader, &world.gated, &format!("GET {}", line(path)), accept, *status)
    })?;
    each(WRITES, |write| same_write(&world, write))
}

/// The same answer both ways, but for times and the like.
fn same_write(world: &World, (line, header, body, status): &(&str, &str, &str, u16)) -> anyhow::Result<()> {
    let line = filled(line, world.namespace());
    let told = |client: &Client| {
        let answer = client.ask(&line, &[header], body)?;
        ensure!(answer.status == *status && answer.whole, "{line}: {answer:?}");
        ensure!(!holds_placeholder(&answer.body), "something is masked: {line}: {answer:?}");
        anyhow::Ok(normalised(&answer.body))
    };
    // As an administrator: an agent's own user has fewer rights, and the same objects.
    let (direct, gated) = (told(&world.direct)?, told(&world.gated)?);
    ensure!(direct == gated, "{line} {body}\n--- directly\n{direct}\n--- through the gate\n{gated}");
    Ok(())
}

/// The same answer both ways, at a time at which it is the same before and after.
fn same(
    direct: &Client,
    gated: &Client,
    line: &str,
    accept: &'static str,
    status: u16,
) -> anyhow::Result<()> {
    let ask = |client: &Client| client.ask(line, &[accept], "");
    let mut before = ask(direct)?;
    for _ in 0..TRIES {
        let through = ask(gated)?;
        let after = ask(direct)?;
        if before.body == after.body {
            let (told, wanted) = (&through.body, &before.body);
            ensure!(
                through.status == status && before.status == status && told == wanted,
                "{line} {accept}\n--- directly {}\n{wanted}\n--- through the gate {}\n{told}",
                before.status,
                through.status
            );
            ensure!(
                through.header("content-type").map(media) == before.header("content-type").map(media),
                "{line}: {} {}",
                before.head,
                through.head
            );
            ensure!(through.whole && !holds_placeholder(told), "{line}");
            return Ok(());
        }
        before = after;
    }
    anyhow::bail!("{line}: it changes all the time")
}

/// Without parameters: whether it streams is told in one.
fn media(header: &str) -> &str {
    header.split(';').next().unwrap_or_default().trim()
}
