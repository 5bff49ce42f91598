//! What README.md tells a new user to type works as it stands there.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use anyhow::{Context, bail, ensure};
use e2e::{AuditedGate, text};
use testkit::{CLUSTER, Cluster, Gate, Options, program, tools};

const README: &str = include_str!("../../../README.md");

/// The blocks of shell commands in a section.
fn commands(section: &str) -> anyhow::Result<Vec<&'static str>> {
    let (_before, rest) = README.split_once(&format!("\n## {section}\n")).context(section.to_owned())?;
    let section = rest.split("\n## ").next().unwrap_or(rest);
    let blocks = section.split("```sh\n").skip(1);
    Ok(blocks.map(|block| block.split("```").next().unwrap_or(block)).collect())
}

/// Types a block as the cluster's administrator, in this folder; answers what was printed.
fn shell(block: &str, folder: &Path) -> anyhow::Result<String> {
    let programs = [&tools()?.kubectl, &program()?].map(|file| file.parent().map(ToOwned::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(programs.into_iter().flatten().chain(std::env::split_paths(&path)))?;
    let output = Command::new("sh")
        .args(["-eu", "-c", block])
        .current_dir(folder)
        .env("PATH", path)
        .env("KUBECONFIG", Cluster::shared()?.kubeconfig())
        .env("KUBECACHEDIR", folder.join("cache"))
        .output()?;
    ensure!(output.status.success(), "{block}\n{}", text(&output));
    Ok(text(&output))
}

#[test]
fn a_gate_is_set_up_used_and_verified_as_the_readme_tells() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let commands = commands("Use it")?;
    let [account, credential, using] = commands.as_slice() else { bail!("README.md has other blocks") };
    shell(account, folder.path())?;
    shell(credential, folder.path())?;

    // A gate with the credential that came of it does its work.
    let credential = folder.path().join("cluster.kubeconfig");
    assert_eq!(fs::metadata(&credential)?.permissions().mode() & 0o777, 0o600);
    let options = Options { masking: Some("{}".to_owned()), ..Options::default() };
    let gate = AuditedGate::new(Gate::behind(&fs::read_to_string(credential)?, &options)?)?;
    let told = shell(&using.replace("prod", CLUSTER), Path::new(&gate.path("")))?;
    assert!(told.contains("No resources found in default namespace."), "{told}");
    assert!(told.contains("INTACT: ") && told.contains("0 problems, 0 to explain"), "{told}");
    Ok(())
}
