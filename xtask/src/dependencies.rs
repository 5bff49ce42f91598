//! Which crate may use which, and which crates from outside are let in.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::run::{cargo_with, root, step};

/// The header of the table in ARCHITECTURE.md that says which crate may use which.
const HEADER: &str = "| crate | what lives there | pure | may use |";

/// What a pure crate may never use, directly: I/O, clocks and randomness.
const IMPURE: &[&str] =
    &["tokio", "hyper", "hyper-util", "reqwest", "sqlx", "rustls", "rand", "getrandom", "uuid"];

/// A row of the table.
#[derive(Debug)]
struct Rule<'a> {
    pure: bool,
    may_use: Vec<&'a str>,
}

/// Compares the real dependencies of each crate with the table in ARCHITECTURE.md. A crate or a use that is not in it
/// fails CI: the data path must never see the console, pure crates no I/O.
pub(crate) fn check_direction() -> anyhow::Result<()> {
    eprintln!("==> dependency direction");
    let architecture = fs::read_to_string(root()?.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let rules = rules(&architecture)?;
    let output = cargo_with(["metadata", "--no-deps", "--format-version", "1", "--locked"])?.output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let problems = problems(&rules, &metadata);
    ensure!(problems.is_empty(), "dependency direction:\n  {}", problems.join("\n  "));
    Ok(())
}

/// The table's rows by crate.
fn rules(architecture: &str) -> anyhow::Result<BTreeMap<&str, Rule<'_>>> {
    let mut lines = architecture.lines().skip_while(|line| *line != HEADER).skip(2);
    let mut rules = BTreeMap::new();
    while let Some(row) = lines.next().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", name, _, pure, may_use, ""] = cells.as_slice() else { bail!("not four cells: {row}") };
        let may_use = may_use.split(", ").filter(|name| *name != "–").collect();
        rules.insert(name.trim_matches('`'), Rule { pure: *pure == "yes", may_use });
    }
    ensure!(!rules.is_empty(), "ARCHITECTURE.md has no table with the header `{HEADER}`");
    for (name, rule) in &rules {
        let unknown: Vec<_> = rule.may_use.iter().filter(|used| !rules.contains_key(*used)).collect();
        ensure!(unknown.is_empty(), "ARCHITECTURE.md lets `{name}` use crates it does not have: {unknown:?}");
    }
    Ok(rules)
}

/// What of `cargo metadata` is against the rules. Dependencies of tests alone are free.
fn problems(rules: &BTreeMap<&str, Rule<'_>>, metadata: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for package in array(metadata, "packages") {
        let name = text(package, "name");
        let Some(rule) = rules.get(name) else {
            problems.push(format!("crate `{name}` is not in the table of ARCHITECTURE.md"));
            continue;
        };
        for dependency in array(package, "dependencies").filter(|dependency| dependency["kind"].is_null()) {
            let used = text(dependency, "name");
            if rules.contains_key(used) && !rule.may_use.contains(&used) {
                problems.push(format!("`{name}` may not use `{used}`"));
            }
            if rule.pure && IMPURE.contains(&used) {
                problems.push(format!("`{name}` is pure and may not use `{used}`"));
            }
        }
    }
    problems
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_table_does_not_say_is_a_problem() {
        let table =
            format!("{HEADER}\n|---|---|---|---|\n| `a` | x | yes | – |\n| `b` | y | part | a |\n\n| `c` |");
        let rules = rules(&table).unwrap();
        assert_eq!(rules.keys().collect::<Vec<_>>(), [&"a", &"b"]);
        let uses = |name: &str| json!({ "name": name, "kind": null });
        let metadata = json!({ "packages": [
            { "name": "a", "dependencies": [uses("tokio"), { "name": "rand", "kind": "dev" }] },
            { "name": "b", "dependencies": [uses("a"), uses("tokio")] },
            { "name": "c", "dependencies": [] },
        ] });
        assert_eq!(
            problems(&rules, &metadata),
            ["`a` is pure and may not use `tokio`", "crate `c` is not in the table of ARCHITECTURE.md",]
        );
        let metadata = json!({ "packages": [{ "name": "a", "dependencies": [uses("b")] }] });
        assert_eq!(problems(&rules, &metadata), ["`a` may not use `b`"]);
    }

    #[test]
    fn a_table_that_cannot_be_read_permits_nothing() {
        assert!(rules("").is_err());
        assert!(rules(&format!("{HEADER}\n|---|---|---|---|\n| `a` | x | yes |")).is_err());
        assert!(rules(&format!("{HEADER}\n|---|---|---|---|\n| `a` | x | yes | b |")).is_err());
    }

    #[test]
    fn the_workspace_is_as_the_table_says() {
        check_direction().unwrap();
    }
}
