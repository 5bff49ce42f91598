//! The same command directly and through the gate.

use std::{process::Output, sync::OnceLock};

use anyhow::ensure;
use regex::Regex;
use testkit::{Cluster, Session};

/// A cluster reached directly and through a session.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Directly, as its administrator.
    pub direct: &'a Cluster,
    /// Through the gate.
    pub session: &'a Session<'a>,
}

impl Comparison<'_> {
    /// Runs a kubectl command both ways. `NS` in it becomes a namespace of each way's own, so that changes do not
    /// meet; output and exit code must be the same but for times.
    ///
    /// # Errors
    /// They are not; the error shows both.
    pub fn same(&self, line: &str, input: &str) -> anyhow::Result<String> {
        let direct =
            self.direct.kubectl_with_input(&arguments(line, "direct"), &input.replace("NS", "direct"))?;
        let mut command = self.session.command(&arguments(line, "gated"))?;
        let gated = testkit::run_with_input(&mut command, &input.replace("NS", "gated"))?;
        let (expected, got) = (shown(&direct), shown(&gated));
        ensure!(expected == got, "`kubectl {line}`\n--- directly\n{expected}\n--- through the gate\n{got}");
        Ok(got)
    }
}

fn arguments<'a>(line: &'a str, namespace: &'a str) -> Vec<&'a str> {
    line.split_whitespace().map(|word| if word == "NS" { namespace } else { word }).collect()
}

fn shown(output: &Output) -> String {
    let stdout = normalised(&String::from_utf8_lossy(&output.stdout));
    // How often a rollout is looked at while it goes on depends on how long it takes.
    let stdout: Vec<&str> =
        stdout.lines().filter(|line| !line.starts_with("Waiting for deployment")).collect();
    let stdout = stdout.join("\n");
    let stderr = normalised(&String::from_utf8_lossy(&output.stderr));
    format!("exit {:?}\n{stdout}\n{stderr}", output.status.code())
}

/// Text without what differs between two runs of the same command: ages, times, generated names, uids, versions,
/// and which of the two namespaces it ran in.
#[must_use]
pub fn normalised(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, replacement) in patterns() {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    text
}

fn patterns() -> &'static [(Regex, &'static str)] {
    static PATTERNS: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
            (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b", "AGE"),
            (r"(resourceVersion: )\S+", "${1}RV"),
            (r#"("resourceVersion": )"\d+""#, "${1}RV"),
            (r"\bweb-[0-9a-f]{8,10}(-[a-z0-9]{5})?\b", "web-GENERATED"),
            (r"pod-template-hash([=:]\s*)[0-9a-f]+", "pod-template-hash${1}HASH"),
            (r"[0-9a-f]{64}", "DIGEST"),
            (r"https://(127\.0\.0\.1|localhost):\d+", "SERVER"),
            (r"/(LIVE|MERGED)-\d+/(\S+)\s.*", "/$1/$2"),
            (r"\b(direct|gated)\b", "NS"),
            (r" +", " "),
            (r"-{3,}", "---"),
        ]
        .into_iter()
        .filter_map(|(pattern, replacement)| Some((Regex::new(pattern).ok()?, replacement)))
        .collect()
    })
}
