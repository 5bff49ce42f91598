//! `kubectl debug`: a container in a running pod, a copy of a pod, and a node; each refused where nothing permits it, and judged as what
//! it is.

use anyhow::ensure;
use e2e::{furnish, lab, text};

use crate::{TRANSPORTS, over, piped, with_rules};

/// Containers in running pods, by image and target, and what kubectl does with them.
const RULES: &str = r#"
@id("reads") permit (principal, action in [Action::"read", Action::"discover"], resource);
@id("tools") permit (principal, action == Action::"debug", resource)
when {
    (context.bodyComplete || ["busybox"].containsAll(context.images)) &&
    ["web"].containsAll(context.targetContainers) &&
    !context.privileged
};
@id("join") permit (principal, action == Action::"attach", resource) when { context.container like "debugger-*" };
@id("copies") permit (principal, action == Action::"create", resource is Object)
when { resource.type == "pods" && resource.subresource == "" && resource.name like "*-copy" };
@id("node-access") @reason("a node has the secrets of every pod on it")
forbid (principal, action in Action::"write", resource is Object) when { context.hostNamespaces || !context.hostPaths.isEmpty() };
"#;

#[test]
fn without_a_rule_it_is_refused_and_told_why() -> anyhow::Result<()> {
    let namespace = "debug-refused";
    let lab = lab()?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("refused")?;
    let pod = web(&lab, namespace)?;
    let node = lab.cluster.must(&["get", "nodes", "-o", "name"])?;
    let mut told = Vec::new();
    for arguments in [
        &["debug", &pod, "--image=busybox", "--profile=baseline", "--", "id"][..],
        &["debug", &pod, "--image=busybox", "--target=web", "--profile=sysadmin", "--", "id"],
        &["debug", &pod, "--copy-to=web-copy", "--image=busybox", "--profile=sysadmin", "--", "id"],
        &["debug", node.trim(), "--image=busybox", "--", "id"],
        &["debug", node.trim(), "--image=busybox", "--profile=sysadmin", "--", "id"],
    ] {
        let output = session.kubectl(&[&["-n", namespace], arguments].concat())?;
        ensure!(!output.status.success(), "{arguments:?}: {}", text(&output));
        told.push(masked(&text(&output), &pod, node.trim()));
    }
    insta::assert_snapshot!(told.join("\n"));
    Ok(())
}

#[test]
fn what_a_rule_permits_is_done_and_nothing_beside() -> anyhow::Result<()> {
    let namespace = "debug-permitted";
    let (lab, _rules) = with_rules(RULES)?;
    furnish(lab.cluster, namespace)?;
    let session = lab.gate.session("permitted")?;
    let pod = web(&lab, namespace)?;
    let node = lab.cluster.must(&["get", "nodes", "-o", "name"])?;
    for (transport, websockets) in TRANSPORTS {
        let arguments = [
            "-n",
            namespace,
            "debug",
            &pod,
            "-i",
            "--quiet",
            "--image=busybox",
            "--target=web",
            "--profile=baseline",
            "--",
            "sh",
            "-c",
            "read line; echo \"told: $line\"",
        ];
        let direct = piped(over(lab.cluster.command(&arguments)?, websockets), b"hello\n")?;
        let gated = piped(over(session.command(&arguments)?, websockets), b"hello\n")?;
        ensure!(text(&gated).contains("told: hello"), "{transport}: {}", text(&gated));
        ensure!(gated == direct, "{transport}: directly {direct:?}, through the gate {gated:?}");
    }
    for (transport, websockets) in TRANSPORTS {
        let copied = |way: &str| {
            let to = format!("--copy-to={way}-{}-copy", transport.to_lowercase());
            let debug = [
                "-n",
                namespace,
                "debug",
                &pod,
                "-i",
                "--quiet",
                "--image=busybox",
                "--container=debugger-copy",
            ];
            let line = ["--profile=baseline", &to, "--", "sh", "-c", "read line; echo \"told: $line\""];
            let arguments = [&debug[..], &line].concat();
            let command =
                if way == "gated" { session.command(&arguments) } else { lab.cluster.command(&arguments) };
            piped(over(command?, websockets), b"hello\n")
        };
        let (direct, gated) = (copied("direct")?, copied("gated")?);
        ensure!(text(&gated).contains("told: hello"), "{transport}: {}", text(&gated));
        ensure!(gated == direct, "{transport}: directly {direct:?}, through the gate {gated:?}");
    }
    let mut told = Vec::new();
    for (more, image) in [
        (&[&*pod, "--profile=baseline", "--target=web"][..], "nginx"),
        (&[&*pod, "--profile=baseline", "--target=other"], "busybox"),
        // It adds a capability.
        (&[&*pod, "--profile=general", "--target=web"], "busybox"),
        (&[&*pod, "--profile=baseline", "--copy-to=web-other"], "busybox"),
        (&[node.trim(), "--profile=general"], "busybox"),
    ] {
        let image = format!("--image={image}");
        let output = session.kubectl(&[&["-n", namespace, "debug"], more, &[&image, "--", "id"]].concat())?;
        ensure!(!output.status.success(), "{more:?}: {}", text(&output));
        told.push(masked(&text(&output), &pod, node.trim()));
    }
    // What was put there is no way to the pod's own containers.
    let output = session.kubectl(&["-n", namespace, "attach", &pod, "-c", "web"])?;
    ensure!(!output.status.success(), "{}", text(&output));
    told.push(masked(&text(&output), &pod, node.trim()));
    insta::assert_snapshot!(told.join("\n"));
    Ok(())
}

fn web(lab: &e2e::Lab, namespace: &str) -> anyhow::Result<String> {
    let pod = lab.cluster.must(&["-n", namespace, "get", "pods", "-l", "app=web", "-o", "name"])?;
    Ok(pod.trim().trim_start_matches("pod/").to_owned())
}

/// Without what is different each time.
fn masked(told: &str, pod: &str, node: &str) -> String {
    let told = told.replace(pod, "POD").replace(node.trim_start_matches("node/"), "NODE");
    let words = told.lines().filter(|line| line.contains("rror")).map(str::trim);
    let words = words.collect::<Vec<_>>().join("\n");
    let random = regex::Regex::new("(node-)?debugger-NODE-[a-z0-9]{5}");
    random.map_or_else(|_| words.clone(), |random| random.replace_all(&words, "DEBUGGER").into_owned())
}
