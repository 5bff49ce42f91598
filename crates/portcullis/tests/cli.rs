//! The binary as a shell sees it: exit codes, and what goes where.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::process::{Command, Output};

fn portcullis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_version_is_told() {
    let told = portcullis(&["--version"]);
    assert_eq!(stdout(&told), concat!("portcullis ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_schema_goes_to_standard_output() {
    let told = portcullis(&["config", "schema"]);
    assert!(told.status.success());
    let schema: serde_json::Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_configuration_from_init_lacks_only_the_credential_until_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let config = format!("{dir}/portcullis.yaml");
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));

    let rbac = portcullis(&["rbac", "--config", &config]);
    assert!(rbac.status.success() && stdout(&rbac).contains("portcullis:agent:claude"), "{}", stderr(&rbac));

    let wrong = portcullis(&["config", "check", "--config", &config]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(stdout(&wrong), "");
    insta::assert_snapshot!(stderr(&wrong).replace(dir, "DIR"), @"DIR/portcullis.yaml:32:17: clusters[0].kubeconfig: cannot read `DIR/cluster.kubeconfig`: No such file or directory (os error 2)");

    std::fs::write(format!("{dir}/cluster.kubeconfig"), "contexts: [{name: a}]\ncurrent-context: a\n")
        .unwrap();
    let right = portcullis(&["config", "check", "--config", &config]);
    assert!(right.status.success(), "{}", stderr(&right));
    insta::assert_snapshot!(stdout(&right).replace(dir, "DIR"), @"DIR/portcullis.yaml: OK (1 cluster, 1 agent, policy DIR/policies/developer)");

    let again = portcullis(&["init", "--dir", dir]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).starts_with("nothing was written"), "{}", stderr(&again));
}

#[test]
fn without_a_gate_a_session_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let kubeconfig = format!("{dir}/kubeconfig");
    let told = portcullis(&[
        "session",
        "open",
        "--data",
        dir,
        "--agent",
        "claude",
        "--for",
        "ada",
        "--cluster",
        "prod",
        "--reason",
        "look",
        "--kubeconfig",
        &kubeconfig,
    ]);
    assert_eq!(told.status.code(), Some(1));
    assert!(!std::path::Path::new(&kubeconfig).exists());
    insta::assert_snapshot!(stderr(&told).replace(dir, "DIR"), @"no gate answers at `DIR/admin.sock`: No such file or directory (os error 2); is `portcullis serve` running, and are you its user?");
}

#[test]
fn policies_are_checked_tested_and_explained() {
    let tested = portcullis(&["policy", "test", "builtin:developer"]);
    assert!(tested.status.success(), "{}", stderr(&tested));
    assert!(stdout(&tested).ends_with(" 0 failed\n"));

    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));
    let config = format!("{dir}/portcullis.yaml");
    let checked = portcullis(&["policy", "check", "--config", &config]);
    assert!(stdout(&checked).starts_with(&format!("{dir}/policies/developer: OK (")), "{}", stderr(&checked));

    let explain = |agent: &str, call: &[&str]| {
        let before = ["policy", "explain", "--config", &config, "--agent", agent, "--cluster", "demo"];
        portcullis(&[&before, call].concat())
    };
    let asks = explain("claude", &["delete", "https://localhost:8443/api/v1/namespaces/shop"]);
    assert!(
        stdout(&asks).starts_with("ASK: delete namespaces \"shop\""),
        "{}{}",
        stdout(&asks),
        stderr(&asks)
    );
    let unknown = explain("claud", &["GET", "/api/v1/pods"]);
    insta::assert_snapshot!(stderr(&unknown), @"there is no agent `claud`; did you mean `claude`?");
    let odd = explain("claude", &["GET", "/api//v1/pods"]);
    assert_eq!(odd.status.code(), Some(1));
    assert!(stderr(&odd).starts_with("the gate would refuse this request: "), "{}", stderr(&odd));

    std::fs::write(format!("{dir}/policies/developer/broken.cedar"), "permit (principal, action, resource)")
        .unwrap();
    let broken = portcullis(&["config", "check", "--config", &config]);
    assert_eq!(broken.status.code(), Some(1));
}

#[test]
fn what_is_no_ledger_is_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let told = |command: &str, dir: &str, rest: &[&str]| {
        let output = portcullis(&[&["ledger", command, dir], rest].concat());
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    assert!(told("verify", &format!("{dir}/none"), &[]).contains("is not a folder"));
    let no_key = told("show", dir, &["3.."]).replace(dir, "DIR");
    insta::assert_snapshot!(no_key, @"cannot read the log's key `DIR/ledger.vkey`: No such file or directory (os error 2)");
}
