//! kubectl that goes on until it is ended, and what it said meanwhile.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context, ensure};

/// A pod whose container counts on its standard output, and so do [`COUNTS`] in a command.
pub fn counting(namespace: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: counts, namespace: {namespace}, labels: {{app: counts}}}}, spec: {{terminationGracePeriodSeconds: 0,
          containers: [{{name: sh, image: busybox, command: [sh, -c, '{COUNTS}']}}]}}}}"
    )
}

/// Lines that tell how many there were before.
pub const COUNTS: &str = "i=0; while true; do echo tick $i; i=$((i+1)); sleep 0.05; done";

/// A kubectl that goes on. Ended when dropped.
#[derive(Debug)]
pub struct Going {
    kubectl: Child,
    out: BufReader<ChildStdout>,
    /// What it printed and was read.
    pub printed: String,
}

impl Going {
    /// Starts it, and waits for a line that has this.
    ///
    /// # Errors
    /// It cannot be started, or its first line is another.
    pub fn start(command: Command, first: &str) -> anyhow::Result<Self> {
        let mut going = Self::spawn(command)?;
        going.begins(first)?;
        Ok(going)
    }

    /// Starts it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let mut kubectl =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let out = BufReader::new(kubectl.stdout.take().context("no output")?);
        Ok(Self { kubectl, out, printed: String::new() })
    }

    /// The next line has this.
    ///
    /// # Errors
    /// It has not, or cannot be read.
    pub fn begins(&mut self, first: &str) -> anyhow::Result<()> {
        let line = self.line()?;
        ensure!(line.contains(first), "{line}{}", self.rest()?);
        Ok(())
    }

    /// The next line.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        self.printed.push_str(&line);
        Ok(line)
    }

    /// What is on standard error when somebody else ends it; it does not end well.
    ///
    /// # Errors
    /// It ends well.
    pub fn end(&mut self) -> anyhow::Result<String> {
        let said = self.rest()?;
        let status = self.kubectl.wait()?;
        ensure!(!status.success(), "it ended well: {said}");
        Ok(said.trim().to_owned())
    }

    /// Ends it by itself, and reads what it had printed.
    ///
    /// # Errors
    /// It cannot be ended, or read.
    pub fn hang_up(&mut self) -> anyhow::Result<()> {
        self.kubectl.kill()?;
        self.rest()?;
        Ok(())
    }

    fn rest(&mut self) -> anyhow::Result<String> {
        self.out.read_to_string(&mut self.printed)?;
        let mut said = String::new();
        self.kubectl.stderr.take().context("no standard error")?.read_to_string(&mut said)?;
        Ok(said)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _gone = self.kubectl.kill();
        let _reaped = self.kubectl.wait();
    }
}
