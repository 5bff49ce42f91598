//! What the browser comes back with (RFC 6749, section 4.1.2, and RFC 9207).

use crate::{Attempt, Refusal, discovery::Metadata, text::shown};

/// Codes have a few hundred bytes.
const MOST: usize = 16 * 1024;

/// The parameters that are known; others are none of ours.
#[derive(Default)]
pub(crate) struct Callback {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Callback {
    /// Reads the query of the address that the browser came back to, without its `?`.
    pub(crate) fn parse(query: &str) -> Result<Self, Refusal> {
        if query.len() > MOST {
            return Err(Refusal::Callback { problem: "it is too long" });
        }
        let mut callback = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "code" => &mut callback.code,
                "state" => &mut callback.state,
                "iss" => &mut callback.iss,
                "error" => &mut callback.error,
                "error_description" => &mut callback.error_description,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Refusal::Callback { problem: "it has a parameter twice" });
            }
        }
        Ok(callback)
    }

    /// Whether this is the answer to `attempt`. Nothing else of it is worth reading before.
    pub(crate) fn answers(&self, attempt: &Attempt) -> Result<(), Refusal> {
        if attempt.state.is(self.state.as_deref()) { Ok(()) } else { Err(Refusal::State) }
    }

    /// The code, if it is this provider that gives one.
    pub(crate) fn code(self, issuer: &str, metadata: &Metadata) -> Result<String, Refusal> {
        match self.iss {
            Some(found) if found != issuer => {
                return Err(Refusal::OtherProvider { expected: issuer.to_owned(), found: shown(&found) });
            }
            None if metadata.tells_issuer => return Err(Refusal::Callback { problem: "`iss` is missing" }),
            Some(_) | None => {}
        }
        if let Some(error) = self.error {
            let description = self.error_description.as_deref().map(shown);
            return Err(Refusal::Denied { error: shown(&error), description });
        }
        self.code
            .filter(|code| !code.is_empty())
            .ok_or(Refusal::Callback { problem: "`code` and `error` are missing" })
    }
}
