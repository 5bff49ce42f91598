//! kubectl's ways of reading a Secret.

use e2e::{furnish, lab, normalised, text};

use super::{
    Shows::{self, Data, No, Text},
    control,
};

const READS: &[(&str, Shows)] = &[
    ("get secrets -n vault", No("database")),
    ("get secrets -n vault -o wide", No("database")),
    ("get secrets -n vault -o name", No("secret/database")),
    ("get secrets -n vault --show-labels", No("app=web")),
    ("get secret database -n vault -o yaml", Data),
    ("get secret database -n vault -o yaml", Text),
    ("get secret database -n vault -o json", Data),
    ("get secrets -n vault -o yaml", Data),
    ("get secrets -A -o json", Data),
    ("get secrets -n vault -l app=web -o yaml", Data),
    ("get secret database -n vault -o yaml --show-managed-fields", Data),
    ("get secret database -n vault -o jsonpath={.data.password}", Data),
    ("get secret database -n vault -o go-template={{.data.password}}", Data),
    ("get secret database -n vault -o go-template={{.data.password|base64decode}}", Text),
    ("get secret database -n vault -o custom-columns=VALUE:.data.password", Data),
    ("describe secret database -n vault", No("58 bytes")),
    ("describe secrets -n vault", No("58 bytes")),
    ("get --raw /api/v1/namespaces/vault/secrets/database", Data),
    ("get --raw /api/v1/secrets", Data),
    ("get --raw /api/v1/namespaces/vault/secrets?watch=true&timeoutSeconds=1", Data),
    ("apply view-last-applied secret database -n vault", Text),
    ("get all,secrets -n vault -o yaml", Data),
];

#[test]
fn every_way_of_reading_shows_the_placeholder() -> anyhow::Result<()> {
    let lab = lab()?;
    furnish(lab.cluster, "vault")?;
    control(&lab, "vault")?;
    let session = lab.gate.session("reads")?;
    let mut wrong = Vec::new();
    for (line, shows) in READS {
        let output = session.kubectl(&line.split_whitespace().collect::<Vec<_>>())?;
        let shown = text(&output);
        let failed = (!output.status.success()).then_some("it fails");
        if let Some(problem) = failed.or_else(|| shows.problem(&shown)) {
            wrong.push(format!("kubectl {line}: {problem}\n{}", normalised(&shown)?));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
