//! Secret values do not come back to kubectl, however it reads or writes them, and what comes is not a refusal: each answer
//! has its status and the placeholder in the value's place. That they reach no record is checked by every lab at its end.
//! What only a hostile client asks for is in `attacks`.

mod reads;
mod writes;

use base64::{Engine, engine::general_purpose::STANDARD};
use e2e::{CANARY, Lab, MASKED_DATA, MASKED_TEXT, contains_canary, text};

/// What stands where the value would.
#[derive(Debug, Clone, Copy)]
enum Shows {
    /// The placeholder in base64.
    Data,
    /// The placeholder in plain.
    Text,
    /// No value in this form, even directly; but this.
    No(&'static str),
}

impl Shows {
    fn wanted(self) -> &'static str {
        match self {
            Self::Data => MASKED_DATA,
            Self::Text => MASKED_TEXT,
            Self::No(other) => other,
        }
    }

    /// What is wrong with a text that was shown, if anything is.
    fn problem(self, shown: &str) -> Option<&'static str> {
        if contains_canary(shown.as_bytes()) {
            Some("it leaks")
        } else if !shown.contains(self.wanted()) {
            Some("it does not show what it should")
        } else {
            None
        }
    }
}

/// Without the gate, the Secret is there to be leaked, so that these tests can fail.
fn control(lab: &Lab, namespace: &str) -> anyhow::Result<()> {
    let direct = text(&lab.cluster.kubectl(&["get", "secret", "database", "-n", namespace, "-o", "yaml"])?);
    assert!(contains_canary(direct.as_bytes()));
    assert!(direct.contains(&STANDARD.encode(CANARY)));
    Ok(())
}
