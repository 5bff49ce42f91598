//! What an operator says about the provider.

use std::{fs, io, path::PathBuf};

use zeroize::Zeroizing;

use crate::{AddressProblem, address::checked, client::Client, http::Http, text::shown};

/// The provider, and what this relying party is to it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The provider's issuer identifier, exactly as it writes it, such as `https://login.example.com`.
    pub issuer: String,
    /// What the provider knows us by.
    pub client_id: String,
    /// The file with the client secret, which is read once; without it, this is a public client.
    pub client_secret: Option<PathBuf>,
    /// Where the browser comes back, as it is registered with the provider.
    pub redirect_uri: String,
    /// Scopes beside `openid`, which is always asked for; such as `email`, `profile`, `groups`.
    pub scopes: Vec<String>,
    /// The claim of the ID token that holds the groups, as an array of strings.
    pub groups_claim: String,
    /// The file with the only authorities (PEM) that may vouch for the provider; without it, the system's.
    pub ca: Option<PathBuf>,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Nothing there.
    #[error("`{part}` is empty: {remedy}")]
    Empty {
        /// Which setting.
        part: &'static str,
        /// What should be there.
        remedy: &'static str,
    },
    /// An address that will not do.
    #[error("`{part}`: `{found}` {problem}")]
    Address {
        /// Which setting.
        part: &'static str,
        /// As it is.
        found: String,
        /// What is wrong with it.
        problem: AddressProblem,
    },
    /// `https://…?…`.
    #[error("`issuer`: `{found}` has a query: take out what follows `?`")]
    Query {
        /// As it is.
        found: String,
    },
    /// No scope (RFC 6749, section 3.3).
    #[error("`scopes`: `{found}` is no scope: give words without spaces, quotes and backslashes")]
    Scope {
        /// As it is.
        found: String,
    },
    /// A file that cannot be read.
    #[error("`{part}`: cannot read `{}`: {source}", path.display())]
    File {
        /// Which setting.
        part: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file without a secret.
    #[error("`client_secret`: `{}` does not hold one line of text, the secret", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
    /// A file without a certificate.
    #[error("`ca`: `{}` holds no certificate: give the PEM of the provider's authority", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No way to ask anybody.
    #[error("cannot make connections: {why}; check the system's certificate authorities, or give `ca`")]
    Client {
        /// Why.
        why: String,
    },
}

/// Settings that hold together.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) issuer: String,
    pub(crate) client: Client,
    pub(crate) redirect_uri: String,
    /// As it is asked for.
    pub(crate) scope: String,
    pub(crate) groups_claim: String,
    pub(crate) http: Http,
}

impl Settings {
    pub(crate) fn resolve(self) -> Result<Resolved, Vec<Problem>> {
        let mut problems = Vec::new();
        address("issuer", &self.issuer, &mut problems);
        if self.issuer.contains('?') {
            problems.push(Problem::Query { found: shown(&self.issuer) });
        }
        if self.client_id.is_empty() {
            let remedy = "give the id that the provider registered for this gate";
            problems.push(Problem::Empty { part: "client_id", remedy });
        }
        let secret = self.secret().map_err(|problem| problems.push(problem));
        address("redirect_uri", &self.redirect_uri, &mut problems);
        let scope = self.scope(&mut problems);
        if self.groups_claim.is_empty() {
            let remedy = "give the claim that holds groups, such as `groups`";
            problems.push(Problem::Empty { part: "groups_claim", remedy });
        }
        let http = Http::new(self.ca.as_deref()).map_err(|problem| problems.push(problem));
        let (Ok(secret), Ok(http), true) = (secret, http, problems.is_empty()) else { return Err(problems) };
        Ok(Resolved {
            issuer: self.issuer,
            client: Client { id: self.client_id, secret },
            redirect_uri: self.redirect_uri,
            scope,
            groups_claim: self.groups_claim,
            http,
        })
    }

    fn secret(&self) -> Result<Option<Zeroizing<String>>, Problem> {
        let Some(path) = &self.client_secret else { return Ok(None) };
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|source| Problem::File {
            part: "client_secret",
            path: path.clone(),
            source,
        })?;
        let secret = Zeroizing::new(text.trim().to_owned());
        if secret.is_empty() || secret.chars().any(char::is_control) {
            return Err(Problem::NoSecret { path: path.clone() });
        }
        Ok(Some(secret))
    }

    fn scope(&self, problems: &mut Vec<Problem>) -> String {
        let mut all = vec!["openid"];
        for scope in &self.scopes {
            let token = |c| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
            if scope.is_empty() || !scope.chars().all(token) {
                problems.push(Problem::Scope { found: shown(scope) });
            } else if !all.contains(&scope.as_str()) {
                all.push(scope);
            }
        }
        all.join(" ")
    }
}

fn address(part: &'static str, text: &str, problems: &mut Vec<Problem>) {
    if let Err(problem) = checked(text) {
        problems.push(Problem::Address { part, found: shown(text), problem });
    }
}
