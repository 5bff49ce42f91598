//! The binary as a shell sees it: exit codes, and what goes where.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod ledgers;
mod policies;
mod sessions;

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

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
fn a_gate_that_cannot_start_leaves_no_start_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let config = format!("{dir}/portcullis.yaml");
    let init = portcullis(&["init", "--dir", dir, "--agent", "claude", "--cluster", "demo"]);
    assert!(init.status.success(), "{}", stderr(&init));
    let kubeconfig = "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
";
    std::fs::write(format!("{dir}/cluster.kubeconfig"), kubeconfig).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\nlisten: 127.0.0.1:0\noperations: {{ listen: 127.0.0.1:0 }}\n"))
        .unwrap();
    std::fs::create_dir_all(format!("{dir}/data")).unwrap();
    let owner_only = PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(format!("{dir}/data"), owner_only).unwrap();
    std::fs::write(format!("{dir}/data/admin.sock"), "").unwrap();

    let served = portcullis(&["serve", "--config", &config]);
    assert_eq!(served.status.code(), Some(1));
    let told = stderr(&served).replace(dir, "DIR");
    assert!(told.ends_with("`DIR/data/admin.sock` exists and is not a socket; move it away\n"), "{told}");
    assert!(!folder.path().join("data/ledger").exists());
}

#[test]
fn an_agent_that_asks_ahead_is_told_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let kubeconfig = format!("{dir}/kubeconfig");
    let propose = ["propose", "--filename", dir, "--reason", "roll out", "--kubeconfig", &kubeconfig];
    let access =
        ["request-access", "--scope", "get pods", "--for", "30m", "--reason", "look", "--kubeconfig"];
    let access: Vec<&str> = access.into_iter().chain([&*kubeconfig]).collect();
    let told = |arguments: &[&str], code: i32| {
        let told = portcullis(arguments);
        assert_eq!((told.status.code(), &*stdout(&told)), (Some(code), ""));
        stderr(&told).replace(dir, "DIR")
    };
    let mut all = told(&propose, 1);
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
    std::fs::write(format!("{dir}/a.yaml"), manifest).unwrap();
    all.push_str(&told(&propose, 1));
    all.push_str(&told(&access, 1));
    insta::assert_snapshot!(all, @"
    there is no manifest in `DIR`; of folders, files ending in `.yaml`, `.yml` and `.json` are read
    the kubeconfig cannot be read from `DIR/kubeconfig`: No such file or directory (os error 2)
    the kubeconfig cannot be read from `DIR/kubeconfig`: No such file or directory (os error 2)
    ");
    for (more, part) in
        [(["--break-glass", "--no-wait"], "--incident"), (["--incident", "INC-1"], "--break-glass")]
    {
        let refused = told(&access.iter().copied().chain(more).collect::<Vec<_>>(), 2);
        assert!(refused.contains(part), "{refused}");
    }
    assert!(
        told(&["propose", "--filename", dir, "--reason", "r", "--force-conflicts"], 2)
            .contains("--server-side")
    );
}
