//! Queries made up: what each kind of request may have, well and badly written.

use kube_api::{Head, generate::Random};

/// A kind of request, the types that the server decodes its query into, and the parameters that it may have.
pub(crate) struct Shape {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) decoded: &'static [&'static str],
    names: &'static [&'static str],
}

pub(crate) const LIST: &[&str] = &[
    "labelSelector",
    "fieldSelector",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "limit",
    "continue",
    "watch",
    "allowWatchBookmarks",
    "sendInitialEvents",
    "shardSelector",
    "includeObject",
];
const WRITE: &[&str] = &["dryRun", "fieldManager", "fieldValidation", "force", "includeObject"];
pub(crate) const DELETE: &[&str] = &[
    "dryRun",
    "gracePeriodSeconds",
    "propagationPolicy",
    "orphanDependents",
    "labelSelector",
    "resourceVersion",
];
const LOG: &[&str] = &[
    "container",
    "follow",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "tailLines",
    "stream",
    "limitBytes",
];
const TERMINAL: &[&str] = &["container", "stdin", "stdout", "stderr", "tty", "command", "command"];

macro_rules! shape {
    ($method:literal $path:literal, $decoded:expr, $names:expr) => {
        Shape {
            method: $method,
            path: concat!("/api/v1/namespaces/shop/", $path),
            decoded: &$decoded,
            names: $names,
        }
    };
}

pub(crate) const SHAPES: &[Shape] = &[
    shape!("GET" "pods", ["list"], LIST),
    shape!("GET" "pods/web", ["get"], &["resourceVersion", "includeObject"]),
    shape!("POST" "pods", ["create"], WRITE),
    shape!("PUT" "pods/web", ["update"], WRITE),
    shape!("PATCH" "pods/web", ["patch"], WRITE),
    shape!("DELETE" "pods/web", ["delete"], DELETE),
    shape!("DELETE" "pods", ["list", "delete"], DELETE),
    shape!("GET" "pods/web/log", ["log"], LOG),
    shape!("GET" "pods/web/exec", ["exec"], TERMINAL),
    shape!("POST" "pods/web/attach", ["attach"], TERMINAL),
    shape!("GET" "pods/web/portforward", ["portforward"], &["ports", "ports"]),
];
/// What any request may have, or none.
const OTHERS: &[&str] =
    &["pretty", "timeout", "unknown", "Limit", "dryRun", "watch", "preconditions", "kind", "apiVersion"];

pub(crate) const BOOLEANS: &[&str] =
    &["true", "false", "1", "0", "True", "FALSE", "tRUE", "t", "F", "yes", "", "2", " true", "00"];
pub(crate) const NUMBERS: &[&str] = &[
    "0",
    "5",
    "30",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-1",
    "+5",
    "05",
    "-0",
    "0x5",
    "1_0",
    "1e3",
    "5.0",
    " 5",
    "5 ",
    "",
    "x",
    "٥",
];
const TIMES: &[&str] = &[
    "2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00.5Z",
    "2026-01-31T12:00:00+01:00",
    "2026-02-31T12:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31t12:00:00z",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00",
    "null",
    "",
    "0001-01-01T00:00:00Z",
    "2026-01-31T12:00:00,5Z",
    "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:00.123456789-23:59",
];
const DURATIONS: &[&str] = &[
    "30s",
    "1m30s",
    "0",
    "1h",
    "500ms",
    "1.5h",
    ".5s",
    "5.s",
    "-1s",
    "+1s",
    "1",
    "1us",
    "s",
    "",
    "1e3s",
    "9999999999h",
];

pub(crate) fn values(name: &str) -> &'static [&'static str] {
    match name {
        "labelSelector" => &[
            "app=web",
            "app in (a,b)",
            "!app,b",
            "b,a",
            "a==b",
            "n>5",
            "a=",
            "in",
            "a in ()",
            "=",
            "a=b=c",
            "",
            " ",
            " a , b ",
            "a,",
        ],
        "fieldSelector" => &[
            "metadata.name=web",
            "metadata.name!=a",
            "b=c,a=b",
            "a==b",
            r"a=b\,c",
            r"a=\\",
            "a",
            "=",
            "",
            "spec.nodeName=",
            "!=",
            ",",
            "a=b,=",
            " ",
        ],
        "resourceVersion" => &["0", "1", "", "412", "18446744073709551616", "x", "-1", "01"],
        "resourceVersionMatch" => &["Exact", "NotOlderThan", "exact", ""],
        "continue" => &["eyJ2IjoibWV0YSJ9", "a+b/c=", "", "é"],
        "includeObject" => &["None", "Metadata", "Object", "none"],
        "shardSelector" => &["a", "shardRange(object.metadata.uid, '0x0', '0x8')", ""],
        "dryRun" => &["All", "All", "all", "", "None"],
        "fieldManager" => &["kubectl", "a b", "", "é", "a&b=c", "\n"],
        "fieldValidation" => &["Ignore", "Warn", "Strict", "strict", ""],
        "propagationPolicy" => &["Orphan", "Background", "Foreground", "foreground", ""],
        "stream" => &["All", "Stdout", "Stderr", "stdout", ""],
        "container" => &["app", "", "a b", "é"],
        "command" => &["ls", "-l", "", "a\nb", "a&b", "é", "%41", "a+b"],
        "ports" => &["8080", "1", "65535", "65536", "0", "-1", "80,81", "080", "+80", ""],
        "sinceTime" => TIMES,
        "timeout" => DURATIONS,
        "timeoutSeconds" | "limit" | "gracePeriodSeconds" | "sinceSeconds" | "tailLines" | "limitBytes" => {
            NUMBERS
        }
        "watch"
        | "allowWatchBookmarks"
        | "sendInitialEvents"
        | "force"
        | "orphanDependents"
        | "follow"
        | "previous"
        | "timestamps"
        | "stdin"
        | "stdout"
        | "stderr"
        | "tty"
        | "pretty" => BOOLEANS,
        _ => &["", "1"],
    }
}

pub(crate) struct Case {
    /// Of [`SHAPES`].
    pub(crate) at: usize,
    pub(crate) shape: &'static Shape,
    pub(crate) query: String,
}

impl Case {
    /// Drawn at random.
    pub(crate) fn of(random: &mut Random) -> Option<Self> {
        let at = random.below(SHAPES.len());
        let shape = SHAPES.get(at)?;
        let mut query = String::new();
        while query.is_empty() || random.chance(60) {
            if !query.is_empty() {
                query.push_str(if random.chance(98) { "&" } else { random.pick(&["&&", ";", "&;"]) });
            }
            let names = if random.chance(93) { shape.names } else { OTHERS };
            let name = random.pick(names);
            let values = values(name);
            // The first ones are good.
            let few = if random.chance(75) { 2 } else { values.len() };
            let value = random.pick(values.get(..few).unwrap_or(values));
            query.push_str(name);
            if random.chance(98) {
                query.push('=');
                encode(random, value, &mut query);
            }
        }
        Some(Self { at, shape, query })
    }

    /// As the gate reads it, if it does.
    pub(crate) fn head(&self) -> Option<Head> {
        let request = http::Request::builder()
            .method(self.shape.method)
            .uri(format!("{}?{}", self.shape.path, self.query))
            .header(
                "content-type",
                if self.shape.method == "PATCH" {
                    "application/merge-patch+json"
                } else {
                    "application/json"
                },
            );
        Head::parse(&request.body(()).ok()?.into_parts().0).ok()
    }
}

fn encode(random: &mut Random, value: &str, query: &mut String) {
    for byte in value.bytes() {
        match byte {
            b' ' if random.chance(50) => query.push('+'),
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b','
            | b':'
            | b'='
            | b'!'
            | b'('
            | b')'
                if random.chance(95) =>
            {
                query.push(char::from(byte));
            }
            _ => query.push_str(&format!("%{byte:02X}")),
        }
    }
}
