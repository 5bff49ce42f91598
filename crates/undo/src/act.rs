//! Doing it: proposed at once, and sent one after the other.

use std::fmt;

use agent::{Client, Failure, agreed, is_pending};
use approval::{Answer, MOST_CHANGES, WantedCall, WantedChanges};
use serde_json::Value;

use crate::{
    look::{Ready, not_back, still},
    why::Why,
};

/// How often a part is proposed whose objects move meanwhile.
const TRIES: usize = 8;

/// What came of an undo.
#[derive(Debug, Default)]
pub struct Undone {
    /// Of each step, in order.
    pub sent: Vec<Sent>,
    /// What humans were asked and did not agree to: it and what comes after it was not sent.
    pub not_agreed: Option<Answer>,
}

/// One step that was to be sent.
#[derive(Debug)]
pub struct Sent {
    /// What was to be done, in words.
    pub what: String,
    /// What it was answered, if well.
    answered: Value,
    /// What came of it.
    pub done: Done,
}

/// What came of a step.
#[derive(Debug)]
pub enum Done {
    /// It is undone: the object was looked at.
    Yes,
    /// It was answered well, and the object is not as it was to be.
    NotYet(Why),
    /// The gate or the API server said no.
    No(Failure),
    /// It was not tried, since humans did not agree, or one before it failed.
    NotTried,
}

/// Asks humans about all of it, if policy asks, and sends it: in parts, where it is more than can be asked at once. `asked` is told what was
/// asked, before anybody waits. Then each object is looked at once more.
///
/// Ends at the first step that fails: what comes after may build on it.
///
/// # Errors
/// Policy denies one of the first part, or it could not be asked; nothing was sent.
pub async fn undo(
    client: &Client,
    ready: &[Ready],
    reason: &str,
    mut asked: impl FnMut(&Answer),
) -> Result<Undone, Failure> {
    let (mut undone, mut is_over) = (Undone::default(), false);
    let mut ready = ready.to_vec();
    for part in ready.chunks_mut(MOST_CHANGES) {
        if is_over {
            undone.not_tried(part);
            continue;
        }
        match agree(client, part, reason, &mut asked).await {
            Ok(None) => is_over = !undone.send(client, part).await,
            Ok(Some(not)) => {
                undone.not_agreed = Some(not);
                undone.not_tried(part);
                is_over = true;
            }
            Err(failure) if undone.sent.is_empty() => return Err(failure),
            Err(failure) => {
                undone.push(part.first(), Done::No(failure));
                undone.not_tried(part.get(1..).unwrap_or_default());
                is_over = true;
            }
        }
    }
    for (ready, sent) in ready.iter().zip(&mut undone.sent) {
        if matches!(sent.done, Done::Yes)
            && let Some(why) = not_back(&ready.step, &sent.answered, client).await
        {
            sent.done = Done::NotYet(why);
        }
    }
    Ok(undone)
}

/// Whether humans agree, or need not; else, what they said.
async fn agree(
    client: &Client,
    part: &mut [Ready],
    reason: &str,
    asked: &mut impl FnMut(&Answer),
) -> Result<Option<Answer>, Failure> {
    let answer = propose(client, part, reason).await?;
    asked(&answer);
    let answer = match &answer.approval {
        Some(id) if is_pending(&answer) => client.decided(id).await?,
        Some(_) | None => answer,
    };
    Ok((!agreed(&answer)).then_some(answer))
}

/// Proposes them as they are now. A controller that still acts on what the session did (a rollout, say) writes an object's status, and so its
/// version, between the look and this.
async fn propose(client: &Client, part: &mut [Ready], reason: &str) -> Result<Answer, Failure> {
    let mut tries = 1..TRIES;
    loop {
        let calls: Vec<WantedCall> = part.iter().map(|ready| ready.call.clone()).collect();
        match client.propose(&WantedChanges { reason: reason.to_owned(), calls }).await {
            Err(Failure::Refused { .. }) if tries.next().is_some() && look_again(client, part).await => {}
            answered => return answered,
        }
    }
}

/// Whether something has moved, and each is still to be undone in the same way.
async fn look_again(client: &Client, part: &mut [Ready]) -> bool {
    let mut has_moved = false;
    for ready in part {
        let Some(now) = still(&ready.step, client).await else { return false };
        has_moved |= now.call != ready.call;
        *ready = now;
    }
    has_moved
}

impl Undone {
    /// Whether all of it is undone.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.not_agreed.is_none() && self.sent.iter().all(|sent| matches!(sent.done, Done::Yes))
    }

    /// Whether anything was sent.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.sent.iter().any(|sent| !matches!(sent.done, Done::NotTried))
    }

    /// Whether all of it was answered well.
    async fn send(&mut self, client: &Client, part: &[Ready]) -> bool {
        for (at, ready) in part.iter().enumerate() {
            match client.call(&ready.call).await {
                Ok(answered) => {
                    let what = ready.step.to_string();
                    self.sent.push(Sent { what, answered, done: Done::Yes });
                }
                Err(failure) => {
                    self.push(Some(ready), Done::No(failure));
                    self.not_tried(part.get(at + 1..).unwrap_or_default());
                    return false;
                }
            }
        }
        true
    }

    fn push(&mut self, ready: Option<&Ready>, done: Done) {
        self.sent.extend(ready.map(|ready| Sent {
            what: ready.step.to_string(),
            answered: Value::Null,
            done,
        }));
    }

    fn not_tried(&mut self, rest: &[Ready]) {
        rest.iter().for_each(|ready| self.push(Some(ready), Done::NotTried));
    }
}

/// `delete configmaps "made" in namespace "shop": done`.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, done, .. } = self;
        match done {
            Done::Yes => write!(f, "{what}: done"),
            Done::NotYet(why) => write!(f, "{what}: sent, but {why}"),
            Done::No(failure) => write!(f, "{what}: failed: {failure}"),
            Done::NotTried => write!(f, "{what}: not tried"),
        }
    }
}
