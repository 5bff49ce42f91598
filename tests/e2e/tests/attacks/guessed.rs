//! A4, of what is masked in other kinds: a variable of a workload must not be guessed at either.

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Client, LITERAL, permissive};
use serde_json::{Value, json};

use crate::{
    case::{APPLY, MERGE, STRATEGIC, filled},
    world::World,
};

/// The right guess is in no Secret, and like no credential.
const RIGHT: &str = LITERAL;
/// As long.
const WRONG: &str = "guessed8loud4abcd";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/NS/deployments/web";

fn deployment(value: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{
                "name": "one", "image": "example.com/none:1", "env": [{"name": "DB_PASSWORD", "value": value}],
            }]},
        }},
    })
}

/// What tells: status and generation.
fn told(
    client: &Client,
    namespace: &str,
    options: &str,
    header: &str,
    guess: &str,
) -> anyhow::Result<String> {
    let body = if header == APPLY {
        deployment(guess)
    } else {
        json!({"spec": {"template": deployment(guess)["spec"]["template"]}})
    };
    let line = filled(&format!("PATCH {DEPLOYMENT}?dryRun=All{options}"), namespace);
    let answer = client.ask(&line, &[header], &body.to_string())?;
    let object: Value = serde_json::from_str(&answer.body)?;
    Ok(format!("{} {}", answer.status, object["metadata"]["generation"]))
}

#[test]
fn no_dry_run_tells_whether_a_masked_variable_was_guessed() -> anyhow::Result<()> {
    let world = World::new("guessed", &permissive())?;
    world.make("/apis/apps/v1/namespaces/NS/deployments", &deployment(RIGHT))?;
    let mut wrong = Vec::new();
    for (options, header) in
        [("", STRATEGIC), ("&fieldManager=other", APPLY), ("&fieldManager=other&force=true", APPLY)]
    {
        let ask = |client: &Client, namespace: &str, guess| told(client, namespace, options, header, guess);
        let direct = [RIGHT, WRONG].map(|guess| ask(&world.direct, &world.namespaces[0], guess).unwrap());
        ensure!(direct[0] != direct[1], "the control: {options} {header}: {direct:?}");
        let gated = [RIGHT, WRONG].map(|guess| ask(&world.gated, world.namespace(), guess).unwrap());
        if gated[0] != gated[1] {
            wrong.push(format!("{options} {header}: right {}, wrong {}", gated[0], gated[1]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// `metadata.managedFields` names the manager that changed a value: none if the guess is right.
#[test]
fn no_dry_run_tells_whether_a_value_of_a_secret_was_guessed() -> anyhow::Result<()> {
    let world = World::new("guessed-secret", &permissive())?;
    let line = "PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All&fieldManager=guesser";
    let told = |client: &Client, namespace: &str, guess: &str| -> anyhow::Result<bool> {
        let body = json!({"data": {"password": STANDARD.encode(guess)}});
        let answer = client.ask(&filled(line, namespace), &[MERGE], &body.to_string())?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(answer.body.contains("guesser"))
    };
    let both = |client: &Client, namespace: &str| -> anyhow::Result<[bool; 2]> {
        Ok([told(client, namespace, CANARY)?, told(client, namespace, RIGHT)?])
    };
    assert_eq!(both(&world.direct, &world.namespaces[0])?, [false, true], "the control");
    let [right, wrong] = both(&world.gated, world.namespace())?;
    assert_eq!(right, wrong, "the manager is named for a wrong guess only");
    Ok(())
}
