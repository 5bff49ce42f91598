//! Access to a scope for a time, as agents ask for it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The verbs of requests for resources (`RequestInfo` in k8s.io/apiserver/pkg/endpoints/request), but for `deletecollection`: what a
/// collection will have in it nobody knows ahead.
const VERBS: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];
/// What becomes a connection to a pod. Humans are asked about commands one by one, bound to their words and to the container as it runs, and not
/// at all about ports.
const TUNNELS: [&str; 3] = ["pods/attach", "pods/exec", "pods/portforward"];
/// In place of namespaces: of all of them at once.
const ALL: &str = "*";
/// More names in one part are no scope that a human can read.
const MOST: usize = 16;

/// Access to scopes, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// If it is given by one human in an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// What it is for, as the agent said.
    pub reason: String,
    /// To what.
    pub scopes: Vec<Scope>,
    /// For how many seconds, from the yes on.
    pub seconds: u32,
}

/// An emergency: one human's yes counts for everybody whom rules ask, and what was done is signed off by another later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlass {
    /// What it is about, as the agent said: a ticket, a call.
    pub incident: String,
    /// Who may sign it off: people or groups.
    pub reviewers: Vec<String>,
}

/// Some calls: those with one of its verbs, on one of its resources, in one of its namespaces.
///
/// As text, `VERB[,VERB…] RESOURCE[,RESOURCE…] [named NAME[,NAME…]] [in NAMESPACE[,NAMESPACE…]]`:
/// `patch,delete deployments.apps named web in shop`. Lists and watches of all namespaces at once are `in *`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only on objects of these names; any if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// In these namespaces; if there is none, only single objects that are in no namespace. `*` alone: lists and watches of all
    /// namespaces at once, or of what is in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Plural name and group, with a subresource if that is meant: `deployments.apps`, `deployments.apps/scale`.
    pub resources: Vec<String>,
    /// Kubernetes' verbs.
    pub verbs: Vec<String>,
}

/// What a call does, as far as scopes tell calls apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Its verb.
    pub verb: String,
    /// As [`Scope::resources`] has it.
    pub resource: String,
    /// The namespace that it is in, if it is in one. A namespace itself is in none.
    pub namespace: Option<String>,
    /// The object's name, if the call names one.
    pub name: Option<String>,
}

/// Not a [`Scope`], and what would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum BadScope {
    #[error(
        "`{0}` is not a scope; write `VERB[,VERB] RESOURCE[,RESOURCE] [named NAME] [in NAMESPACE]`, as `patch,delete deployments.apps in shop`"
    )]
    Form(String),
    #[error("`{0}` is not a verb; the verbs are get, list, watch, create, update, patch and delete")]
    Verb(String),
    #[error(
        "`{0}` is not a resource; write its plural name and group, as `deployments.apps` or `deployments.apps/scale`"
    )]
    Resource(String),
    #[error(
        "`{0}` is not a name of an object or a namespace; write letters, digits, `-`, `.`, `:` and `_`, and commas between names"
    )]
    Name(String),
    #[error("`{0}`: only `list` and `watch` can be `in *`, alone and of any name; name the namespaces")]
    All(String),
    #[error(
        "`{0}` cannot be had ahead: humans are asked about each command when it is run, bound to its words and its container, and not at all about ports; leave it out"
    )]
    Tunnel(String),
    #[error("`{0}` names more than {MOST} of a kind; ask for less at once")]
    TooMany(String),
}

// === impl Scope ===

impl Scope {
    /// Whether it covers this.
    #[must_use]
    pub fn covers(&self, usage: &Usage) -> bool {
        let Self { names, namespaces, resources, verbs } = self;
        let in_namespace = match &usage.namespace {
            Some(namespace) => namespaces.contains(namespace),
            // Without a namespace, these are of all of them.
            None if reads_all(&usage.verb) => namespaces.iter().any(|namespace| namespace == ALL),
            None => namespaces.is_empty(),
        };
        let named = names.is_empty() || usage.name.as_ref().is_some_and(|name| names.contains(name));
        verbs.contains(&usage.verb) && resources.contains(&usage.resource) && in_namespace && named
    }
}

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let form = || BadScope::Form(text.to_owned());
        let mut words = text.split_whitespace();
        let verbs = list(words.next().ok_or_else(form)?, |verb| VERBS.contains(&verb), BadScope::Verb)?;
        let resources = list(words.next().ok_or_else(form)?, is_resource, BadScope::Resource)?;
        if let Some(tunnel) = resources.iter().find(|resource| TUNNELS.contains(&resource.as_str())) {
            return Err(BadScope::Tunnel(tunnel.clone()));
        }
        let (mut names, mut namespaces) = (Vec::new(), Vec::new());
        while let Some(word) = words.next() {
            let (which, fits): (_, fn(&str) -> bool) = match word {
                "named" if names.is_empty() && namespaces.is_empty() => (&mut names, is_name),
                "in" if namespaces.is_empty() => (&mut namespaces, |name| name == ALL || is_name(name)),
                _ => return Err(form()),
            };
            *which = list(words.next().ok_or_else(form)?, fits, BadScope::Name)?;
        }
        let all = namespaces.iter().any(|namespace| namespace == ALL);
        if all && (namespaces.len() > 1 || !names.is_empty() || !verbs.iter().all(|verb| reads_all(verb))) {
            return Err(BadScope::All(text.to_owned()));
        }
        Ok(Self { names, namespaces, resources, verbs })
    }
}

/// Whether what it does without a namespace it does in all of them.
fn reads_all(verb: &str) -> bool {
    matches!(verb, "list" | "watch")
}

/// Split at commas, sorted, each once.
fn list(text: &str, fits: fn(&str) -> bool, bad: fn(String) -> BadScope) -> Result<Vec<String>, BadScope> {
    let mut parts: Vec<&str> = text.split(',').collect();
    if let Some(part) = parts.iter().find(|part| !fits(part)) {
        return Err(bad((*part).to_owned()));
    }
    if parts.len() > MOST {
        return Err(BadScope::TooMany(text.to_owned()));
    }
    parts.sort_unstable();
    parts.dedup();
    Ok(parts.into_iter().map(str::to_owned).collect())
}

/// Lower-case letters, digits, `-` and `.`, and perhaps a subresource.
fn is_resource(text: &str) -> bool {
    let plain = |part: &str| {
        let fits =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        !part.is_empty() && part.len() <= 253 && part.bytes().all(fits)
    };
    match text.split_once('/') {
        Some((resource, subresource)) => plain(resource) && plain(subresource),
        None => plain(text),
    }
}

/// Wider than most kinds' names (`IsDNS1123Subdomain` in k8s.io/apimachinery/pkg/util/validation): RBAC's have `:` and capitals.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(fits)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, namespaces, resources, verbs } = self;
        write!(f, "{} {}", verbs.join(","), resources.join(","))?;
        if !names.is_empty() {
            write!(f, " named {}", names.join(","))?;
        }
        if !namespaces.is_empty() {
            write!(f, " in {}", namespaces.join(","))?;
        }
        Ok(())
    }
}

/// So many seconds, in words: `30 min`.
#[must_use]
pub fn time(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (minutes, 0) => format!("{minutes} min"),
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

// === impl Usage ===

impl Usage {
    /// What a request does, by its parts as the API server has them: there, a namespace is in itself.
    #[must_use]
    pub fn of(
        verb: &str,
        (group, resource): (&str, &str),
        subresource: Option<&str>,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        let mut kind = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let namespace = namespace.filter(|_| kind != "namespaces").map(str::to_owned);
        if let Some(subresource) = subresource {
            kind.push('/');
            kind.push_str(subresource);
        }
        Self { verb: verb.to_owned(), resource: kind, namespace, name: name.map(str::to_owned) }
    }

    /// Whether it makes an object, makes it another, or deletes it.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.deletes() || matches!(self.verb.as_str(), "create" | "update" | "patch")
    }

    /// Whether it deletes an object.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.verb == "delete"
    }

    /// Which object it is about, as [`crate::Change::object`] has it: resource, namespace and name.
    #[must_use]
    pub fn object(&self) -> (&str, &str, &str) {
        let (namespace, name) = (self.namespace.as_deref(), self.name.as_deref());
        (&self.resource, namespace.unwrap_or_default(), name.unwrap_or_default())
    }
}

/// `patch deployments.apps "web" in namespace "shop"`.
impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verb)?;
        f.write_str(" ")?;
        named(f, self.object())
    }
}

/// `deployments.apps "web" in namespace "shop"`. Escaped: an agent chose the names.
pub(crate) fn named(f: &mut fmt::Formatter<'_>, object: (&str, &str, &str)) -> fmt::Result {
    let (resource, namespace, name) = object;
    write!(f, "{} \"{}\"", resource.escape_debug(), name.escape_debug())?;
    if namespace.is_empty() { Ok(()) } else { write!(f, " in namespace \"{}\"", namespace.escape_debug()) }
}

// === impl Access ===

impl Access {
    /// Whether it covers this.
    #[must_use]
    pub fn covers(&self, usage: &Usage) -> bool {
        self.scopes.iter().any(|scope| scope.covers(usage))
    }

    /// How long it lasts, in words: `30 min`.
    #[must_use]
    pub fn time(&self) -> String {
        time(self.seconds)
    }

    /// What a yes permits, each in a line, for those who decide.
    #[must_use]
    pub fn effects(&self) -> Vec<String> {
        let one = |scope: &Scope| {
            let Scope { names, namespaces, resources, verbs } = scope;
            let named = if names.is_empty() {
                "of any name".to_owned()
            } else {
                format!("named {}", names.join(" or "))
            };
            let within = match namespaces.as_slice() {
                [] => "in no namespace".to_owned(),
                [all] if all == ALL => "in all namespaces at once, or in none".to_owned(),
                [one] => format!("in namespace {one}"),
                several => format!("in namespaces {}", several.join(" and ")),
            };
            format!("permits to {} {} {named} {within}", verbs.join(", "), resources.join(" and "))
        };
        let mut effects: Vec<String> = self.scopes.iter().map(one).collect();
        effects.push(format!(
            "for {} from the yes on, as often as the agent likes, without asking again",
            self.time()
        ));
        effects.push("answers rules that ask whom you are among; what policy denies stays denied".to_owned());
        if let Some(BreakGlass { incident, reviewers }) = &self.break_glass {
            if let Some(last) = effects.last_mut() {
                "breaks the glass: one yes answers every rule that asks, whomever and how many it asks; what policy denies stays denied"
                    .clone_into(last);
            }
            effects.push(format!("for the incident {incident}"));
            effects.push(format!("has to be signed off afterwards by another of {}", reviewers.join(", ")));
        }
        effects
    }
}

#[cfg(test)]
mod tests;
