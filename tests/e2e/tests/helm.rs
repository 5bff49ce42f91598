//! Helm through the gate: it reads releases, with what is secret in them masked, and writes none.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use e2e::{CANARY, contains_canary, furnish, normalised, permissive, start, text};
use testkit::Cluster;

/// What stands for a value in a release.
const PLACEHOLDER: &str = "masked-by-portcullis--not-the-real-value";

/// Written as the gate writes what it had to mask, so that it can be compared.
const SECRET: &str = r#"apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-login
data:
  password: {{ .Values.auth.password | b64enc }}
"#;

const SETTINGS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings # a comment that stays
data: {color: {{ .Values.color | quote }}}
"#;

const FILES: [(&str, &str); 5] = [
    ("Chart.yaml", "apiVersion: v2\nname: tiny\nversion: 1.0.0\nappVersion: \"1\"\n"),
    (
        "values.yaml",
        "auth:\n  password: default-password-of-the-chart\n  existingSecret: \"\"\ncolor: none\n",
    ),
    ("templates/secret.yaml", SECRET),
    ("templates/settings.yaml", SETTINGS),
    ("templates/NOTES.txt", "Log in with {{ .Values.auth.password }} and choose {{ .Values.color }}.\n"),
];

/// Helm with a home of its own, and the kind of object that it keeps releases in.
struct Helm<'a> {
    driver: &'a str,
    home: &'a Path,
    kubeconfig: &'a Path,
}

impl Helm<'_> {
    /// How it ended and what it printed.
    fn run(&self, line: &str) -> anyhow::Result<(bool, String)> {
        let line = line.replace("CHART", &self.home.join("tiny").display().to_string());
        let output = Command::new(testkit::helm()?)
            .args(line.split_whitespace())
            .env("KUBECONFIG", self.kubeconfig)
            .env("HOME", self.home)
            .env("HELM_DRIVER", self.driver)
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            .stdin(Stdio::null())
            .output()
            .context("could not start helm")?;
        Ok((output.status.success(), text(&output)))
    }

    fn must(&self, line: &str) -> anyhow::Result<String> {
        let (done, told) = self.run(line)?;
        ensure!(done, "`helm {line}` failed: {told}");
        Ok(told)
    }
}

#[test]
fn releases_in_secrets_are_read_masked_and_not_written() -> anyhow::Result<()> {
    reads_what_is_masked_and_writes_nothing("secret", "helm-secrets")
}

#[test]
fn releases_in_config_maps_are_read_masked_and_not_written() -> anyhow::Result<()> {
    reads_what_is_masked_and_writes_nothing("configmap", "helm-maps")
}

fn reads_what_is_masked_and_writes_nothing(driver: &str, namespace: &str) -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    for (name, content) in FILES {
        let path = home.path().join("tiny").join(name);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        fs::write(path, content)?;
    }
    let cluster = Cluster::shared()?;
    // Its canary is known to the gate from its start.
    furnish(cluster, namespace)?;
    let direct = Helm { driver, home: home.path(), kubeconfig: cluster.kubeconfig() };
    let values = format!("-n {namespace} --set auth.password={CANARY}");
    direct.must(&format!("install shop CHART {values} --set color=blue"))?;
    direct.must(&format!("upgrade shop CHART {values} --set color=red"))?;

    let lab = start(&permissive())?;
    let session = lab.gate.session("helm")?;
    let gated = Helm { driver, home: home.path(), kubeconfig: &session.kubeconfig };
    for line in [
        "list",
        "history shop",
        "status shop",
        "get notes shop",
        "get values shop",
        "get manifest shop",
        "get manifest shop --revision 1",
    ] {
        let line = &format!("{line} -n {namespace}");
        let expected = direct
            .must(line)?
            .replace(&STANDARD.encode(CANARY), &STANDARD.encode(PLACEHOLDER))
            .replace(CANARY, PLACEHOLDER);
        let shown = gated.must(line)?;
        assert_eq!(shown, expected, "helm {line}");
        assert!(!contains_canary(shown.as_bytes()), "helm {line}");
    }
    let all = gated.must(&format!("get values shop --all -n {namespace}"))?;
    assert!(!contains_canary(all.as_bytes()), "{all}");
    assert!(all.contains("color: red") && all.contains(PLACEHOLDER), "{all}");

    let held = |kinds| cluster.must(&["get", kinds, "-n", namespace, "-l", "owner=helm", "-o", "json"]);
    let shown = session.kubectl(&["get", "secrets,configmaps", "-n", namespace, "-o", "json"])?;
    assert!(shown.status.success() && !contains_canary(&shown.stdout), "{}", text(&shown));
    assert!(contains_canary(held("secrets,configmaps")?.as_bytes()), "a look that finds nothing");
    let (releases, settings) =
        (held("secrets,configmaps")?, ["get", "configmap", "shop-settings", "-n", namespace]);
    let mut told = Vec::new();
    // The last goes on to what the manifest names, which this policy permits: its record stays.
    for line in ["upgrade shop CHART --set color=green", "rollback shop 1", "uninstall shop"] {
        cluster.must(&settings)?;
        let (done, said) = gated.run(&format!("{line} -n {namespace}"))?;
        assert!(!done, "helm {line}: {said}");
        told.push(format!("$ helm {line}\n{}", normalised(said.trim())?));
        assert_eq!(held("secrets,configmaps")?, releases, "helm {line}");
    }
    assert!(cluster.must(&settings).is_err(), "docs/masking.md says what `helm uninstall` deletes");
    insta::assert_snapshot!(format!("writes_of_releases_in_a_{driver}"), told.join("\n"));
    Ok(())
}
