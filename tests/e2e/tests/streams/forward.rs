//! `kubectl port-forward`, over WebSocket and over SPDY: each connection as it is directly, and told in the ledger and the recording.

mod judged;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use e2e::{Lab, at_once, eventually, leaves, permissive, start, text};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
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

/// A session that ends so, over this; and what its port-forward says then.
struct Ends {
    session: String,
    transport: &'static str,
    how: &'static str,
    forward: Forward,
    open: TcpStream,
}

impl Ends {
    /// Whoever looks at the port-forward is told why it ends.
    fn end(mut self, lab: &Lab) -> anyhow::Result<String> {
        let why = match self.how {
            "freeze" => {
                lab.gate.freeze(&self.session, "look at this")?;
                "the session is frozen"
            }
            "revoke" => {
                lab.gate.revoke(&self.session)?;
                "the session has ended"
            }
            _expires => "the session has ended",
        };
        let mut rest = Vec::new();
        let _reset = self.open.read_to_end(&mut rest);
        ensure!(rest.is_empty(), "{rest:?}");
        let said = self.forward.end()?;
        let told = format!("{why}, so the port-forward was ended");
        ensure!(said.contains(&told), "{}, {}: {said}", self.transport, self.how);
        Ok(self.session)
    }
}

#[test]
fn a_port_forward_ends_with_its_session_and_its_recording_tells_what_it_was() -> anyhow::Result<()> {
    let namespace = "streams-forward-ends";
    let mut lab = lab(namespace, &permissive())?;
    let mut all = Vec::new();
    let hows = ["expiry", "freeze", "revoke"];
    for (how, (transport, websockets)) in hows.into_iter().flat_map(|how| TRANSPORTS.map(|over| (how, over)))
    {
        // Long enough for what is in it to begin; the others end in the meantime.
        let time = if how == "expiry" { "45s" } else { "1h" };
        let session = lab.gate.session_for(&format!("forward-{}", transport.to_lowercase()), time)?;
        let forward = Forward::start(gated(&session, namespace, "web", 80)?, websockets)?;
        ensure!(forward.get("bytes=0-9")?.len() == 10);
        // The server answers that it is none of TLS.
        let mut greeting = forward.connect()?;
        greeting.write_all(&hello("shop.example.com")?)?;
        let mut answer = Vec::new();
        greeting.read_to_end(&mut answer)?;
        ensure!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
        let mut open = forward.connect()?;
        open.write_all(b"GET /")?;
        eventually_open(&lab, &session.id)?;
        all.push(Ends { session: session.id.clone(), transport, how, forward, open });
    }
    for ends in all.into_iter().rev() {
        let frozen = ends.how == "freeze";
        let why = if frozen { "the session is frozen" } else { "the session has ended" };
        let session = ends.end(&lab)?;
        let told = eventually_told(&lab, &session, why)?;
        ensure!(told.contains("GET /agnhost HTTP/1.1, "), "{told}");
        ensure!(!told.contains("not-told"), "{told}");
        ensure!(told.contains("TLS for shop.example.com, "), "{told}");
        let unknown = format!("an unknown protocol, 5 bytes in, 0 bytes out; {why}");
        ensure!(told.contains(&unknown), "{told}");
    }
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let ends = |leaf: &&Value| {
        ["session_revoked", "session_frozen", "session_expired"].iter().any(|kind| leaf["type"] == *kind)
    };
    let ends: Vec<&Value> = leaves.iter().filter(ends).collect();
    ensure!(ends.len() == 6, "{ends:?}");
    for end in ends {
        // The way and what went through it.
        let of = |event: &Value| event["actor"]["session"] == end["event"]["session"];
        let intents = leaves.iter().filter(|leaf| leaf["type"] == "intent" && of(&leaf["event"]));
        let calls: Vec<&Value> = intents.map(|leaf| &leaf["event"]["call"]).collect();
        let cut = leaves
            .iter()
            .filter(|leaf| leaf["event"]["stage"] == "cut" && calls.contains(&&leaf["event"]["call"]));
        let cut: Vec<&Value> = cut.collect();
        ensure!(cut.len() == 2, "{cut:?}");
        cut.into_iter().try_for_each(|cut| at_once(end, cut))?;
    }
    Ok(())
}

/// The first that a client of TLS says.
fn hello(to: &'static str) -> anyhow::Result<Vec<u8>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let mut hello = Vec::new();
    ClientConnection::new(Arc::new(config), to.try_into()?)?.write_tls(&mut hello)?;
    Ok(hello)
}

/// Three connections of the session were opened by now.
fn eventually_open(lab: &Lab, session: &str) -> anyhow::Result<()> {
    eventually("the connection is open", || {
        let leaves = leaves(&lab.gate)?;
        let of = |event: &&&Value| event["actor"]["session"] == session;
        let open = connections(&leaves, "intent").iter().filter(of).count();
        Ok(if open == 3 { Ok(()) } else { Err(open) })
    })
}

/// What its recording shows.
fn eventually_told(lab: &Lab, session: &str, why: &str) -> anyhow::Result<String> {
    eventually("the recording is whole", || {
        let output = lab.gate.portcullis(&["sessions", "show", session, "--data", &lab.gate.path("data")])?;
        let shown = text(&output);
        Ok(if shown.contains(why) { Ok(shown) } else { Err(shown) })
    })
}
