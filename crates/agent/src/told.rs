//! What an agent is told of what it asked for, in words that a person can read along.

use std::{
    borrow::Cow,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use approval::{Answer, Standing};
use visible::visible;

use crate::{apply::How, manifests::Sources};

/// What is to be done once humans agreed.
#[derive(Debug, Clone)]
pub enum Next {
    /// The calls that were asked for.
    Calls,
    /// `kubectl apply` of what was proposed.
    Apply {
        /// The manifests.
        sources: Sources,
        /// As they were proposed.
        how: How,
        /// `--namespace`.
        namespace: Option<String>,
        /// `--kubeconfig`.
        kubeconfig: Option<PathBuf>,
    },
}

/// What is asked for, who must agree, and where they do: lines, each with its end.
#[must_use]
pub fn asked(answer: &Answer) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _infallible = writeln!(out, "{name:<10}{}", visible(value));
        }
    };
    for asked in &answer.asked {
        line("asks for", asked);
    }
    for allowed in &answer.allowed {
        line("allowed", allowed);
    }
    if let Some(id) = &answer.approval {
        line("approval", id);
        line("needs", &answer.needs);
        line("page", answer.page.as_deref().unwrap_or_default());
        if let Some(until) = answer.until.filter(|_until| is_pending(answer)) {
            line("until", &format!("{until:.0}"));
        }
    }
    out
}

/// How it stands and what to do now: lines, each with its end.
#[must_use]
pub fn outcome(answer: &Answer, next: &Next) -> String {
    let mut out = match &answer.approval {
        Some(id) => format!("{} is {}", visible(id), answer.state.as_str()),
        None => "Policy allows all of it".to_owned(),
    };
    // Until when it can be used, is told below.
    if !answer.how.is_empty() && answer.state != Standing::Approved {
        let _infallible = write!(out, ": {}", visible(&answer.how));
    }
    out.push('\n');
    let when = match (answer.state, answer.until) {
        (Standing::Approved, Some(until)) => format!("Until {until:.0}"),
        (Standing::Approved | Standing::Allowed, _) => "Now".to_owned(),
        (Standing::Pending, _) => "Once humans agreed".to_owned(),
        _ => return out,
    };
    let _infallible = match next {
        Next::Calls => writeln!(out, "{when}, make these calls"),
        Next::Apply { .. } => writeln!(out, "{when}, run:  {}", next.command()),
    };
    out
}

/// Whether what was asked for can be done now.
#[must_use]
pub fn agreed(answer: &Answer) -> bool {
    matches!(answer.state, Standing::Approved | Standing::Consumed | Standing::Allowed)
}

/// Whether humans have yet to decide.
#[must_use]
pub fn is_pending(answer: &Answer) -> bool {
    answer.state == Standing::Pending
}

impl Next {
    /// The command line, for a shell.
    fn command(&self) -> String {
        let Self::Apply { sources, how, namespace, kubeconfig } = self else { return String::new() };
        let mut command = "kubectl apply".to_owned();
        for file in &sources.files {
            command.push_str(" -f ");
            command.push_str(&word(&file.display().to_string()));
        }
        if sources.recursive {
            command.push_str(" -R");
        }
        match how {
            How::Client => {}
            How::Server { force: false } => command.push_str(" --server-side"),
            How::Server { force: true } => command.push_str(" --server-side --force-conflicts"),
        }
        let kubeconfig = kubeconfig.as_deref().map(Path::display).map(|file| file.to_string());
        for (option, value) in [("-n", namespace), ("--kubeconfig", &kubeconfig)] {
            if let Some(value) = value {
                let _infallible = write!(command, " {option} {}", word(value));
            }
        }
        visible(&command)
    }
}

/// `text` as one word of a shell. A name with NUL is none of a file, and is shown as it is.
fn word(text: &str) -> Cow<'_, str> {
    shlex::try_quote(text).unwrap_or(Cow::Borrowed(text))
}

#[cfg(test)]
mod tests;
