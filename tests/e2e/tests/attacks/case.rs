//! One attack: a request, what it does without the gate, and what comes of it through the gate.

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{Answer, CANARY, Client, PLANTED, SPIKY};
use regex::Regex;
use serde_json::Value;

/// Content types, as header lines.
pub(crate) const JSON: &str = "Content-Type: application/json";
pub(crate) const JSON_PATCH: &str = "Content-Type: application/json-patch+json";
pub(crate) const MERGE: &str = "Content-Type: application/merge-patch+json";
pub(crate) const STRATEGIC: &str = "Content-Type: application/strategic-merge-patch+json";
pub(crate) const APPLY: &str = "Content-Type: application/apply-patch+yaml";
pub(crate) const YAML: &str = "Content-Type: application/yaml";
/// Shows of an object what should hold no secret.
pub(crate) const METADATA: &str = "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
pub(crate) const METADATA_LIST: &str =
    "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
pub(crate) const TABLE: &str = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io";

/// A request. In its line and body, `NS` stands for the namespace, `CANARY`, `CANARY64` (in base64) and `PLANTED` for the values.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Of the threat catalogue.
    pub(crate) row: &'static str,
    pub(crate) line: String,
    pub(crate) headers: Vec<&'static str>,
    pub(crate) body: String,
    pub(crate) control: Control,
    pub(crate) gated: Gated,
}

/// What comes without the gate: the attack is real.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Control {
    /// A canary is in the answer.
    Leaks,
    /// The API server does what is asked: this status.
    Takes(u16),
    /// The same, and the answer says this.
    Says(u16, &'static str),
}

/// What comes through the gate. A canary never does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gated {
    /// The answer, with a placeholder where the value would be.
    Masked(u16),
    /// A refusal that says this: which rule, or which part of the request.
    Refused(u16, &'static str),
    /// The answer, which says this and holds nothing that needs masking.
    Plain(u16, &'static str),
}

/// Two ways to ask the same.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Past the gate.
    pub(crate) direct: Client,
    /// Through the gate.
    pub(crate) gated: Client,
    /// What `NS` stands for, directly and through the gate: changes of the one are not seen by the other.
    pub(crate) namespaces: [String; 2],
}

pub(crate) fn case(
    row: &'static str,
    line: impl Into<String>,
    headers: &[&'static str],
    body: impl Into<String>,
    control: Control,
    gated: Gated,
) -> Case {
    Case { row, line: line.into(), headers: headers.to_vec(), body: body.into(), control, gated }
}

/// The rows of some cases.
pub(crate) fn rows_of(cases: &[Case]) -> Vec<&'static str> {
    cases.iter().map(|case| case.row).collect()
}

/// The row of a test that is no table, which must exist to be named.
pub(crate) fn row_of(row: &'static str, _test: fn() -> anyhow::Result<()>) -> &'static str {
    row
}

/// The resource version of an object.
///
/// # Errors
/// It has none.
pub(crate) fn version(body: &str) -> anyhow::Result<String> {
    let object: Value = serde_json::from_str(body)?;
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
    version.map(str::to_owned).with_context(|| format!("no version: {body}"))
}

/// With the values and the namespace in place of their names.
pub(crate) fn filled(text: &str, namespace: &str) -> String {
    // As a word, since base64 may hold the letters.
    static NAMESPACE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bNS\b").unwrap());
    let text = NAMESPACE.replace_all(text, namespace);
    text.replace("CANARY64", &STANDARD.encode(CANARY))
        .replace("CANARY", CANARY)
        .replace("PLANTED64", &STANDARD.encode(PLANTED))
        .replace("PLANTED", PLANTED)
        .replace("SPIKY64", &STANDARD.encode(SPIKY.join("\n")))
}

/// A JSON object with the members of another.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// Whether there is a placeholder, as text or in base64.
pub(crate) fn holds_placeholder(text: &str) -> bool {
    text.contains("masked-by-portcullis") || text.contains("bWFza2VkLWJ5LXBvcnRjdWxsaXM")
}

/// How many cases run at once: most wait for an answer.
const AT_ONCE: usize = 16;

/// Does something with each of many, several at once.
///
/// # Errors
/// What went wrong with any of them.
pub(crate) fn each<T: Sync>(all: &[T], act: impl Fn(&T) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut wrong = Vec::new();
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = act(one) {
                wrong.push(format!("{error:#}"));
            }
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    // Printed, since a gate that does not pass at its end fails the test before what is returned is seen.
    wrong.iter().for_each(|wrong| eprintln!("{wrong}\n"));
    ensure!(wrong.is_empty(), "{} of {} went wrong", wrong.len(), all.len());
    Ok(())
}

// === impl Ways ===

impl Ways {
    /// Tries every case both ways.
    ///
    /// # Errors
    /// Every case that did not end as it says.
    pub(crate) fn try_all(&self, cases: &[Case]) -> anyhow::Result<()> {
        each(cases, |case| {
            self.attempt(case).with_context(|| format!("{}: {} {}", case.row, case.line, case.body))
        })
    }

    fn attempt(&self, case: &Case) -> anyhow::Result<()> {
        let upgrade = case.headers.iter().any(|header| header.starts_with("Upgrade:"));
        let ask = |client: &Client, namespace: &str, enough: bool| {
            let (line, body) = (filled(&case.line, namespace), filled(&case.body, namespace));
            if upgrade {
                // A connection that was upgraded has no end of its own.
                let ended =
                    |answer: &Answer| if answer.status == 101 { answer.leaks() } else { answer.whole };
                client.ask_until(&line, &case.headers, ended)
            } else if enough && body.is_empty() {
                client.ask_until(&line, &case.headers, Answer::leaks)
            } else {
                client.ask(&line, &case.headers, &body)
            }
        };
        // Watches go on when they have leaked.
        let direct = ask(&self.direct, &self.namespaces[0], matches!(case.control, Control::Leaks))?;
        case.control.check(&direct).with_context(|| format!("the control: {direct:?}"))?;
        let gated = ask(&self.gated, &self.namespaces[1], false)?;
        case.gated.check(&gated).with_context(|| format!("through the gate: {gated:?}"))
    }
}

// === impl Control ===

impl Control {
    fn check(self, answer: &Answer) -> anyhow::Result<()> {
        match self {
            Self::Leaks => ensure!(answer.leaks(), "nothing leaks"),
            Self::Takes(status) | Self::Says(status, _) if answer.status != status => {
                bail!("status {} instead of {status}", answer.status)
            }
            Self::Says(_, text) => says(answer, text)?,
            Self::Takes(_) => {}
        }
        Ok(())
    }
}

// === impl Gated ===

impl Gated {
    pub(crate) fn check(self, answer: &Answer) -> anyhow::Result<()> {
        ensure!(!answer.leaks(), "it leaks");
        let (Self::Masked(status) | Self::Refused(status, _) | Self::Plain(status, _)) = self;
        ensure!(answer.status == status, "the status is not {status}");
        match self {
            Self::Masked(_) => ensure!(holds_placeholder(&answer.body), "no placeholder"),
            Self::Refused(_, text) => says(answer, text)?,
            Self::Plain(_, text) => {
                says(answer, text)?;
                ensure!(!holds_placeholder(&answer.body), "something is masked");
            }
        }
        Ok(())
    }
}

/// Nothing at all would be said by every answer.
fn says(answer: &Answer, text: &str) -> anyhow::Result<()> {
    ensure!(!text.is_empty(), "the case does not tell what the answer says");
    ensure!(answer.head.contains(text) || answer.body.contains(text), "does not say `{text}`");
    Ok(())
}
