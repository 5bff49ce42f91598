//! `kubectl port-forward`, over WebSocket and over SPDY: each connection as it is directly, and told in the ledger and the recording.

mod ends;
mod judged;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use e2e::{Lab, eventually, leaves, permissive, start, text};
use serde_json::Value;
use testkit::{Options, Session};

/// What kubectl speaks, and the value of the variable that has it do so.
const TRANSPORTS: [(&str, &str); 2] = [("WebSocket", "true"), ("SPDY", "false")];

/// A web server, which serves its own program.
fn pod(namespace: &str, name: &str, label: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {label}}}}}, spec: {{terminationGracePeriodSeconds: 0,
          containers: [{{name: web, image: agnhost, args: [test-webserver]}}]}}}}"
    )
}

fn lab(namespace: &str, options: &Options) -> anyhow::Result<Lab> {
    let lab = start(options)?;
    lab.cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"))?;
    lab.cluster.apply(&pod(namespace, "web", "web"))?;
    lab.cluster.ready(namespace, "web")?;
    listens(&lab, namespace, "web", 80)?;
    Ok(lab)
}

/// Ready is the process, not what listens.
fn listens(lab: &Lab, namespace: &str, pod: &str, port: u16) -> anyhow::Result<()> {
    eventually("the pod serves", || {
        let forward = Forward::start(direct(lab, namespace, pod, port)?, "true")?;
        let mut stream = forward.connect()?;
        let mut answer = Vec::new();
        let read = write!(stream, "GET / HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_end(&mut answer));
        Ok(if answer.is_empty() { Err(format!("{read:?}")) } else { Ok(()) })
    })
}

fn arguments<'a>(namespace: &'a str, pod: &'a str, port: &'a str) -> [&'a str; 5] {
    ["-n", namespace, "port-forward", pod, port]
}

fn direct(lab: &Lab, namespace: &str, pod: &str, port: u16) -> anyhow::Result<Command> {
    lab.cluster.command(&arguments(namespace, &format!("pod/{pod}"), &format!(":{port}")))
}

fn gated(session: &Session<'_>, namespace: &str, pod: &str, port: u16) -> anyhow::Result<Command> {
    session.command(&arguments(namespace, &format!("pod/{pod}"), &format!(":{port}")))
}

/// A kubectl that forwards a port.
struct Forward {
    kubectl: Child,
    _out: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Forward {
    fn start(mut command: Command, websockets: &str) -> anyhow::Result<Self> {
        command.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets);
        let mut kubectl = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut out = BufReader::new(kubectl.stdout.take().context("no output")?);
        let mut first = String::new();
        out.read_line(&mut first)?;
        // Forwarding from 127.0.0.1:43211 -> 80
        let address = first.split_whitespace().nth(2).and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let output = kubectl.wait_with_output()?;
            bail!("{first}{}", text(&output));
        };
        Ok(Self { kubectl, _out: out, address })
    }

    fn connect(&self) -> anyhow::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(stream)
    }

    /// The body of a part of what the server has most of: its program. The server closes the connection.
    fn get(&self, range: &str) -> anyhow::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        write!(
            stream,
            "GET /agnhost?token=not-told HTTP/1.1\r\nHost: web\r\nRange: {range}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no answer")?;
        let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).into_owned();
        ensure!(head.starts_with("HTTP/1.1 206"), "{head}");
        Ok(answer.split_off(end + 4))
    }

    /// A connection that comes to nothing; then, what kubectl said of it, if it ends by that.
    fn fails(mut self) -> anyhow::Result<String> {
        let mut read = Vec::new();
        // It may be reset.
        let _nothing = self.connect().and_then(|mut stream| {
            stream.write_all(b"x")?;
            Ok(stream.read_to_end(&mut read)?)
        });
        ensure!(read.is_empty(), "{read:?}");
        self.end()
    }

    /// What it said until its end.
    fn end(&mut self) -> anyhow::Result<String> {
        let mut said = String::new();
        self.kubectl.stderr.take().context("no standard error")?.read_to_string(&mut said)?;
        self.kubectl.wait()?;
        Ok(said)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _gone = self.kubectl.kill();
        let _reaped = self.kubectl.wait();
    }
}

/// Events of connections: those whose request names a port.
fn connections<'l>(leaves: &'l [Value], kind: &str) -> Vec<&'l Value> {
    let names_port = |event: &Value| {
        event
            .pointer("/request/path")
            .and_then(Value::as_str)
            .is_some_and(|path| path.contains("/portforward?ports="))
    };
    leaves
        .iter()
        .filter(|leaf| leaf["type"] == kind)
        .map(|leaf| &leaf["event"])
        .filter(|e| names_port(e))
        .collect()
}

#[test]
fn http_passes_as_it_does_directly_and_is_told() -> anyhow::Result<()> {
    let namespace = "streams-forward";
    let mut lab = lab(namespace, &permissive())?;
    let range = "bytes=1000-1048999";
    let wanted = Forward::start(direct(&lab, namespace, "web", 80)?, "true")?.get(range)?;
    ensure!(wanted.len() == 1_048_000, "{}", wanted.len());
    let session = lab.gate.session("forward")?;
    for (transport, websockets) in TRANSPORTS {
        let forward = Forward::start(gated(&session, namespace, "web", 80)?, websockets)?;
        ensure!(forward.get(range)? == wanted, "{transport}: other bytes");
        let parallel: Vec<anyhow::Result<Vec<u8>>> = thread::scope(|scope| {
            let all: Vec<_> = (0..20).map(|_| scope.spawn(|| forward.get(range))).collect();
            all.into_iter().map(|one| one.join().expect("a thread panicked")).collect()
        });
        for one in parallel {
            ensure!(one? == wanted, "{transport}: other bytes in parallel");
        }
        // A client that closes first, and one that says nothing.
        drop(forward.connect()?);
        let mut hasty = forward.connect()?;
        hasty.write_all(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")?;
        drop(hasty);
        ensure!(forward.get("bytes=0-9")?.len() == 10, "{transport}: not after that");
    }
    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let ways: Vec<&Value> = leaves
        .iter()
        .filter(|leaf| leaf["type"] == "intent" && leaf["event"]["request"]["subresource"] == "portforward")
        .map(|leaf| &leaf["event"])
        .filter(|event| event["through"].is_null())
        .collect();
    ensure!(ways.len() == 2, "{ways:?}");
    let connections = connections(&leaves, "intent");
    ensure!(connections.len() >= 2 * 22, "{}", connections.len());
    for intent in &connections {
        ensure!(ways.iter().any(|way| way["call"] == intent["through"]), "{intent}");
        let outcome = leaves
            .iter()
            .find(|leaf| leaf["type"] == "outcome" && leaf["event"]["call"] == intent["call"])
            .with_context(|| format!("no outcome of {intent}"))?;
        ensure!(outcome["event"]["stream"]["number"].is_u64(), "{outcome}");
    }
    let big = |leaf: &&Value| leaf["event"]["delivered"].as_u64().is_some_and(|bytes| bytes > 1_048_000);
    ensure!(leaves.iter().filter(big).count() == 42, "{}", leaves.iter().filter(big).count());
    Ok(())
}

#[test]
fn bytes_pass_both_ways_and_each_side_ends_its_own() -> anyhow::Result<()> {
    let namespace = "streams-echo";
    let lab = lab(namespace, &permissive())?;
    lab.cluster.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: echo, namespace: {namespace}}}, spec: {{terminationGracePeriodSeconds: 0,
          containers: [{{name: echo, image: agnhost, args: [netexec, --http-port=8080]}}]}}}}"
    ))?;
    lab.cluster.ready(namespace, "echo")?;
    listens(&lab, namespace, "echo", 8080)?;
    let session = lab.gate.session("echo")?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b'a' + state.to_be_bytes()[0] % 26
    });
    let said: Vec<u8> = letters.take(1 << 20).collect();
    let head = format!(
        "POST /echo HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\nmsg=",
        said.len() + 4
    );
    for (transport, websockets) in TRANSPORTS {
        let forward = Forward::start(gated(&session, namespace, "echo", 8080)?, websockets)?;
        let echo = || -> anyhow::Result<Vec<u8>> {
            let mut stream = forward.connect()?;
            stream.write_all(head.as_bytes())?;
            stream.write_all(&said)?;
            stream.shutdown(Shutdown::Write)?;
            let mut back = Vec::new();
            stream.read_to_end(&mut back)?;
            Ok(back)
        };
        let all: Vec<anyhow::Result<Vec<u8>>> = thread::scope(|scope| {
            let all: Vec<_> = (0..5).map(|_| scope.spawn(echo)).collect();
            all.into_iter().map(|one| one.join().expect("a thread panicked")).collect()
        });
        for back in all {
            let back = back?;
            ensure!(back.ends_with(&said), "{transport}: {} bytes came back", back.len());
        }
    }
    Ok(())
}

#[test]
fn what_fails_is_told_as_it_is_directly() -> anyhow::Result<()> {
    let namespace = "streams-refused";
    let lab = lab(namespace, &permissive())?;
    let session = lab.gate.session("refused")?;
    for (transport, websockets) in TRANSPORTS {
        let direct = Forward::start(direct(&lab, namespace, "web", 81)?, websockets)?.fails()?;
        let gated = Forward::start(gated(&session, namespace, "web", 81)?, websockets)?.fails()?;
        ensure!(gated.contains("connection refused"), "{transport}: {gated}");
        ensure!(told(&gated) == told(&direct), "{transport}: directly {direct}, through the gate {gated}");
    }
    let missing = "missing";
    let mut command = direct(&lab, namespace, missing, 80)?;
    let (direct, gated) = (command.output()?, gated(&session, namespace, missing, 80)?.output()?);
    ensure!(text(&direct) == text(&gated), "directly {}, through the gate {}", text(&direct), text(&gated));
    Ok(())
}

/// What kubectl says, without times, places in its source and its local ports.
fn told(said: &str) -> String {
    let number =
        regex::Regex::new(r"[IE]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ |forwarding \d+|localPort=\d+|[0-9a-f]{64}");
    // Whether kubectl says this, too, depends on which of its two directions is first to hear of the end.
    const HALF: &str = "Error copying from local connection to remote stream";
    let said: String = said.split_inclusive('\n').filter(|line| !line.contains(HALF)).collect();
    number.map_or_else(|_| said.clone(), |number| number.replace_all(&said, "…").into_owned())
}
