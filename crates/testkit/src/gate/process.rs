//! The gate's process.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, bail};

/// Keeps the gate for as long as its standard input is open, so that it cannot outlive the tests, even when they
/// are killed; and lets a write to a full disk fail instead of ending the process (SIGXFSZ).
const KEEPER: &str = r#"trap '' XFSZ
"$@" &
pid=$!
echo "$pid"
exec >&-
cat >/dev/null
kill "$pid" 2>/dev/null
wait "$pid""#;

/// A running gate, and the shell that keeps it.
#[derive(Debug)]
pub(super) struct Running {
    shell: Child,
    pid: i32,
}

impl Running {
    /// Starts the gate and waits until it says that it is ready.
    pub(super) fn start(program: &Path, config: &str, log: File) -> anyhow::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(program)
            .args(["serve", "--config", config])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C is for whoever started us, who then ends the gate in order.
            .process_group(0)
            .spawn()
            .context("could not start the gate")?;
        let stdout = shell.stdout.take().context("the gate has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let pid = lines.next().context("the gate did not start")??.parse()?;
        let running = Self { shell, pid };
        for line in &mut lines {
            if line?.starts_with("ready") {
                // Keep draining, or the gate would block on a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(running);
            }
        }
        running.end("-KILL")?;
        bail!("the gate ended before it was ready")
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Makes every file of the gate unable to grow, as a full disk would.
    pub(super) fn fill_disk(&self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_raw(self.pid);
        let limit = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit)?;
        Ok(())
    }

    /// Sends a signal and waits until the gate has ended.
    pub(super) fn end(mut self, signal: &str) -> anyhow::Result<ExitStatus> {
        // A gate that has ended by itself cannot be signalled any more, which is no failure here.
        Command::new("kill").args([signal, &self.pid.to_string()]).stderr(Stdio::null()).status()?;
        drop(self.shell.stdin.take());
        Ok(self.shell.wait()?)
    }
}
