//! Secret values do not come back, in whatever form they are asked for, and reach no record.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Client, audited, contains_canary, furnish, lab, sweep, text};

const NAMESPACE: &str = "vault";

/// Each of these answers with the Secret in some form.
const ASKING: &[&str] = &[
    "get secrets -n vault",
    "get secret database -n vault -o yaml",
    "get secret database -n vault -o json",
    "get secrets -n vault -o yaml",
    "get secrets -A -o json",
    "get secret database -n vault -o jsonpath={.data.password}",
    "get secret database -n vault -o go-template={{.data.password}}",
    "get secret database -n vault -o yaml --show-managed-fields",
    "describe secret database -n vault",
    "get secrets -n vault -l app=web -o yaml",
    "get --raw /api/v1/namespaces/vault/secrets/database",
    "get --raw /api/v1/secrets",
    "label secret database -n vault seen=yes -o yaml",
    "annotate secret database -n vault seen=yes -o json",
    "patch secret database -n vault --type=merge -p {\"metadata\":{\"labels\":{\"x\":\"y\"}}} -o yaml",
    "apply view-last-applied secret database -n vault",
];

/// Forms of asking that only a hand-written client uses.
const ACCEPTS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/vnd.kubernetes.protobuf, application/json",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "*/*",
];

const TARGETS: &[&str] = &[
    "/api/v1/namespaces/vault/secrets/database",
    "/api/v1/namespaces/vault/secrets",
    "/api/v1/secrets?limit=500",
    "/api/v1/namespaces/vault/secrets?includeObject=Object",
    "/api/v1/namespaces/vault/secrets?watch=true&timeoutSeconds=1",
    "/api/v1/namespaces/vault/secrets?watch=true&timeoutSeconds=1&resourceVersion=0&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan",
];

#[test]
fn no_value_comes_back_and_none_is_recorded() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, NAMESPACE)?;
    // The control: without the gate, each of these leaks, so the test can fail.
    let direct = text(&lab.cluster.kubectl(&["get", "secret", "database", "-n", NAMESPACE, "-o", "yaml"])?);
    assert!(contains_canary(direct.as_bytes()));
    assert!(direct.contains(&STANDARD.encode(CANARY)));

    let session = lab.gate.session("secrets")?;
    let mut leaks = Vec::new();
    for line in ASKING {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let shown = text(&session.kubectl(&arguments)?);
        if contains_canary(shown.as_bytes()) {
            leaks.push(format!("kubectl {line}\n{shown}"));
        }
    }
    let client = Client::new(&lab.gate, &session)?;
    for target in TARGETS {
        for accept in ACCEPTS {
            for encoding in ["identity", "gzip"] {
                let headers = [format!("Accept: {accept}"), format!("Accept-Encoding: {encoding}")];
                let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
                let answer = client.ask(&format!("GET {target}"), &headers, "")?;
                if contains_canary(answer.head.as_bytes()) || contains_canary(answer.body.as_bytes()) {
                    leaks.push(format!("GET {target} Accept: {accept}\n{}\n{}", answer.head, answer.body));
                }
            }
        }
    }
    for request in ERRORS {
        let answer = client.ask(request.line, &[request.content_type], request.body)?;
        if contains_canary(answer.head.as_bytes()) || contains_canary(answer.body.as_bytes()) {
            leaks.push(format!("{}\n{}\n{}", request.line, answer.head, answer.body));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n\n"));
    assert_eq!(sweep(Path::new(&lab.gate.path("")))?, Vec::<String>::new(), "a record holds the value");
    Ok(())
}

struct Write {
    line: &'static str,
    content_type: &'static str,
    body: &'static str,
}

/// Writes whose error messages or answers quote the object.
const ERRORS: &[Write] = &[
    Write {
        line: "PATCH /api/v1/namespaces/vault/secrets/database?dryRun=All",
        content_type: "Content-Type: application/json-patch+json",
        body: r#"[{"op":"copy","from":"/data/password","path":"/metadata/annotations/x"}]"#,
    },
    Write {
        line: "PATCH /api/v1/namespaces/vault/secrets/database?dryRun=All",
        content_type: "Content-Type: application/json-patch+json",
        body: r#"[{"op":"copy","from":"/data/password","path":"/metadata/labels/x"}]"#,
    },
    Write {
        line: "PATCH /api/v1/namespaces/vault/secrets/database?dryRun=All",
        content_type: "Content-Type: application/json-patch+json",
        body: r#"[{"op":"copy","from":"/data/password","path":"/metadata/name"}]"#,
    },
    Write {
        line: "PATCH /api/v1/namespaces/vault/secrets/database?dryRun=All",
        content_type: "Content-Type: application/json-patch+json",
        body: r#"[{"op":"move","from":"/data","path":"/metadata/annotations"}]"#,
    },
    Write {
        line: "PATCH /api/v1/namespaces/vault/secrets/database",
        content_type: "Content-Type: application/merge-patch+json",
        body: "{}",
    },
    Write {
        line: "DELETE /api/v1/namespaces/vault/secrets?dryRun=All",
        content_type: "Accept: */*",
        body: "",
    },
    Write {
        line: "DELETE /api/v1/namespaces/vault/secrets/database?dryRun=All&propagationPolicy=Foreground",
        content_type: "Accept: */*",
        body: "",
    },
];

#[test]
fn only_a_masked_read_carries_the_right_to_read_secrets() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "rights")?;
    let session = lab.gate.session("rights")?;
    session.kubectl(&["get", "secret", "database", "-n", "rights"])?;
    session.kubectl(&["get", "configmap", "settings", "-n", "rights"])?;
    let of = |resource: &'static str| {
        audited(lab.cluster, move |event| {
            event["objectRef"]["namespace"] == "rights"
                && event["objectRef"]["resource"] == resource
                && event["impersonatedUser"]["username"] == "portcullis:agent:claude"
        })
    };
    let reader = |event: &serde_json::Value| {
        event["impersonatedUser"]["groups"].to_string().contains("portcullis:masked-reader")
    };
    let (secrets, others) = (of("secrets")?, of("configmaps")?);
    assert!(!secrets.is_empty() && secrets.iter().all(reader), "{secrets:?}");
    assert!(!others.is_empty() && !others.iter().any(reader), "{others:?}");
    assert!(
        secrets
            .iter()
            .all(|event| event["impersonatedUser"]["extra"]["portcullis.dev/session"][0] == session.id),
        "{secrets:?}"
    );

    // Without the group, the agent's user may not read Secrets at all.
    let user = ["--as=portcullis:agent:claude", "--as-group=portcullis:agents"];
    let bare = lab.cluster.kubectl(&["get", "secret", "database", "-n", "rights", user[0], user[1]])?;
    assert!(text(&bare).contains("Forbidden"), "{}", text(&bare));
    Ok(())
}
