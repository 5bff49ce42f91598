//! One of many streams: what has its name in it, line by line, and nothing else.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;
use testkit::Session;

use super::NAMESPACE;

const LINES: usize = 3000;
/// A read that takes longer fails the test, which would wait otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Exec,
    Log,
    Forward,
}

/// A kubectl and what it has said so far.
#[derive(Debug)]
pub(super) struct Stream {
    number: usize,
    kubectl: Child,
    out: BufReader<ChildStdout>,
    /// Where it forwards from.
    address: Option<SocketAddr>,
}

/// What came, and is to be found in the recording.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) number: usize,
    /// Bytes of the agent, and those that it was shown.
    sent: usize,
    shown: usize,
}

/// A `kubectl get --watch` beside.
#[derive(Debug)]
pub(super) struct Watch {
    kubectl: Child,
    out: BufReader<ChildStdout>,
}

pub(super) fn name(number: usize) -> String {
    format!("stream-{number:02}")
}

/// A command that prints them.
pub(super) fn lines_of(name: &str) -> String {
    format!("seq -f '{name} %05.0f' {LINES}")
}

fn lines(name: &str) -> String {
    (1..=LINES).map(|line| format!("{name} {line:05}\n")).collect()
}

impl Kind {
    pub(super) fn of(number: usize) -> Self {
        match number % 3 {
            0 => Self::Exec,
            1 => Self::Log,
            _ => Self::Forward,
        }
    }

    /// The name of the first of these.
    pub(super) fn first(self) -> String {
        (0..).find(|number| Self::of(*number) == self).map(name).unwrap_or_default()
    }
}

impl Stream {
    pub(super) fn start(session: &Session<'_>, number: usize) -> anyhow::Result<Self> {
        let name = name(number);
        let command = format!("echo {name} ready; read line; {}; cat", lines_of(&name));
        let arguments: &[&str] = match Kind::of(number) {
            Kind::Exec => &["exec", "-i", "web", "-c", "web", "--", "sh", "-c", &command],
            Kind::Log => &["logs", "-f", "logs", "-c", &name],
            Kind::Forward => &["port-forward", "pod/web", ":8080"],
        };
        let mut kubectl = session
            .command(&[&["-n", NAMESPACE], arguments].concat())?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let out = BufReader::new(kubectl.stdout.take().context("no output")?);
        Ok(Self { number, kubectl, out, address: None })
    }

    /// Waits for the first that it says.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        let mut first = String::new();
        self.out.read_line(&mut first)?;
        let begun = match Kind::of(self.number) {
            Kind::Exec | Kind::Log => first == format!("{} ready\n", name(self.number)),
            Kind::Forward => {
                // Forwarding from 127.0.0.1:43211 -> 8080
                self.address = first.split_whitespace().nth(2).and_then(|address| address.parse().ok());
                self.address.is_some()
            }
        };
        if !begun {
            self.kubectl.kill()?;
            let mut said = String::new();
            self.kubectl.stderr.take().context("no standard error")?.read_to_string(&mut said)?;
            anyhow::bail!("{} did not begin: {first}{said}", name(self.number));
        }
        Ok(())
    }

    /// Lets it say all that it has to say, and holds that against what it has to be.
    pub(super) fn finish(mut self) -> anyhow::Result<Done> {
        let name = name(self.number);
        let done = match Kind::of(self.number) {
            Kind::Exec => {
                let mut stdin = self.kubectl.stdin.take().context("no standard input")?;
                let more = lines(&format!("{name} in"));
                let said = format!("go\n{more}");
                stdin.write_all(said.as_bytes())?;
                drop(stdin);
                let came = self.rest()?;
                ensure!(came == lines(&name) + &more, "{name}: {} bytes came: {came}", came.len());
                Done { number: self.number, sent: said.len(), shown: name.len() + 7 + came.len() }
            }
            Kind::Log => {
                let came = self.rest()?;
                ensure!(came == lines(&name), "{name}: {} bytes came: {came}", came.len());
                Done { number: self.number, sent: 0, shown: name.len() + 7 + came.len() }
            }
            Kind::Forward => self.forwarded(&name)?,
        };
        Ok(done)
    }

    fn rest(&mut self) -> anyhow::Result<String> {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest)?;
        let status = self.kubectl.wait()?;
        ensure!(status.success(), "{} ended with {status}: {rest}", name(self.number));
        Ok(rest)
    }

    /// Two requests on one connection: one by whose path the recording knows it, and one that brings back what it brings.
    fn forwarded(&self, name: &str) -> anyhow::Result<Done> {
        let form = format!("msg={}", lines(name));
        let said = format!(
            "GET /{name} HTTP/1.1\r\nHost: web\r\n\r\nPOST /echo HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let mut stream = TcpStream::connect(self.address.context("no address")?)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(said.as_bytes())?;
        let mut came = String::new();
        stream.read_to_string(&mut came)?;
        ensure!(came.ends_with(&lines(name)), "{name}: {} bytes came: {came}", came.len());
        Ok(Done { number: self.number, sent: said.len(), shown: came.len() })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _gone = self.kubectl.kill();
        let _reaped = self.kubectl.wait();
    }
}

impl Done {
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    /// Whether this is it, whole: `stream` as `sessions show` tells it, and what `sessions replay` prints.
    pub(super) fn is_recorded_as(&self, stream: &Value, played: &str) -> bool {
        let name = self.name();
        let passed = (stream["input"].as_u64(), stream["output"].as_u64());
        let bytes = (Some(self.sent as u64), Some(self.shown as u64));
        let ready = format!("{name} ready\n");
        match Kind::of(self.number) {
            Kind::Exec => {
                let shown = format!("{ready}{}{}", lines(&name), lines(&format!("{name} in")));
                passed.0 == bytes.0 && stream["opened"]["kind"] == "exec" && played.starts_with(&shown)
            }
            Kind::Log => {
                let shown = ready + &lines(&name);
                passed == bytes && stream["opened"]["kind"] == "log" && played == shown
            }
            Kind::Forward => {
                let how = format!("GET /{name} HTTP/1.1, {} bytes in, {} bytes out", self.sent, self.shown);
                stream["ended"]["how"] == how
            }
        }
    }
}

impl Watch {
    pub(super) fn start(session: &Session<'_>, name: &str) -> anyhow::Result<Self> {
        let selector = format!("for={name}");
        let arguments = ["-n", NAMESPACE, "get", "configmaps", "-l", &selector, "--watch", "-o", "name"];
        let mut kubectl =
            session.command(&arguments)?.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = BufReader::new(kubectl.stdout.take().context("no output")?);
        Ok(Self { kubectl, out })
    }

    /// What it shows first is for it.
    pub(super) fn until_told(&mut self, name: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.out.read_line(&mut line)?;
        ensure!(line == format!("configmap/told-{name}\n"), "{name}: {line}");
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _gone = self.kubectl.kill();
        let _reaped = self.kubectl.wait();
    }
}
