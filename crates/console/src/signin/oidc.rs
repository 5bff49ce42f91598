//! Signing in by OpenID Connect: a provider says who somebody is, and the configuration whether they may come in.

use std::collections::BTreeSet;

use approval::Human;
use identity::{Delegator, Entropy, EntropyError};
use jiff::{SignedDuration, Timestamp};
use oidc::{Identity, Provider};
use visible::visible;

use super::attempts::Attempts;

/// A provider, and whom of those that it vouches for the gate knows.
#[derive(Debug)]
pub struct ByProvider {
    provider: Provider,
    people: Vec<Human>,
    groups: BTreeSet<String>,
    /// Whether each address that the provider tells of is one that it has verified, though it does not say so.
    addresses_are_verified: bool,
    attempts: Attempts,
}

/// Somebody whom the provider vouches for.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) human: Human,
    /// Issuer and subject: theirs for good.
    pub(super) person: String,
    /// When they last proved to the provider who they are, if it tells.
    pub(super) proven: Option<Timestamp>,
    /// Where they wanted to go.
    pub(super) to: String,
}

/// Why somebody whom the provider vouches for is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stranger {
    #[error(
        "`{who}` is neither named under `approvers` in the gate's configuration nor in one of its groups ({groups}): ask who runs \
         the gate"
    )]
    Unknown { who: String, groups: String },
    #[error(
        "the provider does not say that it has verified your address, so nobody knows by which name you open sessions: ask who runs \
         the gate for `console.oidc.addresses_are_verified`, or to be named under `approvers` as `{0}`"
    )]
    Unverified(String),
    #[error("the name `{0}` cannot be recorded: it has characters that names here may not have")]
    Unspeakable(String),
    #[error("the name `{0}` is a group's or the gate's own: nobody can be called that")]
    Taken(String),
}

impl ByProvider {
    /// Sign-in by this provider, for these people and for members of these groups. No other group that the provider tells of
    /// counts for anything.
    ///
    /// # Errors
    /// There is no entropy.
    pub fn new(
        provider: Provider,
        people: Vec<Human>,
        groups: BTreeSet<String>,
        addresses_are_verified: bool,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let attempts = Attempts::new(entropy)?;
        Ok(Self { provider, people, groups, addresses_are_verified, attempts })
    }

    /// Where the browser is to go, and the cookie by which it is known when it comes back.
    /// `anew`: they have to prove again who they are.
    pub(super) async fn begin(
        &self,
        to: &str,
        anew: bool,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(String, String), String> {
        let (begun, cookie) =
            self.attempts.begin(to, anew, entropy, now).map_err(|error| error.to_string())?;
        let (random, begun_at) = (self.attempts.random(&begun), begun.at().unwrap_or(now));
        let (url, _attempt) = self
            .provider
            .begin(random, max_age(anew), begun_at)
            .await
            .map_err(|failure| failure.to_string())?;
        Ok((url, cookie))
    }

    /// Who came back. What the provider answers is good for one sign-in, and for a short time.
    pub(super) async fn finish(&self, shown: &str, query: &str, now: Timestamp) -> Result<Known, String> {
        let begun = self.attempts.open(shown).and_then(|begun| Some((begun.at()?, begun)));
        let (at, begun) =
            begun.ok_or("This sign-in was not begun in this browser, or too long ago: begin again")?;
        let attempt = self.provider.attempt(self.attempts.random(&begun), max_age(begun.anew), at);
        let to = begun.to;
        let identity =
            self.provider.finish(attempt, query, now).await.map_err(|refusal| refusal.to_string())?;
        let human = self.human(&identity).map_err(|stranger| stranger.to_string())?;
        Ok(Known { human, person: for_good(&identity), proven: identity.auth_time, to })
    }

    /// The human whom the provider means. Rules and records know them by the name of the configuration, or else by their verified
    /// address; who they are for good, by issuer and subject, is one of their names, so that nobody counts as two.
    fn human(&self, identity: &Identity) -> Result<Human, Stranger> {
        let for_good = for_good(identity);
        let assumed = identity.unverified_email.as_ref().filter(|_| self.addresses_are_verified);
        let email = identity.email.as_ref().or(assumed);
        let groups: Vec<String> =
            identity.groups.iter().filter(|group| self.groups.contains(*group)).cloned().collect();
        let mut human = match self.people.iter().find(|human| knows(human, identity, email, &for_good)) {
            Some(human) => human.clone(),
            None if groups.is_empty() => {
                let who = visible(email.unwrap_or(&for_good));
                let groups = self.groups.iter().cloned().collect::<Vec<_>>().join(", ");
                return Err(Stranger::Unknown { who, groups });
            }
            None => Human::called(email.ok_or_else(|| Stranger::Unverified(for_good.clone()))?),
        };
        for name in email.into_iter().chain([&for_good]) {
            if Delegator::parse(name).is_err() {
                return Err(Stranger::Unspeakable(visible(name)));
            }
            if self.is_taken(name) {
                return Err(Stranger::Taken(visible(name)));
            }
            if !human.is_called(name) {
                human.aliases.push(name.clone());
            }
        }
        human.claimed.extend(identity.unverified_email.iter().chain(&identity.claimed).cloned());
        human.groups.extend(groups);
        human.groups.sort_unstable();
        human.groups.dedup();
        Ok(human)
    }

    /// Whether a name means somebody or something else in rules or records.
    fn is_taken(&self, name: &str) -> bool {
        let is_group = |group: &String| group.eq_ignore_ascii_case(name);
        let groups = self.people.iter().flat_map(|human| &human.groups).chain(&self.groups);
        let lower = name.to_ascii_lowercase();
        lower == "portcullis" || lower.starts_with("local user ") || groups.into_iter().any(is_group)
    }
}

/// Zero: whoever is signed in there proves again who they are.
fn max_age(anew: bool) -> Option<SignedDuration> {
    anew.then_some(SignedDuration::ZERO)
}

fn for_good(identity: &Identity) -> String {
    format!("{}#{}", identity.issuer, identity.subject)
}

/// Whether the configuration means this person. What lets somebody in is compared to the letter, but for the case of ASCII: no other
/// spelling of a name is the name. One who is named by issuer and subject is nobody else, whatever their address.
fn knows(human: &Human, identity: &Identity, email: Option<&String>, for_good: &String) -> bool {
    let names = || std::iter::once(&human.subject).chain(&human.aliases);
    let pinned = format!("{}#", identity.issuer);
    if names().any(|name| name.starts_with(&pinned)) {
        return names().any(|name| name == for_good);
    }
    email.is_some_and(|email| email.is_ascii() && names().any(|name| name.eq_ignore_ascii_case(email)))
}

#[cfg(test)]
mod tests {
    use oidc::Settings;

    use super::*;

    fn by_provider() -> ByProvider {
        let settings = Settings {
            issuer: "https://login.example.com".to_owned(),
            client_id: "portcullis".to_owned(),
            client_secret: None,
            redirect_uri: "http://localhost:8444/sign-in/oidc/callback".to_owned(),
            scopes: vec![],
            groups_claim: "groups".to_owned(),
            ca: None,
        };
        let grace = Human {
            aliases: vec!["Grace@example.com".to_owned()],
            groups: vec!["sre".to_owned()],
            ..Human::called("grace")
        };
        let pinned = Human {
            aliases: vec!["https://login.example.com#u-9".to_owned()],
            ..Human::called("pia@example.com")
        };
        ByProvider::new(
            Provider::new(settings).unwrap(),
            vec![grace, pinned],
            ["security".to_owned()].into(),
            false,
            &identity::SystemEntropy,
        )
        .unwrap()
    }

    fn identity(email: Option<&str>, groups: &[&str]) -> Identity {
        Identity {
            issuer: "https://login.example.com".to_owned(),
            subject: "u-1".to_owned(),
            email: email.map(str::to_owned),
            unverified_email: None,
            claimed: vec![],
            name: None,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            auth_time: None,
            acr: None,
            amr: vec![],
        }
    }

    #[test]
    fn people_keep_the_name_that_the_configuration_gives_them() {
        let grace =
            by_provider().human(&identity(Some("grace@example.com"), &["security", "admins"])).unwrap();
        assert_eq!(grace.subject, "grace");
        assert_eq!(grace.groups, ["security", "sre"]);
        assert_eq!(grace.aliases, ["Grace@example.com", "https://login.example.com#u-1"]);
    }

    #[test]
    fn members_of_a_named_group_come_in_by_their_verified_address() {
        let by_provider = by_provider();
        let sam = by_provider.human(&identity(Some("sam@example.com"), &["security"])).unwrap();
        assert_eq!((&*sam.subject, &sam.groups), ("sam@example.com", &vec!["security".to_owned()]));
        let moved = by_provider.human(&identity(Some("samuel@example.com"), &["security"])).unwrap();
        assert!(sam.is(&moved), "the same person by another address");
        let unverified = Identity {
            unverified_email: Some("ada@example.com".to_owned()),
            ..identity(None, &["security"])
        };
        assert!(matches!(by_provider.human(&unverified), Err(Stranger::Unverified(_))));
        let assuming = ByProvider { addresses_are_verified: true, ..by_provider };
        assert_eq!(assuming.human(&unverified).unwrap().subject, "ada@example.com");
    }

    #[test]
    fn what_only_looks_like_a_name_lets_nobody_in() {
        let by_provider = by_provider();
        // Fullwidth, which folds to the same; and an address of somebody who is known for good.
        for email in ["\u{ff47}race@example.com", "pia@example.com"] {
            assert!(
                matches!(by_provider.human(&identity(Some(email), &[])), Err(Stranger::Unknown { .. })),
                "{email}"
            );
        }
        let claims = Identity { claimed: vec!["ada".to_owned()], ..identity(Some("grace@example.com"), &[]) };
        let grace = by_provider.human(&claims).unwrap();
        assert!(grace.may_be_called("ada") && !grace.is_called("ada"));
    }

    #[test]
    fn strangers_stay_outside() {
        let by_provider = by_provider();
        let refused = |identity| by_provider.human(&identity).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                identity(Some("eve@example.com"), &["admins"]),
                identity(None, &[]),
                identity(None, &["security"]),
                identity(Some("e\u{202e}ve@example.com"), &["security"]),
                identity(Some("Security"), &["security"]),
                identity(Some("portcullis"), &["security"]),
            ]
            .map(refused)
            .join("\n")
        );
    }
}
