//! `kubectl exec` and `attach`, over WebSocket and over SPDY.

use std::thread;

use anyhow::{anyhow, ensure};
use e2e::{eventually, furnish, leaves, permissive, start};
use testkit::run_with_input;

use crate::{TRANSPORTS, over, piped, run};

const NAMESPACE: &str = "streams-exec";

/// Command lines in the pod, and what they are told.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["echo", "out"], ""),
    (&["sh", "-c", "echo out; echo err >&2"], ""),
    (&["sh", "-c", "exit 1"], ""),
    (&["sh", "-c", "exit 255"], ""),
    (&["sh", "-c", "kill -9 $$"], ""),
    (&["no-such-program"], ""),
    (&["cat"], "told\n"),
    (&["sh", "-c", "read line; echo \"$line\" >&2; exit 3"], "told\nnot read\n"),
    (&["sh", "-c", "cat; echo gone"], ""),
    (&["printf", "no newline"], ""),
    (&["sh", "-c", "printf '\\033[31mred\\033[0m\\r\\n'"], ""),
];

#[test]
fn commands_run_as_they_do_directly() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, NAMESPACE)?;
    let session = lab.gate.session("exec")?;
    for (transport, websockets) in TRANSPORTS {
        for (command, input) in COMMANDS {
            let exec = ["-n", NAMESPACE, "exec", "-i", "deploy/web", "--"];
            let arguments: Vec<&str> = exec.iter().chain(*command).copied().collect();
            let direct = run_with_input(&mut over(lab.cluster.command(&arguments)?, websockets), input)?;
            let gated = run(&session, websockets, &arguments, input.as_bytes())?;
            ensure!(
                gated == direct,
                "{command:?} over {transport}: directly {direct:?}, through the gate {gated:?}"
            );
        }
        let codes = ["0", "2", "42", "127", "128", "254"];
        for code in codes {
            let line = format!("exit {code}");
            let gated = run(
                &session,
                websockets,
                &["-n", NAMESPACE, "exec", "deploy/web", "--", "sh", "-c", &line],
                b"",
            )?;
            ensure!(gated.status.code() == code.parse().ok(), "{gated:?}");
        }
        for missing in [
            &["exec", "missing", "--", "true"][..],
            &["exec", "deploy/web", "-c", "missing", "--", "true"],
            &["attach", "missing"],
        ] {
            let arguments: Vec<&str> = ["-n", NAMESPACE].iter().chain(missing).copied().collect();
            let direct = piped(over(lab.cluster.command(&arguments)?, websockets), b"")?;
            let gated = run(&session, websockets, &arguments, b"")?;
            ensure!(
                gated == direct,
                "{missing:?} over {transport}: directly {direct:?}, through the gate {gated:?}"
            );
        }
    }
    // Each has said in the ledger how it ended.
    eventually("all exit codes are in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let exits: Vec<i64> =
            leaves.iter().filter_map(|leaf| leaf["event"]["stream"]["exit"].as_i64()).collect();
        let all = [0, 1, 3, 42, 137, 254, 255].iter().all(|code| exits.contains(code));
        Ok(if all { Ok(()) } else { Err(exits) })
    })?;
    let api = e2e::audited(lab.cluster, |event| {
        event["objectRef"]["subresource"] == "exec"
            && event["user"]["username"] == "system:serviceaccount:portcullis:gate"
    })?;
    ensure!(
        !api.is_empty()
            && api.iter().all(|event| event["impersonatedUser"]["username"] == "portcullis:agent:claude"),
        "{api:?}"
    );
    Ok(())
}

/// What is sent and comes back: more than any buffer or window on the way.
const MUCH: usize = 100 << 20;

#[test]
fn a_hundred_megabytes_pass_unchanged_both_ways() -> anyhow::Result<()> {
    let namespace = "streams-bytes";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.noisy("bytes")?;
    // Every byte, every pair of neighbours, and no text.
    let mut noise = vec![0; MUCH];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for piece in noise.chunks_exact_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        piece.copy_from_slice(&state.to_le_bytes());
    }
    for (transport, websockets) in TRANSPORTS {
        let cat = ["-n", namespace, "exec", "-i", "deploy/web", "--", "cat"];
        let back = run(&session, websockets, &cat, &noise)?;
        ensure!(back.status.success(), "{transport}: {}", String::from_utf8_lossy(&back.stderr));
        ensure!(back.stdout == noise, "{transport}: other bytes came back, {}", back.stdout.len());
    }
    Ok(())
}

#[test]
fn a_process_is_attached_to() -> anyhow::Result<()> {
    let namespace = "streams-attach";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("attach")?;
    // kubectl attaches once, so each way has a pod of its own.
    let attached = |way: &str, transport: &str, websockets: &str| {
        let name = format!("{way}-{}", transport.to_lowercase());
        lab.cluster.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 0,
              containers: [{{name: sh, image: busybox, stdin: true, stdinOnce: true, command: [sh, -c, 'while read line; do echo got $line; done']}}]}}}}"
        ))?;
        lab.cluster.ready(namespace, &name)?;
        let attach = ["-n", namespace, "attach", "-i", "--quiet", &name];
        let command = if way == "gated" { session.command(&attach) } else { lab.cluster.command(&attach) };
        piped(over(command?, websockets), b"one\ntwo\n")
    };
    for (transport, websockets) in TRANSPORTS {
        let direct = attached("direct", transport, websockets)?;
        let gated = attached("gated", transport, websockets)?;
        ensure!(gated == direct, "{transport}: directly {direct:?}, through the gate {gated:?}");
        ensure!(gated.status.success() && gated.stdout == b"got one\ngot two\n", "{transport}: {gated:?}");
    }
    Ok(())
}

/// Over WebSocket, a client library runs them all.
#[test]
fn every_exit_code_is_told_over_spdy() -> anyhow::Result<()> {
    const AT_ONCE: usize = 4;
    let namespace = "streams-codes";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("codes")?;
    let pod = lab.cluster.must(&["-n", namespace, "get", "pods", "-l", "app=web", "-o", "name"])?;
    let pod = pod.trim();
    let runs = |code: usize| {
        let line = format!("exit {code}");
        let ended = run(&session, "false", &["-n", namespace, "exec", pod, "--", "sh", "-c", &line], b"")?;
        ensure!(ended.status.code() == Some(i32::try_from(code)?), "{code}: {ended:?}");
        anyhow::Ok(())
    };
    thread::scope(|scope| {
        let runs = &runs;
        let all =
            (0..AT_ONCE).map(|first| scope.spawn(move || (first..256).step_by(AT_ONCE).try_for_each(runs)));
        let all: Vec<_> = all.collect();
        all.into_iter().try_for_each(|some| some.join().map_err(|_| anyhow!("a thread panicked"))?)
    })
}
