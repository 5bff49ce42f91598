//! The inverse of the attacks: what only looks like a secret, or like nothing at all, comes through the gate byte for byte as
//! it comes to the agent's own user without it.

mod objects;

use anyhow::ensure;
use e2e::Client;
use serde_json::{Value, json};
use testkit::Options;

use self::objects::{definition, objects};
use crate::{
    case::{METADATA, METADATA_LIST, TABLE, each, filled, holds_placeholder, version},
    world::World,
};

const DISCOVERY: &str = "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const OPENAPI: &str = "Accept: application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const ANY: &str = "Accept: */*";

/// `RV` stands for the version of the cluster at which lists are read, and from which watches go on.
const REQUESTS: &[(&str, &str)] = &[
    // What describes the API.
    ("/version", ANY),
    ("/api", ANY),
    ("/apis", ANY),
    ("/api/v1", ANY),
    ("/apis/apps/v1", ANY),
    ("/apis/apps", ANY),
    ("/apis/batch/v1", ANY),
    ("/apis/rbac.authorization.k8s.io/v1", ANY),
    ("/api", DISCOVERY),
    ("/openapi/v3", ANY),
    ("/openapi/v3/api/v1", ANY),
    ("/openapi/v3/apis/apps/v1", ANY),
    ("/openapi/v3/apis/batch/v1", ANY),
    ("/openapi/v3/apis/apps/v1", OPENAPI),
    ("/openapi/v3/version", ANY),
    ("/healthz", ANY),
    ("/livez", ANY),
    ("/readyz/ping", ANY),
    // Objects that look a bit like secrets, one by one.
    ("/api/v1/namespaces/NS/configmaps/ca", ANY),
    ("/api/v1/namespaces/NS/configmaps/images", ANY),
    ("/api/v1/namespaces/NS/configmaps/binary", ANY),
    ("/api/v1/namespaces/NS/configmaps/keys", ANY),
    ("/api/v1/namespaces/NS/configmaps/settings", ANY),
    ("/api/v1/namespaces/NS/configmaps/scripts", ANY),
    ("/api/v1/namespaces/NS/configmaps/numbers", ANY),
    ("/api/v1/namespaces/NS/configmaps/unicode", ANY),
    ("/api/v1/namespaces/NS/configmaps/escapes", ANY),
    ("/api/v1/namespaces/NS/configmaps/empty", ANY),
    ("/api/v1/namespaces/NS/configmaps/digests", ANY),
    ("/api/v1/namespaces/NS/configmaps/words", ANY),
    ("/api/v1/namespaces/NS/configmaps/kube-root-ca.crt", ANY),
    ("/api/v1/namespaces/NS/configmaps/annotated", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web/status", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/web/scale", ANY),
    ("/apis/apps/v1/namespaces/NS/statefulsets/store", ANY),
    ("/apis/batch/v1/namespaces/NS/cronjobs/nightly", ANY),
    ("/api/v1/namespaces/NS/services/web", ANY),
    ("/api/v1/namespaces/NS/serviceaccounts/default", ANY),
    ("/api/v1/namespaces/NS/pods/done", ANY),
    ("/api/v1/namespaces/NS/pods/done/status", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses/web", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/networkpolicies/web", ANY),
    ("/apis/policy/v1/namespaces/NS/poddisruptionbudgets/web", ANY),
    ("/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers/web", ANY),
    ("/api/v1/namespaces/NS/persistentvolumeclaims/disk", ANY),
    ("/api/v1/namespaces/NS/events/told", ANY),
    ("/apis/events.k8s.io/v1/namespaces/NS/events/told", ANY),
    ("/api/v1/namespaces/NS", ANY),
    ("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/view", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/cluster-admin", ANY),
    ("/apis/apiregistration.k8s.io/v1/apiservices/v1.apps", ANY),
    ("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical", ANY),
    ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.harmless.example.com", ANY),
    // In other forms.
    ("/api/v1/namespaces/NS/configmaps/ca", TABLE),
    ("/api/v1/namespaces/NS/configmaps/ca", METADATA),
    ("/api/v1/namespaces/NS/configmaps/annotated", METADATA),
    ("/api/v1/namespaces/NS/configmaps/annotated?includeObject=Object", TABLE),
    ("/apis/apps/v1/namespaces/NS/deployments/web", TABLE),
    ("/apis/apps/v1/namespaces/NS/deployments/web", METADATA),
    ("/apis/apps/v1/namespaces/NS/deployments/web?includeObject=Object", TABLE),
    ("/api/v1/namespaces/NS/pods/done", TABLE),
    ("/api/v1/namespaces/NS/pods/done", METADATA),
    ("/api/v1/namespaces/NS/configmaps/ca?pretty=true", ANY),
    ("/api/v1/namespaces/NS/configmaps/ca?resourceVersion=0", ANY),
    // Lists as they were.
    ("/api/v1/namespaces/NS/configmaps?AT", ANY),
    ("/api/v1/namespaces/NS/configmaps?AT", TABLE),
    ("/api/v1/namespaces/NS/configmaps?AT", METADATA_LIST),
    ("/api/v1/namespaces/NS/configmaps?AT&includeObject=Object", TABLE),
    ("/api/v1/namespaces/NS/configmaps?AT&labelSelector=kind%3Dcertificate", ANY),
    ("/api/v1/namespaces/NS/configmaps?AT&fieldSelector=metadata.name%3Dca", ANY),
    ("/api/v1/namespaces/NS/configmaps?labelSelector=none%3Dthere&AT", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments?AT", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments?AT", TABLE),
    ("/apis/apps/v1/namespaces/NS/statefulsets?AT", ANY),
    ("/apis/batch/v1/namespaces/NS/cronjobs?AT", ANY),
    ("/api/v1/namespaces/NS/services?AT", ANY),
    ("/api/v1/namespaces/NS/serviceaccounts?AT", ANY),
    ("/api/v1/namespaces/NS/pods?AT", ANY),
    ("/api/v1/namespaces/NS/pods?AT", TABLE),
    ("/api/v1/namespaces/NS/pods?AT&fieldSelector=status.phase%3DSucceeded", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses?AT", ANY),
    ("/api/v1/namespaces/NS/events?AT", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles?AT", ANY),
    ("/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles?AT", ANY),
    (
        "/apis/apiregistration.k8s.io/v1/apiservices?AT&labelSelector=kube-aggregator.kubernetes.io/automanaged%3Donstart",
        ANY,
    ),
    ("/apis/scheduling.k8s.io/v1/priorityclasses?AT", ANY),
    ("/apis/storage.k8s.io/v1/storageclasses?AT", ANY),
    ("/apis/node.k8s.io/v1/runtimeclasses?AT", ANY),
    // What follows, for a second.
    ("/api/v1/namespaces/NS/configmaps?FROM", ANY),
    ("/api/v1/namespaces/NS/configmaps?FROM", METADATA),
    ("/apis/apps/v1/namespaces/NS/statefulsets?FROM", ANY),
    ("/apis/networking.k8s.io/v1/namespaces/NS/ingresses?FROM", ANY),
    // Logs.
    ("/api/v1/namespaces/NS/pods/done/log", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?timestamps=true", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?tailLines=3", ANY),
    ("/api/v1/namespaces/NS/pods/done/log?follow=true", ANY),
    // What is not there.
    ("/api/v1/namespaces/NS/configmaps/absent", ANY),
    ("/apis/apps/v1/namespaces/NS/deployments/absent", ANY),
    ("/api/v1/namespaces/NS/pods/absent/log", ANY),
    ("/api/v1/namespaces/NS/configmaps?limit=1&continue=nonsense", ANY),
];

/// How often what is read may change in between: ages, and documents that describe kinds which other tests define.
const TRIES: usize = 12;

#[test]
fn what_is_harmless_comes_through_byte_for_byte() -> anyhow::Result<()> {
    assert!(REQUESTS.len() >= 100, "{}", REQUESTS.len());
    let world = World::new("harmless", &Options::default())?;
    let admin = &world.direct;
    let create = |path: &str, object: &Value| {
        let (line, body) = (
            filled(&format!("POST {path}"), world.namespace()),
            filled(&object.to_string(), world.namespace()),
        );
        let answer = admin.ask(&line, &[crate::case::JSON], &body)?;
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
    each(REQUESTS, |(path, accept)| {
        let line = filled(path, world.namespace())
            .replace("AT", &format!("resourceVersion={at}&resourceVersionMatch=Exact"))
            .replace("FROM", &format!("watch=true&timeoutSeconds=1&resourceVersion={from}"));
        same(&reader, &world.gated, &format!("GET {line}"), accept)
    })
}

/// The same answer both ways, at a time at which it is the same before and after.
fn same(direct: &Client, gated: &Client, line: &str, accept: &'static str) -> anyhow::Result<()> {
    let ask = |client: &Client| client.ask(line, &[accept], "");
    let mut before = ask(direct)?;
    for _ in 0..TRIES {
        let through = ask(gated)?;
        let after = ask(direct)?;
        if before.body == after.body {
            let (told, wanted) = (&through.body, &before.body);
            ensure!(
                through.status == before.status && told == wanted,
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
