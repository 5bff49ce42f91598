//! The configuration that a gate of the tests runs with.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use anyhow::Context;

/// The agent that every gate of the tests knows.
pub const AGENT: &str = "claude";
/// The human on whose behalf it runs.
pub const DELEGATOR: &str = "ada@example.com";
/// The human who may decide, in the group `sre`: the account that runs the tests.
pub const APPROVER: &str = "grace@example.com";
/// What the configuration calls the cluster.
pub const CLUSTER: &str = "demo";

/// What a test wants to be different from the start configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder of policies, or `builtin:NAME`.
    pub bundle: String,
    /// The cluster's `masking`, as `{ known_values: { enabled: false } }`; `None` for the defaults, and in front of a stand-in for
    /// no known values, since it has no Secrets to tell of.
    pub masking: Option<String>,
    /// Fixed denials that the operator lifts for the cluster, by id.
    pub lift: Vec<String>,
    /// How long a call waits for humans, as `60s`.
    pub hold: String,
    /// More of the `console` section, as `, oidc: { … }`.
    pub console: String,
    /// Lines appended to `portcullis.yaml`, such as a `limits:` section.
    pub extra: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bundle: "builtin:developer".to_owned(),
            masking: None,
            lift: Vec::new(),
            hold: "100ms".to_owned(),
            console: String::new(),
            extra: String::new(),
        }
    }
}

impl Options {
    /// Writes `portcullis.yaml` over the one of `portcullis init`; `cluster` is how the cluster is reached.
    pub(super) fn write(&self, file: &Path, ports: [u16; 3], cluster: &str) -> anyhow::Result<()> {
        let [port, operations, people] = ports;
        let Self { bundle, masking, lift, hold, console, extra } = self;
        // Whoever runs the tests is the approver.
        let account = fs::metadata("/proc/self").map(|process| process.uid())?;
        let masking = masking.as_ref().map(|masking| format!("\n    masking: {masking}")).unwrap_or_default();
        let lift = if lift.is_empty() { String::new() } else { format!("\n    lift: [{}]", lift.join(", ")) };
        let text = format!(
            "listen: 127.0.0.1:{port}
public_url: https://localhost:{port}
tls: {{ certificate: tls.crt, key: tls.key, ca: ca.crt }}
operations: {{ listen: 127.0.0.1:{operations} }}
console: {{ listen: 127.0.0.1:{people}, public_url: http://localhost:{people}{console} }}
data: data
policy: {{ bundle: \"{bundle}\" }}
clusters:
  - name: {CLUSTER}
    {cluster}{masking}{lift}
agents:
  - name: {AGENT}
    groups: [developers]
approvers:
  - {{ name: {APPROVER}, groups: [sre], account: {account} }}
approvals: {{ hold: {hold} }}
{extra}"
        );
        fs::write(file, text).with_context(|| file.display().to_string())
    }
}
