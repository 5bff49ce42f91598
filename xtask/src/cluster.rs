//! `cargo xtask cluster`: the test Kubernetes by itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
};

use anyhow::{Context, ensure};
use clap::Subcommand;

/// Start or stop the test Kubernetes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start it and stay in the foreground; Ctrl-C, or `down` from elsewhere, ends it
    Up {
        /// Folder for its state, its kubeconfig and its logs
        #[arg(long)]
        dir: PathBuf,
        /// Port of the API server; a free one if not given
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop the one that was started in this folder
    Down {
        /// The folder given to `up`
        #[arg(long)]
        dir: PathBuf,
    },
}

/// Runs one of the two.
pub(crate) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Up { dir, port } => up(dir, *port),
        Command::Down { dir } => down(dir),
    }
}

fn up(dir: &Path, port: Option<u16>) -> anyhow::Result<()> {
    let tools = testkit::tools()?;
    fs::create_dir_all(dir).with_context(|| format!("could not create `{}`", dir.display()))?;
    let mut program = Process::new(&tools.cluster);
    program.arg("--dir").arg(dir).stdin(Stdio::null());
    if let Some(port) = port {
        program.args(["--port", &port.to_string()]);
    }
    let mut child = program.spawn().context("could not start the test Kubernetes")?;
    let pid = dir.join("pid");
    fs::write(&pid, child.id().to_string())?;
    eprintln!("kubectl: {}", tools.kubectl.display());
    let status = child.wait()?;
    fs::remove_file(&pid).ok();
    ensure!(status.success(), "the test Kubernetes ended with {status}; its logs are in `{}`", dir.display());
    Ok(())
}

fn down(dir: &Path) -> anyhow::Result<()> {
    let pid = fs::read_to_string(dir.join("pid"))
        .with_context(|| format!("no test Kubernetes runs in `{}`", dir.display()))?;
    let status = Process::new("kill").arg(pid.trim()).status()?;
    ensure!(status.success(), "process {pid} could not be ended");
    Ok(())
}
