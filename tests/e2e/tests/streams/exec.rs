//! `kubectl exec`, over WebSocket and over SPDY.

use e2e::{furnish, permissive, start, text};

#[test]
fn it_runs() -> anyhow::Result<()> {
    let lab = start(&permissive())?;
    furnish(lab.cluster, "streams-exec")?;
    let session = lab.gate.session("exec")?;
    for web in ["true", "false"] {
        let mut command = session.command(&["-n", "streams-exec", "exec", "deploy/web", "--", "sh", "-c", "echo out; echo err >&2; exit 7"])?;
        let output = command.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", web).output()?;
        println!("{web}: {:?} {}", output.status.code(), text(&output));
    }
    println!("{}", lab.gate.log());
    Ok(())
}
