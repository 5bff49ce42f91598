//! B8: size.

use std::fs;

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{AuditedGate, CANARY, Client, MASKED_DATA};
use futures_util::stream;
use testkit::stand_in::Reply;

use super::{SECRET, faced};

/// Of the list that [`huge`] gives, in items of 64 KiB.
const ITEMS: usize = 768;

/// 48 MiB of Secrets.
pub(super) fn huge() -> Reply {
    let item = format!(
        r#"{{"kind":"Secret","data":{{"password":"{}"}},"x":"{}"}}"#,
        STANDARD.encode(CANARY),
        "y".repeat(64 << 10)
    );
    let pieces = (0..ITEMS)
        .map(move |number| if number == 0 { format!("{{\"items\":[{item}") } else { format!(",{item}") });
    Reply::streamed(stream::iter(pieces.chain(["]}".to_owned()]).map(Into::into)))
}

/// B8: a list that is larger than what the gate may hold is masked all the same.
#[test]
pub(super) fn a_list_of_any_size_is_masked() -> anyhow::Result<()> {
    let (server, gate) = faced()?;
    let line = format!("GET {SECRET}?limit=768");
    let direct = Client::of(&server)?.ask(&line, &[], "")?;
    let value = STANDARD.encode(CANARY);
    let all = direct.body.matches(&value).count();
    ensure!(direct.whole && direct.status == 200 && all == ITEMS, "the control: {all} values");
    let client = Client::new(&gate, &gate.session("huge")?)?;
    let before = peak(&gate)?;
    let masked = client.ask(&line, &[], "")?;
    ensure!(masked.whole && masked.status == 200, "{}", masked.head);
    // Each value is masked, and nothing else is.
    let mut parts = masked.body.split(MASKED_DATA);
    let mut unmasked = parts.next().unwrap_or_default().to_owned();
    let mut placeholders = 0;
    for part in parts {
        let (_, after) = part.split_once('"').context("a placeholder without an end")?;
        unmasked.extend([&*value, "\"", after]);
        placeholders += 1;
    }
    assert_eq!(placeholders, ITEMS);
    ensure!(unmasked == direct.body, "something else differs");
    let grown = peak(&gate)?.saturating_sub(before);
    // Up to 15 MiB are on their way on a busy machine; the 3 MiB that the recording keeps are there once to be recorded, and once
    // in their segment.
    assert!(grown < 36 << 10, "{grown} KiB more");
    Ok(())
}

/// The most memory that the gate has had, in KiB.
fn peak(gate: &AuditedGate) -> anyhow::Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{}/status", gate.pid().context("the gate does not run")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
