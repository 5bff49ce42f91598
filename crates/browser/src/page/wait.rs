//! Waiting for what a page becomes.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::Value;

use super::{Page, TEXT, Threw, URL};
use crate::{PATIENCE, bounded, connection::CallError, field};

/// Looks at a condition in each frame, in the page.
const EACH_FRAME: &str = include_str!("each_frame.js");

/// Looks at a condition once, where scripts are off and nothing would call back.
const ONCE: &str = include_str!("once.js");

impl Page {
    /// Waits until an expression of JavaScript, or the promise it gives, is true; also in the document that comes next, once all of it
    /// has come: what is read after that is not half a page.
    ///
    /// # Errors
    /// It is not in time; what it threw last is told, where the page is, and the text it shows.
    pub fn wait_for(&self, condition: &str) -> anyhow::Result<()> {
        match self.wait(condition) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.context(format!("waited for `{condition}`"))),
        }
    }

    /// As [`Page::wait_for`]; an array is given out as it is.
    pub(super) fn wait(&self, condition: &str) -> anyhow::Result<Value> {
        let deadline = Instant::now() + self.patience;
        loop {
            let events = self.session.seen().with(|state| state.events);
            let why = match self.look(condition, deadline) {
                Ok(Ok(answer)) => match field::text(&answer, "/why") {
                    Some(why) => why.to_owned(),
                    None => return Ok(field::take(answer, "/value")),
                },
                Ok(Err(broken)) => return Err(broken.into()),
                // The document is on its way out: the one that comes next is looked at.
                Err(refused @ CallError::Refused(..)) => refused.to_string(),
                Err(error) => return Err(error.into()),
            };
            let more = self.session.seen().wait(deadline, |state| state.events > events);
            if !more || Instant::now() >= deadline {
                bail!("after {:?} {why}; {}", self.patience, self.described());
            }
        }
    }

    fn look(&self, condition: &str, deadline: Instant) -> Result<Result<Value, Threw>, CallError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let script = if self.scripting.enabled() {
            format!("({EACH_FRAME})(() => ({condition}), {})", left.as_millis())
        } else {
            format!("({ONCE})(() => ({condition}))")
        };
        // The page looks at the clock only between two frames, and then has an answer.
        self.evaluate(&script, left + Duration::from_secs(5))
    }

    /// Where the page is and what it shows, for messages.
    fn described(&self) -> String {
        let told = |script| match self.evaluate(script, PATIENCE) {
            Ok(Ok(value)) => bounded(value.as_str().unwrap_or_default()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        format!("`{}` shows:\n{}", told(URL), told(TEXT))
    }
}
