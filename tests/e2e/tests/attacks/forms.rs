//! B1, B2, B4, B5, B6: forms of reading that only a hand-written client asks for: media types, encodings, watches, tables
//! with objects, frames of a web socket.

use e2e::{Answer, MASKED_DATA, MASKED_TEXT, contains_canary};
use parking_lot::Mutex;
use serde_json::json;
use testkit::Options;

use crate::{
    case::{Case, Control::Leaks, Gated::Refused, case, each, filled, leaks, rows_of},
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    [rows_of(&frames()), vec!["B1", "B2", "B5", "B6"]].concat()
}

const ACCEPTS: &[&str] = &[
    "application/json",
    "*/*",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/vnd.kubernetes.protobuf, application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
];

const ONE: &str = "/api/v1/namespaces/NS/secrets/database";
const LIST: &str = "/api/v1/namespaces/NS/secrets";

/// Of these, each answers with the Secret in one of the forms above.
const TARGETS: &[(&str, &str)] = &[
    ("one", ""),
    ("one", "?includeObject=Object"),
    ("one", "?includeObject=Metadata"),
    ("one", "?includeObject=None"),
    ("list", ""),
    ("list", "?includeObject=Object"),
    ("list", "?limit=1"),
    ("list", "?watch=true&timeoutSeconds=1"),
    ("list", "?watch=true&timeoutSeconds=1&includeObject=Object"),
    (
        "list",
        "?watch=true&timeoutSeconds=1&resourceVersion=0&sendInitialEvents=true&allowWatchBookmarks=true\
         &resourceVersionMatch=NotOlderThan",
    ),
];

/// What an answer shows, in one line.
fn told(answer: &Answer) -> String {
    assert!(answer.whole, "{answer:?}");
    for text in [&answer.head, &answer.body] {
        assert!(!contains_canary(text.as_bytes()), "{answer:?}");
    }
    let shown = |what, name| if answer.body.contains(what) { name } else { "" };
    let kind = answer.header("content-type").unwrap_or_default();
    let parts = [
        &*answer.status.to_string(),
        kind,
        shown(MASKED_DATA, "data=masked"),
        shown(MASKED_TEXT, "last-applied=masked"),
        // The API server's own way of refusing a form once the watch has begun.
        shown(r#""type":"ERROR""#, "error event"),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// B1, B2, B5, B6: what is shown directly in a form is masked in it, or the form is refused.
#[test]
fn every_form_is_masked_or_refused_as_told() -> anyhow::Result<()> {
    let world = World::new("forms", &Options::default())?;
    let all: Vec<_> =
        TARGETS.iter().flat_map(|target| ACCEPTS.iter().map(move |accept| (target, *accept))).collect();
    let lines = Mutex::new(vec![String::new(); all.len()]);
    let numbered: Vec<_> = all.iter().enumerate().collect();
    each(&numbered, |(number, ((what, query), accept))| {
        let target = format!("GET {}{query}", if *what == "one" { ONE } else { LIST });
        let accepting = format!("Accept: {accept}");
        let mut answers = Vec::new();
        for encoding in ["Accept-Encoding: identity", "Accept-Encoding: gzip"] {
            let answer = world.gated.ask(&filled(&target, world.namespace()), &[&accepting, encoding], "")?;
            answers.push((told(&answer), answer));
        }
        assert_eq!(answers[0].0, answers[1].0, "gzip makes no difference: {target} {accept}");
        if answers[0].0.contains("masked") {
            let direct = world.direct.ask(&filled(&target, &world.namespaces[0]), &[&accepting], "")?;
            anyhow::ensure!(leaks(&direct), "the control: {target} {accept}: {direct:?}");
        }
        lines.lock()[*number] = format!("  {accept}\n    {}", answers[0].0);
        Ok(())
    })?;
    let lines = lines.into_inner();
    let of_target =
        |((what, query), told): (&(&str, &str), &[String])| format!("{what}{query}\n{}", told.join("\n"));
    let table: Vec<String> = TARGETS.iter().zip(lines.chunks(ACCEPTS.len())).map(of_target).collect();
    insta::assert_snapshot!(table.join("\n"));
    Ok(())
}

/// Protocols in which the API server writes watches and logs in frames, which nobody who reads HTTP looks into.
fn frames() -> Vec<Case> {
    const SOCKET: &[&str] = &[
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Origin: http://localhost",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    const IN_BASE64: &[&str] = &[
        SOCKET[0],
        SOCKET[1],
        SOCKET[2],
        SOCKET[3],
        SOCKET[4],
        "Sec-WebSocket-Protocol: base64.binary.k8s.io",
    ];
    let refused = Refused(400, "an upgrade is not possible here");
    vec![
        case(
            "B4",
            "GET /api/v1/namespaces/NS/secrets?watch=true&timeoutSeconds=1",
            SOCKET,
            "",
            Leaks,
            refused,
        ),
        case("B4", "GET /api/v1/namespaces/NS/pods/prints/log", SOCKET, "", Leaks, refused),
        case("B4", "GET /api/v1/namespaces/NS/pods/prints/log", IN_BASE64, "", Leaks, refused),
    ]
}

#[test]
fn frames_are_not_to_be_had() -> anyhow::Result<()> {
    let world = World::new("frames", &Options::default())?;
    let container = json!({"name": "c", "image": "busybox", "command": ["sh", "-c", "echo CANARY"]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "prints"}, "spec": {"restartPolicy": "Never", "containers": [container]}});
    world.make("/api/v1/namespaces/NS/pods", &pod)?;
    world.lab.cluster.must(&[
        "-n",
        &world.namespaces[0],
        "wait",
        "--for=jsonpath={.status.phase}=Succeeded",
        "pod/prints",
        "--timeout=60s",
    ])?;
    world.try_all(&frames())
}
