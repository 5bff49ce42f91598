//! Whom the API server sees: the agent's own user, never the gate.

use http::{HeaderMap, HeaderName, HeaderValue};
use ledger::leaf::Actor;

/// Prefix of every impersonated user; RBAC lets the gate impersonate these, by name, and no others.
pub const USER_PREFIX: &str = "portcullis:agent:";
/// The group of every agent.
pub const AGENTS_GROUP: &str = "portcullis:agents";
/// Prefix of a group that the configuration gives an agent.
pub const GROUP_PREFIX: &str = "portcullis:group:";
/// Carried by a permitted masked read, and for that request alone: RBAC gives it the right to read Secrets.
pub const MASKED_READER_GROUP: &str = "portcullis:masked-reader";
/// Carried by a permitted exec, attach, port-forward or debug, and for that request alone: RBAC gives it the right to reach into
/// running pods.
pub const STREAMER_GROUP: &str = "portcullis:streamer";
/// The user that reads Secrets so that their values are known and masked; no agent's, since theirs begin with
/// [`USER_PREFIX`]. RBAC lets it list and watch Secrets, and nothing else.
pub const SECRET_READER_USER: &str = "portcullis:secret-reader";

/// The header with the user.
pub(crate) const USER: HeaderName = HeaderName::from_static("impersonate-user");
const GROUP: HeaderName = HeaderName::from_static("impersonate-group");
/// The key's slash is percent-encoded, as the API server decodes it (`userextras` keys are lower case).
const SESSION: HeaderName = HeaderName::from_static("impersonate-extra-portcullis.dev%2fsession");
const DELEGATOR: HeaderName = HeaderName::from_static("impersonate-extra-portcullis.dev%2fdelegator");

/// The user, groups and extras that one call runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impersonation {
    user: String,
    groups: Vec<String>,
    session: String,
    delegator: String,
}

/// An actor that must not be impersonated, since the API server would take it for somebody else.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{part} `{value}` cannot be impersonated")]
pub struct NotImpersonable {
    part: &'static str,
    value: String,
}

impl Impersonation {
    /// `lent`: groups for this request alone.
    ///
    /// # Errors
    /// An empty name (the API server would then not impersonate at all), one that is not plain visible ASCII where
    /// Kubernetes' own names live, or one that was cut: the API server is told who it is, or nothing.
    pub fn of(actor: &Actor, lent: &[&'static str]) -> Result<Self, NotImpersonable> {
        let agent = named("agent", actor.agent.as_str(), actor.agent.is_cut())?;
        let session = named("session", actor.session.as_str(), false)?;
        let delegator = actor.delegator.as_str();
        if delegator.is_empty() || actor.delegator.is_cut() {
            return Err(NotImpersonable { part: "delegator", value: actor.delegator.to_string() });
        }
        let mut groups = vec![AGENTS_GROUP.to_owned()];
        if actor.groups.items().len() as u64 != actor.groups.total() {
            return Err(NotImpersonable {
                part: "groups",
                value: format!("{} of them", actor.groups.total()),
            });
        }
        for group in actor.groups.items() {
            groups.push(format!("{GROUP_PREFIX}{}", named("group", group.as_str(), group.is_cut())?));
        }
        groups.extend(lent.iter().map(|&group| group.to_owned()));
        Ok(Self {
            user: format!("{USER_PREFIX}{agent}"),
            groups,
            session: session.to_owned(),
            delegator: delegator.to_owned(),
        })
    }

    /// `portcullis:agent:NAME`.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// `portcullis:agents`, the configured groups, and those that are lent: `portcullis:masked-reader`, `portcullis:streamer`.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) -> Result<(), NotImpersonable> {
        headers.insert(USER, value("agent", &self.user)?);
        for group in &self.groups {
            headers.append(GROUP, value("group", group)?);
        }
        headers.insert(SESSION, value("session", &self.session)?);
        // Extra values are opaque bytes to the API server; a name beyond ASCII travels as UTF-8.
        headers.insert(DELEGATOR, value("delegator", &self.delegator)?);
        Ok(())
    }
}

fn named<'a>(part: &'static str, name: &'a str, cut: bool) -> Result<&'a str, NotImpersonable> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'/' | b'@');
    let refused = cut || name.is_empty() || name.starts_with("system:") || !name.bytes().all(plain);
    if refused { Err(NotImpersonable { part, value: name.to_owned() }) } else { Ok(name) }
}

pub(crate) fn value(part: &'static str, text: &str) -> Result<HeaderValue, NotImpersonable> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| NotImpersonable { part, value: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::leaf::Id;

    fn refused(delegator: &str) -> Option<String> {
        let actor = Actor {
            agent: "claude".into(),
            groups: [].into_iter().collect(),
            delegator: delegator.into(),
            session: Id::from_u128(1),
            src: "127.0.0.1:1".into(),
        };
        let impersonation = Impersonation::of(&actor, &[]);
        impersonation
            .as_ref()
            .inspect(|whole| assert_eq!(whole.delegator, delegator))
            .err()
            .map(ToString::to_string)
    }

    #[test]
    fn the_delegator_is_told_whole_or_the_call_is_refused() {
        assert_eq!(refused(&"\u{1f600}".repeat(254)), None);
        insta::assert_snapshot!(refused("").unwrap(), @"delegator `` cannot be impersonated");
        let told = refused(&"a".repeat(1025)).unwrap();
        assert_eq!(told, format!("delegator `{}…` cannot be impersonated", "a".repeat(1024)));
    }
}
