//! The same command directly and through the gate.

use std::{process::Output, sync::OnceLock};

use anyhow::{Context, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use regex::Regex;
use testkit::{Cluster, Session};

use crate::CANARY;

/// A cluster reached directly and through a session.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// Directly, as its administrator.
    pub direct: &'a Cluster,
    /// Through the gate.
    pub session: &'a Session<'a>,
}

impl Comparison<'_> {
    /// Runs a kubectl command that changes something both ways. `NS` in it and in its input becomes a namespace of each
    /// way's own, so that changes do not meet; output and exit code must be the same but for times.
    ///
    /// # Errors
    /// They are not; the error shows both.
    pub fn same(&self, line: &str, input: &str) -> anyhow::Result<()> {
        let (expected, got) = (self.directly(line, input)?, self.gated(line, input)?);
        compared(line, &expected, &got)
    }

    /// Runs a kubectl command that changes nothing both ways. Secret values that are shown directly must be masked, and
    /// that must be the only difference but for times.
    ///
    /// # Errors
    /// There is another; the error shows both.
    pub fn same_read(&self, line: &str) -> anyhow::Result<()> {
        let both = || anyhow::Ok((masked(&self.directly(line, "")?), self.gated(line, "")?));
        let (expected, got) = both()?;
        if expected == got {
            return Ok(());
        }
        // What is read may have changed in between, as events come when they come.
        let (expected, got) = both()?;
        compared(line, &expected, &got)
    }

    fn directly(&self, line: &str, input: &str) -> anyhow::Result<String> {
        let line = line.replace("NS", "direct");
        let arguments: Vec<&str> = line.split_whitespace().collect();
        shown(&self.direct.kubectl_with_input(&arguments, &input.replace("NS", "direct"))?)
    }

    fn gated(&self, line: &str, input: &str) -> anyhow::Result<String> {
        let line = line.replace("NS", "gated");
        let mut command = self.session.command(&line.split_whitespace().collect::<Vec<_>>())?;
        shown(&testkit::run_with_input(&mut command, &input.replace("NS", "gated"))?)
    }
}

fn compared(line: &str, expected: &str, got: &str) -> anyhow::Result<()> {
    ensure!(expected == got, "`kubectl {line}`\n--- directly\n{expected}\n--- through the gate\n{got}");
    Ok(())
}

/// What was shown directly as it may be shown through the gate.
fn masked(shown: &str) -> String {
    let bytes = |length: usize| format!("{length} bytes");
    shown.replace(&STANDARD.encode(CANARY), "MASKED-DATA").replace(CANARY, "MASKED-TEXT").replace(
        &bytes(CANARY.len()),
        &bytes("masked-by-portcullis-TTTTTTTTTTTTTTTTTT-not-the-real-value".len()),
    )
}

fn shown(output: &Output) -> anyhow::Result<String> {
    let stdout = normalised(&String::from_utf8_lossy(&output.stdout))?;
    let stderr = normalised(&String::from_utf8_lossy(&output.stderr))?;
    // How often a rollout or a starting container is looked at depends on how long it takes.
    let waits =
        |line: &str| line.starts_with("Waiting for deployment") || line.contains("is waiting to start:");
    let kept = |text: &str| text.lines().filter(|line| !waits(line)).collect::<Vec<_>>().join("\n");
    Ok(format!("exit {:?}\n{}\n{}", output.status.code(), kept(&stdout), kept(&stderr)))
}

/// Text without what differs between two runs of the same command: ages, times, generated names, uids, versions,
/// and which of the two namespaces it ran in.
///
/// # Errors
/// A pattern is no regular expression.
pub fn normalised(text: &str) -> anyhow::Result<String> {
    static PATTERNS: OnceLock<anyhow::Result<Vec<(Regex, &str)>>> = OnceLock::new();
    let compile = |&(pattern, replacement)| anyhow::Ok((Regex::new(pattern).context(pattern)?, replacement));
    let patterns = PATTERNS.get_or_init(|| VARYING.iter().map(compile).collect());
    let patterns = patterns.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let mut text = text.to_owned();
    for (pattern, replacement) in patterns {
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    Ok(text)
}

/// What varies, and what stands for it.
const VARYING: &[(&str, &str)] = &[
    (r"masked-by-portcullis-[a-z2-7]*-not-the-real-value", "MASKED-TEXT"),
    ("bWFza2VkLWJ5LXBvcnRjdWxsaXMt[A-Za-z0-9]*LW5vdC10aGUtcmVhbC12YWx1ZQ==", "MASKED-DATA"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b", "AGE"),
    (r"\ba-[a-z2-7]{12}\b", "APPROVAL"),
    (r"\blocalhost:\d+/approvals\b", "CONSOLE/approvals"),
    (r"(resourceVersion: )\S+", "${1}RV"),
    (r#"("resourceVersion": )"\d+""#, "${1}RV"),
    (r"\bweb-[0-9a-f]{8,10}(-[a-z0-9]{5})?\b", "web-GENERATED"),
    (r"pod-template-hash([=:]\s*)[0-9a-f]+", "pod-template-hash${1}HASH"),
    (r"[0-9a-f]{64}", "DIGEST"),
    (r"\b10(\.\d+){3}\b", "ADDRESS"),
    (r"https://(127\.0\.0\.1|localhost):\d+", "SERVER"),
    (r"/(LIVE|MERGED)-\d+/(\S+)\s.*", "/$1/$2"),
    (r"\b(direct|gated)\b", "NS"),
    (r" +", " "),
    (r"-{3,}", "---"),
];
