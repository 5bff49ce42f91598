//! Policy that asks humans, and kubectl that waits for them.

use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;
use testkit::{Gate, Options, Session};

use crate::{Lab, furnish, start, text};

/// Deletes and updates of ConfigMaps are asked about, and namespaces as everywhere.
pub const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("changes-ask") @reason("others depend on it") @outcome("approval") @approvers("sre")
forbid (principal, action in [Action::"change", Action::"destroy"], resource is Object)
when { ["configmaps", "namespaces", "secrets", "replicasets.apps"].contains(resource.type) } unless { context.approved };
@id("two-ask") @reason("two pairs of eyes") @outcome("approval") @approvers("sre, security") @quorum("2")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "services" } unless { context.approved };
@id("brief") @reason("it is asked about briefly") @outcome("approval") @approvers("sre") @hold("1s")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "serviceaccounts" } unless { context.approved };
@id("signed") @reason("customers use it") @outcome("approval") @approvers("sre") @assurance("passkey")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "deployments.apps" } unless { context.approved };
@id("quotas-ask") @reason("they tell how large we are") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"watch", resource is Object)
when { resource.type == "resourcequotas" } unless { context.approved };
@id("logs-ask") @reason("they tell what customers do") @outcome("approval") @approvers("sre")
forbid (principal, action == Action::"get", resource is Object)
when { resource.subresource == "log" && resource.name == "counts" } unless { context.approved };
@id("commands-ask") @reason("it runs in production") @outcome("approval") @approvers("sre")
forbid (principal, action in [Action::"exec", Action::"attach"], resource is Object)
unless { context.approved };
@id("own-rule") @reason("written by its approver") @outcome("approval") @approvers("sre") @author("GRACE@example.com")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "pods" && resource.name != "evicted" } unless { context.approved };
"#;

/// A lab in which calls wait for so long, with an object to ask about; `approvals` is more of that section.
///
/// # Errors
/// What a command printed.
pub fn asking(namespace: &str, hold: &str, approvals: &str) -> anyhow::Result<(Lab, tempfile::TempDir)> {
    let hold = format!("{hold}{approvals}");
    asking_with(namespace, Options { hold, ..Options::default() })
}

/// As [`asking`], with more that is different.
///
/// # Errors
/// As there.
pub fn asking_with(namespace: &str, options: Options) -> anyhow::Result<(Lab, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules)?;
    std::fs::write(rules.join("asks.cedar"), RULES)?;
    let bundle = rules.display().to_string();
    let lab = start(&Options { bundle, ..options })?;
    furnish(lab.cluster, namespace)?;
    lab.cluster.must(&["create", "configmap", "asked", "--from-literal=colour=blue", "-n", namespace])?;
    Ok((lab, folder))
}

/// kubectl, or another of the agent's programs, that waits meanwhile.
#[derive(Debug)]
pub struct Waiting(Child);

impl Waiting {
    /// Runs it with these arguments.
    ///
    /// # Errors
    /// It could not be started.
    pub fn kubectl(session: &Session<'_>, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::of(session.command(arguments)?)
    }

    /// Runs another program.
    ///
    /// # Errors
    /// It could not be started.
    pub fn of(mut command: Command) -> anyhow::Result<Self> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// What it printed cannot be read.
    pub fn end(self) -> anyhow::Result<Output> {
        Ok(self.0.wait_with_output()?)
    }

    /// Ends it, as somebody who is tired of waiting does.
    ///
    /// # Errors
    /// It could not be ended.
    pub fn hang_up(&mut self) -> anyhow::Result<()> {
        Ok(self.0.kill()?)
    }

    /// Whether it has not ended.
    ///
    /// # Errors
    /// That cannot be told.
    pub fn is_waiting(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }
}

/// What `portcullis approvals` prints.
///
/// # Errors
/// The same, if it failed.
pub fn decided(gate: &Gate, arguments: &[&str]) -> anyhow::Result<String> {
    let output = gate.approvals(arguments)?;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(text(&output))
}

/// Without what is different each time.
///
/// # Errors
/// Never: its patterns are good.
pub fn shown(text: &str) -> anyhow::Result<String> {
    let mut shown = text.to_owned();
    for (pattern, name) in [
        // First: a part of one may look like an approval.
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"a-[a-z2-7]{12}", "APPROVAL"),
        (r"s-[a-z2-7]{16}", "SESSION"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"version \d+", "version N"),
        (r"sha256:[0-9a-f]{64}", "DIGEST"),
        (r"localhost:\d+", "CONSOLE"),
    ] {
        shown = regex::Regex::new(pattern)?.replace_all(&shown, name).into_owned();
    }
    Ok(shown.trim_end().to_owned())
}

/// How an approval stands.
///
/// # Errors
/// There is none.
pub fn state(gate: &Gate, id: &str) -> anyhow::Result<Value> {
    let all = gate.asked(true)?;
    let one = all.into_iter().find(|one| one["id"] == id).context("no such approval")?;
    Ok(one.get("state").cloned().unwrap_or_default())
}

/// Whether there is such an object.
///
/// # Errors
/// What kubectl printed.
pub fn exists(lab: &Lab, namespace: &str, kind: &str, name: &str) -> anyhow::Result<bool> {
    let found =
        lab.cluster.must(&["get", kind, "-n", namespace, "-o", "name", "--ignore-not-found", name])?;
    Ok(!found.trim().is_empty())
}
