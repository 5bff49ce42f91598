//! `kubectl exec -it` and `attach -it`: a terminal at both ends, which shows what it shows directly.

use std::process::Command;

use anyhow::ensure;
use e2e::{Lab, furnish, permissive, start};
use testkit::Session;

use crate::{
    TRANSPORTS, over,
    screen::{SHELL, Terminal},
};

/// What is typed, a line each.
const LINES: &[&str] = &[
    "echo $TERM; tty > /dev/null && echo a terminal",
    "printf '\\033[31mred\\033[0m and \\033[1;32mgreen\\033[0m\\n'",
    "echo on the other channel >&2",
    "printf 'no newline'; echo",
    "printf 'half a line\\rover\\n'",
    "echo mistakx\u{7f}e",
    "seq 1 300",
    "printf '\\342\\202\\254 \\303\\244 \\377\\n'",
];

/// How it is ended, and the exit code: by itself, and by the signal that a terminal makes of a key.
const ENDS: [(&str, i32); 2] = [("exit 5\r", 5), ("\u{3}", 130)];

/// What is seen of it, window sizes included, and its exit code.
fn seen(command: Command, keys: &str) -> anyhow::Result<(String, Option<i32>)> {
    let mut terminal = Terminal::run(command)?;
    // Of what is attached to, the first prompt was there before.
    terminal.type_in("\r")?;
    terminal.until("ready> ")?;
    let mut seen = String::new();
    for (columns, rows) in [(100, 40), (120, 50)] {
        terminal.resize(columns, rows)?;
        for line in LINES.iter().chain(&["stty size"]) {
            seen.push_str(&terminal.asked(line)?);
        }
    }
    let (rest, code) = terminal.end(keys)?;
    Ok((seen + &rest, code))
}

fn lab(namespace: &str) -> anyhow::Result<Lab> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    Ok(lab)
}

#[test]
fn a_shell_is_used_its_window_resized_and_ended_as_it_is_directly() -> anyhow::Result<()> {
    let namespace = "streams-terminal";
    let lab = lab(namespace)?;
    let session = lab.gate.session("terminal")?;
    let shell = ["-n", namespace, "exec", "-it", "deploy/web", "--", "sh", "-c", SHELL];
    for (transport, websockets) in TRANSPORTS {
        for (keys, code) in ENDS {
            let direct = seen(over(lab.cluster.command(&shell)?, websockets), keys)?;
            let gated = seen(over(session.command(&shell)?, websockets), keys)?;
            ensure!(
                gated == direct,
                "{transport}, {keys:?}: directly {direct:?}, through the gate {gated:?}"
            );
            ensure!(gated.1 == Some(code) && gated.0.contains("50 120\r\n"), "{transport}: {gated:?}");
        }
    }
    Ok(())
}

#[test]
fn a_terminal_is_attached_to_as_it_is_directly() -> anyhow::Result<()> {
    let namespace = "streams-attached";
    let lab = lab(namespace)?;
    let session = lab.gate.session("attached")?;
    for (transport, websockets) in TRANSPORTS {
        let direct = attached(&lab, None, namespace, (transport, websockets))?;
        let gated = attached(&lab, Some(&session), namespace, (transport, websockets))?;
        ensure!(gated == direct, "{transport}: directly {direct:?}, through the gate {gated:?}");
        ensure!(gated.0.contains("50 120\r\n"), "{transport}: {gated:?}");
    }
    Ok(())
}

/// What is seen in a pod of its own: directly, or in a session.
fn attached(
    lab: &Lab,
    session: Option<&Session<'_>>,
    namespace: &str,
    (transport, websockets): (&str, &str),
) -> anyhow::Result<(String, Option<i32>)> {
    let way = if session.is_some() { "gated" } else { "direct" };
    let name = format!("{way}-{}", transport.to_lowercase());
    let shell = SHELL.replace('"', "\\\"");
    lab.cluster.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{restartPolicy: Never, terminationGracePeriodSeconds: 0,
          containers: [{{name: sh, image: busybox, stdin: true, tty: true, command: [sh, -c, \"{shell}\"]}}]}}}}"
    ))?;
    lab.cluster.ready(namespace, &name)?;
    let attach = ["-n", namespace, "attach", "-it", &name];
    let command = match session {
        Some(session) => session.command(&attach)?,
        None => lab.cluster.command(&attach)?,
    };
    let (seen, code) = seen(over(command, websockets), "exit 5\r")?;
    Ok((seen.replace(&name, "POD"), code))
}
