//! B8: size.

use std::{
    fs,
    io::{Read, Write},
};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{AuditedGate, CANARY, Client, contains_canary};
use futures_util::stream;
use testkit::stand_in::Reply;

use super::{SECRET, faced};

/// Of the list that [`huge`] gives, in items of 64 KiB.
const ITEMS: usize = 640;

/// 40 MiB of Secrets.
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
    let line = format!("GET {SECRET}?limit=640");
    let mut direct = Client::of(&server)?.connect()?;
    write!(direct, "{line} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut first = vec![0; 128 << 10];
    direct.read_exact(&mut first)?;
    ensure!(contains_canary(&first), "the control");
    let client = Client::new(&gate, &gate.session("huge")?)?;
    let before = peak(&gate)?;
    let mut stream = client.connect()?;
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        client.token()
    )?;
    let (value, placeholder) = (STANDARD.encode(CANARY), STANDARD.encode("masked-by-portcullis"));
    let shown = placeholder.get(..24).context("a placeholder is longer")?;
    let (mut masked, mut all, mut window, mut buffer) = (0, 0, Vec::new(), vec![0; 256 << 10]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        window.extend_from_slice(buffer.get(..read).unwrap_or_default());
        all += read;
        // What two windows share is looked at in the second; a chunk's frame may stand in between, rarely.
        let kept = if read == 0 { 0 } else { 64 };
        let cut = window.len().saturating_sub(kept);
        let holds = |text: &str| memchr::memmem::find(&window, text.as_bytes()).is_some();
        assert!(!holds(&value) && !holds(CANARY));
        masked += memchr::memmem::find_iter(&window, shown.as_bytes()).filter(|at| *at < cut).count();
        window.drain(..cut);
        if read == 0 {
            break;
        }
    }
    assert!(
        all > ITEMS << 16 && masked + 8 > ITEMS && masked <= ITEMS,
        "{masked} placeholders in {all} bytes"
    );
    let grown = peak(&gate)?.saturating_sub(before);
    assert!(grown < 24 << 10, "{grown} KiB more");
    Ok(())
}

/// The most memory that the gate has had, in KiB.
fn peak(gate: &AuditedGate) -> anyhow::Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{}/status", gate.pid().context("the gate does not run")?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
