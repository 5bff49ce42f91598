//! What an ID token says (OpenID Connect Core 1.0, sections 2 and 5.1).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{Fault, Identity, id_token::json, text::is_line};

/// RFC 5321, section 4.5.3.1.3, without the brackets.
const MOST_ADDRESS: usize = 254;
const MOST_NAME: usize = 254;
const MOST_SUBJECT: usize = 255;
const MOST_GROUPS: usize = 512;
const MOST_GROUP: usize = 256;
const MOST_MEANS: usize = 32;

/// The claims that decide, each of its type, and all of them as they are. What is missing is told by whoever needs it.
#[derive(Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) aud: Vec<String>,
    pub(crate) azp: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) exp: Option<Timestamp>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) iat: Option<Timestamp>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) nbf: Option<Timestamp>,
    #[serde(default, deserialize_with = "date")]
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) nonce: Option<String>,
    pub(crate) at_hash: Option<String>,
    #[serde(skip)]
    all: Map<String, Value>,
}

impl Claims {
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Fault> {
        let problem = "its claims are not what they should be";
        let claims: Self = json(payload, problem)?;
        Ok(Self { all: json(payload, problem)?, ..claims })
    }

    /// Whom they name.
    pub(crate) fn identity(self, groups_claim: &str) -> Result<Identity, Fault> {
        let subject = &self.sub;
        if !subject.is_ascii() || !is_line(subject, MOST_SUBJECT) {
            return Err(Fault::Subject);
        }
        let verified = self.all.get("email_verified") == Some(&Value::Bool(true));
        Ok(Identity {
            email: self.line("email", MOST_ADDRESS).filter(|_address| verified),
            unverified_email: self.line("email", MOST_ADDRESS).filter(|_address| !verified),
            claimed: ["preferred_username", "upn"]
                .iter()
                .filter_map(|claim| self.line(claim, MOST_ADDRESS))
                .collect(),
            name: self.line("name", MOST_NAME),
            groups: self.groups(groups_claim)?,
            auth_time: self.auth_time,
            acr: self.line("acr", MOST_NAME),
            amr: lines(self.all.get("amr"), MOST_MEANS, MOST_NAME).unwrap_or_default(),
            issuer: self.iss,
            subject: self.sub,
        })
    }

    /// What is no line of text, or too long a one, is as good as not there.
    fn line(&self, claim: &str, most: usize) -> Option<String> {
        self.all.get(claim).and_then(Value::as_str).filter(|text| is_line(text, most)).map(str::to_owned)
    }

    /// Groups decide what people may do, so that half of them are worse than none.
    fn groups(&self, claim: &str) -> Result<Vec<String>, Fault> {
        let fault = |problem| Err(Fault::Groups { claim: claim.to_owned(), problem });
        match self.all.get(claim) {
            // OpenID Connect Core 1.0, section 5.6.2: Entra ID does so with more than 200 groups.
            None if self.all.get("_claim_names").is_some_and(|names| names.get(claim).is_some()) => fault(
                "is left out, since there are too many: have the provider send those of this application",
            ),
            None | Some(Value::Null) => Ok(Vec::new()),
            found => lines(found, MOST_GROUPS, MOST_GROUP).map_or_else(
                || fault("is not an array of at most 512 names of 1 to 256 characters: have it sent as one"),
                Ok,
            ),
        }
    }
}

/// An array of so many lines of so many characters.
fn lines(value: Option<&Value>, most: usize, longest: usize) -> Option<Vec<String>> {
    let items = value?.as_array().filter(|items| items.len() <= most)?;
    let line = |item: &Value| item.as_str().filter(|text| is_line(text, longest)).map(str::to_owned);
    items.iter().map(line).collect()
}

/// `aud` of one is a string or an array of one.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// Seconds since 1970, whole or not (RFC 7519, section 2).
fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(seconds) = Option::<f64>::deserialize(deserializer)? else { return Ok(None) };
    let since = SignedDuration::try_from_secs_f64(seconds).map_err(D::Error::custom)?;
    Timestamp::from_duration(since).map(Some).map_err(D::Error::custom)
}
