//! A9: a token that was just made, where the operator lets agents have them made: it works without the gate, and is not shown.

use anyhow::ensure;
use e2e::permissive;
use serde_json::Value;
use testkit::Options;

use crate::{
    case::{Case, Control::Says, Gated::Masked, JSON, Ways, case, filled, rows_of},
    world::{World, until},
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

const TOKENS: &str = "POST /api/v1/namespaces/NS/serviceaccounts/default/token";
const REQUEST: &str = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#;
/// How every JWT begins whose header begins with `alg`.
const BEGINS: &str = r#""token":"ey"#;

fn cases() -> Vec<Case> {
    let dry = format!("{TOKENS}?dryRun=All");
    vec![
        case("A9", TOKENS, &[JSON], REQUEST, Says(201, BEGINS), Masked(201)),
        case("A9", dry, &[JSON], REQUEST, Says(201, r#""kind":"TokenRequest""#), Masked(201)),
    ]
}

#[test]
fn a_token_that_may_be_made_is_not_shown() -> anyhow::Result<()> {
    let lift = vec!["fixed/service-account-tokens".to_owned()];
    let world = World::new("tokens", &Options { lift, ..permissive() })?;
    world.grant("", "serviceaccounts/token", &["create"])?;
    let reader = world.reader()?;
    // The account comes from a controller.
    for namespace in &world.namespaces {
        until(&reader, &filled(TOKENS, namespace), &[JSON], REQUEST, |answer| answer.status == 201)?;
    }
    let ways = Ways { direct: reader, gated: world.gated.clone(), namespaces: world.namespaces.clone() };
    ways.try_all(&cases())?;
    let answer = world.gated.ask(&filled(TOKENS, world.namespace()), &[JSON], REQUEST)?;
    let request: Value = serde_json::from_str(&answer.body)?;
    let token = request["status"]["token"].as_str().unwrap_or_default();
    ensure!(token.starts_with(e2e::MASKED_TEXT) && !answer.body.contains(BEGINS), "{answer:?}");
    Ok(())
}
