//! What approvers are shown of all that is asked, part by part.

use crate::{Bound, Diff, Shown, Subject};

/// What a yes does, or one of the changes that it permits. May hold what an agent wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which of several changes it is; empty where there is one part.
    pub title: String,
    /// What it does, each in a line; nothing where only the diff tells.
    pub effects: Vec<String>,
    /// What would change; `None`: it is access, and nobody knows yet.
    pub diff: Option<Diff>,
}

impl Bound {
    /// Each part. `shown` is what was kept to be shown: of one call, that; of several changes, each in its order; of access, nothing.
    #[must_use]
    pub fn parts(&self, shown: &[Shown]) -> Vec<Part> {
        let one = |title: String, shown: &Shown| {
            let (effects, diff) = (shown.effects(), Some(shown.diff()));
            Part { title, effects, diff }
        };
        match &self.subject {
            Subject::Call(_) => shown.iter().map(|shown| one(String::new(), shown)).collect(),
            Subject::Changes(changes) => {
                let members = changes.members.iter().zip(shown);
                members.map(|(change, shown)| one(change.to_string(), shown)).collect()
            }
            Subject::Access(access) => {
                vec![Part { title: String::new(), effects: access.effects(), diff: None }]
            }
        }
    }

    /// What it is for, as the agent said of it alone; empty of one call, for which only its session says that.
    #[must_use]
    pub fn purpose(&self) -> &str {
        match &self.subject {
            Subject::Call(_) => "",
            Subject::Changes(changes) => &changes.reason,
            Subject::Access(access) => &access.reason,
        }
    }
}
