//! Policies, checked, tested and explained.

use super::{portcullis, stderr, stdout};

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
    let text = std::fs::read_to_string(&config).unwrap() + "colour: blue\n";
    std::fs::write(&config, text).unwrap();
    let broken = portcullis(&["config", "check", "--config", &config]);
    assert_eq!(broken.status.code(), Some(1));
    let told = stderr(&broken);
    for part in [" colour: ", "policy.bundle: developer/broken.cedar:1:", "clusters[0].kubeconfig: "] {
        assert!(told.contains(part), "no `{part}` among what is told at once:\n{told}");
    }
}
