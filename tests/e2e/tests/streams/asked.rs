//! Humans are asked about a command, see what it is, and it runs where they said yes to, or not at all.

use std::process::Output;

use anyhow::ensure;
use e2e::{Going, Lab, Waiting, asking, counting, decided, eventually, leaf, leaves, shown, state, text};
use testkit::Session;

use crate::{TRANSPORTS, over};

fn exec(session: &Session<'_>, websockets: &str, namespace: &str, line: &str) -> anyhow::Result<Waiting> {
    let command = session.command(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", line])?;
    Waiting::of(over(command, websockets))
}

#[test]
fn a_command_waits_is_shown_and_runs_once_a_human_says_so() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("streams-asked", "60s", "")?;
    let session = lab.gate.session("asked")?;
    for (transport, websockets) in TRANSPORTS {
        let kubectl = exec(&session, websockets, "streams-asked", "echo ran; exit 4")?;
        let id = lab.gate.waiting()?;
        if transport == "SPDY" {
            let pod = lab.cluster.must(&["-n", "streams-asked", "get", "pods", "-o", "name"])?;
            let shown = shown(&decided(&lab.gate, &["show", &id])?)?;
            insta::assert_snapshot!(shown.replace(pod.trim().trim_start_matches("pod/"), "POD"));
        }
        decided(&lab.gate, &["approve", &id, "--yes"])?;
        let done = kubectl.end()?;
        ensure!(done.status.code() == Some(4) && text(&done).contains("ran"), "{transport}: {}", text(&done));
        ensure!(state(&lab.gate, &id)? == "consumed");
    }
    let kubectl = exec(&session, "true", "streams-asked", "echo ran")?;
    let id = lab.gate.waiting()?;
    decided(&lab.gate, &["refuse", &id, "--why", "not now"])?;
    let refused = kubectl.end()?;
    // kubectl asks once more by SPDY; nobody else is.
    ensure!(!refused.status.success() && text(&refused).contains("refused approval"), "{}", text(&refused));
    ensure!(lab.gate.asked(true)?.len() == 3, "{:?}", lab.gate.asked(true)?);
    is_shown(&lab, &session.id)?;
    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let intent = leaf(&leaves, "intent", |event| event["request"]["subresource"] == "exec")?;
    ensure!(intent["event"]["approval"].is_string(), "{intent}");
    Ok(())
}

/// Whoever looks at the session sees who was asked and what they said, where it happened.
fn is_shown(lab: &Lab, session: &str) -> anyhow::Result<()> {
    const ASKED: [&str; 3] = ["approval_asked", "approved by grace@example.com", "exit code 4"];
    const REFUSED: [&str; 3] = ["approval_asked", "refused by grace@example.com: not now", "refusal: "];
    let data = lab.gate.path("data");
    // What is durable is told in the files a moment later.
    eventually("all of it is shown", || {
        let shown = lab.gate.portcullis(&["sessions", "show", session, "--data", &data])?;
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let mut lines = shown.lines();
        let mut comes = |part: &&str| lines.any(|line| line.contains(part));
        let all = comes(&"the recording begins") && [ASKED, ASKED, REFUSED].concat().iter().all(comes);
        Ok(if all { Ok(()) } else { Err(shown) })
    })
}

#[test]
fn what_a_human_said_yes_to_is_that_container_and_no_other() -> anyhow::Result<()> {
    let namespace = "streams-moved";
    let (lab, _rules) = asking(namespace, "60s", "")?;
    let session = lab.gate.session("moved")?;
    let pod = |image: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: moved, namespace: {namespace}}}, spec: {{terminationGracePeriodSeconds: 0,
              containers: [{{name: sh, image: {image}, command: [sh, -c, 'while true; do sleep 1; done']}}]}}}}"
        )
    };
    let run = || {
        lab.cluster.apply(&pod("busybox"))?;
        lab.cluster.ready(namespace, "moved")
    };
    run()?;
    // By SPDY, since kubectl asks by that once more whatever the answer to a WebSocket is.
    let command = session.command(&["-n", namespace, "exec", "moved", "--", "touch", "/tmp/ran"])?;
    let kubectl = Waiting::of(over(command, "false"))?;
    let id = lab.gate.waiting()?;
    // Another pod by the same name, while they think.
    lab.cluster.must(&["-n", namespace, "delete", "pod", "moved"])?;
    run()?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    is_told_of_another(&kubectl.end()?)?;
    let left = lab.cluster.must(&["-n", namespace, "exec", "moved", "--", "ls", "/tmp"])?;
    ensure!(!left.contains("ran"), "it ran: {left}");
    eventually("that is in the ledger", || {
        let cut = leaf(&leaves(&lab.gate)?, "outcome", |event| event["stage"] == "cut").cloned();
        let why = cut.map(|cut| cut["event"]["error"].to_string());
        Ok(match why {
            Ok(why) if why.contains("the container is another") => Ok(()),
            why => Err(format!("{why:?}")),
        })
    })
}

/// Nothing ran, and why not is told.
fn is_told_of_another(done: &Output) -> anyhow::Result<()> {
    let told = text(done);
    let why = "portcullis: the container is another than the one that was approved";
    ensure!(!done.status.success() && !told.contains("ran\n") && told.contains(why), "{told}");
    Ok(())
}

#[test]
fn the_same_container_with_another_image_is_another() -> anyhow::Result<()> {
    let namespace = "streams-image";
    let (lab, _rules) = asking(namespace, "60s", "")?;
    let session = lab.gate.session("image")?;
    lab.cluster.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: moved, namespace: {namespace}}}, spec: {{terminationGracePeriodSeconds: 0,
          containers: [{{name: sh, image: busybox, command: [sh, -c, 'while true; do sleep 1; done']}}]}}}}"
    ))?;
    lab.cluster.ready(namespace, "moved")?;
    let is = |path: &str| {
        lab.cluster.must(&["-n", namespace, "get", "pod", "moved", "-o", &format!("jsonpath={{{path}}}")])
    };
    let image = || is(".status.containerStatuses[0].imageID");
    let (uid, before) = (is(".metadata.uid")?, image()?);
    let command = session.command(&["-n", namespace, "exec", "moved", "--", "echo", "ran"])?;
    let kubectl = Waiting::of(over(command, "false"))?;
    let id = lab.gate.waiting()?;
    lab.cluster.must(&["-n", namespace, "set", "image", "pod/moved", "sh=alpine"])?;
    eventually("it runs another image", || {
        let (ready, now) = (is(".status.containerStatuses[0].ready")?, image()?);
        Ok(if ready == "true" && now != before { Ok(()) } else { Err((ready, now)) })
    })?;
    ensure!(is(".metadata.uid")? == uid, "it is another pod");
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    is_told_of_another(&kubectl.end()?)
}

/// A yes is to one command: another one, and being attached, is asked about anew.
#[test]
fn another_command_asks_anew_and_so_does_attach() -> anyhow::Result<()> {
    let namespace = "streams-anew";
    let (lab, _rules) = asking(namespace, "60s", "")?;
    lab.cluster.apply(&counting(namespace))?;
    lab.cluster.ready(namespace, "counts")?;
    let session = lab.gate.session("anew")?;
    let mut asked = Vec::new();
    for (transport, websockets) in TRANSPORTS {
        for line in ["echo one", "echo one more", "echo one"] {
            let kubectl = exec(&session, websockets, namespace, line)?;
            let id = lab.gate.waiting()?;
            ensure!(!asked.contains(&id), "{transport}, {line}: {id} was used already");
            ensure!(decided(&lab.gate, &["show", &id])?.contains(line));
            decided(&lab.gate, &["approve", &id, "--yes"])?;
            let done = kubectl.end()?;
            ensure!(done.status.success() && text(&done).contains("one"), "{transport}: {}", text(&done));
            ensure!(state(&lab.gate, &id)? == "consumed");
            asked.push(id);
        }
        let attach = session.command(&["-n", namespace, "attach", "counts"])?;
        let mut attached = Going::spawn(over(attach, websockets))?;
        let id = lab.gate.waiting()?;
        ensure!(!asked.contains(&id), "{transport}: {id} was used already");
        let shown = decided(&lab.gate, &["show", &id])?;
        ensure!(shown.contains("pods/attach \"counts\""), "{shown}");
        decided(&lab.gate, &["approve", &id, "--yes"])?;
        attached.begins("tick ")?;
        ensure!(state(&lab.gate, &id)? == "consumed");
        asked.push(id);
    }
    Ok(())
}
