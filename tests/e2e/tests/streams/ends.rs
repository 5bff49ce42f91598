//! A stream ends when its session does, and with the gate; whoever looks at it is told why.

use std::{
    io::Write,
    process::Stdio,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use e2e::{
    COUNTS, Going, Lab, Watch, at_once, counting, eventually, furnish, leaf, leaves, permissive, start, text,
};
use serde_json::Value;
use testkit::Session;

use crate::{TRANSPORTS, over};

/// How a session ends, and the leaf that tells so.
const ENDS: [(&str, &str); 3] =
    [("expiry", "session_expired"), ("revoke", "session_revoked"), ("freeze", "session_frozen")];

/// Everything that goes on, by what it is, in a session.
struct Streams {
    session: String,
    going: Vec<(String, Going)>,
    watch: Watch,
}

impl Streams {
    fn start(lab: &Lab, session: &Session<'_>, namespace: &str) -> anyhow::Result<Self> {
        let command = |arguments: &[&str]| session.command(&[&["-n", namespace], arguments].concat());
        let mut going = Vec::new();
        for (transport, websockets) in TRANSPORTS {
            let mut more = |what: &str, arguments: &[&str], first: &str| {
                let mut command = over(command(arguments)?, websockets);
                command.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets);
                going.push((format!("{what}, {transport}"), Going::start(command, first)?));
                anyhow::Ok(())
            };
            more("exec", &["exec", "counts", "--", "sh", "-c", COUNTS], "tick 0")?;
            more("attach", &["attach", "counts"], "tick ")?;
            more("port-forward", &["port-forward", "pod/counts", ":80"], "Forwarding from")?;
        }
        going.push((
            "log".to_owned(),
            Going::start(command(&["logs", "--follow", "--tail=1", "counts"])?, "tick ")?,
        ));
        let watch = Watch::open(lab.cluster, session, namespace)?;
        Ok(Self { session: session.id.clone(), going, watch })
    }

    /// What each said when it ended.
    fn end(self) -> anyhow::Result<(String, Vec<String>)> {
        let mut told = Vec::new();
        for (what, mut going) in self.going {
            let said = going.end()?;
            told.push(format!("{what}: {}", said.lines().last().unwrap_or_default()));
        }
        let (rest, _ended) = self.watch.end()?;
        told.push(format!("watch: {}", rest.lines().last().unwrap_or_default()));
        Ok((self.session, told))
    }
}

fn lab(namespace: &str) -> anyhow::Result<Lab> {
    let lab = start(&permissive())?;
    lab.cluster.apply(&format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}"))?;
    lab.cluster.apply(&counting(namespace))?;
    lab.cluster.ready(namespace, "counts")?;
    Ok(lab)
}

#[test]
fn whatever_goes_on_ends_within_a_second_of_its_session() -> anyhow::Result<()> {
    let namespace = "streams-ends";
    let lab = lab(namespace)?;
    let mut sessions = Vec::new();
    let mut told = Vec::new();
    for (how, leaf) in ENDS {
        // Long enough for all that is in it to begin; the others end in the meantime.
        let session = lab.gate.session_for(how, if how == "expiry" { "45s" } else { "1h" })?;
        sessions.push((how, leaf, Streams::start(&lab, &session, namespace)?));
    }
    let mut ended = Vec::new();
    for (how, leaf, streams) in sessions.into_iter().rev() {
        match how {
            "revoke" => lab.gate.revoke(&streams.session)?,
            "freeze" => drop(lab.gate.freeze(&streams.session, "look at this")?),
            _ => {}
        }
        let (session, said) = streams.end()?;
        told.extend(said.into_iter().map(|said| format!("{how}, {said}")));
        ended.push((leaf, session));
    }
    told.sort_unstable();
    insta::assert_snapshot!(told.join("\n"));
    for (kind, session) in ended {
        let (leaves, calls) = all_cut(&lab, &session, 8)?;
        let end = leaf(&leaves, kind, |event| event["session"] == *session)?;
        for call in calls {
            at_once(end, &call)?;
        }
    }
    Ok(())
}

/// The ends of so many streams and watches of a session, once they are in the ledger's files, which is a moment after they are durable.
fn all_cut(lab: &Lab, session: &str, number: usize) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
    eventually("all have ended in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let calls: Vec<&Value> = leaves
            .iter()
            .filter(|leaf| leaf["type"] == "intent" && leaf["event"]["actor"]["session"] == *session)
            .map(|leaf| &leaf["event"]["call"])
            .collect();
        let cut = leaves
            .iter()
            .filter(|leaf| leaf["event"]["stage"] == "cut" && calls.contains(&&leaf["event"]["call"]));
        let cut: Vec<Value> = cut.cloned().collect();
        Ok(if cut.len() == number { Ok((leaves, cut)) } else { Err((session.to_owned(), cut)) })
    })
}

#[test]
fn streams_end_with_the_gate() -> anyhow::Result<()> {
    let namespace = "streams-stop";
    let mut lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("stop")?;
    let mut running = Vec::new();
    for (_, websockets) in TRANSPORTS {
        let command = session.command(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", COUNTS])?;
        running.push(Going::start(over(command, websockets), "tick 0")?);
    }
    drop(session);
    lab.gate.stop()?;
    for mut one in running {
        let told = one.end()?;
        ensure!(told.contains("the gate is stopping"), "{told}");
    }
    Ok(())
}

/// What the gate has for it is not taken, and is not waited for.
#[test]
fn a_process_that_reads_nothing_keeps_nobody_from_being_told() -> anyhow::Result<()> {
    let namespace = "streams-stuck";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    for (transport, websockets) in TRANSPORTS {
        let session = lab.gate.session("stuck")?;
        let command = session.command(&["-n", namespace, "exec", "-i", "deploy/web", "--", "sleep", "1d"])?;
        let mut kubectl = over(command, websockets)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (mut stdin, taken) = (kubectl.stdin.take().context("no input")?, AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while stdin.write_all(&[0; 1 << 16]).is_ok() {
                    taken.fetch_add(1 << 16, Ordering::Relaxed);
                }
            });
            let frozen = until_stuck(&taken).and_then(|()| lab.gate.freeze(&session.id, "look at this"));
            if frozen.is_err() {
                // Who writes to it is waited for.
                kubectl.kill()?;
            }
            let told = text(&kubectl.wait_with_output()?);
            frozen?;
            ensure!(told.contains("the session is frozen, so this stream was ended"), "{transport}: {told}");
            anyhow::Ok(())
        })?;
        let (leaves, calls) = all_cut(&lab, &session.id, 1)?;
        let frozen = leaf(&leaves, "session_frozen", |event| event["session"] == *session.id)?;
        calls.iter().try_for_each(|call| at_once(frozen, call))?;
    }
    Ok(())
}

/// Until nothing more has been taken for so long that nobody takes it.
fn until_stuck(taken: &AtomicUsize) -> anyhow::Result<()> {
    const LONG: Duration = Duration::from_millis(500);
    let (mut last, mut since) = (0, Instant::now());
    eventually("nothing more is taken", || {
        let now = taken.load(Ordering::Relaxed);
        if now != last || now == 0 {
            (last, since) = (now, Instant::now());
        }
        Ok(if since.elapsed() > LONG { Ok(()) } else { Err(now) })
    })
}
