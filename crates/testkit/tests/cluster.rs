//! The test Kubernetes does what tests rely on.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context;
use testkit::Cluster;

const POD: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: v1
kind: Secret
metadata: {name: database, namespace: NAMESPACE}
stringData: {PASSWORD: correct-horse}
---
apiVersion: v1
kind: Pod
metadata: {name: app, namespace: NAMESPACE}
spec:
  containers:
  - name: app
    image: busybox
    command: [sh, -c, 'echo \"from the environment: $PASSWORD\"; cat; sleep 1000']
    envFrom: [{secretRef: {name: database}}]
    volumeMounts: [{name: database, mountPath: /etc/database}]
  - name: web
    image: agnhost:2.40
    args: [netexec, --http-port=8080]
  volumes: [{name: database, secret: {secretName: database}}]
";

/// The shared cluster with a namespace in which the pod `app` is ready.
fn with_pod(namespace: &str) -> anyhow::Result<&'static Cluster> {
    let cluster = Cluster::shared()?;
    cluster.apply(&POD.replace("NAMESPACE", namespace))?;
    cluster.ready(namespace, "app")?;
    Ok(cluster)
}

#[test]
fn kubectl_has_the_server_s_version() {
    let versions = Cluster::shared().unwrap().must(&["version"]).unwrap();
    assert!(versions.contains("Client Version: v1.37.2"), "{versions}");
    assert!(versions.contains("Server Version: v1.37.2"), "{versions}");
}

#[test]
fn a_pod_gets_its_secret_and_logs() {
    let cluster = with_pod("logs").unwrap();
    let log = cluster.must(&["-n", "logs", "logs", "app", "-c", "app"]).unwrap();
    assert_eq!(log, "from the environment: correct-horse\n");
    if cluster.isolated() {
        let mounted = ["-n", "logs", "exec", "app", "-c", "app", "--", "cat", "/etc/database/PASSWORD"];
        assert_eq!(cluster.must(&mounted).unwrap(), "correct-horse");
    }
}

#[test]
fn exec_carries_streams_and_exit_code() {
    let cluster = with_pod("exec").unwrap();
    let script = "tr a-z A-Z; echo problem >&2; exit 7";
    let command = ["-n", "exec", "exec", "-i", "app", "-c", "app", "--", "sh", "-c", script];
    let output = cluster.kubectl_with_input(&command, "hello").unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "HELLO");
    assert!(String::from_utf8_lossy(&output.stderr).contains("problem\n"));
}

#[test]
fn attach_reaches_the_container_s_own_streams() {
    let cluster = Cluster::shared().unwrap();
    let script = "read line; echo got $line; exit 4";
    let run = [
        "run",
        "attached",
        "--rm",
        "-i",
        "--quiet",
        "--restart=Never",
        "--image=busybox",
        "--",
        "sh",
        "-c",
        script,
    ];
    let output = cluster.kubectl_with_input(&run, "this\n").unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("got this"), "{output:?}");
}

#[test]
fn port_forward_reaches_the_pod() {
    let cluster = with_pod("ports").unwrap();
    let begun = Instant::now();
    let answer = loop {
        let mut forward = cluster
            .command(&["-n", "ports", "port-forward", "pod/app", ":8080"])
            .unwrap()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Kept open to the end: kubectl ends when it cannot write to it.
        let mut stdout = BufReader::new(forward.stdout.take().unwrap());
        let answer = ask_forwarded(&mut stdout);
        forward.kill().unwrap();
        forward.wait().unwrap();
        // Ready is the process, not what listens.
        match answer {
            Ok(answer) if !answer.is_empty() => break answer,
            none => assert!(begun.elapsed() < Duration::from_secs(60), "{none:?}"),
        }
    };
    assert!(answer.ends_with("\r\n\r\napp") || !cluster.isolated(), "{answer}");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

/// Asks the pod's web server for its host name, through the port that kubectl says it forwards.
fn ask_forwarded(stdout: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let address = line.strip_prefix("Forwarding from ").and_then(|rest| rest.split(' ').next());
    let mut connection = TcpStream::connect(address.context("kubectl named no address")?)?;
    connection.write_all(b"GET /hostname HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn controllers_scale_and_delete() {
    let cluster = Cluster::shared().unwrap();
    cluster.must(&["create", "namespace", "scale"]).unwrap();
    cluster.must(&["-n", "scale", "create", "deployment", "web", "--image=nginx"]).unwrap();
    cluster.must(&["-n", "scale", "scale", "deployment/web", "--replicas=3"]).unwrap();
    cluster.must(&["-n", "scale", "rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
    let replicas = ["-n", "scale", "get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"];
    assert_eq!(cluster.must(&replicas).unwrap(), "3");
    cluster
        .must(&["-n", "scale", "delete", "deployment/web", "--cascade=foreground", "--timeout=60s"])
        .unwrap();
    let gone = cluster.kubectl(&["-n", "scale", "get", "deployment/web"]).unwrap();
    assert_eq!(gone.status.code(), Some(1));
}

#[test]
fn a_program_that_is_not_there_is_told_in_the_status() {
    let cluster = Cluster::shared().unwrap();
    let run = [
        "run",
        "broken",
        "--restart=Never",
        "--image=busybox",
        "--env=NAME=absent",
        "--command",
        "--",
        "$(NAME)",
    ];
    cluster.must(&run).unwrap();
    cluster.must(&["wait", "--for=jsonpath={.status.phase}=Failed", "pod/broken", "--timeout=60s"]).unwrap();
    let message = "jsonpath={.status.containerStatuses[0].state.terminated.message}";
    let message = cluster.must(&["get", "pod", "broken", "-o", message]).unwrap();
    assert!(message.contains(r#"exec: "absent": executable file not found in $PATH"#), "{message}");
}

#[test]
fn the_audit_log_has_who_was_impersonated() {
    let cluster = Cluster::shared().unwrap();
    let refused = cluster.kubectl(&["get", "secrets", "--as", "mallory", "--as-group", "agents"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let log = std::fs::read_to_string(cluster.audit_log()).unwrap();
    let event = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|event| event["impersonatedUser"]["username"] == "mallory")
        .unwrap();
    assert_eq!(event["user"]["username"], "kubernetes-admin");
    assert_eq!(event["impersonatedUser"]["groups"], serde_json::json!(["agents", "system:authenticated"]));
    assert_eq!(event["responseStatus"]["code"], 403);
}

#[test]
fn a_cluster_ends_with_its_handle() {
    let cluster = Cluster::start(None, None).unwrap();
    let (pid, folder) = (cluster.pid(), cluster.kubeconfig().parent().unwrap().to_path_buf());
    assert!(folder.is_dir());
    drop(cluster);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(!folder.exists());
}
