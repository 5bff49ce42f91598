//! A Secret's value is masked on its way, however it is printed.

use anyhow::{Context, ensure};
use e2e::{CANARY, Lab, contains_canary, eventually, furnish, leaves, permissive, start, text};
use regex::Regex;
use serde_json::Value;

use crate::{
    TRANSPORTS, over, run,
    screen::{SHELL, Terminal},
};

/// What prints the value, which is in `$V`. Letter by letter it is done by the shell itself: a process for each takes longer, on a busy
/// machine, than is waited for the next, and what came before such a silence is seen (docs/masking.md, *Text on a terminal*).
const PRINTED: &[&str] = &[
    "echo $V",
    "echo $V >&2",
    "printf %s $V",
    "printf %s $V | base64 -w0",
    "while [ -n \"$V\" ]; do rest=${V#?}; printf %s \"${V%\"$rest\"}\"; V=$rest; done; echo",
    "echo \"{\\\"password\\\":\\\"$V\\\"}\"",
    "head -c 100000 /dev/zero | tr '\\0' x; echo $V",
    "exit_with() { echo $V; exit 3; }; exit_with",
];

/// The same on a terminal, where there are colours: `coloured` gives each letter of its input another one, `slowly` a write of its own.
const COLOURED: &[&str] = &[
    "echo $V",
    "printf '\\033[1m%s\\033[0m\\n' $V",
    "coloured $V; echo",
    "slowly $V; echo",
    "coloured $(printf %s $V | base64 -w0); echo",
    "slowly $(printf %s $V | base64 -w0); echo",
    "printf %s $V | base64 -w0; echo",
    "coloured $V >&2; echo",
];
const FUNCTIONS: &str = "slowly() { i=0; left=$1; while [ -n \"$left\" ]; do rest=${left#?}; \
    printf '\\033[3%dm%s' $((i % 8)) \"${left%\"$rest\"}\"; left=$rest; i=$((i+1)); done; printf '\\033[0m'; }; \
    coloured() { all=$(slowly $1); printf %s \"$all\"; }";

fn lab(namespace: &str) -> anyhow::Result<Lab> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    known(&lab, namespace, CANARY)?;
    Ok(lab)
}

/// The gate has heard of the Secret once its value is masked elsewhere; and then everywhere.
fn known(lab: &Lab, namespace: &str, value: &str) -> anyhow::Result<()> {
    let echo = format!("echo {value}");
    let unknowing = lab.gate.unknowing("unknowing")?;
    eventually("known", || {
        let arguments = ["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", &echo];
        let output = run(&unknowing, "true", &arguments, b"")?;
        Ok(if text(&output).contains(value) { Err(output) } else { Ok(()) })
    })
}

/// What `portcullis sessions` prints of a session.
fn recorded(lab: &Lab, arguments: &[&str]) -> anyhow::Result<String> {
    let output =
        lab.gate.portcullis(&[&["sessions"], arguments, &["--data", &lab.gate.path("data")]].concat())?;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(text(&output))
}

#[test]
fn a_value_is_masked_however_it_is_printed() -> anyhow::Result<()> {
    let namespace = "streams-masked";
    let lab = lab(namespace)?;
    let session = lab.gate.session("masked")?;
    for (transport, websockets) in TRANSPORTS {
        for printed in PRINTED {
            // The value is typed in, so that it is not in the command.
            let line = format!("read V; {printed}");
            let arguments = ["-n", namespace, "exec", "-i", "deploy/web", "--", "sh", "-c", &line];
            let output = run(&session, websockets, &arguments, format!("{CANARY}\n").as_bytes())?;
            let shown = [&output.stdout[..], &output.stderr].concat();
            ensure!(!shown.is_empty(), "{printed} over {transport} shows nothing: {output:?}");
            ensure!(
                !contains_canary(&shown),
                "{printed} over {transport}: {}",
                String::from_utf8_lossy(&shown)
            );
        }
    }
    let all = PRINTED.len() * TRANSPORTS.len();
    eventually("all is in the ledger", || {
        let masked =
            |leaf: &&Value| leaf["event"]["stream"].is_object() && leaf["event"]["masked"].as_u64() > Some(0);
        let masked = leaves(&lab.gate)?.iter().filter(masked).count();
        Ok(if masked >= all { Ok(()) } else { Err(masked) })
    })?;
    for stream in 1..=all {
        let stream = stream.to_string();
        let played = recorded(&lab, &["replay", &session.id, "--stream", &stream])?;
        ensure!(played.contains("masked-by-portcullis") || played.contains("bWFza2Vk"), "{stream}: {played}");
        ensure!(!contains_canary(played.as_bytes()), "{stream}: {played}");
        let (file, typed) = (lab.gate.path(&format!("{stream}.cast")), "--input");
        recorded(&lab, &["export", &session.id, "--stream", &stream, typed, "-o", &file])?;
        let (shown, typed) = (played_of(&file, "o")?, played_of(&file, "i")?);
        ensure!(!contains_canary(shown.as_bytes()) && !shown.is_empty(), "{stream}: {shown}");
        ensure!(!contains_canary(typed.as_bytes()) && typed.contains("masked"), "{stream}: {typed}");
    }
    Ok(())
}

#[test]
fn a_value_is_masked_on_a_terminal_whatever_its_colours() -> anyhow::Result<()> {
    let namespace = "streams-coloured";
    let lab = lab(namespace)?;
    for (transport, websockets) in TRANSPORTS {
        let session = lab.gate.session(&format!("coloured-{}", transport.to_lowercase()))?;
        let shell = ["-n", namespace, "exec", "-it", "deploy/web", "--", "sh", "-c", SHELL];
        let mut terminal = Terminal::run(over(session.command(&shell)?, websockets))?;
        terminal.until("ready> ")?;
        terminal.asked(FUNCTIONS)?;
        terminal.type_in("echo type it in; read V\r")?;
        terminal.until("\ntype it in\r\n")?;
        // The terminal's echo shows what is typed.
        terminal.type_in(&format!("{CANARY}\r"))?;
        let mut shown = vec![terminal.asked("echo ${#V}")?];
        ensure!(shown.concat().contains(&format!("{}\r\n", CANARY.len())), "{shown:?}");
        for printed in COLOURED {
            shown.push(terminal.asked(printed)?);
        }
        let (rest, code) = terminal.end("exit 5\r")?;
        ensure!(code == Some(5), "{rest}");
        for (printed, shown) in COLOURED.iter().zip(shown.iter().skip(1)) {
            let seen = plain(shown)?;
            ensure!(!contains_canary(seen.as_bytes()), "{printed} over {transport}: {seen}");
            // Of letters that come one by one, the first may have been shown.
            let masked = seen.contains("masked-by-portcullis") || seen.contains("bWFza2Vk");
            ensure!(masked || printed.starts_with("slowly"), "{printed} over {transport}: {seen}");
        }
        ensure!(!contains_canary(plain(&shown.concat())?.as_bytes()), "{transport}: {shown:?}");
        let played = recorded(&lab, &["replay", &session.id])?;
        ensure!(played.contains("type it in") && played.contains("masked-by-portcullis"), "{played}");
        ensure!(!contains_canary(plain(&played)?.as_bytes()), "{transport}: {played}");
        let file = lab.gate.path(&format!("{transport}.cast"));
        recorded(&lab, &["export", &session.id, "--input", "-o", &file])?;
        for code in ["o", "i"] {
            let part = played_of(&file, code)?;
            ensure!(!part.is_empty() && !contains_canary(plain(&part)?.as_bytes()), "{transport}: {part}");
        }
    }
    Ok(())
}

/// A value of which any twelve bytes would be looked for by themselves.
const SLOW: &str = "q7Xw2Lr9Vt4Zk8Mn3Bc6Yp1Hs5Jd0";
/// It comes with a silence after each letter.
const SLOWLY: &str = "V=$(cat /tmp/slow); while [ -n \"$V\" ]; do rest=${V#?}; printf %s \"${V%\"$rest\"}\"; V=$rest; sleep 0.05; done; echo";

/// A prompt cannot be told from the beginning of a value, which is seen where somebody may be typing.
#[test]
fn of_a_value_that_comes_slowly_only_the_beginning_is_seen() -> anyhow::Result<()> {
    let namespace = "streams-slow";
    let lab = lab(namespace)?;
    lab.cluster.must(&[
        "-n",
        namespace,
        "create",
        "secret",
        "generic",
        "slow",
        &format!("--from-literal=v={SLOW}"),
    ])?;
    known(&lab, namespace, SLOW)?;
    let write = format!("echo {SLOW} > /tmp/slow");
    lab.cluster.must(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", &write])?;
    let session = lab.gate.session("slow")?;
    for (transport, websockets) in TRANSPORTS {
        for (typed, most) in [(&[][..], 0), (&["-i"], 11), (&["-it"], 11)] {
            let command =
                [&["-n", namespace, "exec"], typed, &["deploy/web", "--", "sh", "-c", SLOWLY]].concat();
            let output = run(&session, websockets, &command, b"")?;
            let stream = (lab
                .gate
                .portcullis(&["sessions", "show", &session.id, "--data", &lab.gate.path("data")])?
                .stdout)
                .split(|byte| *byte == b'\n')
                .filter(|line| line.windows(7).any(|part| part == b"stream "))
                .count();
            let played = recorded(&lab, &["replay", &session.id, "--stream", &stream.to_string()])?;
            for shown in [String::from_utf8_lossy(&output.stdout).into_owned(), played] {
                let (seen, _) = shown.split_once("masked-by-portcullis").with_context(|| shown.clone())?;
                ensure!(SLOW.starts_with(seen) && seen.len() <= most, "{typed:?} over {transport}: {shown}");
            }
        }
    }
    Ok(())
}

/// What an asciicast has of one code, in one piece.
fn played_of(file: &str, code: &str) -> anyhow::Result<String> {
    let cast = std::fs::read_to_string(file)?;
    let mut part = String::new();
    for line in cast.lines().skip(1) {
        let event: Value = serde_json::from_str(line)?;
        if event[1] == code {
            part.push_str(event[2].as_str().context("no text")?);
        }
    }
    Ok(part)
}

/// Without colours, as they are and as they are written out.
fn plain(text: &str) -> anyhow::Result<String> {
    Ok(Regex::new(r"(\x1b|\\u\{1b\}|\\u001b|\\x1b|\\e)\[[0-9;]*m")?.replace_all(text, "").into_owned())
}
