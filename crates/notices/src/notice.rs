//! What people are told.

use std::fmt;

use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{Name, Words};

/// Something that waits for people, or has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What tells it from any other: told twice, it is the same notice.
    pub id: Id,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Where.
    pub cluster: Name,
    /// Who acts.
    pub agent: Name,
    /// On whose behalf.
    pub delegator: Name,
    /// The session.
    pub session: Name,
    /// The approval, if there is one.
    pub approval: Option<Name>,
    /// What is done or would be, or why the session is frozen: in words.
    pub what: Words,
    /// What the session is for, as it said itself.
    pub reason: Words,
    /// The rules that ask.
    pub rules: Vec<Name>,
    /// The people and groups who may decide.
    pub approvers: Vec<Name>,
    /// Until when.
    pub decide_by: Option<Timestamp>,
    /// Who decided, or froze the session.
    #[serde(default)]
    pub by: Vec<Name>,
    /// Where the console shows it.
    pub console: Option<Address>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A call waits for a human's yes.
    ApprovalAsked,
    /// It waits no more.
    ApprovalDecided(Decision),
    /// Somebody broke the glass: it is allowed now, and to be looked at now.
    BreakGlass,
    /// What was done by breaking the glass is to be reviewed.
    ReviewDue,
    /// A session is refused everything until a human thaws it.
    SessionFrozen,
}

/// What became of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Enough humans said yes.
    Approved,
    /// A human said no.
    Refused,
    /// Time ran out.
    Expired,
    /// Nobody wants it any more.
    Withdrawn,
    /// What it was judged against has changed: another was asked in its place.
    Superseded,
}

/// An [`Event`] without its details: what filters choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// See [`Event::ApprovalAsked`].
    ApprovalAsked,
    /// See [`Event::ApprovalDecided`].
    ApprovalDecided,
    /// See [`Event::BreakGlass`].
    BreakGlass,
    /// See [`Event::ReviewDue`].
    ReviewDue,
    /// See [`Event::SessionFrozen`].
    SessionFrozen,
}

/// A notice's id: 1 to 100 letters, digits, `-` and `_`, so that it can stand in a header and before the dot of a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Id(String);

/// Not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a notice's id has 1 to 100 letters, digits, `-` and `_`")]
pub struct BadId;

/// Where the console shows something. It opens a page where one signs in, and can carry nothing that would decide by itself.
///
/// INVARIANT: `https`, or `http` to this machine; no user, password, query or fragment; at most 500 bytes, all ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

/// Not an [`Address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the console's address is `https://HOST/PATH`, or `http` to this machine, of at most 500 bytes, without user, `?` or `#`"
)]
pub struct BadAddress;

// === impl Event ===

impl Event {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::ApprovalAsked => Kind::ApprovalAsked,
            Self::ApprovalDecided(_) => Kind::ApprovalDecided,
            Self::BreakGlass => Kind::BreakGlass,
            Self::ReviewDue => Kind::ReviewDue,
            Self::SessionFrozen => Kind::SessionFrozen,
        }
    }

    /// What became of the approval, if that is what it tells.
    #[must_use]
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::ApprovalDecided(decision) => Some(decision),
            Self::ApprovalAsked | Self::BreakGlass | Self::ReviewDue | Self::SessionFrozen => None,
        }
    }
}

// === impl Kind ===

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ApprovalAsked, Self::ApprovalDecided, Self::BreakGlass, Self::ReviewDue, Self::SessionFrozen];

    /// As configuration and webhooks name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApprovalAsked => "approval_asked",
            Self::ApprovalDecided => "approval_decided",
            Self::BreakGlass => "break_glass",
            Self::ReviewDue => "review_due",
            Self::SessionFrozen => "session_frozen",
        }
    }
}

// === impl Id ===

impl Id {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = BadId;

    fn try_from(id: String) -> Result<Self, BadId> {
        let may = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        if (1..=100).contains(&id.len()) && id.bytes().all(may) { Ok(Self(id)) } else { Err(BadId) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Address ===

impl Address {
    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A page of the console whose address this is.
    ///
    /// # Errors
    /// That would be no such address.
    pub fn page(&self, path: &str) -> Result<Self, BadAddress> {
        Self::try_from(format!("{}{path}", self.0.trim_end_matches('/')))
    }
}

impl TryFrom<String> for Address {
    type Error = BadAddress;

    fn try_from(address: String) -> Result<Self, BadAddress> {
        let url = Url::parse(&address).map_err(|_| BadAddress)?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        // A bar would end the link in Slack.
        let plain = url.as_str().len() <= 500 && !url.as_str().contains('|');
        // It is a browser that asks, to which this name is this machine whatever a resolver says.
        let here = url.scheme() == "http" && url.host_str() == Some("localhost");
        if bare && plain && (here || is_protected(&url)) { Ok(Self(url.into())) } else { Err(BadAddress) }
    }
}

/// Whether nobody else reads along: `https`, or `http` that does not leave this machine.
pub(crate) fn is_protected(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether it is on this machine for certain: a name could be anywhere.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let address = url.host_str().map(|host| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>());
    address.is_some_and(|address| address.is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_carry_no_token_but_in_its_path() {
        let address = |text: &str| Address::try_from(text.to_owned());
        for good in [
            "https://gate.example/approvals/a-1",
            "http://127.0.0.1:8080/",
            "http://[::1]/a",
            "http://localhost:8444/",
        ] {
            assert_eq!(address(good).unwrap().as_str(), good);
        }
        for bad in [
            "https://gate.example/?token=1",
            "https://gate.example/#1",
            "https://ada@gate.example/",
            "https://:secret@gate.example/",
            "http://gate.example/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "javascript:alert(1)",
            "https://gate.example/a|b",
            "approvals/a-1",
        ] {
            assert_eq!(address(bad), Err(BadAddress), "{bad}");
        }
        assert_eq!(
            address("https://gate.example/\u{202e}<").unwrap().as_str(),
            "https://gate.example/%E2%80%AE%3C"
        );
    }

    #[test]
    fn a_page_of_the_console_carries_no_more_than_its_address() {
        let console = Address::try_from("https://gate.example:8444".to_owned()).unwrap();
        let page = |path| console.page(path).map(|page| page.as_str().to_owned());
        assert_eq!(page("/approvals/a-1").unwrap(), "https://gate.example:8444/approvals/a-1");
        assert_eq!(page("/approvals/a-1?yes"), Err(BadAddress));
    }

    #[test]
    fn a_kind_is_called_as_it_is_written() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn an_id_has_no_dot_and_no_line_end() {
        for bad in ["", "a.b", "a\r\nBcc: b", "a b", "é", &"a".repeat(101)] {
            assert_eq!(Id::try_from(bad.to_owned()), Err(BadId), "{bad}");
        }
        assert_eq!(Id::try_from("a-1_asked".to_owned()).unwrap().as_str(), "a-1_asked");
    }
}
