//! The binary under test.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, ensure};

/// The `portcullis` binary of this build, brought up to date once a process.
///
/// # Errors
/// It does not build; cargo has said why.
pub fn program() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)
}

fn build() -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("PORTCULLIS") {
        return Ok(given.into());
    }
    let release = !cfg!(debug_assertions);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "portcullis",
        "--message-format",
        "json-render-diagnostics",
    ]);
    cargo.args(release.then_some("--release"));
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "portcullis does not build");
    let executable = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message.pointer("/target/name").is_some_and(|name| name == "portcullis"))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    executable.context("cargo did not say where portcullis is")
}
