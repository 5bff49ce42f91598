//! `cargo xtask cluster`: the test Kubernetes by itself.

use std::{
    fs::{self, File, TryLockError},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
};

use anyhow::{Context, bail, ensure};
use clap::Subcommand;

use crate::interrupt::Interrupt;

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
    /// Stop the one that was started in this folder, and wait until it is gone
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
    // The program checks this too; here so that the process id of the one that runs is not replaced.
    ensure!(!is_held(&lock(dir)?)?, "another test Kubernetes runs in `{}`", dir.display());
    let mut program = Process::new(&tools.cluster);
    program.arg("--dir").arg(dir).arg("--until-stdin-closes").stdin(Stdio::piped()).process_group(0);
    if let Some(port) = port {
        program.args(["--port", &port.to_string()]);
    }
    let mut interrupt = Interrupt::listen()?;
    let mut child = program.spawn().context("could not start the test Kubernetes")?;
    fs::write(pid_file(dir), child.id().to_string())?;
    eprintln!("kubectl: {}", tools.kubectl.display());
    // It ends in order when its input closes: by Ctrl-C, and by our own end, whatever that is.
    let input = child.stdin.take();
    std::thread::spawn(move || {
        interrupt.wait();
        drop(input);
    });
    let status = child.wait()?;
    fs::remove_file(pid_file(dir)).ok();
    ensure!(status.success(), "the test Kubernetes ended with {status}; its logs are in `{}`", dir.display());
    Ok(())
}

fn down(dir: &Path) -> anyhow::Result<()> {
    let lock = lock(dir)?;
    if !is_held(&lock)? {
        // A process id that was left behind may be somebody else's by now.
        fs::remove_file(pid_file(dir)).ok();
        bail!("no test Kubernetes runs in `{}`", dir.display());
    }
    let pid = fs::read_to_string(pid_file(dir)).with_context(|| {
        format!("`cargo xtask cluster up` did not start what runs in `{}`", dir.display())
    })?;
    let status = Process::new("kill").arg(pid.trim()).status()?;
    ensure!(status.success(), "process {pid} could not be ended");
    lock.lock().context("could not wait until it is gone")?;
    fs::remove_file(pid_file(dir)).ok();
    Ok(())
}

/// Process id of the program that runs in this folder; only true while the [`lock`] is held.
fn pid_file(dir: &Path) -> PathBuf {
    dir.join("pid")
}

/// The file that the program (`tests/cluster`, `prepareDir`) locks for as long as it lives.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    file.with_context(|| format!("could not open `{}`", path.display()))
}

fn is_held(lock: &File) -> anyhow::Result<bool> {
    match lock.try_lock() {
        Ok(()) => {
            lock.unlock()?;
            Ok(false)
        }
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).context("could not ask for the lock"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_id_that_was_left_behind_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let mut bystander = Process::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        fs::write(pid_file(folder.path()), bystander.id().to_string()).unwrap();
        let told = down(folder.path()).unwrap_err().to_string();
        assert!(told.starts_with("no test Kubernetes runs in"), "{told}");
        assert!(!pid_file(folder.path()).exists());
        drop(bystander.stdin.take());
        assert!(bystander.wait().unwrap().success());
    }

    #[test]
    fn down_waits_until_the_lock_is_free() {
        let folder = tempfile::tempdir().unwrap();
        // As the program does: it holds the lock for as long as it lives.
        let script = "exec 9>lock && flock 9 && echo held && exec cat";
        let mut holder = Process::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut said).unwrap();
        fs::write(pid_file(folder.path()), holder.id().to_string()).unwrap();
        assert!(is_held(&lock(folder.path()).unwrap()).unwrap());
        down(folder.path()).unwrap();
        assert!(!pid_file(folder.path()).exists());
        assert!(!holder.wait().unwrap().success());
    }
}
