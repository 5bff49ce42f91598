//! Which earlier call a write undoes, so that the values which the object held before that are put back in it.
//!
//! A header of the gate's own, since a body says what becomes of the object and nothing else does:
//! `Portcullis-Restore: SESSION/CALL`.

use std::fmt;
use std::str::FromStr;

use http::HeaderMap;

use crate::{Verb, content::ContentType, options::Options, refusal::Refusal, target::Target};

/// The header's name.
pub const RESTORE_HEADER: &str = "portcullis-restore";

/// The longest id of a session or a call.
const LONGEST: usize = 64;

/// A call of a session, by their ids: 1 to 64 of `A-Z a-z 0-9 . _ -` each, the first one no `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restores {
    session: String,
    call: String,
}

/// Text that names no call of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no `SESSION/CALL`, two ids as the recording has them")]
pub struct NotACall;

impl Restores {
    /// Whose call it was.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Its id.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.call
    }

    /// What a request's headers say.
    pub(crate) fn of(
        headers: &HeaderMap,
        verb: Verb,
        target: &Target,
        options: &Options,
        content: Option<ContentType>,
    ) -> Result<Option<Self>, Refusal> {
        let refused = |reason| Err(Refusal::Header { name: RESTORE_HEADER.to_owned(), reason });
        let mut all = headers.get_all(RESTORE_HEADER).iter();
        let Some(value) = all.next() else { return Ok(None) };
        if all.next().is_some() {
            return refused("it is given more than once; values are put back from one call, so give it once");
        }
        let Some(restores) = value.to_str().ok().and_then(|text| text.parse().ok()) else {
            return refused("it is no `SESSION/CALL`; give two ids as the recording has them");
        };
        let whole = target.resource().is_some_and(|resource| resource.subresource().is_none());
        // What cannot be read at all is refused as that.
        let patches = content.is_some_and(|content| content != ContentType::Json);
        if !whole || patches || !matches!(verb, Verb::Create | Verb::Update) {
            return refused(
                "values are put back by a create or an update of a whole object, and by nothing else; leave it out",
            );
        }
        if options.get("dryRun").is_some() {
            return refused(
                "a dry run would tell whether the values are those that are there; leave it out, or send it without `dryRun`",
            );
        }
        Ok(Some(restores))
    }
}

impl FromStr for Restores {
    type Err = NotACall;

    fn from_str(text: &str) -> Result<Self, NotACall> {
        let is_id = |id: &str| {
            let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
            (1..=LONGEST).contains(&id.len()) && id.bytes().all(fits) && !id.starts_with('.')
        };
        let (session, call) = text.split_once('/').ok_or(NotACall)?;
        let both = is_id(session) && is_id(call);
        both.then(|| Self { session: session.to_owned(), call: call.to_owned() }).ok_or(NotACall)
    }
}

/// `SESSION/CALL`, as the header has it.
impl fmt::Display for Restores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.session, self.call)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::CONTENT_TYPE};

    use super::*;
    use crate::Head;

    fn head(method: &str, target: &str, content: &str, values: &[&str]) -> Result<Head, Refusal> {
        let request = http::Request::builder().method(method).uri(target).header(CONTENT_TYPE, content);
        let mut parts = request.body(()).unwrap().into_parts().0;
        for value in values {
            parts.headers.append(RESTORE_HEADER, HeaderValue::from_str(value).unwrap());
        }
        Head::parse(&parts)
    }

    const SECRET: &str = "/api/v1/namespaces/shop/secrets/db";
    const JSON: &str = "application/json";

    #[test]
    fn one_call_of_one_session_is_named_by_what_writes_a_whole_object() {
        let restores = |method, target| {
            let head = head(method, target, JSON, &["s-1/c-2"]).unwrap();
            let request = head.with_body(br#"{"metadata":{"name":"db"}}"#).unwrap();
            let same = request.with_body_value(request.body().unwrap().value()).unwrap();
            assert_eq!(same.restores(), request.restores());
            assert_eq!(request.as_dry_run().unwrap().restores(), request.restores());
            assert!(request.as_read().unwrap().restores().is_none());
            assert!(!request.to_http().headers().contains_key(RESTORE_HEADER), "it goes no further");
            request.restores().unwrap().to_string()
        };
        assert_eq!(restores("PUT", SECRET), "s-1/c-2");
        assert_eq!(restores("POST", "/api/v1/namespaces/shop/secrets"), "s-1/c-2");
        assert!(head("PUT", SECRET, JSON, &[]).unwrap().with_body(b"{}").unwrap().restores().is_none());
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        let long = format!("s/{}", "c".repeat(65));
        let told: Vec<String> = [
            ("PUT", SECRET, JSON, &["s-1/c-2", "s-1/c-2"][..]),
            ("PUT", SECRET, JSON, &["s-1"]),
            ("PUT", SECRET, JSON, &["s-1/"]),
            ("PUT", SECRET, JSON, &["s-1/c/2"]),
            ("PUT", SECRET, JSON, &["../c-2"]),
            ("PUT", SECRET, JSON, &["s-1/c-2, s-1/c-3"]),
            ("PUT", SECRET, JSON, &[long.as_str()]),
            ("PUT", "/apis/apps/v1/namespaces/shop/deployments/web/scale", JSON, &["s-1/c-2"]),
            ("PATCH", SECRET, "application/merge-patch+json", &["s-1/c-2"]),
            ("DELETE", SECRET, JSON, &["s-1/c-2"]),
            ("GET", SECRET, JSON, &["s-1/c-2"]),
            ("PUT", "/api/v1/namespaces/shop/secrets/db?dryRun=All", JSON, &["s-1/c-2"]),
        ]
        .into_iter()
        .map(|(method, target, content, values)| {
            let refused = head(method, target, content, values).unwrap_err();
            format!("{method} {target} {values:?}\n  {} {refused}", refused.status().code().as_u16())
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
