//! What else than kubectl people use: the client libraries for Python and JavaScript do through the gate what they do directly. And a
//! crowd of streams at once, as a terminal dashboard for each of many agents would open them.
#![expect(clippy::indexing_slicing, reason = "of JSON, where it gives null")]

mod crowd;
mod libraries;
mod messages;

use anyhow::Context;
use e2e::eventually;
use serde_json::Value;
use testkit::Cluster;

/// A web server, which serves its own program, and one that says what it is told; when both of them listen.
fn serve(cluster: &Cluster, namespace: &str) -> anyhow::Result<()> {
    cluster.apply(&format!(
        "{{apiVersion: v1, kind: Namespace, metadata: {{name: {namespace}}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: web, namespace: {namespace}, labels: {{app: web}}}}, spec: {{terminationGracePeriodSeconds: 0,
           containers: [{{name: web, image: agnhost, args: [test-webserver]}},
                        {{name: echo, image: agnhost, args: [netexec, --http-port=8080]}}]}}}}"
    ))?;
    cluster.ready(namespace, "web")?;
    // Ready is the process, not what listens.
    eventually("both servers listen", || {
        let listens = "grep -q ':0050 .* 0A ' /proc/net/tcp* && grep -q ':1F90 .* 0A ' /proc/net/tcp*";
        let looked =
            cluster.kubectl(&["-n", namespace, "exec", "web", "-c", "web", "--", "sh", "-c", listens])?;
        Ok(if looked.status.success() { Ok(()) } else { Err(e2e::text(&looked)) })
    })
}

/// Events of connections to ports: those whose request names one.
fn connections<'l>(leaves: &'l [Value], kind: &str) -> Vec<&'l Value> {
    let of_kind = leaves.iter().filter(|leaf| leaf["type"] == kind).map(|leaf| &leaf["event"]);
    of_kind.filter(|event| event["through"].is_string()).collect()
}

/// The outcome of a call.
fn outcome<'l>(leaves: &'l [Value], call: &Value) -> anyhow::Result<&'l Value> {
    let mut outcomes = leaves.iter().filter(|leaf| leaf["type"] == "outcome").map(|leaf| &leaf["event"]);
    outcomes.find(|event| event["call"] == *call).with_context(|| format!("no outcome of {call}"))
}
