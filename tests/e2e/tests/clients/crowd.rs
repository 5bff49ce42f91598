//! Twenty sessions with fifty streams at once and a watch each, as dashboards open them: whatever arrives is whole and one's own, on
//! every screen and in every recording.

mod streams;

use std::thread;

use anyhow::{Context, ensure};
use e2e::{Lab, permissive, start, text};
use serde_json::Value;
use testkit::{Cluster, Session};

use self::streams::{Done, Kind, Stream, Watch};
use crate::serve;

const NAMESPACE: &str = "clients-crowd";
const SESSIONS: usize = 20;
const STREAMS: usize = 50;

#[test]
fn a_crowd_of_streams_is_kept_apart() -> anyhow::Result<()> {
    let mut lab = start(&permissive())?;
    serve(lab.cluster, NAMESPACE)?;
    speak(lab.cluster)?;
    let names: Vec<String> = (0..SESSIONS).map(|number| format!("session-{number:02}")).collect();
    let sessions: Vec<Session<'_>> =
        names.iter().map(|name| lab.gate.session(name)).collect::<anyhow::Result<_>>()?;
    // All are there before anything is said on one.
    let mut watches: Vec<Watch> = sessions
        .iter()
        .zip(&names)
        .map(|(session, name)| Watch::start(session, name))
        .collect::<Result<_, _>>()?;
    let mut streams: Vec<Stream> = (0..STREAMS)
        .map(|number| Stream::start(&sessions[number % SESSIONS], number))
        .collect::<anyhow::Result<_>>()?;
    streams.iter_mut().try_for_each(Stream::begin)?;
    for (watch, name) in watches.iter_mut().zip(&names) {
        tell(lab.cluster, name)?;
        watch.until_told(name)?;
    }
    lab.cluster.must(&[
        "-n",
        NAMESPACE,
        "exec",
        "logs",
        "-c",
        &Kind::Log.first(),
        "--",
        "touch",
        "/shared/go",
    ])?;
    let done: Vec<anyhow::Result<Done>> = thread::scope(|scope| {
        let all: Vec<_> = streams.into_iter().map(|stream| scope.spawn(move || stream.finish())).collect();
        all.into_iter().map(|one| one.join().expect("a thread panicked")).collect()
    });
    let done: Vec<Done> = done.into_iter().collect::<anyhow::Result<_>>()?;
    drop(watches);
    let ids: Vec<String> = sessions.iter().map(|session| session.id.clone()).collect();
    drop(sessions);
    lab.gate.stop()?;
    for (number, id) in ids.iter().enumerate() {
        let own: Vec<&Done> = done.iter().filter(|done| done.number % SESSIONS == number).collect();
        recorded(&lab, id, &names[number], &own).with_context(|| format!("{}: {own:?}", names[number]))?;
    }
    Ok(())
}

/// What the followed logs are of: each says that it is there, and the rest once it may.
fn speak(cluster: &Cluster) -> anyhow::Result<()> {
    let containers: Vec<String> = (0..STREAMS)
        .filter(|number| Kind::of(*number) == Kind::Log)
        .map(|number| {
            let name = streams::name(number);
            let wait = "until [ -e /shared/go ]; do sleep 0.2; done";
            format!(
                "{{name: {name}, image: busybox, command: [sh, -c, \"echo {name} ready; {wait}; {}\"], volumeMounts: [{{name: shared, mountPath: /shared}}]}}",
                streams::lines_of(&name)
            )
        })
        .collect();
    cluster.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: logs, namespace: {NAMESPACE}}}, spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 0,
          volumes: [{{name: shared, emptyDir: {{}}}}], containers: [{}]}}}}",
        containers.join(",\n")
    ))?;
    cluster.ready(NAMESPACE, "logs")
}

/// Something for one session's watch.
fn tell(cluster: &Cluster, name: &str) -> anyhow::Result<()> {
    cluster.apply(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: told-{name}, namespace: {NAMESPACE}, labels: {{for: {name}}}}}}}"
    ))
}

/// The recording is whole, and has what was shown to its session and nothing that was shown to another.
fn recorded(lab: &Lab, id: &str, name: &str, own: &[&Done]) -> anyhow::Result<()> {
    let data = lab.gate.path("data");
    let run = |arguments: &[&str]| {
        let output = lab.gate.portcullis(&[&["sessions"], arguments, &["--data", &data]].concat())?;
        ensure!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
        anyhow::Ok(text(&output))
    };
    let told = run(&["show", id, "-o", "json"])?;
    let shown: Value = serde_json::from_str(&told)?;
    ensure!(shown["state"] == "whole", "{}", shown["state"]);
    let mut all = vec![told];
    let mut found = 0;
    let timeline = shown["timeline"].as_array().context("no timeline")?;
    for stream in timeline.iter().filter(|entry| entry["kind"] == "stream") {
        ensure!(stream["ended"]["how"].is_string(), "no end: {stream}");
        let number = stream["stream"].to_string();
        let played = run(&["replay", id, "--stream", &number])?;
        found += own.iter().filter(|done| done.is_recorded_as(stream, &played)).count();
        all.push(played);
    }
    ensure!(found == own.len(), "{found} of {}: {timeline:?}", own.len());
    let all = all.concat();
    ensure!(all.contains(&format!("told-{name}")), "the watch: {all}");
    let foreign = (0..STREAMS).map(streams::name).filter(|name| own.iter().all(|done| done.name() != *name));
    let foreign = foreign.chain((0..SESSIONS).map(|number| format!("told-session-{number:02}")));
    for foreign in foreign.filter(|foreign| *foreign != format!("told-{name}")) {
        ensure!(!all.contains(&foreign), "`{foreign}` is another's: {all}");
    }
    Ok(())
}
