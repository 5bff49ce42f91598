//! Query parameters: which a request has, what they may be, and how they are written canonically.

use crate::{
    Verb, path,
    refusal::{Refusal, quoted},
    selector::{is_label_selector, required_name},
    subresource::{Shape, shape},
    target::{Class, Resource, Target},
};

/// The options that the client gave, canonical, in the client's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(Vec<(&'static str, String)>);

/// What a parameter's value may be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// `true`, `false`, `1`, `0` in any case: the server takes everything else for true.
    Bool,
    /// A non-negative integer.
    Count,
    /// Digits: a resource version.
    Version,
    /// One of these.
    OneOf(&'static [&'static str], &'static str),
    /// Up to so many bytes of text.
    Text(usize),
    FieldSelector,
    LabelSelector,
    /// RFC 3339.
    Time,
    /// `30s`, `1m30s`.
    Duration,
    /// Never.
    Refused(&'static str),
}

/// A parameter: its name, its kind, and whether it is a list.
struct Parameter(&'static str, Kind, bool);

const fn one(name: &'static str, kind: Kind) -> Parameter {
    Parameter(name, kind, false)
}

const MATCHES: Kind = Kind::OneOf(&["Exact", "NotOlderThan"], "`Exact` or `NotOlderThan`");
const ALL: Kind = Kind::OneOf(&["All"], "`All`");
const VALIDATION: Kind = Kind::OneOf(&["Ignore", "Warn", "Strict"], "`Ignore`, `Warn` or `Strict`");
const PROPAGATION: Kind =
    Kind::OneOf(&["Orphan", "Background", "Foreground"], "`Orphan`, `Background` or `Foreground`");
const INCLUDED: Kind = Kind::OneOf(&["None", "Metadata", "Object"], "`None`, `Metadata` or `Object`");
const STREAMS: Kind = Kind::OneOf(&["All", "Stdout", "Stderr"], "`All`, `Stdout` or `Stderr`");

/// Of every request for a resource.
const COMMON: &[Parameter] = &[one("pretty", Kind::Bool), one("timeout", Kind::Duration)];

const GET: &[Parameter] = &[one("resourceVersion", Kind::Version), one("includeObject", INCLUDED)];

/// `ListOptions` in k8s.io/apimachinery/pkg/apis/meta/v1/types.go.
const LIST: &[Parameter] = &[
    one("labelSelector", Kind::LabelSelector),
    one("fieldSelector", Kind::FieldSelector),
    one("watch", Kind::Bool),
    one("allowWatchBookmarks", Kind::Bool),
    one("resourceVersion", Kind::Version),
    one("resourceVersionMatch", MATCHES),
    one("timeoutSeconds", Kind::Count),
    one("limit", Kind::Count),
    one("continue", Kind::Text(16 * 1024)),
    one("sendInitialEvents", Kind::Bool),
    one("includeObject", INCLUDED),
];

/// `CreateOptions`, `UpdateOptions`, `PatchOptions`.
const WRITE: &[Parameter] = &[
    one("dryRun", ALL),
    one("fieldManager", Kind::Text(128)),
    one("fieldValidation", VALIDATION),
    one("includeObject", INCLUDED),
];

const FORCE: &[Parameter] = &[one("force", Kind::Bool)];

/// `DeleteOptions`; preconditions come in the body only.
pub(crate) const DELETE: [&str; 4] = ["dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents"];
const DELETES: &[Parameter] = &[
    one("dryRun", ALL),
    one("gracePeriodSeconds", Kind::Count),
    one("propagationPolicy", PROPAGATION),
    one("orphanDependents", Kind::Bool),
    one(
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        Kind::Refused("it deletes objects that the API server cannot read, and can break the cluster"),
    ),
];

/// `PodLogOptions` in k8s.io/api/core/v1/types.go.
const LOG: &[Parameter] = &[
    one("container", Kind::Text(253)),
    one("follow", Kind::Bool),
    one("previous", Kind::Bool),
    one("sinceSeconds", Kind::Count),
    one("sinceTime", Kind::Time),
    one("timestamps", Kind::Bool),
    one("tailLines", Kind::Count),
    one("stream", STREAMS),
    one("limitBytes", Kind::Refused("it cuts values apart, so that what is secret in them cannot be found")),
    one(
        "insecureSkipTLSVerifyBackend",
        Kind::Refused("the API server would take logs from whoever answers for the node"),
    ),
];

/// `PodExecOptions`, `PodAttachOptions`, `PodPortForwardOptions`.
const UPGRADE: &[Parameter] = &[
    one("container", Kind::Text(253)),
    one("stdin", Kind::Bool),
    one("stdout", Kind::Bool),
    one("stderr", Kind::Bool),
    one("tty", Kind::Bool),
    Parameter("command", Kind::Text(4096), true),
    Parameter("ports", Kind::Count, true),
];

const OPEN_API: &[Parameter] = &[one("hash", Kind::Text(256)), one("timeout", Kind::Duration)];
const HEALTH: &[Parameter] = &[
    one("verbose", Kind::Text(5)),
    Parameter("exclude", Kind::Text(253), true),
    one("timeout", Kind::Duration),
];
const OTHER: &[Parameter] = &[one("timeout", Kind::Duration)];

/// The tables that apply to a request.
fn tables(verb: Verb, target: &Target) -> Vec<&'static [Parameter]> {
    let resource = match target {
        Target::Resource(resource) => resource,
        Target::NonResource(other) => {
            return vec![match other.class() {
                Class::OpenApi => OPEN_API,
                Class::Health => HEALTH,
                Class::Discovery | Class::Version | Class::Other => OTHER,
            }];
        }
    };
    match shape(resource) {
        Shape::Log => return vec![COMMON, LOG],
        Shape::Upgrade => return vec![COMMON, UPGRADE],
        Shape::Proxy => return vec![],
        Shape::Object => {}
    }
    match verb {
        Verb::Get => vec![COMMON, GET],
        Verb::List | Verb::Watch => vec![COMMON, LIST],
        Verb::Create | Verb::Update => vec![COMMON, WRITE],
        Verb::Patch => vec![COMMON, WRITE, FORCE],
        Verb::Delete => vec![COMMON, DELETES],
        Verb::DeleteCollection => vec![COMMON, LIST, DELETES],
    }
}

impl Options {
    /// Checks each pair against the request's tables.
    ///
    /// # Errors
    /// Unknown, doubled, refused, or unreadable parameters.
    pub(crate) fn parse(verb: Verb, target: &Target, pairs: &[(String, String)]) -> Result<Self, Refusal> {
        let tables = tables(verb, target);
        let mut options = Self(Vec::with_capacity(pairs.len()));
        for (name, value) in pairs {
            let known = tables.iter().copied().flatten().find(|parameter| parameter.0 == name);
            let Some(Parameter(name, kind, list)) = known else {
                return Err(Refusal::UnknownParameter { name: quoted(name), request: describe(verb, target) });
            };
            if !list && options.get(name).is_some() {
                return Err(Refusal::DuplicateParameter { name });
            }
            options.0.push((name, kind.canonical(name, value)?));
        }
        Ok(options)
    }

    /// The (first) value of an option, as the client gave it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of an option that is a list, such as `command`.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a boolean option is true.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// Names and values, in the client's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// `?name=value&…`, or nothing.
    pub(crate) fn write(&self, target: &mut String) {
        let mut separator = '?';
        for (name, value) in &self.0 {
            target.push(separator);
            target.push_str(name);
            target.push('=');
            target.push_str(&path::encode_value(value));
            separator = '&';
        }
    }
}

fn describe(verb: Verb, target: &Target) -> String {
    match target {
        Target::Resource(resource) => format!("{verb} {}", kind_of(resource)),
        Target::NonResource(_) => "a path that is no resource".to_owned(),
    }
}

fn kind_of(resource: &Resource) -> String {
    let suffix = resource.subresource().map(|subresource| format!("/{subresource}")).unwrap_or_default();
    format!("{}{suffix}", resource.group_resource())
}

impl Kind {
    fn canonical(self, name: &'static str, value: &str) -> Result<String, Refusal> {
        let unless = |holds: bool, expected| {
            let refusal = || Refusal::ParameterValue { name, value: quoted(value), expected };
            holds.then(|| value.to_owned()).ok_or_else(refusal)
        };
        match self {
            Self::Bool => match value {
                "1" => Ok("true".to_owned()),
                "0" => Ok("false".to_owned()),
                _ if value.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
                _ if value.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
                _ => unless(false, "`true` or `false`"),
            },
            Self::Count => unless(is_count(value), "a whole number"),
            Self::Version => unless(value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_digit()), "a number"),
            Self::OneOf(values, expected) => unless(values.contains(&value), expected),
            Self::Text(most) => unless(value.len() <= most, "short enough"),
            Self::FieldSelector => unless(required_name(value).is_ok(), "a field selector"),
            Self::LabelSelector => unless(is_label_selector(value), "a label selector"),
            Self::Time => unless(is_time(value), "a time such as `2026-01-31T12:00:00Z`"),
            Self::Duration => unless(is_duration(value), "a duration such as `30s`"),
            Self::Refused(reason) => Err(Refusal::RefusedParameter { name, reason }),
        }
    }
}

/// Digits that fit an int64, without a sign or leading zeros.
fn is_count(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit())
        && value.parse::<i64>().is_ok_and(|count| count.to_string() == value)
}

/// RFC 3339, as far as its characters go: the server checks the calendar.
fn is_time(value: &str) -> bool {
    (20..=40).contains(&value.len())
        && value.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            0..=18 => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || matches!(byte, b'.' | b'Z' | b'+' | b'-' | b':'),
        })
}

/// Go's `time.ParseDuration` for positive durations; `0` alone also means none.
fn is_duration(value: &str) -> bool {
    if value == "0" {
        return true;
    }
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(0);
        let Some((number, after)) = rest.split_at_checked(digits) else { return false };
        let units = ["ms", "s", "m", "h"];
        let Some(unit) = units.iter().find(|unit| after.starts_with(**unit)) else { return false };
        if number.is_empty() || number.parse::<f64>().is_err() {
            return false;
        }
        rest = after.get(unit.len()..).unwrap_or_default();
    }
    !value.is_empty() && value.len() <= 32
}
