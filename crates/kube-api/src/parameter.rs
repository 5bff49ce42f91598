//! Query parameters: which a request has, and what they may be.

use crate::{
    Verb,
    field_selector::is_field_selector,
    label_selector::is_label_selector,
    refusal::{Refusal, quoted},
    subresource::{Shape, shape},
    target::{Class, Target},
};

/// What a parameter's value may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// `true`, `false`, `1`, `0` in any case: the server takes everything else for true.
    Bool,
    /// A non-negative integer.
    Count,
    /// A positive integer.
    Positive,
    /// 1 to 65535. Several may be joined by commas, as the Python client does.
    Port,
    /// Digits: a resource version.
    Version,
    /// One of these.
    OneOf(&'static [&'static str], &'static str),
    /// Up to so many bytes of text.
    Text(usize),
    /// As [`Kind::Text`], and it may span lines.
    Lines(usize),
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
#[derive(Debug)]
pub(crate) struct Parameter(pub(crate) &'static str, pub(crate) Kind, pub(crate) bool);

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

/// `ListOptions` in k8s.io/apimachinery/pkg/apis/meta/v1/types.go, as far as it selects.
const SELECTION: &[Parameter] = &[
    one("labelSelector", Kind::LabelSelector),
    one("fieldSelector", Kind::FieldSelector),
    one("timeoutSeconds", Kind::Count),
    one("limit", Kind::Count),
    one("continue", Kind::Text(16 * 1024)),
    one("includeObject", INCLUDED),
];

/// The rest of `ListOptions`, which says nothing to a deletion, or something else: there, `resourceVersion` is also a
/// precondition on every object (`Convert_url_Values_To_v1_DeleteOptions` in
/// k8s.io/apimachinery/pkg/apis/meta/v1/conversion.go).
const FOLLOWING: &[Parameter] = &[
    one("resourceVersion", Kind::Version),
    one("resourceVersionMatch", MATCHES),
    one("watch", Kind::Bool),
    one("allowWatchBookmarks", Kind::Bool),
    one("sendInitialEvents", Kind::Bool),
    one("shardSelector", Kind::Text(1024)),
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

/// How many bytes of a log are wanted. The server would cut values apart, so that what is secret in them could not be found: it is not told.
pub(crate) const LIMIT_BYTES: &str = "limitBytes";

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
    one(LIMIT_BYTES, Kind::Positive),
    one(
        "insecureSkipTLSVerifyBackend",
        Kind::Refused("the API server would take logs from whoever answers for the node"),
    ),
];

/// `PodAttachOptions`, and `PodExecOptions` without its command.
const TERMINAL: &[Parameter] = &[
    one("container", Kind::Text(253)),
    one("stdin", Kind::Bool),
    one("stdout", Kind::Bool),
    one("stderr", Kind::Bool),
    one("tty", Kind::Bool),
];
const COMMAND: &[Parameter] = &[Parameter("command", Kind::Lines(16 * 1024), true)];
/// `PodPortForwardOptions`.
const PORTS: &[Parameter] = &[Parameter("ports", Kind::Port, true)];

const OPEN_API: &[Parameter] = &[one("hash", Kind::Text(256)), one("timeout", Kind::Duration)];
const HEALTH: &[Parameter] = &[
    one("verbose", Kind::OneOf(&["", "true"], "`true`, or without a value")),
    Parameter("exclude", Kind::Text(253), true),
    one("timeout", Kind::Duration),
];
const OTHER: &[Parameter] = &[one("timeout", Kind::Duration)];

/// The tables that apply to a request.
pub(crate) fn tables(verb: Verb, target: &Target) -> Vec<&'static [Parameter]> {
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
        Shape::Upgrade => {
            return match resource.subresource() {
                Some("exec") => vec![COMMON, TERMINAL, COMMAND],
                Some("attach") => vec![COMMON, TERMINAL],
                _ => vec![COMMON, PORTS],
            };
        }
        Shape::Proxy => return vec![],
        Shape::Object => {}
    }
    match verb {
        Verb::Get => vec![COMMON, GET],
        Verb::List | Verb::Watch => vec![COMMON, SELECTION, FOLLOWING],
        Verb::Create | Verb::Update => vec![COMMON, WRITE],
        Verb::Patch => vec![COMMON, WRITE, FORCE],
        Verb::Delete => vec![COMMON, DELETES],
        Verb::DeleteCollection => vec![COMMON, SELECTION, DELETES],
    }
}

impl Kind {
    /// The values that one is: the server takes ports apart at commas (`Convert_Slice_string_To_Slice_int32` in
    /// k8s.io/apimachinery/pkg/apis/meta/v1/conversion.go).
    pub(crate) fn values(self, value: &str) -> impl Iterator<Item = &str> {
        value.split(move |character| character == ',' && matches!(self, Self::Port))
    }

    /// A value as it is written; so that the server reads what it looks like.
    ///
    /// # Errors
    /// The server would read it otherwise, or not at all; or the parameter is refused on purpose.
    pub(crate) fn canonical(self, name: &'static str, value: &str) -> Result<String, Refusal> {
        let unless = |holds: bool, expected| {
            let refusal = || match self.may_be_quoted() {
                true => Refusal::ParameterValue { name, value: quoted(value), expected },
                false => Refusal::HiddenParameterValue { name, expected },
            };
            holds.then(|| value.to_owned()).ok_or_else(refusal)
        };
        if !matches!(self, Self::Lines(_) | Self::Refused(_)) && value.chars().any(char::is_control) {
            return unless(false, "free of control characters");
        }
        match self {
            Self::Bool => match value {
                "1" => Ok("true".to_owned()),
                "0" => Ok("false".to_owned()),
                _ if value.eq_ignore_ascii_case("true") => Ok("true".to_owned()),
                _ if value.eq_ignore_ascii_case("false") => Ok("false".to_owned()),
                _ => unless(false, "`true` or `false`"),
            },
            Self::Count => unless(is_count(value), "a whole number"),
            Self::Positive => unless(is_count(value) && value != "0", "a whole number above 0"),
            Self::Port => {
                unless(is_count(value) && value.parse::<u16>().is_ok_and(|port| port > 0), "a port")
            }
            Self::Version => {
                unless(value.len() <= 20 && value.bytes().all(|byte| byte.is_ascii_digit()), "a number")
            }
            Self::OneOf(values, expected) => unless(values.contains(&value), expected),
            Self::Text(most) | Self::Lines(most) => unless(value.len() <= most, "short enough"),
            Self::FieldSelector => unless(is_field_selector(value), "a field selector"),
            // Blanks look like a selector and select everything.
            Self::LabelSelector => unless(
                is_label_selector(value) && value.trim().is_empty() == value.is_empty(),
                "a label selector",
            ),
            Self::Time => unless(is_time(value), "a time such as `2026-01-31T12:00:00Z`"),
            Self::Duration => unless(is_duration(value), "a duration such as `30s`"),
            Self::Refused(reason) => Err(Refusal::RefusedParameter { name, reason }),
        }
    }

    /// Whether a refusal may repeat the value, which the ledger then has: not of free text, nor of what it is compared with,
    /// which may be secret.
    fn may_be_quoted(self) -> bool {
        match self {
            Self::Text(_) | Self::Lines(_) | Self::FieldSelector | Self::LabelSelector | Self::Refused(_) => {
                false
            }
            Self::Bool
            | Self::Count
            | Self::Positive
            | Self::Port
            | Self::Version
            | Self::OneOf(..)
            | Self::Time
            | Self::Duration => true,
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
        let digits =
            rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(0);
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
