//! What a target's configuration is made of: read, or refused with what would be right.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lettre::message;
use reqwest::Url;

use crate::Name;
use crate::notice::is_protected;

/// What errors, logs and the outbox call a target: 1 to 63 lower-case letters, digits and `-`. Under another name it is another target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetName(String);

/// Not a [`TargetName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a target's name has 1 to 63 lower-case letters, digits and `-`")]
pub struct BadTargetName;

/// Where a notice is posted: `https`, or `http` to a loopback address. `Debug` does not show it, since it may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(pub(crate) Url);

/// Not an [`Endpoint`]. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not `https://…`, or `http` to a loopback address such as 127.0.0.1")]
pub struct BadEndpoint;

/// Who writes or gets mail: `gate@example.com`, or `Gate <gate@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox(pub(crate) message::Mailbox);

/// Not a [`Mailbox`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mail address; write it as `sre@example.com`, or `SRE <sre@example.com>`")]
pub struct BadMailbox(Name);

/// A mail server, and what protects the connection to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailServer {
    /// A name, or an address.
    ///
    /// INVARIANT: a loopback address if there is no TLS.
    host: String,
    port: Option<u16>,
    tls: MailTls,
}

/// What protects a connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// STARTTLS (RFC 3207), without which nothing is sent.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// Nothing: only to a loopback address.
    Plain,
}

/// Not a [`MailServer`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMailServer {
    /// Others could read along.
    #[error("mail without TLS goes to a loopback address only, not to `{0}`; use STARTTLS or implicit TLS")]
    Plain(Name),
    /// It is neither a name nor an address.
    #[error("`{0}` is no name of a mail server; write it as `mail.example.com`")]
    Host(Name),
}

// === impl TargetName ===

impl TargetName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TargetName {
    type Err = BadTargetName;

    fn from_str(text: &str) -> Result<Self, BadTargetName> {
        let may = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let good = (1..=63).contains(&text.len()) && text.bytes().all(may);
        good.then(|| Self(text.to_owned())).ok_or(BadTargetName)
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Endpoint ===

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        Url::parse(text).ok().filter(is_protected).map(Self).ok_or(BadEndpoint)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint(…)")
    }
}

// === impl Mailbox ===

impl FromStr for Mailbox {
    type Err = BadMailbox;

    fn from_str(text: &str) -> Result<Self, BadMailbox> {
        text.parse().map(Self).map_err(|_| BadMailbox(text.into()))
    }
}

// === impl MailServer ===

impl MailServer {
    /// The server of this name or address, at this port or the usual one: 587 for STARTTLS, 465, and 25 without TLS.
    ///
    /// # Errors
    /// It is none, or may not be without TLS.
    pub fn new(host: &str, port: Option<u16>, tls: MailTls) -> Result<Self, BadMailServer> {
        let is_address = host.parse::<IpAddr>();
        let is_name =
            !host.is_empty() && host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-.".contains(&c));
        if is_address.is_err() && !is_name {
            return Err(BadMailServer::Host(host.into()));
        }
        if tls == MailTls::Plain && !is_address.is_ok_and(|address| address.is_loopback()) {
            return Err(BadMailServer::Plain(host.into()));
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        use lettre::transport::smtp::{SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT};
        self.port.unwrap_or(match self.tls {
            MailTls::StartTls => SUBMISSION_PORT,
            MailTls::Implicit => SUBMISSIONS_PORT,
            MailTls::Plain => SMTP_PORT,
        })
    }

    pub(crate) fn tls(&self) -> MailTls {
        self.tls
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_what_would_be_right() {
        let mut told = Vec::new();
        for name in ["No Name", "", &"x".repeat(64)] {
            told.push(name.parse::<TargetName>().unwrap_err().to_string());
        }
        for address in ["http://hooks.example/T0SECRET", "http://localhost/", "ftp://127.0.0.1/", "T0SECRET"]
        {
            told.push(address.parse::<Endpoint>().unwrap_err().to_string());
        }
        for mailbox in ["gate@example.com\r\nBcc: eve@example.com", "sre", ""] {
            told.push(mailbox.parse::<Mailbox>().unwrap_err().to_string());
        }
        for (host, tls) in [
            ("mail.example", MailTls::Plain),
            ("localhost", MailTls::Plain),
            ("mail.example:25", MailTls::StartTls),
            ("", MailTls::Implicit),
        ] {
            told.push(MailServer::new(host, None, tls).unwrap_err().to_string());
        }
        assert!(!told.iter().any(|told| told.contains("T0SECRET")));
        assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn what_is_right_is_taken() {
        assert_eq!("audit-1".parse::<TargetName>().unwrap().as_str(), "audit-1");
        for address in ["https://hooks.example/x?y=z", "http://127.0.0.1:8080/", "http://[::1]/"] {
            assert_eq!(format!("{:?}", address.parse::<Endpoint>().unwrap()), "Endpoint(…)");
        }
        assert!("SRE <sre@example.com>".parse::<Mailbox>().is_ok());
        let port = |host, port, tls| MailServer::new(host, port, tls).unwrap().port();
        assert_eq!(port("mail.example.com", None, MailTls::StartTls), 587);
        assert_eq!(port("10.0.0.1", None, MailTls::Implicit), 465);
        assert_eq!(port("::1", None, MailTls::Plain), 25);
        assert_eq!(port("127.0.0.1", Some(2525), MailTls::Plain), 2525);
    }
}
