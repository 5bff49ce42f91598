//! The names people and configuration give, as types: whoever holds one knows that it is well formed.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use visible::is_unseen;

/// Why a text is not the name it should be; says which part, what is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} {problem}")]
pub struct NameError {
    /// Which name.
    pub part: Part,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The kinds of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// [`AgentName`].
    Agent,
    /// [`GroupName`].
    Group,
    /// [`ClusterName`].
    Cluster,
    /// [`Delegator`].
    Delegator,
    /// [`Operator`].
    Operator,
    /// [`Reason`].
    Reason,
    /// [`SessionId`](crate::SessionId).
    Session,
}

/// What is wrong with a name. Input is shown cut to 40 characters and escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing there.
    #[error("is empty: give 1 to {most} characters")]
    Empty {
        /// The longest that would do, in characters.
        most: usize,
    },
    /// Too long.
    #[error("has {found} characters: at most {most} are allowed")]
    TooLong {
        /// Its length in characters.
        found: usize,
        /// The longest that would do, in characters.
        most: usize,
    },
    /// A character that may not be in it.
    #[error("has {} at character {at}: {allowed}", called(*found))]
    Character {
        /// The character.
        found: char,
        /// Where, counted from 1.
        at: usize,
        /// What may be in it.
        allowed: &'static str,
    },
    /// Its first or last character may not stand there.
    #[error("`{input}` must begin and end with {allowed}")]
    Edge {
        /// The name.
        input: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// It begins like the names Kubernetes or the gate gives itself.
    #[error("`{input}` is reserved: choose one that does not begin with `{prefix}`")]
    Reserved {
        /// The name.
        input: String,
        /// What it begins with.
        prefix: &'static str,
    },
    /// It has another shape altogether.
    #[error("`{input}` is malformed: it looks like {example}")]
    Shape {
        /// The name.
        input: String,
        /// One that is right.
        example: &'static str,
    },
}

/// What a kind of name may look like.
struct Grammar {
    part: Part,
    /// In characters.
    most: usize,
    inner: fn(char) -> bool,
    inner_says: &'static str,
    edge: fn(char) -> bool,
    edge_says: &'static str,
    /// Compared without regard to case.
    reserved: &'static [&'static str],
}

/// After the labels of RFC 1123, with dots; so it can be part of a user name, a header and a Cedar id as it is.
const fn label(part: Part) -> Grammar {
    Grammar {
        part,
        most: 63,
        inner: |c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.'),
        inner_says: "only `a-z`, `0-9`, `-` and `.` are allowed",
        edge: |c| matches!(c, 'a'..='z' | '0'..='9'),
        edge_says: "`a-z` or `0-9`",
        reserved: &["system:"],
    }
}

/// Text that people read: any script, nothing they could not see.
const fn line(part: Part, most: usize) -> Grammar {
    Grammar {
        part,
        most,
        inner: |c| !is_unseen(c),
        inner_says: "control and invisible characters are not allowed",
        edge: |c| c != ' ',
        edge_says: "something other than a space",
        reserved: &[],
    }
}

const AGENT: Grammar = label(Part::Agent);
const CLUSTER: Grammar = label(Part::Cluster);
const DELEGATOR: Grammar = line(Part::Delegator, 254);
const OPERATOR: Grammar = line(Part::Operator, 254);
const REASON: Grammar = line(Part::Reason, 500);
const GROUP: Grammar = Grammar {
    part: Part::Group,
    most: 128,
    inner: |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '/' | '@'),
    inner_says: "only `a-z`, `A-Z`, `0-9` and `-._:/@` are allowed",
    edge: |c| c.is_ascii_alphanumeric(),
    edge_says: "a letter or digit",
    // `portcullis:` too: the group that may read Secrets is added for one permitted request, never configured.
    reserved: &["system:", "portcullis:"],
};

impl Grammar {
    fn check(&self, input: &str) -> Result<(), NameError> {
        self.problem(input).map_or(Ok(()), |problem| Err(NameError { part: self.part, problem }))
    }

    fn problem(&self, input: &str) -> Option<Problem> {
        let (Some(first), Some(last)) = (input.chars().next(), input.chars().next_back()) else {
            return Some(Problem::Empty { most: self.most });
        };
        let found = input.chars().count();
        if found > self.most {
            return Some(Problem::TooLong { found, most: self.most });
        }
        let begins =
            |prefix: &&str| input.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if let Some(prefix) = self.reserved.iter().copied().find(begins) {
            return Some(Problem::Reserved { input: shown(input), prefix });
        }
        if let Some((before, found)) = input.chars().enumerate().find(|(_, c)| !(self.inner)(*c)) {
            return Some(Problem::Character { found, at: before + 1, allowed: self.inner_says });
        }
        if !(self.edge)(first) || !(self.edge)(last) {
            return Some(Problem::Edge { input: shown(input), allowed: self.edge_says });
        }
        None
    }
}

/// Hostile input as it may stand in a message: cut, and with what cannot be seen escaped.
pub(crate) fn shown(input: &str) -> String {
    const MOST: usize = 40;
    let mut shown = String::new();
    for c in input.chars().take(MOST) {
        if is_unseen(c) || c == '`' { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if input.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

/// A character as a message can name it, seen or not.
fn called(c: char) -> String {
    let code = u32::from(c);
    if is_unseen(c) || c == '`' { format!("U+{code:04X}") } else { format!("`{c}` (U+{code:04X})") }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $grammar:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `input` as it is, or refuses it: nothing is trimmed or folded.
            ///
            /// # Errors
            /// What is wrong, and what would be right.
            pub fn parse(input: &str) -> Result<Self, NameError> {
                $grammar.check(input).map(|()| Self(input.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(input: String) -> Result<Self, NameError> {
                Self::parse(&input)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(input: &str) -> Result<Self, NameError> {
                Self::parse(input)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        // Hash, Eq and Ord are those of the text, as `Borrow` asks.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

names! {
    /// The software that calls, as configuration names it: `[a-z0-9]([-a-z0-9.]*[a-z0-9])?`, at most 63. Never
    /// empty, since a request that impersonates nobody would run as the gate itself.
    AgentName: AGENT;
    /// A group an agent is in, for policy and for the API server: 1 to 128 of letters, digits and `-._:/@`, not
    /// beginning with `system:` or `portcullis:`.
    GroupName: GROUP;
    /// A cluster, as configuration names it; same grammar as [`AgentName`].
    ClusterName: CLUSTER;
    /// The human on whose behalf an agent runs: 1 to 254 visible characters.
    Delegator: DELEGATOR;
    /// Who ended, froze or thawed a session: 1 to 254 visible characters.
    Operator: OPERATOR;
    /// Why a session was opened, frozen or ended, in someone's own words: 1 to 500 visible characters on one line.
    Reason: REASON;
}

impl Operator {
    /// The gate itself, where it does what a person otherwise would.
    pub fn gate() -> Self {
        Self("portcullis".into())
    }
}

impl Reason {
    /// Why the gate freezes a session whose budget of known values is used up. Its agent reads it, so it does not tell how
    /// many of them there were.
    pub fn known_values(budget: u32) -> Self {
        Self(
            format!(
                "it sent more known secret values, and guesses at them, than the {budget} that a session may"
            )
            .into(),
        )
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent name",
            Self::Group => "group name",
            Self::Cluster => "cluster name",
            Self::Delegator => "delegator",
            Self::Operator => "operator",
            Self::Reason => "reason",
            Self::Session => "session id",
        })
    }
}
