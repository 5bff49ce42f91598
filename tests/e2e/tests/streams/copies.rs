//! `kubectl cp`, which is tar through exec.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::ensure;
use e2e::{furnish, permissive, start, text};

use crate::{TRANSPORTS, over, piped, with_rules};

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
    fs::set_permissions(folder.path().join("there/small"), fs::Permissions::from_mode(0o750))?;
    for (transport, websockets) in TRANSPORTS {
        let mut ways = Vec::new();
        for way in ["direct", "gated"] {
            // What kubectl says, without what is different by name alone.
            let copy = |from: &str, to: &str| {
                let arguments = ["-n", namespace, "cp", from, to];
                let command = if way == "gated" {
                    session.command(&arguments)
                } else {
                    lab.cluster.command(&arguments)
                };
                let output = over(command?, websockets).current_dir(folder.path()).output()?;
                anyhow::Ok((
                    output.status.code(),
                    text(&output).replace(&format!("{way}-{transport}"), "NAME"),
                ))
            };
            let (here, there) = (format!("{way}-{transport}"), format!("{pod}:/tmp/{way}-{transport}"));
            let said = [copy("there", &there)?, copy(&there, &here)?, copy("nothing", &there)?];
            ensure!(said[..2].iter().all(|(code, _)| *code == Some(0)), "{transport}, {way}: {said:?}");
            ensure!(said[2..].iter().all(|(code, _)| *code != Some(0)), "{transport}, {way}: {said:?}");
            // What is written to a program that has ended may cut off how it ended, directly as well; so little is written.
            let (code, why) = copy("there/small", &format!("{pod}:/proc/{way}-{transport}/no"))?;
            ensure!(
                code != Some(0) && why.contains("tar: /proc/NAME: Cannot open"),
                "{transport}, {way}: {why}"
            );
            let back = folder.path().join(&here);
            ensure!(fs::read(back.join("large"))? == bytes, "{transport}, {way}: the large file is another");
            ensure!(fs::read_to_string(back.join("small"))? == "small\n");
            let mode = fs::metadata(back.join("small"))?.permissions().mode() & 0o777;
            ways.push((said, mode));
        }
        ensure!(ways[0] == ways[1], "{transport}: {ways:?}");
    }
    Ok(())
}

const RULES: &str = r#"
@id("reads") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("out") permit (principal, action == Action::"copyfrom", resource) when { context.path == "/tmp/out" };
@id("in") permit (principal, action == Action::"copyto", resource) when { context.path == "/tmp/in" };
@id("commands") permit (principal, action == Action::"exec", resource in Namespace::"demo/streams-cp-exec");
"#;

/// A rule about commands is none about copies, and the other way round.
#[test]
fn copies_are_permitted_by_path_and_commands_are_not() -> anyhow::Result<()> {
    let (copies, commands) = ("streams-cp-only", "streams-cp-exec");
    let (lab, _rules) = with_rules(RULES)?;
    let session = lab.gate.session("cp-only")?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("small"), "small\n")?;
    let pods = [copies, commands].map(|namespace| {
        furnish(lab.cluster, namespace)?;
        let pod = lab.cluster.must(&["-n", namespace, "get", "pods", "-l", "app=web", "-o", "name"])?;
        let pod = pod.trim().trim_start_matches("pod/").to_owned();
        lab.cluster.must(&["-n", namespace, "exec", &pod, "--", "mkdir", "/tmp/in", "/tmp/other"])?;
        lab.cluster.must(&["-n", namespace, "exec", &pod, "--", "sh", "-c", "echo out > /tmp/out"])?;
        anyhow::Ok(pod)
    });
    let [pod, other] = pods;
    let (pod, other) = (pod?, other?);
    let copy = |namespace: &str, websockets: &str, from: &str, to: &str, more: &[&str]| {
        let command = session.command(&[&["-n", namespace, "cp", from, to], more].concat())?;
        Ok::<_, anyhow::Error>(over(command, websockets).current_dir(folder.path()).output()?)
    };
    let told = |output: &std::process::Output, pod: &str| text(output).trim().replace(pod, "POD");
    let mut refused = Vec::new();
    for (transport, websockets) in TRANSPORTS {
        let back = format!("back-{transport}");
        let fetched = copy(copies, websockets, &format!("{pod}:/tmp/out"), &back, &[])?;
        ensure!(fetched.status.success(), "{transport}: {}", text(&fetched));
        ensure!(fs::read_to_string(folder.path().join(&back))? == "out\n");
        // Into a folder, and to a name in it, which kubectl asks about first.
        for (to, more) in [("/tmp/in", &[][..]), ("/tmp/in/named", &["--no-preserve"])] {
            let sent = copy(copies, websockets, "small", &format!("{pod}:{to}"), more)?;
            ensure!(sent.status.success(), "{transport}: {}", text(&sent));
        }
        for file in ["/tmp/in/small", "/tmp/in/named"] {
            let there = lab.cluster.must(&["-n", copies, "exec", &pod, "--", "cat", file])?;
            ensure!(there == "small\n", "{transport}, {file}: {there}");
        }
        for (from, to) in [
            (format!("{pod}:/etc/hostname"), "no".to_owned()),
            (format!("{pod}:/tmp/in/../out"), "no".to_owned()),
            ("small".to_owned(), format!("{pod}:/tmp/other")),
        ] {
            let output = copy(copies, websockets, &from, &to, &[])?;
            ensure!(!output.status.success(), "{transport}, {from} {to}: {}", text(&output));
            refused.push(format!(
                "{transport} {} {}: {}",
                from.replace(&pod, "POD"),
                to.replace(&pod, "POD"),
                told(&output, &pod)
            ));
        }
        let output =
            over(session.command(&["-n", copies, "exec", &pod, "--", "cat", "/tmp/out"])?, websockets);
        let output = piped(output, b"")?;
        ensure!(!output.status.success(), "{}", text(&output));
        refused.push(format!("{transport} exec: {}", told(&output, &pod)));
        // Where commands are permitted, copies are not, but for the same.
        let output = over(
            session.command(&["-n", commands, "exec", &other, "--", "tar", "cf", "/dev/null", "/etc"])?,
            websockets,
        );
        let output = piped(output, b"")?;
        ensure!(output.status.success(), "{}", text(&output));
        let output = copy(commands, websockets, &format!("{other}:/etc/hostname"), "no", &[])?;
        ensure!(!output.status.success(), "{}", text(&output));
        refused.push(format!("{transport} cp: {}", told(&output, &other)));
    }
    ensure!(!folder.path().join("no").exists(), "something was copied");
    let there = lab.cluster.must(&["-n", copies, "exec", &pod, "--", "ls", "/tmp/other"])?;
    ensure!(there.trim().is_empty(), "something was copied: {there}");
    insta::assert_snapshot!(refused.join("\n"));
    Ok(())
}
