//! `kubectl cp`, which is tar through exec.

use std::fs;

use anyhow::ensure;
use e2e::{furnish, permissive, start, text};

use crate::{TRANSPORTS, over};

#[test]
fn files_are_copied_both_ways() -> anyhow::Result<()> {
    let namespace = "streams-cp";
    let lab = start(&permissive())?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("cp")?;
    let pod = lab.cluster.must(&["-n", namespace, "get", "pods", "-l", "app=web", "-o", "name"])?;
    let pod = pod.trim().trim_start_matches("pod/").to_owned();
    let folder = tempfile::tempdir()?;
    let bytes: Vec<u8> =
        (0..1_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    fs::create_dir(folder.path().join("there"))?;
    fs::write(folder.path().join("there/large"), &bytes)?;
    fs::write(folder.path().join("there/small"), "small\n")?;
    for (transport, websockets) in TRANSPORTS {
        let copy = |from: &str, to: &str| {
            let command = session.command(&["-n", namespace, "cp", from, to])?;
            let output = over(command, websockets).current_dir(folder.path()).output()?;
            ensure!(output.status.success(), "{transport}: {}", text(&output));
            anyhow::Ok(())
        };
        copy("there", &format!("{pod}:/tmp/{transport}"))?;
        copy(&format!("{pod}:/tmp/{transport}"), &format!("back-{transport}"))?;
        let back = folder.path().join(format!("back-{transport}"));
        ensure!(fs::read(back.join("large"))? == bytes, "{transport}: the large file is another");
        ensure!(fs::read_to_string(back.join("small"))? == "small\n");
    }
    Ok(())
}
