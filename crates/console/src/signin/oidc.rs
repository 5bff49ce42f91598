//! Signing in by OpenID Connect: a provider says who somebody is, and the configuration whether they may come in.

use std::collections::{BTreeSet, HashMap};

use approval::Human;
use identity::{Delegator, Entropy, EntropyError};
use jiff::{SignedDuration, Timestamp};
use oidc::{Attempt, Identity, Provider};
use parking_lot::Mutex;

use crate::secret::{Kept, Secret};

/// How long somebody may take at the provider's page.
const WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Of sign-ins that were begun and not finished; with one more, the oldest is forgotten.
const MOST: usize = 1_000;

/// A provider, and whom of those that it vouches for the gate knows.
#[derive(Debug)]
pub struct ByProvider {
    provider: Provider,
    people: Vec<Human>,
    groups: BTreeSet<String>,
    attempts: Mutex<HashMap<Kept, Begun>>,
}

/// A sign-in that was begun in one browser.
#[derive(Debug)]
struct Begun {
    attempt: Attempt,
    /// Where they wanted to go.
    to: String,
    at: Timestamp,
}

/// Why somebody whom the provider vouches for is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stranger {
    #[error(
        "`{who}` is neither named under `approvers` in the gate's configuration nor in one of its groups ({groups}): ask who runs \
         the gate"
    )]
    Unknown { who: String, groups: String },
    #[error("the name `{0}` cannot be recorded: it has characters that names here may not have")]
    Unspeakable(String),
}

impl ByProvider {
    /// Sign-in by this provider, for these people and for members of these groups. No other group that the provider tells of
    /// counts for anything.
    #[must_use]
    pub fn new(provider: Provider, people: Vec<Human>, groups: BTreeSet<String>) -> Self {
        Self { provider, people, groups, attempts: Mutex::default() }
    }

    /// Where the browser is to go, and the secret by which it is known when it comes back.
    pub(super) async fn begin(
        &self,
        to: &str,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(String, Secret), String> {
        let none = |error: EntropyError| error.to_string();
        let mut random = [[0; 32]; 3];
        entropy.fill(random.as_flattened_mut()).map_err(none)?;
        let secret = Secret::new(entropy).map_err(none)?;
        let (url, attempt) =
            self.provider.begin(random, None, now).await.map_err(|failure| failure.to_string())?;
        let mut attempts = self.attempts.lock();
        attempts.retain(|_, begun| now < begun.at.saturating_add(WITHIN).unwrap_or(Timestamp::MAX));
        if attempts.len() >= MOST
            && let Some(oldest) = attempts.iter().min_by_key(|(_, begun)| begun.at).map(|(kept, _)| *kept)
        {
            attempts.remove(&oldest);
        }
        attempts.insert(secret.kept(), Begun { attempt, to: to.to_owned(), at: now });
        Ok((url, secret))
    }

    /// Who came back, and where they wanted to go. The attempt is over, whatever comes of it.
    pub(super) async fn finish(
        &self,
        shown: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<(Human, String), String> {
        let begun = self.attempts.lock().remove(&Kept::of(shown));
        let Begun { attempt, to, .. } =
            begun.ok_or("This sign-in was not begun in this browser, or too long ago: begin again")?;
        let identity =
            self.provider.finish(attempt, query, now).await.map_err(|refusal| refusal.to_string())?;
        let human = self.human(&identity).map_err(|stranger| stranger.to_string())?;
        Ok((human, to))
    }

    /// The human whom the provider means. Rules and records know them by the name of the configuration, or else by their verified
    /// address; who they are for good, by issuer and subject, is one of their names, so that nobody counts as two.
    fn human(&self, identity: &Identity) -> Result<Human, Stranger> {
        let for_good = format!("{}#{}", identity.issuer, identity.subject);
        let names: Vec<&String> = identity.email.iter().chain([&for_good]).collect();
        let known = self.people.iter().find(|human| names.iter().any(|name| human.is_called(name)));
        let groups: Vec<String> =
            identity.groups.iter().filter(|group| self.groups.contains(*group)).cloned().collect();
        let mut human = match known {
            Some(human) => human.clone(),
            None if groups.is_empty() => {
                let who = identity.email.clone().unwrap_or(for_good);
                let groups = self.groups.iter().cloned().collect::<Vec<_>>().join(", ");
                return Err(Stranger::Unknown { who, groups });
            }
            None => {
                let subject = identity.email.clone().unwrap_or_else(|| for_good.clone());
                Human { subject, aliases: Vec::new(), groups: Vec::new() }
            }
        };
        for name in names {
            if Delegator::parse(name).is_err() {
                return Err(Stranger::Unspeakable(name.clone()));
            }
            if !human.is_called(name) {
                human.aliases.push(name.clone());
            }
        }
        for group in groups {
            if !human.groups.contains(&group) {
                human.groups.push(group);
            }
        }
        Ok(human)
    }
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
            subject: "grace".to_owned(),
            aliases: vec!["Grace@example.com".to_owned()],
            groups: vec!["sre".to_owned()],
        };
        ByProvider::new(Provider::new(settings).unwrap(), vec![grace], ["security".to_owned()].into())
    }

    fn identity(email: Option<&str>, groups: &[&str]) -> Identity {
        Identity {
            issuer: "https://login.example.com".to_owned(),
            subject: "u-1".to_owned(),
            email: email.map(str::to_owned),
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
        assert_eq!(grace.groups, ["sre", "security"]);
        assert_eq!(grace.aliases, ["Grace@example.com", "https://login.example.com#u-1"]);
    }

    #[test]
    fn members_of_a_named_group_come_in_by_their_address_or_for_good() {
        let by_provider = by_provider();
        let sam = by_provider.human(&identity(Some("sam@example.com"), &["security"])).unwrap();
        assert_eq!((&*sam.subject, &sam.groups), ("sam@example.com", &vec!["security".to_owned()]));
        let nameless = by_provider.human(&identity(None, &["security"])).unwrap();
        assert_eq!(nameless.subject, "https://login.example.com#u-1");
        assert!(sam.is(&nameless), "the same person by another address");
    }

    #[test]
    fn strangers_stay_outside() {
        let by_provider = by_provider();
        let refused = |identity| by_provider.human(&identity).unwrap_err().to_string();
        insta::assert_snapshot!(
            [
                identity(Some("eve@example.com"), &["admins"]),
                identity(None, &[]),
                identity(Some("e\u{202e}ve@example.com"), &["security"])
            ]
            .map(refused)
            .join("\n")
        );
    }
}
