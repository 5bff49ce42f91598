//! Whose passkeys they are.

use std::fmt;

use url::{Host, Url};

use crate::Refusal;

/// The domain that passkeys are made for, and the one origin where they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    // INVARIANT: the origin is as browsers write it, and its host is `id` or below it.
    id: String,
    origin: String,
}

impl RelyingParty {
    /// The relying party with this ID, a domain, whose page is at this origin: `https://`, a host, and a port if it is not 443.
    ///
    /// Browsers refuse an ID that is a public suffix (`co.uk`); that list changes and is not looked at here.
    ///
    /// # Errors
    /// The origin is not one where passkeys work, or not at the ID nor below it.
    pub fn new(id: &str, origin: &str) -> Result<Self, Refusal> {
        let host = host(origin).ok_or_else(|| Refusal::NotAnOrigin(origin.into()))?;
        let above =
            |id: &str| id.contains('.') && host.strip_suffix(id).is_some_and(|rest| rest.ends_with('.'));
        if id != host && !above(id) {
            return Err(Refusal::NotTheOrigins { id: id.into(), origin: origin.into() });
        }
        Ok(Self { id: id.into(), origin: origin.into() })
    }

    /// The RP ID: the domain.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin, as browsers write it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at `{}`", self.id, self.origin)
    }
}

/// The origin's host, if it is written as browsers write it (HTML, "ASCII serialization of an origin") and passkeys work there: a
/// domain, in a secure context.
fn host(origin: &str) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && host == "localhost");
    let canonical = url.origin().ascii_serialization() == origin && !host.ends_with('.');
    (secure && canonical).then(|| host.into())
}
