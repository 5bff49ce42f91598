//! Recordings that are encrypted: the disk has nothing of what was shown, and whoever has the identity replays it.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context, ensure};
use e2e::{eventually, furnish, start, text};
use testkit::Options;

use crate::run;

const IDENTITY: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
const RECIPIENT: &str = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";
const RULES: &str = "@id(\"all\") permit (principal, action, resource);\n";
/// What a command prints, that is nowhere else.
const SAID: &str = "ninety-nine-green-bottles";

/// Whether a file below a folder has it as it is.
fn holds(folder: &Path, text: &[u8]) -> anyhow::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, text)?
        } else {
            path.is_file() && memchr::memmem::find(&fs::read(&path)?, text).is_some()
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn an_encrypted_recording_is_replayed_by_whom_it_is_for() -> anyhow::Result<()> {
    let namespace = "streams-encrypted";
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("rules"))?;
    fs::write(folder.path().join("rules/all.cedar"), RULES)?;
    let key = folder.path().join("auditors.key");
    fs::write(&key, format!("{IDENTITY}\n"))?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    let extra = format!("recordings: {{ recipients: [{RECIPIENT}], identity: {} }}\n", key.display());
    let bundle = folder.path().join("rules").display().to_string();
    let lab = start(&Options { bundle, extra, ..Options::default() })?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("encrypted")?;
    // Printed from what is typed in, so that it is in no call's path.
    let arguments = ["-n", namespace, "exec", "-i", "deploy/web", "--", "cat"];
    let output = run(&session, "true", &arguments, format!("{SAID}\n").as_bytes())?;
    ensure!(text(&output).contains(SAID), "{}", text(&output));
    let ask = |what: &[&str], more: &[&str]| {
        lab.gate.portcullis(&[&["sessions"], what, &[session.id.as_str()], more].concat())
    };
    let (data, config) = (lab.gate.path("data"), lab.gate.path("portcullis.yaml"));
    let key = key.to_str().context("no text")?;
    eventually("it is recorded", || {
        let shown = text(&ask(&["show"], &["--data", &data, "--identity", key])?);
        Ok(if shown.contains("stream 1") && shown.contains("ended") { Ok(()) } else { Err(shown) })
    })?;
    let played = text(&ask(&["replay"], &["--stream", "1", "--data", &data, "--identity", key])?);
    ensure!(played.contains(SAID), "{played}");
    // The console's identity serves whoever may read the configuration.
    let played = text(&ask(&["replay"], &["--stream", "1", "--config", &config])?);
    ensure!(played.contains(SAID), "{played}");
    // Without one there is what the ledger tells, and what to do.
    let shown = text(&ask(&["show"], &["--data", &data])?);
    ensure!(shown.contains("encrypted") && shown.contains("--identity") && !shown.contains(SAID), "{shown}");
    ensure!(!holds(Path::new(&data), SAID.as_bytes())?, "it is on the disk as it is");
    Ok(())
}
