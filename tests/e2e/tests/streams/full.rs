//! No room for recordings: streams end with the reason, none begins, and what was shown is recorded.

use std::{fs, path::Path};

use anyhow::ensure;
use e2e::{COUNTS, Going, Lab, Watch, eventually, furnish, leaf, leaves, permissive, start, text};
use serde_json::Value;
use testkit::Options;

use crate::{TRANSPORTS, over, run};

/// A disk in memory, of which nobody else takes much while a test runs.
const SMALL: &str = "/dev/shm";

#[test]
fn where_nothing_can_be_written_streams_end_and_none_begins() -> anyhow::Result<()> {
    let namespace = "streams-full";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("full")?;
    let command = session.command(&["-n", namespace, "exec", "deploy/web", "--", "sh", "-c", COUNTS])?;
    let mut running = Going::start(command, "tick 0")?;
    lab.gate.fill_disk()?;
    let told = running.end()?;
    ensure!(told.contains("portcullis: "), "{told}");
    let again = session.kubectl(&["-n", namespace, "exec", "deploy/web", "--", "true"])?;
    ensure!(!again.status.success(), "{}", text(&again));
    Ok(())
}

/// The ledger has all the room it needs.
#[test]
fn where_recordings_have_no_room_streams_end_and_none_begins_until_they_have() -> anyhow::Result<()> {
    let namespace = "streams-no-room";
    let folder = tempfile::tempdir_in(SMALL)?;
    let free = || -> anyhow::Result<u64> {
        let disk = rustix::fs::statvfs(folder.path())?;
        Ok(disk.f_bavail * disk.f_frsize)
    };
    let spare = (free()? / 4).min(256 << 20);
    let recordings = folder.path().join("recordings");
    let extra =
        format!("recordings: {{ folder: {}, reserve: {}B }}\n", recordings.display(), free()? - spare);
    let mut lab = start(&Options { extra, ..permissive() })?;
    lab.gate.recorded_in(&recordings);
    furnish(lab.cluster, namespace)?;
    let filling = folder.path().join("filling");
    for (transport, websockets) in TRANSPORTS {
        full(&lab, namespace, (transport, websockets), &filling, spare * 2)?;
    }
    Ok(())
}

fn full(
    lab: &Lab,
    namespace: &str,
    (transport, websockets): (&str, &str),
    filling: &Path,
    bytes: u64,
) -> anyhow::Result<()> {
    let session = lab.gate.session(&format!("full-{}", transport.to_lowercase()))?;
    let exec = ["-n", namespace, "exec", "deploy/web", "--"];
    let command = session.command(&[&exec[..], &["sh", "-c", COUNTS]].concat())?;
    let mut going = Going::start(over(command, websockets), "tick 0")?;
    // More than a segment.
    while !going.line()?.contains("tick 30\n") {}
    fill(filling, bytes)?;
    let told = going.end()?;
    let ended = "portcullis: what passes cannot be recorded, so this stream was ended";
    ensure!(told.contains(ended), "{transport}: {told}");
    let refused = run(&session, websockets, &[&exec[..], &["true"]].concat(), b"")?;
    let cannot = "portcullis: what happens in this session cannot be recorded, so nothing may pass";
    ensure!(!refused.status.success() && text(&refused).contains(cannot), "{transport}: {}", text(&refused));
    told_in_the_ledger(lab, &session.id)?;
    fs::remove_file(filling)?;
    let again = run(&session, websockets, &[&exec[..], &["echo", "again"]].concat(), b"")?;
    ensure!(again.status.success(), "{transport}: {}", text(&again));
    // All that was shown is recorded.
    let config = lab.gate.path("portcullis.yaml");
    let replay = ["sessions", "replay", &session.id, "--stream", "1", "--config", &config];
    let played = lab.gate.portcullis(&replay)?;
    let played = String::from_utf8_lossy(&played.stdout).into_owned();
    ensure!(played.starts_with(&going.printed), "{transport}: {}\n{played}", going.printed);
    Ok(())
}

/// What would take the disk from all ends the session that does it.
#[test]
fn a_session_that_has_its_quota_is_at_its_end_and_others_go_on() -> anyhow::Result<()> {
    let namespace = "streams-quota";
    let extra = "recordings: { quota: 16MiB }\n".to_owned();
    let lab = start(&Options { extra, ..permissive() })?;
    furnish(lab.cluster, namespace)?;
    let (full, other) = (lab.gate.session("quota")?, lab.gate.session("quota-other")?);
    let exec = ["-n", namespace, "exec", "deploy/web", "--"];
    let watch = Watch::open(lab.cluster, &full, namespace)?;
    let noise = run(&full, "true", &[&exec[..], &["head", "-c", "67108864", "/dev/urandom"]].concat(), b"")?;
    let ended = "portcullis: as much is recorded of the session as the gate records of one (`recordings.quota`), so this stream was \
                 ended; the command may go on in the container; go on in another session";
    let told = String::from_utf8_lossy(&noise.stderr);
    ensure!(!noise.status.success() && told.contains(ended), "{told}");
    ensure!(noise.stdout.len() >= 16 << 20, "{}", noise.stdout.len());
    let (events, _ended) = watch.end()?;
    let enough = "portcullis: as much is recorded of the session as the gate records of one (`recordings.quota`); go on in another session";
    ensure!(events.contains(enough), "{events}");
    for refused in [&["get", "pods"][..], &["exec", "deploy/web", "--", "true"]] {
        let refused = full.kubectl(&[&["-n", namespace][..], refused].concat())?;
        let told = "as much is recorded of this session as the gate records of one (`recordings.quota`)";
        ensure!(!refused.status.success() && text(&refused).contains(told), "{}", text(&refused));
    }
    let went = other.kubectl(&[&exec[..], &["echo", "on"]].concat())?;
    ensure!(went.status.success(), "{}", text(&went));
    let config = lab.gate.path("portcullis.yaml");
    let shown = lab.gate.portcullis(&["sessions", "show", &full.id, "--config", &config])?;
    ensure!(text(&shown).contains("ended: as much is recorded of the session"), "{}", text(&shown));
    Ok(())
}

/// The ledger goes on: it has how the stream ended, and what was refused.
fn told_in_the_ledger(lab: &Lab, session: &str) -> anyhow::Result<()> {
    eventually("it is in the ledger", || {
        let leaves = leaves(&lab.gate)?;
        let exec = |event: &Value| {
            event["actor"]["session"] == *session && event["request"]["subresource"] == "exec"
        };
        let intent = leaf(&leaves, "intent", exec)?;
        let outcome = |event: &Value| event["call"] == intent["event"]["call"];
        let told = [
            leaf(&leaves, "outcome", |event| outcome(event) && event["stage"] == "cut"),
            leaf(&leaves, "refusal", |event| event["actor"]["session"] == *session && event["status"] == 503),
        ];
        Ok(if told.iter().all(Result::is_ok) { Ok(()) } else { Err(format!("{told:?}")) })
    })
}

fn fill(file: &Path, bytes: u64) -> anyhow::Result<()> {
    let file = fs::File::create(file)?;
    Ok(rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes)?)
}
