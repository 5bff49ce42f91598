//! Which crate may use which, and which crates from outside are let in.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::run::{cargo_with, step};

/// Each crate with the crates of ours that it may use, as ARCHITECTURE.md draws them. A crate that is missing
/// here, or an arrow that is not, fails CI: the data path must never see the console, pure crates no I/O.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kube-api", &[]),
    ("policy", &["kube-api"]),
    ("mask", &["kube-api"]),
    ("ledger", &[]),
    ("store", &[]),
    ("identity", &["store"]),
    ("upstream", &["kube-api", "policy", "mask", "ledger"]),
    ("gateway", &["kube-api", "policy", "mask", "ledger", "identity", "upstream"]),
    ("portcullis", &["kube-api", "policy", "mask", "ledger", "store", "identity", "upstream", "gateway"]),
    ("testkit", &[]),
    ("e2e", &["testkit"]),
    ("benches", &["testkit", "kube-api", "policy", "mask", "ledger"]),
    ("xtask", &["testkit"]),
];

/// Crates without I/O, clock or randomness.
const PURE: &[&str] = &["kube-api", "policy", "mask"];
/// What a pure crate may never use, directly.
const IMPURE: &[&str] =
    &["tokio", "hyper", "hyper-util", "reqwest", "sqlx", "rustls", "rand", "getrandom", "uuid"];

/// Compares the real dependencies of each crate with [`MAY_USE`] and [`IMPURE`].
pub(crate) fn check_direction() -> anyhow::Result<()> {
    eprintln!("==> dependency direction");
    let output = cargo_with(["metadata", "--no-deps", "--format-version", "1", "--locked"])?.output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut problems = Vec::new();
    for package in array(&metadata, "packages") {
        let name = text(package, "name");
        let Some(may_use) = allowed.get(name) else {
            problems.push(format!("crate `{name}` is not in the table of xtask/src/dependencies.rs"));
            continue;
        };
        for dependency in array(package, "dependencies") {
            if !dependency["kind"].is_null() {
                continue;
            }
            let used = text(dependency, "name");
            if allowed.contains_key(used) && !may_use.contains(&used) {
                problems.push(format!("`{name}` may not use `{used}`"));
            }
            if PURE.contains(&name) && IMPURE.contains(&used) {
                problems.push(format!("`{name}` is pure and may not use `{used}`"));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { bail!("dependency direction:\n  {}", problems.join("\n  ")) }
}

/// Licences, duplicate versions, sources. Offline: no advisory database can be had everywhere CI runs.
pub(crate) fn deny() -> anyhow::Result<()> {
    let installed =
        Command::new("cargo-deny").arg("--version").output().is_ok_and(|output| output.status.success());
    ensure!(installed, "cargo-deny is not installed; run `cargo install cargo-deny --locked`");
    // Offline, cargo-deny needs every crate of the lock file at hand, those of other platforms too, which no build has
    // fetched.
    step("dependencies", cargo_with(["fetch", "--locked"])?)?;
    step("licences and sources", cargo_with(["deny", "--offline", "check", "bans", "licenses", "sources"])?)
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
