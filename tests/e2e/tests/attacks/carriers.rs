//! A7, A10, A12: a Secret's value in places that are no Secret. An administrator puts it there, controllers do, or a workload
//! that may have it; the agent may read the place, and must not see the value.

mod objects;

use anyhow::ensure;
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, SPIKY, hex, percent};
use serde_json::{Value, json};
use testkit::Options;

use crate::{
    case::{
        Case,
        Control::{Leaks, Says},
        Gated::{Masked, Plain, Refused},
        MERGE, METADATA, METADATA_LIST, TABLE, Ways, case, filled, rows_of,
    },
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    rows_of(&cases())
}

/// What is read, and in which form. Every one of these holds a canary.
const READS: &[(&str, &str, &str)] = &[
    // Copies of whole objects.
    ("A12", "/api/v1/namespaces/NS/secrets/database", METADATA),
    ("A12", "/api/v1/namespaces/NS/configmaps/rancher", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/rancher", METADATA),
    ("A12", "/api/v1/namespaces/NS/configmaps/applied", ""),
    ("A12", "/api/v1/namespaces/NS/secrets/sh.helm.release.v1.web.v1", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/sh.helm.release.v1.map.v1", ""),
    // Literal values under telling names.
    ("A12", "/apis/apps/v1/namespaces/NS/controllerrevisions/store-1", ""),
    ("A12", "/apis/apps/v1/namespaces/NS/controllerrevisions", ""),
    ("A12", "/apis/apps/v1/namespaces/NS/replicasets/web", ""),
    ("A12", "/apis/apps/v1/namespaces/NS/deployments/web", ""),
    ("A12", "/apis/apps/v1/namespaces/NS/deployments?watch=true&timeoutSeconds=1", ""),
    ("A12", "/apis/batch/v1/namespaces/NS/jobs/once", ""),
    ("A12", "/apis/batch/v1/namespaces/NS/cronjobs/nightly", ""),
    // What looks like a credential.
    ("A12", "/api/v1/namespaces/NS/configmaps/kubeconfig", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/private-key", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/token", ""),
    // A known value, as it is and encoded.
    ("A12", "/api/v1/namespaces/NS/configmaps/plain", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/lines", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/base64", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/base64-shifted", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/base64-url", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/hex", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/percent", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/json", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/binary", ""),
    // What machines and pods are set up with.
    ("A12", "/api/v1/namespaces/NS/configmaps/cloud-init", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/cloud-init-packed", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/env-file", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps/noted", METADATA),
    ("A12", "/api/v1/namespaces/NS/configmaps", ""),
    ("A12", "/api/v1/namespaces/NS/configmaps", METADATA_LIST),
    ("A12", "/api/v1/namespaces/NS/configmaps?includeObject=Object", TABLE),
    ("A12", "/api/v1/namespaces/NS/configmaps?watch=true&timeoutSeconds=1", ""),
    // In keys: names of a set's items, in `managedFields` too.
    ("A12", "/api/v1/namespaces/NS/configmaps/finalized", METADATA),
    // What controllers and the kubelet say.
    ("A12", "/api/v1/namespaces/NS/events/told", ""),
    ("A12", "/apis/events.k8s.io/v1/namespaces/NS/events/told", ""),
    ("A12", "/api/v1/namespaces/NS/events", TABLE),
    ("A12", "/apis/apps/v1/namespaces/NS/deployments/web/status", ""),
    ("A7", "/api/v1/namespaces/NS/pods/quoted", ""),
    ("A7", "/api/v1/namespaces/NS/pods/fallback", ""),
    ("A7", "/api/v1/namespaces/NS/pods/fallback/status", ""),
    ("A7", "/api/v1/namespaces/NS/pods", ""),
    ("A7", "/api/v1/namespaces/NS/pods/fallback/log", ""),
    ("A12", "/api/v1/namespaces/NS/pods/prints/log", ""),
    ("A12", "/api/v1/namespaces/NS/pods/prints/log?follow=true&timestamps=true", ""),
    ("A12", "/api/v1/namespaces/NS/pods/wraps/log", ""),
    // Custom resources, what a table prints of them, and what their definition says by default.
    ("A12", "/apis/carriers.example.com/v1/namespaces/NS/widgets/one", ""),
    ("A10", "/apis/carriers.example.com/v1/namespaces/NS/widgets/one", TABLE),
    ("A10", "/apis/carriers.example.com/v1/namespaces/NS/widgets", TABLE),
    ("A12", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.carriers.example.com", ""),
    ("A12", "/openapi/v3/apis/carriers.example.com/v1", ""),
];

fn cases() -> Vec<Case> {
    let read = |(row, path, accept): &(&'static str, &'static str, &'static str)| {
        let headers: &[&'static str] = if accept.is_empty() { &[] } else { &[*accept] };
        case(row, format!("GET {path}"), headers, "", Leaks, Masked(200))
    };
    let mut all: Vec<Case> = READS.iter().map(read).collect();
    // A `Status` about another kind, in which the API server quotes what it was sent.
    let plain = "PATCH /api/v1/namespaces/NS/configmaps/plain?dryRun=All";
    all.push(case("A12", plain, &[MERGE], r#"{"metadata":{"labels":{"x":"CANARY!"}}}"#, Leaks, Masked(422)));
    all.push(case("A12", plain, &[MERGE], r#"{"metadata":{"labels":{"seen":"yes"}}}"#, Leaks, Masked(200)));
    // Whether anything comes tells whether the guess is right.
    let guess = "GET /apis/carriers.example.com/v1/namespaces/NS/widgets?fieldSelector=spec.token%3DCANARY";
    all.push(case(
        "A10",
        guess,
        &[METADATA_LIST],
        "",
        Says(200, r#""name":"one""#),
        Refused(403, "fixed/selectors"),
    ));
    all
}

/// Everything that can be made of the values and printed, a line each.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for value in [CANARY, SPIKY[0], SPIKY[1]] {
        let shifted = ["", "a", "ab"].map(|before| STANDARD.encode(format!("{before}{value}z")));
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value);
        lines.extend([
            value.to_owned(),
            format!("password={value};"),
            Value::from(value).to_string(),
            url,
            hex(value).to_uppercase(),
            hex(value),
            percent(value),
        ]);
        lines.extend(shifted);
    }
    lines
}

#[test]
fn a_value_is_masked_wherever_it_stands() -> anyhow::Result<()> {
    let world = World::new("carriers", &Options::default())?;
    world.define(&objects::definition())?;
    world.grant("carriers.example.com", "widgets", &["get", "list", "watch"])?;
    for (path, object) in objects::objects() {
        world.make(path, &object)?;
    }
    world.until("GET /openapi/v3/apis/carriers.example.com/v1", &[], "", |answer| answer.status == 200)?;
    world.make("/apis/carriers.example.com/v1/namespaces/NS/widgets", &objects::widget())?;
    for (pod, phase) in
        [("prints", "Succeeded"), ("wraps", "Succeeded"), ("quoted", "Failed"), ("fallback", "Failed")]
    {
        world.wait(pod, phase)?;
    }
    for namespace in &world.namespaces {
        let condition = json!({"status": {"conditions": [{"type": "Told", "status": "True", "reason": "Told", "message": filled("the password is CANARY", namespace)}]}});
        let line = format!("PATCH /apis/apps/v1/namespaces/{namespace}/deployments/web/status");
        ensure!(world.direct.ask(&line, &[MERGE], &condition.to_string())?.status == 200);
    }
    let ways =
        Ways { direct: world.reader()?, gated: world.gated.clone(), namespaces: world.namespaces.clone() };
    ways.try_all(&cases())
}

/// A policy's words about one kind can quote a Secret that is its parameter.
#[test]
fn a_warning_about_another_kind_tells_no_value() -> anyhow::Result<()> {
    let world = World::new("warned", &Options::default())?;
    world.make("/api/v1/namespaces/NS/configmaps", &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plain"}, "data": {"note": CANARY}}))?;
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}]);
    let validation = json!({"expression": "false", "messageExpression": "'not with the password ' + string(params.data.password)"});
    let policy = json!({"paramKind": {"apiVersion": "v1", "kind": "Secret"}, "matchConstraints": {"resourceRules": rules}, "validations": [validation]});
    let parameter = json!({"name": "database", "parameterNotFoundAction": "Allow"});
    world.admission(
        "Validating",
        "attacks-warned",
        &policy,
        &json!({"validationActions": ["Warn"], "paramRef": parameter}),
    )?;
    let warned = case(
        "A12",
        "PATCH /api/v1/namespaces/NS/configmaps/plain?dryRun=All",
        &[MERGE, METADATA],
        r#"{"metadata":{"labels":{"a":"b"}}}"#,
        Leaks,
        Plain(200, r#""a":"b""#),
    );
    for namespace in &world.namespaces {
        world.until(&filled(&warned.line, namespace), &warned.headers, &warned.body, |answer| {
            answer.head.contains("not with the password")
        })?;
    }
    let ways =
        Ways { direct: world.reader()?, gated: world.gated.clone(), namespaces: world.namespaces.clone() };
    ways.try_all(&[warned])
}
