//! Running a program as a named step.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, bail};

/// The root of the repository.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask has no parent folder")
}

/// The `cargo` that runs us.
pub(crate) fn cargo() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()?);
    Ok(command)
}

/// `cargo` with these arguments.
pub(crate) fn cargo_with<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> anyhow::Result<Command> {
    let mut command = cargo()?;
    command.args(arguments);
    Ok(command)
}

/// Brings the gate's program up to date in this profile, so that cargo shows how far it is. `testkit::program`, which
/// builds it for whoever starts a test by itself, finds nothing left to do after that.
pub(crate) fn build_gate(profile: &str) -> anyhow::Result<()> {
    step("the gate", cargo_with(["build", "--locked", "--package", "portcullis", "--profile", profile])?)
}

/// Runs a step to its end, its output passing through, and says how long it took.
pub(crate) fn step(name: &str, mut command: Command) -> anyhow::Result<()> {
    eprintln!("==> {name}");
    let started = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("could not start `{program}`"))?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{name}: `{program}` ended with {status} after {seconds:.0} s");
    }
    eprintln!("    {name}: {seconds:.1} s");
    Ok(())
}
