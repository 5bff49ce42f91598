//! A Secret's value is masked on its way, however it is printed.

use std::{fs, path::Path};

use anyhow::ensure;
use e2e::{CANARY, contains_canary, eventually, furnish, leaves, permissive, start};
use serde_json::Value;

use crate::{TRANSPORTS, run};

/// What prints the value, which is in `$V`.
const PRINTED: &[&str] = &[
    "echo $V",
    "echo $V >&2",
    "printf %s $V",
    "printf %s $V | base64 -w0",
    "i=1; while [ $i -le ${#V} ]; do printf %s $(printf %s $V | cut -c$i); i=$((i+1)); done; echo",
    "echo \"{\\\"password\\\":\\\"$V\\\"}\"",
    "head -c 100000 /dev/zero | tr '\\0' x; echo $V",
    "exit_with() { echo $V; exit 3; }; exit_with",
];

#[test]
fn a_value_is_masked_however_it_is_printed() -> anyhow::Result<()> {
    let namespace = "streams-masked";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("masked")?;
    // The gate has heard of the Secret once it is masked elsewhere; and then everywhere.
    let echo = format!("echo {CANARY}");
    eventually("known", || {
        let output =
            run(&session, "true", &["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", &echo], b"")?;
        Ok(if contains_canary(&output.stdout) { Err(output) } else { Ok(()) })
    })?;
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
    eventually("all is in the ledger", || {
        let masked =
            |leaf: &&Value| leaf["event"]["stream"].is_object() && leaf["event"]["masked"].as_u64() > Some(0);
        let masked = leaves(&lab.gate)?.iter().filter(masked).count();
        Ok(if masked >= PRINTED.len() * TRANSPORTS.len() { Ok(()) } else { Err(masked) })
    })?;
    let recordings = lab.gate.path("data/recordings");
    ensure!(fs::read_dir(Path::new(&recordings))?.count() > 1, "nothing is recorded");
    Ok(())
}
