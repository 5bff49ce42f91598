//! One scene: what is typed, and what must come of it.

use std::process::Output;

use anyhow::Context;
use regex::Regex;
use testkit::Session;

use super::stage::{PASSWORD, kubectl, shown, typed};

/// One command of the agent's and the whole of what it must come to.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) line: &'static str,
    pub(super) stdin: &'static str,
    /// kubectl's exit code.
    pub(super) code: i32,
    /// A regular expression for everything that is printed, from its beginning to its end.
    pub(super) shows: &'static str,
}

impl Scene {
    /// Plays it; answers whether it went as told.
    pub(super) fn play(&self, session: &Session<'_>) -> anyhow::Result<bool> {
        println!("\n--- {}", self.title);
        let output = kubectl(session, self.line, self.stdin)?;
        let text = shown(&output);
        typed(self.line, self.stdin, &text);
        let problems = self.problems(&output, &text)?;
        for problem in &problems {
            println!("!!! not as told: {problem}");
        }
        Ok(problems.is_empty())
    }

    fn problems(&self, output: &Output, text: &str) -> anyhow::Result<Vec<String>> {
        let whole = Regex::new(&format!(r"\A(?:{})\z", self.shows)).context(self.title)?;
        let mut problems = Vec::new();
        if output.status.code() != Some(self.code) {
            problems.push(format!("it ended with {}, not with {}", output.status, self.code));
        }
        if !whole.is_match(text) {
            problems.push(format!("the output is not `{}`", self.shows));
        }
        if leaks(text) {
            problems.push("a secret value came back".to_owned());
        }
        Ok(problems)
    }
}

/// The password, raw or in base64.
pub(super) fn leaks(text: &str) -> bool {
    text.contains(PASSWORD) || text.contains("Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ")
}
