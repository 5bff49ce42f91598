//! Running programs and saying what went wrong.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::Context;

use crate::tools;

/// The `kubectl` that belongs to the test cluster, with this kubeconfig and nothing of the user's own.
///
/// `cache` is a folder for what kubectl remembers of a server. It must be one per cluster: kubectl tells servers
/// apart by address alone, and tests use addresses again.
///
/// # Errors
/// The tools cannot be built.
pub fn kubectl(kubeconfig: &Path, cache: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(&tools()?.kubectl);
    command
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECACHEDIR", cache)
        .env("KUBERC", "off")
        .stdin(Stdio::null())
        .args(arguments);
    Ok(command)
}

/// Runs a program to its end with this standard input, and collects what it writes.
///
/// # Errors
/// It cannot be started or waited for. A program that does not read all its input, or that fails, is no error.
pub fn run_with_input(command: &mut Command, input: &str) -> anyhow::Result<Output> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{program}`"))?;
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        // On a thread of its own: both sides may have more to say than a pipe holds.
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                stdin.write_all(input.as_bytes()).ok();
            }
        });
        child.wait_with_output().with_context(|| format!("could not wait for `{program}`"))
    })
}

/// The last lines of a text, for error messages.
pub(crate) fn tail(text: &str) -> String {
    const LINES: usize = 20;
    let skip = text.lines().count().saturating_sub(LINES);
    text.lines().skip(skip).collect::<Vec<_>>().join("\n")
}
