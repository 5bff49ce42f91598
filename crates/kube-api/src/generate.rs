//! Seeded request lines, normal and hostile, and what has to agree about them: for differential tests against the
//! API server's own code, and for fuzzing.
//!
//! The server's answer is a JSON object with the fields of its `RequestInfo` in lower camel case, or `{"error":".."}`.

use http::{HeaderValue, Method, Request, Uri, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{Head, Refusal, Target, request_info::request_info};

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
    state: u64,
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "PATCH",
    "DELETE", "DELETE", "OPTIONS", "get", "QUERY", "CONNECT",
];
const ROOTS: &[&str] = &[
    "/api/v1",
    "/api/v1",
    "/api/v1",
    "/apis/apps/v1",
    "/apis/apps/v1",
    "/apis/rbac.authorization.k8s.io/v1",
    "/apis/x.example.com/v1beta1",
    "/api",
    "/apis",
    "/apis/apps",
    "",
    "/healthz",
    "/openapi/v3",
    "/version",
    "/API/v1",
    "/api/v2/v1",
    "/apis//v1",
];
const RESOURCES: &[&str] = &[
    "pods",
    "pods",
    "secrets",
    "deployments",
    "nodes",
    "namespaces",
    "services",
    "widgets",
    "serviceaccounts",
    "certificatesigningrequests",
    "watch",
    "proxy",
    "status",
];
const NAMES: &[&str] = &[
    "web",
    "web-0",
    "kube-system",
    "default",
    "system:node",
    "system%3Anode",
    "a.b.c",
    "status",
    "finalize",
    "namespaces",
    "watch",
    "proxy",
    "x_y",
    "A@b",
    "sha256:ab",
];
const SUBRESOURCES: &[&str] = &[
    "status",
    "scale",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "eviction",
    "token",
    "finalize",
    "approval",
    "ephemeralcontainers",
    "binding",
    "resize",
    "unknown",
];
/// Names of parameters and values to go with them, and often others.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("watch", &["true", "True", "1", "false", "0", "FALSE", "", "x", "t"]),
    (
        "fieldSelector",
        &[
            "metadata.name=web",
            "metadata.name%3Dweb",
            "metadata.name==web",
            "metadata.name!=web",
            "metadata.namespace=x",
            "metadata.name=a,metadata.name=b",
            "spec.nodeName=n,metadata.name=b",
            "metadata.name=a,foo",
            "metadata.name=",
            "metadata.name=..",
            "metadata.name=a%2Fb",
            "metadata.name=a%5C,b",
            "metadata.name=%5C",
            "metadata.name=a b",
            "a=b=c",
            "=",
            ",",
            "metadata.name=a%25",
            "metadata.name=a,",
            ",metadata.name=z",
            "!=a",
            "metadata.name=%5C%5C",
            " metadata.name=a",
            "metadata.name=a,metadata.name!=a",
        ],
    ),
    (
        "labelSelector",
        &[
            "app=web",
            "app%3Dweb%2Ctier%21%3Dx",
            "app in (a,b)",
            "app+notin+(a)",
            "!app",
            "app",
            "a==b",
            "=",
            "a=b=c",
            "n>5",
            "n>x",
            "n<-1",
            "a in ()",
            "a in (",
            "x.io/a=b",
            "X.io/a=b",
            "/a=b",
            "a,,b",
            "a,",
            "in",
            "in in (in)",
            "a=%00,b",
            "a%00%2Cb",
            "a%09%3D%0Ab",
            "a=b c",
            "a in (,)",
            "-a",
            "a=-b",
            "a%3D%C3%A9",
        ],
    ),
    (
        "limit",
        &["5", "0", "-1", "+5", "05", "x", "", "9223372036854775807", "9223372036854775808", "1_0", "%31"],
    ),
    ("timeoutSeconds", &["30", "x", "", "-0"]),
    ("resourceVersion", &["0", "12345", ""]),
    ("resourceVersionMatch", &["Exact", "NotOlderThan"]),
    ("allowWatchBookmarks", &["true", "x"]),
    ("sendInitialEvents", &["true", "0"]),
    ("continue", &["eyJ2IjoibWV0YSJ9", "a%2Bb"]),
    ("dryRun", &["All", "all", ""]),
    ("fieldManager", &["kubectl", "a b"]),
    ("force", &["true"]),
    ("gracePeriodSeconds", &["0", "30"]),
    ("propagationPolicy", &["Foreground", "x"]),
    ("pretty", &["true", "1"]),
    ("timeout", &["32s", "1m30s", "x"]),
    ("follow", &["true"]),
    ("container", &["app"]),
    ("tailLines", &["10"]),
    ("command", &["ls", "-l"]),
    ("verbose", &["", "true"]),
    ("unknown", &["1"]),
    ("Watch", &["true"]),
    ("w%61tch", &["true"]),
];
/// What selectors are made of.
const TOKENS: &[&str] = &[
    "a",
    "b",
    "metadata.name",
    "=",
    "==",
    "!=",
    ",",
    ",",
    "!",
    "(",
    ")",
    "+",
    "in",
    "notin",
    ">",
    "<",
    "5",
    "%5C",
    "/",
    "-",
    ".",
    "%00",
    "%09",
    "%C3%A9",
    "_",
    "A",
];
/// Put into a line at any place.
const HOSTILE: &[&str] = &[
    "/",
    "//",
    "%2f",
    "%2F",
    "%2e",
    "/./",
    "/../",
    "%00",
    "%0a",
    "%",
    "%zz",
    "%25",
    ";",
    "?",
    "&",
    "&&",
    "=",
    "+",
    "%20",
    "%70",
    "%c3%a9",
    "\u{e9}",
    ":",
    "@",
    "~",
    "\\",
    "|",
    "*",
    "/watch",
    "/proxy",
    "/namespaces",
    "watch=true",
    "&watch=1",
    "&watch",
    "?watch=1",
    "fieldSelector=metadata.name=q",
    "%3F",
    "%23",
    "$",
    "(",
    "'",
    "\"",
    "<",
];

impl Generator {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random() % bound.max(1) as u64).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }

    fn path(&mut self) -> String {
        let mut path = self.pick(ROOTS).to_owned();
        if self.chance(6) {
            path.push_str(self.pick(&["/watch", "/proxy"]));
        }
        if self.chance(55) {
            path.push_str("/namespaces/");
            path.push_str(self.pick(NAMES));
        }
        for (words, percent) in [(RESOURCES, 92), (NAMES, 50), (SUBRESOURCES, 30), (NAMES, 6), (NAMES, 30)] {
            if !self.chance(percent) {
                break;
            }
            path.push('/');
            path.push_str(self.pick(words));
        }
        if path.is_empty() {
            path.push('/');
        }
        path
    }

    fn query(&mut self) -> String {
        let mut query = String::new();
        while query.is_empty() || self.chance(40) {
            if !query.is_empty() {
                query.push('&');
            }
            // Mostly what lists take, so that many cases are taken.
            let common = if self.chance(75) { 10 } else { PARAMETERS.len() };
            let (name, values) = self.pick(PARAMETERS.get(..common).unwrap_or(PARAMETERS));
            query.push_str(name);
            if self.chance(97) {
                query.push('=');
                if name.ends_with("Selector") && self.chance(30) {
                    self.selector(&mut query);
                } else {
                    // The first is a good one.
                    let first = values.first().copied().unwrap_or_default();
                    query.push_str(if self.chance(50) { first } else { self.pick(values) });
                }
            }
        }
        query
    }

    fn selector(&mut self, query: &mut String) {
        if self.chance(50) {
            query.push_str("metadata.name=");
        }
        for _ in 0..self.below(9) {
            query.push_str(self.pick(TOKENS));
        }
    }

    fn spoil(&mut self, url: &mut String) {
        let places: Vec<usize> = url.char_indices().map(|(at, _)| at).skip(1).collect();
        let at = if self.chance(20) { url.len() } else { self.pick(&places) };
        if at > 0 {
            url.insert_str(at, self.pick(HOSTILE));
        }
    }
}

impl Iterator for Generator {
    type Item = Case;

    fn next(&mut self) -> Option<Case> {
        let method = self.pick(METHODS).to_owned();
        let mut url = self.path();
        if self.chance(50) {
            url.push('?');
            url.push_str(&self.query());
        }
        while self.chance(20) {
            self.spoil(&mut url);
        }
        // A space would end the target on the wire.
        Some(Case { method, url: url.replace(' ', "%20") })
    }
}

impl Case {
    /// The head, as the gate reads it; `None` where the HTTP library reads no request at all.
    #[must_use]
    pub fn head(&self) -> Option<Result<Head, Refusal>> {
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

fn differ(what: &str, ours: &str, answer: &Value, field: &str) -> Result<(), String> {
    let theirs = answer.get(field).and_then(Value::as_str).unwrap_or_default();
    if ours == theirs { Ok(()) } else { Err(format!("{what} is `{ours}` here and `{theirs}` there")) }
}

/// Whether the gate and the server mean the same by a request that the gate takes.
///
/// # Errors
/// The first difference.
pub fn agrees(head: &Head, answer: &Value) -> Result<(), String> {
    if let Some(error) = answer.get("error") {
        return Err(format!("taken here, and there: {error}"));
    }
    let is_resource = answer.get("isResourceRequest") == Some(&Value::Bool(true));
    match head.target() {
        Target::Resource(resource) if is_resource => {
            differ("verb", head.verb().as_str(), answer, "verb")?;
            differ("group", resource.group(), answer, "apiGroup")?;
            differ("version", resource.version(), answer, "apiVersion")?;
            differ("resource", resource.resource(), answer, "resource")?;
            differ("subresource", resource.subresource().unwrap_or_default(), answer, "subresource")?;
            differ("namespace", resource.namespace().unwrap_or_default(), answer, "namespace")?;
            differ("name", resource.name().unwrap_or_default(), answer, "name")?;
            differ(
                "field selector",
                head.options().get("fieldSelector").unwrap_or_default(),
                answer,
                "fieldSelector",
            )?;
            differ(
                "label selector",
                head.options().get("labelSelector").unwrap_or_default(),
                answer,
                "labelSelector",
            )
        }
        Target::NonResource(other) if !is_resource => {
            differ("verb", &head.method().as_str().to_lowercase(), answer, "verb")?;
            differ("path", &unescaped(other.path()).unwrap_or_default(), answer, "path")
        }
        Target::Resource(_) => Err("a resource here and none there".to_owned()),
        Target::NonResource(_) => Err("no resource here and one there".to_owned()),
    }
}

/// Whether our port of the server's reading gives what the server gives, for any line that the server's HTTP library reads.
///
/// # Errors
/// The first difference.
pub fn port_agrees(case: &Case, answer: &Value) -> Result<(), String> {
    let Some((path, pairs)) = case.decoded() else { return Ok(()) };
    let undetermined =
        answer.get("error").and_then(Value::as_str).map(|error| error.contains("unable to determine"));
    let info = match (request_info(&case.method, &path, &pairs), undetermined) {
        // Not a request at all, there.
        (_, Some(false)) | (Err(_), Some(true)) => return Ok(()),
        (Ok(_), Some(true)) => return Err("determined here and not there".to_owned()),
        (Err(_), None) => return Err("undetermined here and not there".to_owned()),
        (Ok(info), None) => info,
    };
    let is_resource = answer.get("isResourceRequest") == Some(&Value::Bool(true));
    if info.is_resource_request != is_resource {
        return Err(format!("isResourceRequest is {} here", info.is_resource_request));
    }
    for (what, ours) in [
        ("path", &info.path),
        ("verb", &info.verb),
        ("apiPrefix", &info.api_prefix),
        ("apiGroup", &info.api_group),
        ("apiVersion", &info.api_version),
        ("namespace", &info.namespace),
        ("resource", &info.resource),
        ("subresource", &info.subresource),
        ("name", &info.name),
        ("fieldSelector", &info.field_selector),
        ("labelSelector", &info.label_selector),
    ] {
        differ(what, ours, answer, what)?;
    }
    let parts: Vec<&str> = answer
        .get("parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if info.parts == parts {
        Ok(())
    } else {
        Err(format!("parts are {:?} here and {parts:?} there", info.parts))
    }
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
