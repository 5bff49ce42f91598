//! B1, B2, B4, B5, B6: forms of reading that only a hand-written client asks for: media types, encodings, watches, tables
//! with objects, frames of a web socket.

use anyhow::ensure;
use e2e::{Answer, Client, MASKED_DATA, MASKED_TEXT};
use parking_lot::Mutex;
use serde_json::json;
use testkit::Options;

use crate::{
    case::{Case, Control::Leaks, Gated::Refused, case, each, filled, rows_of},
    world::World,
};

pub(crate) fn rows() -> Vec<&'static str> {
    let (forms, targets) = (ACCEPTS.iter().map(|(row, _)| *row), TARGETS.iter().map(|(row, ..)| *row));
    forms.chain(targets).chain(rows_of(&frames())).collect()
}

/// Forms, with the row of each.
const ACCEPTS: &[(&str, &str)] = &[
    ("B1", "application/json"),
    ("B1", "*/*"),
    ("B1", "application/yaml"),
    ("B1", "application/vnd.kubernetes.protobuf"),
    ("B2", "application/cbor"),
    ("B1", "application/vnd.kubernetes.protobuf, application/json"),
    ("B6", "application/json;as=Table;v=v1;g=meta.k8s.io"),
    ("B6", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
    ("B6", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),
];

const ONE: &str = "/api/v1/namespaces/NS/secrets/database";
const LIST: &str = "/api/v1/namespaces/NS/secrets";

/// Of these, each answers with the Secret in one of the forms above. Row, what, and how.
const TARGETS: &[(&str, &str, &str)] = &[
    ("B1", "one", ""),
    ("B6", "one", "?includeObject=Object"),
    ("B6", "one", "?includeObject=Metadata"),
    ("B6", "one", "?includeObject=None"),
    ("B1", "list", ""),
    ("B6", "list", "?includeObject=Object"),
    ("B1", "list", "?limit=1"),
    ("B5", "list", "?watch=true&timeoutSeconds=1"),
    ("B5", "list", "?watch=true&timeoutSeconds=1&includeObject=Object"),
    (
        "B5",
        "list",
        "?watch=true&timeoutSeconds=1&resourceVersion=0&sendInitialEvents=true&allowWatchBookmarks=true\
         &resourceVersionMatch=NotOlderThan",
    ),
];

/// What an answer shows, in one line.
fn told(answer: &Answer) -> String {
    assert!(!answer.leaks(), "{answer:?}");
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

/// What comes without the gate, in one line.
fn bare(answer: &Answer) -> String {
    let kind = answer.header("content-type").unwrap_or_default();
    let leaks = if answer.leaks() { LEAKS } else { "holds no value" };
    format!("directly: {} {kind} {leaks}", answer.status)
}

const LEAKS: &str = "leaks";

/// One answer, or of a watch what comes until there is enough.
fn ask(
    client: &Client,
    target: &str,
    headers: &[&str],
    enough: impl Fn(&Answer) -> bool,
) -> anyhow::Result<Answer> {
    let watch = target.contains("watch=");
    let answer = client.ask_until(target, headers, |answer| {
        if watch && answer.status == 200 { answer.whole || enough(answer) } else { answer.whole }
    })?;
    ensure!(watch || answer.whole, "broken off: {answer:?}");
    Ok(answer)
}

/// B1, B2, B5, B6: what is shown directly in a form is masked in it, or the form is refused.
#[test]
fn every_form_is_masked_or_refused_as_told() -> anyhow::Result<()> {
    let world = World::new("forms", &Options::default())?;
    let all: Vec<_> =
        TARGETS.iter().flat_map(|target| ACCEPTS.iter().map(move |(_, accept)| (target, *accept))).collect();
    let lines = Mutex::new(vec![String::new(); all.len()]);
    let numbered: Vec<_> = all.iter().enumerate().collect();
    each(&numbered, |(number, ((_, what, query), accept))| {
        let target = format!("GET {}{query}", if *what == "one" { ONE } else { LIST });
        let accepting = format!("Accept: {accept}");
        let direct =
            ask(&world.direct, &filled(&target, &world.namespaces[0]), &[&accepting], Answer::leaks)?;
        let mut answers = Vec::new();
        for encoding in ["Accept-Encoding: identity", "Accept-Encoding: gzip"] {
            let line = filled(&target, world.namespace());
            let event = |answer: &Answer| answer.body.ends_with('\n');
            answers.push(told(&ask(&world.gated, &line, &[&accepting, encoding], event)?));
        }
        assert_eq!(answers[0], answers[1], "gzip makes no difference: {target} {accept}");
        if answers[0].contains("masked") {
            ensure!(direct.leaks(), "the control: {target} {accept}: {direct:?}");
        }
        lines.lock()[*number] = format!("  {accept}\n    {}\n    {}", bare(&direct), answers[0]);
        Ok(())
    })?;
    let lines = lines.into_inner();
    // The search can fail: for every target, and in every form but the one that the API server does not give.
    let leaks = |line: &String| line.contains(LEAKS);
    for (number, (_, accept)) in ACCEPTS.iter().enumerate() {
        let mut in_form = lines.iter().skip(number).step_by(ACCEPTS.len());
        ensure!(in_form.any(leaks) || accept.contains("cbor"), "no control: {accept}");
    }
    for (target, lines) in TARGETS.iter().zip(lines.chunks(ACCEPTS.len())) {
        ensure!(lines.iter().any(leaks), "no control: {target:?}");
    }
    let of_target = |((_, what, query), told): (&(&str, &str, &str), &[String])| {
        format!("{what}{query}\n{}", told.join("\n"))
    };
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
    world.wait("prints", "Succeeded")?;
    world.try_all(&frames())
}
