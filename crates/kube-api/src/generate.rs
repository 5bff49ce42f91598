//! Seeded request lines, normal and hostile, and what has to agree about them: for differential tests against the
//! API server's own code, and for fuzzing.
//!
//! The server's answer is a JSON object with the fields of its `RequestInfo` in lower camel case, or `{"error":".."}`.

use http::{HeaderValue, Method, Request, Uri, header};
use percent_encoding::percent_decode_str;

use crate::{Head, Refusal};

mod agree;
mod random;
mod words;

pub use agree::{agrees, port_agrees};
pub use random::Random;
use words::{HOSTILE, METHODS, NAMES, PARAMETERS, RESOURCES, ROOTS, SUBRESOURCES, TOKENS};

/// One request line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Mostly one of HTTP's.
    pub method: String,
    /// The request target, as on the wire.
    pub url: String,
}

/// Endless cases; the same seed gives the same ones on every machine.
#[derive(Debug, Clone)]
pub struct Generator {
    random: Random,
}

impl Generator {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed) }
    }

    fn path(&mut self) -> String {
        let mut path = self.random.pick(ROOTS).to_owned();
        if self.random.chance(6) {
            path.push_str(self.random.pick(&["/watch", "/proxy"]));
        }
        if self.random.chance(55) {
            path.push_str("/namespaces/");
            path.push_str(self.random.pick(NAMES));
        }
        for (words, percent) in [(RESOURCES, 92), (NAMES, 50), (SUBRESOURCES, 30), (NAMES, 6), (NAMES, 30)] {
            if !self.random.chance(percent) {
                break;
            }
            path.push('/');
            path.push_str(self.random.pick(words));
        }
        if path.is_empty() {
            path.push('/');
        }
        path
    }

    fn query(&mut self) -> String {
        let mut query = String::new();
        while query.is_empty() || self.random.chance(40) {
            if !query.is_empty() {
                query.push('&');
            }
            // Mostly what lists take, so that many cases are taken.
            let common = if self.random.chance(75) { 10 } else { PARAMETERS.len() };
            let (name, values) = self.random.pick(PARAMETERS.get(..common).unwrap_or(PARAMETERS));
            query.push_str(name);
            if self.random.chance(97) {
                query.push('=');
                if name.ends_with("Selector") && self.random.chance(30) {
                    self.selector(&mut query);
                } else {
                    // The first is a good one.
                    let first = values.first().copied().unwrap_or_default();
                    query.push_str(if self.random.chance(50) { first } else { self.random.pick(values) });
                }
            }
        }
        query
    }

    fn selector(&mut self, query: &mut String) {
        if self.random.chance(50) {
            query.push_str("metadata.name=");
        }
        for _ in 0..self.random.below(9) {
            query.push_str(self.random.pick(TOKENS));
        }
    }

    fn spoil(&mut self, url: &mut String) {
        let places: Vec<usize> = url.char_indices().map(|(at, _)| at).skip(1).collect();
        let at = if self.random.chance(20) { url.len() } else { self.random.pick(&places) };
        if at > 0 {
            url.insert_str(at, self.random.pick(HOSTILE));
        }
    }
}

impl Iterator for Generator {
    type Item = Case;

    fn next(&mut self) -> Option<Case> {
        let method = self.random.pick(METHODS).to_owned();
        let mut url = self.path();
        if self.random.chance(50) {
            url.push('?');
            url.push_str(&self.query());
        }
        while self.random.chance(20) {
            self.spoil(&mut url);
        }
        // A space would end the target on the wire.
        Some(Case { method, url: url.replace(' ', "%20") })
    }
}

impl Case {
    /// The head, as the gate reads it; `None` where its HTTP library reads no request at all, or, as with a fragment,
    /// which it drops, not the whole of it.
    #[must_use]
    pub fn head(&self) -> Option<Result<Head, Refusal>> {
        if self.url.contains('#') {
            return None;
        }
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = Uri::try_from(self.url.as_str()).ok()?;
        if self.method == "PATCH" {
            let merge = HeaderValue::from_static("application/merge-patch+json");
            request.headers_mut().insert(header::CONTENT_TYPE, merge);
        }
        Some(Head::parse(&request.into_parts().0))
    }

    /// Path and query as Go's `net/url` decodes them; `None` where it does not, or where they are not UTF-8.
    fn decoded(&self) -> Option<(String, Vec<(String, String)>)> {
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if is_escaped(name) && is_escaped(value) {
                pairs.push((unescaped(&name.replace('+', " "))?, unescaped(&value.replace('+', " "))?));
            }
        }
        let path = if is_escaped(path) { unescaped(path)? } else { return None };
        Some((path, pairs))
    }
}

fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(
        |rest| matches!(rest.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()),
    )
}

fn unescaped(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_cases_everywhere() {
        let urls: Vec<String> =
            Generator::new(7).take(6).map(|case| format!("{} {}", case.method, case.url)).collect();
        insta::assert_snapshot!(urls.join("\n"), @"
        GET /api/namespaces/system:node/nodes
        GET /apis/name&watchspaces/web/namespace//s
        DELETE /api/namespaces/x_y/status
        GET /namespaces/A@b/services?sendInitialEvents=true
        CONNECT /apis/rbac.authorization.k8s.io/v1/namespaces
        GET /apis/apps/v1/secrets/status
        ");
    }

    #[test]
    fn what_is_taken_is_a_fixed_point() {
        let mut taken = 0;
        for case in Generator::new(1).take(20_000) {
            let Some(Ok(head)) = case.head() else { continue };
            taken += 1;
            let again = Case { method: case.method.clone(), url: head.path_and_query() };
            assert_eq!(again.head().unwrap().as_ref(), Ok(&head), "{case:?}");
            assert_eq!(again.head().unwrap().unwrap().path_and_query(), again.url);
        }
        assert!(taken > 3_000, "only {taken} of 20,000 cases are taken, which proves little");
    }
}
