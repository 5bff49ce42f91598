//! What README.md tells a new user to type works as it stands there.

use std::process::Command;

use anyhow::{Context, ensure};
use e2e::text;
use testkit::{Cluster, Gate, Options, program, tools};

const README: &str = include_str!("../../../README.md");

/// The blocks of shell commands in a section.
fn commands(section: &str) -> anyhow::Result<Vec<&'static str>> {
    let (_before, rest) = README.split_once(&format!("\n## {section}\n")).context(section.to_owned())?;
    let section = rest.split("\n## ").next().unwrap_or(rest);
    let blocks = section.split("```sh\n").skip(1);
    Ok(blocks.map(|block| block.split("```").next().unwrap_or(block)).collect())
}

#[test]
fn the_gates_account_is_made_as_the_readme_tells() -> anyhow::Result<()> {
    let cluster = Cluster::shared()?;
    let folder = tempfile::tempdir()?;
    let programs = [&tools()?.kubectl, &program()?].map(|file| file.parent().map(ToOwned::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(programs.into_iter().flatten().chain(std::env::split_paths(&path)))?;
    let commands = commands("Use it")?;
    for block in commands.get(..2).context("README.md has other blocks")? {
        let output = Command::new("sh")
            .args(["-eu", "-c", block])
            .current_dir(&folder)
            .env("PATH", &path)
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("KUBECACHEDIR", folder.path().join("cache"))
            .output()?;
        ensure!(output.status.success(), "{block}\n{}", text(&output));
    }

    // A gate with the credential that came of it does its work.
    let credential = std::fs::read_to_string(folder.path().join("cluster.kubeconfig"))?;
    let gate = Gate::behind(&credential, &Options::default())?;
    let session = gate.session("readme")?;
    let pods = session.kubectl(&["get", "pods"])?;
    assert!(pods.status.success(), "{}", text(&pods));
    Ok(())
}
