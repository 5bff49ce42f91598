//! Doing it: proposed at once, and sent one after the other.

use std::fmt;

use agent::{Client, Failure, agreed, is_pending};
use approval::{Answer, WantedCall, WantedChanges};

use crate::look::Ready;

/// How an undo ended.
#[derive(Debug)]
pub enum Undone {
    /// Humans were asked, and did not agree; nothing was sent.
    NotAgreed(Answer),
    /// What came of each, in order.
    Sent(Vec<Sent>),
}

/// One step that was to be sent.
#[derive(Debug)]
pub struct Sent {
    /// What was to be done, in words.
    pub what: String,
    /// What came of it.
    pub done: Done,
}

/// What came of a step.
#[derive(Debug)]
pub enum Done {
    /// It is undone.
    Yes,
    /// The gate or the API server said no.
    No(Failure),
    /// It was not tried, since one before it failed.
    NotTried,
}

/// Asks humans about all of it, if policy asks, and sends it. `asked` is told what was asked, before anybody waits.
///
/// Ends at the first step that fails: what comes after may build on it.
///
/// # Errors
/// Policy denies one, or it could not be asked; nothing was sent.
pub async fn undo(
    client: &Client,
    ready: &[Ready],
    reason: &str,
    mut asked: impl FnMut(&Answer),
) -> Result<Undone, Failure> {
    let calls: Vec<WantedCall> = ready.iter().map(|ready| ready.call.clone()).collect();
    let answer = client.propose(&WantedChanges { reason: reason.to_owned(), calls }).await?;
    asked(&answer);
    let answer = match &answer.approval {
        Some(id) if is_pending(&answer) => client.decided(id).await?,
        Some(_) | None => answer,
    };
    if !agreed(&answer) {
        return Ok(Undone::NotAgreed(answer));
    }
    let (mut sent, mut failed) = (Vec::new(), false);
    for ready in ready {
        let what = ready.step.to_string();
        let done = if failed {
            Done::NotTried
        } else {
            match client.call(&ready.call).await {
                Ok(_answer) => Done::Yes,
                Err(failure) => {
                    failed = true;
                    Done::No(failure)
                }
            }
        };
        sent.push(Sent { what, done });
    }
    Ok(Undone::Sent(sent))
}

/// `delete configmaps "made" in namespace "shop": done`.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, done } = self;
        match done {
            Done::Yes => write!(f, "{what}: done"),
            Done::No(failure) => write!(f, "{what}: failed: {failure}"),
            Done::NotTried => write!(f, "{what}: not tried"),
        }
    }
}

impl Undone {
    /// Whether all of it is undone.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::NotAgreed(_) => false,
            Self::Sent(sent) => sent.iter().all(|sent| matches!(sent.done, Done::Yes)),
        }
    }
}
