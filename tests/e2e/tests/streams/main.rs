//! What passes through exec, attach and cp: kubectl sees what it sees directly, nobody sees a secret, and all of it is recorded.
#![expect(clippy::indexing_slicing, reason = "of JSON, where it gives null")]

mod asked;
mod copies;
mod debug;
mod encrypted;
mod ends;
mod exec;
mod forward;
mod full;
mod kept;
mod killed;
mod lasting;
mod masked;
mod screen;
mod terminal;

use std::process::{Command, Output};

use anyhow::Context;
use e2e::{Lab, start};
use tempfile::TempDir;
use testkit::{Options, Session};

/// What kubectl speaks, and the variable that has it do so.
const TRANSPORTS: [(&str, &str); 2] = [("WebSocket", "true"), ("SPDY", "false")];

/// kubectl that speaks what `websockets` says (`true` or `false`).
fn over(mut command: Command, websockets: &str) -> Command {
    command.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets);
    command
}

/// A lab whose policy is these rules, which are there for as long as the folder is.
fn with_rules(rules: &str) -> anyhow::Result<(Lab, TempDir)> {
    let folder = tempfile::tempdir()?;
    let bundle = folder.path().join("rules");
    std::fs::create_dir(&bundle)?;
    std::fs::write(bundle.join("test.cedar"), rules)?;
    let bundle = bundle.display().to_string();
    Ok((start(&Options { bundle, ..Options::default() })?, folder))
}

/// What a command in the pod prints, and how it ends, through the gate.
fn run(session: &Session<'_>, websockets: &str, arguments: &[&str], input: &[u8]) -> anyhow::Result<Output> {
    piped(over(session.command(arguments)?, websockets), input)
}

/// Runs a command whose input ends with `input`, however much that is and however much it prints meanwhile.
fn piped(mut command: Command, input: &[u8]) -> anyhow::Result<Output> {
    use std::{io::Write, process::Stdio, thread};
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    thread::scope(|scope| {
        scope.spawn(move || {
            // Who does not read it all closes it.
            let _closed = stdin.write_all(input);
        });
        Ok(child.wait_with_output()?)
    })
}
