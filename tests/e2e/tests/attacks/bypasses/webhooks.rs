//! A5: a webhook is sent whole objects, by a way that passes no gate.

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{contains_canary, permissive};
use http::StatusCode;
use serde_json::{Value, json};
use testkit::stand_in::{Habits, Reply, StandIn};

use crate::{
    case::{Gated::Refused, JSON, MERGE, filled, row_of},
    world::World,
};

pub(super) fn rows() -> Vec<&'static str> {
    vec![row_of("A5", a_webhook_would_be_sent_every_secret)]
}

/// A listener somewhere else that has nothing against anything.
fn listener() -> anyhow::Result<StandIn> {
    // As the API server calls webhooks.
    let habits = Habits { protocols: vec![b"http/1.1".to_vec()], ..Habits::default() };
    StandIn::with(habits, |request| {
        let review: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let response = json!({"uid": review["request"]["uid"], "allowed": true});
        let answer =
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
        Reply::json(StatusCode::OK, answer.to_string())
    })
}

/// Tells it of Secrets in a namespace.
fn hook(listener: &StandIn, namespace: &str) -> String {
    let client =
        json!({"url": format!("{}/", listener.server()), "caBundle": STANDARD.encode(listener.authority())});
    let rule =
        json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["secrets"]});
    let here = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": namespace},
        "webhooks": [{
            "name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
            "clientConfig": client, "rules": [rule], "namespaceSelector": here,
        }],
    })
    .to_string()
}

#[test]
fn a_webhook_would_be_sent_every_secret() -> anyhow::Result<()> {
    const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    let world = World::new("hooked", &permissive())?;
    let listener = listener()?;
    let [direct, gated] = &world.namespaces;
    let refused = world.gated.ask(&format!("POST {HOOKS}"), &[JSON], &hook(&listener, gated))?;
    Refused(403, "fixed/admission-webhooks").check(&refused).with_context(|| format!("{refused:?}"))?;

    // The control: by a change of nothing it gets to see the values.
    let made = world.direct.ask(&format!("POST {HOOKS}"), &[JSON], &hook(&listener, direct))?;
    ensure!(made.status == 201, "{made:?}");
    let touch = |namespace: &str| {
        let line = filled("PATCH /api/v1/namespaces/NS/secrets/database?dryRun=All", namespace);
        world.until(&line, &[MERGE], "{}", |answer| answer.status == 200)
    };
    e2e::eventually("the webhook is called", || {
        touch(gated)?;
        touch(direct)?;
        Ok(if listener.requests().is_empty() { Err(()) } else { Ok(()) })
    })?;
    touch(gated)?;
    for seen in listener.requests() {
        ensure!(contains_canary(&seen.body), "the control: {}", String::from_utf8_lossy(&seen.body));
        let review: Value = serde_json::from_slice(&seen.body)?;
        ensure!(review["request"]["namespace"] == **direct, "{review}");
    }
    let gone = world.direct.ask(&format!("DELETE {HOOKS}/{direct}"), &[], "")?;
    ensure!(gone.status == 200, "{gone:?}");
    Ok(())
}
