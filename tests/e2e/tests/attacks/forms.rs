//! Forms of reading that only a hand-written client asks for: media types, encodings, watches, tables with objects.

use e2e::{Answer, Client, MASKED_DATA, MASKED_TEXT, contains_canary, furnish, lab};

use super::control;

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

const ONE: &str = "/api/v1/namespaces/forms/secrets/database";
const LIST: &str = "/api/v1/namespaces/forms/secrets";

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

#[test]
fn every_form_is_masked_or_refused_as_told() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "forms")?;
    control(&lab, "forms")?;
    let session = lab.gate.session("forms")?;
    let client = Client::new(&lab.gate, &session)?;
    let ask = |(what, query): &(&str, &str)| {
        let target = format!("{}{query}", if *what == "one" { ONE } else { LIST });
        let mut lines = vec![format!("{what}{query}")];
        for accept in ACCEPTS {
            let answers: Result<Vec<String>, anyhow::Error> = ["identity", "gzip"]
                .iter()
                .map(|encoding| {
                    let headers = [format!("Accept: {accept}"), format!("Accept-Encoding: {encoding}")];
                    client.ask(&format!("GET {target}"), &headers.each_ref().map(String::as_str), "")
                })
                .map(|answer| Ok(told(&answer?)))
                .collect();
            let answers = answers?;
            assert_eq!(answers.first(), answers.last(), "gzip makes no difference: {target} {accept}");
            lines.push(format!("  {accept}\n    {}", answers.first().map_or("", String::as_str)));
        }
        anyhow::Ok(lines.join("\n"))
    };
    // Watches last for a second each.
    let tables: Vec<anyhow::Result<String>> = std::thread::scope(|scope| {
        let asked: Vec<_> = TARGETS.iter().map(|target| scope.spawn(move || ask(target))).collect();
        asked.into_iter().map(|table| table.join().unwrap()).collect()
    });
    let tables: Vec<String> = tables.into_iter().collect::<Result<_, _>>()?;
    insta::assert_snapshot!(tables.join("\n"));
    Ok(())
}
