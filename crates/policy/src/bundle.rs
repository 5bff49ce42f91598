//! A set of rules, compiled and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use approval::Demand;
use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use miette::Diagnostic;
use sha2::{Digest as _, Sha256};

use crate::action::Action;
use crate::places::Places;
use crate::problem::{Problem, Problems};
use crate::rule::Rule;
use crate::vocabulary::{SCHEMA, Vocabulary};

/// Most places (pairs of a namespace and a name) that the rules about one action may tell apart: a call on a
/// collection is judged once for each.
const MAX_PLACES: usize = 1000;
/// Most keys of Secrets that the rules may tell apart: reading a Secret is judged once for each, and the ledger names as many.
const MAX_KEYS: usize = 64;
/// Most ports that the rules may tell apart: a port-forward is judged once for each before it is opened.
const MAX_PORTS: usize = 200;

/// A bundle file: its name, as decisions and problems show it, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// For instance `developer/workloads.cedar`.
    pub name: String,
    /// Cedar rules.
    pub text: String,
}

/// The digest of a bundle: `sha256:` and 64 hexadecimal digits, over the schema and every source in
/// the order of names, each name and text preceded by its length in bytes (64 bit, big endian).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Digest(Arc<str>);

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Rules that parse, validate strictly and obey the conventions of docs/policy.md.
#[derive(Clone)]
pub struct Bundle {
    sources: Arc<[Source]>,
    rules: BTreeMap<PolicyId, Rule>,
    digest: Digest,
    vocabulary: &'static Vocabulary,
}

/// What a bundle holds, for `portcullis policy check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    files: usize,
    permits: usize,
    forbids: usize,
    asks: usize,
    digest: Digest,
}

/// Compiles `sources` and counts what they hold.
pub fn check(sources: &[Source]) -> Result<Summary, Problems> {
    let bundle = Bundle::compile(sources)?;
    let count = |test: fn(&Rule) -> bool| bundle.rules().filter(|rule| test(rule)).count();
    Ok(Summary {
        files: sources.len(),
        permits: count(|rule| !rule.is_forbid()),
        forbids: count(|rule| rule.is_forbid() && rule.approval.is_none()),
        asks: count(|rule| rule.approval.is_some()),
        digest: bundle.digest.clone(),
    })
}

// === impl Bundle ===

impl Bundle {
    /// Compiles `sources`; on failure lists every problem with its place.
    pub fn compile(sources: &[Source]) -> Result<Self, Problems> {
        let vocabulary = Vocabulary::shipped().map_err(|e| Problem::new("schema.cedarschema", e))?;
        let mut draft = Draft::default();
        for source in sources {
            draft.add(source, sources);
        }
        draft.validate(&vocabulary.validator);
        draft.check_places();
        draft.check_ports();
        if draft.found.is_empty() && draft.rules.is_empty() {
            draft.found.push(Problem::new("bundle", "holds no rules, so it would deny everything"));
        }
        let rules = draft.rules.into_iter().map(|(id, (rule, _))| (id, rule)).collect();
        Problems::none_or(
            draft.found,
            Self { sources: sources.into(), rules, digest: digest(sources), vocabulary },
        )
    }

    /// The texts it was compiled from.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// How many rules it has.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        self.rules().count()
    }

    /// What its rules that ask demand, in the order of their ids.
    pub fn demands(&self) -> impl Iterator<Item = Demand> {
        self.rules().filter_map(Rule::demand)
    }

    /// The digest that every decision names.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn vocabulary(&self) -> &'static Vocabulary {
        self.vocabulary
    }

    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    pub(crate) fn rule(&self, id: &PolicyId) -> Option<&Rule> {
        self.rules.get(id)
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("rules", &self.rules.len()).field("digest", &self.digest).finish()
    }
}

// === impl Draft ===

/// A bundle on its way: rules with their source and offset, and what was found wrong so far.
#[derive(Default)]
struct Draft<'a> {
    rules: BTreeMap<PolicyId, (Rule, Place<'a>)>,
    found: Vec<Problem>,
    /// Rules to validate, with broken ones under a stand-in name.
    policies: PolicySet,
    places: BTreeMap<PolicyId, Place<'a>>,
    /// The file in which an `@id` was first seen.
    ids: BTreeMap<String, Arc<str>>,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a Source,
    offset: usize,
}

impl<'a> Draft<'a> {
    fn add(&mut self, source: &'a Source, all: &[Source]) {
        if all.iter().filter(|other| other.name == source.name).count() > 1 {
            self.found.push(Problem::new(&source.name, "two files have this name"));
        }
        let set = match source.text.parse::<PolicySet>() {
            Ok(set) => set,
            Err(errors) => {
                let report = |e: &dyn Diagnostic| Problem::from_diagnostic(&source.name, &source.text, 0, e);
                self.found.extend(errors.iter().map(|e| report(e)));
                return;
            }
        };
        let file: Arc<str> = Arc::from(source.name.as_str());
        let mut offset = 0;
        for n in 0..set.num_of_policies() + set.num_of_templates() {
            let id = PolicyId::new(format!("policy{n}"));
            let (text, policy) = match (set.policy(&id), set.template(&id)) {
                (Some(policy), _) => (policy.to_string(), Some(policy)),
                (None, Some(template)) => (template.to_string(), None),
                (None, None) => continue,
            };
            let start =
                source.text.get(offset..).and_then(|rest| rest.find(&text)).map_or(offset, |at| offset + at);
            offset = start + text.len();
            let place = Place { source, offset: start };
            match policy {
                Some(policy) => self.rule(&file, n, policy, place),
                None => self.problem(place, "templates cannot be used; write the rule out"),
            }
        }
    }

    fn rule(&mut self, file: &Arc<str>, n: usize, policy: &Policy, place: Place<'a>) {
        let stand_in = PolicyId::new(format!("{file}#{n}"));
        let named = policy.annotation("id").unwrap_or_default();
        let taken = self.ids.get(named).map(|first| format!("`@id` `{named}` is taken by a rule in {first}"));
        if let Some(message) = &taken {
            self.problem(place, message);
        } else if !named.is_empty() {
            self.ids.insert(named.to_owned(), Arc::clone(file));
        }
        let id = match Rule::read(file, policy) {
            Ok(rule) if taken.is_none() => {
                let id = rule.policy.id().clone();
                self.rules.insert(id.clone(), (rule, place));
                id
            }
            Ok(_) => stand_in,
            Err(wrong) => {
                wrong.iter().for_each(|message| self.problem(place, message));
                stand_in
            }
        };
        self.places.insert(id.clone(), place);
        if self.policies.add(policy.new_id(id)).is_err() {
            self.problem(place, "cannot be added to the bundle; give it another `@id`");
        }
    }

    fn problem(&mut self, place: Place<'_>, message: &str) {
        self.found.push(Problem::at(&place.source.name, &place.source.text, place.offset, message));
    }

    /// Strict validation; its warnings (a rule that can never apply, look-alike characters) count too.
    fn validate(&mut self, validator: &Validator) {
        let result = validator.validate(&self.policies, ValidationMode::Strict);
        let errors = result.validation_errors().map(|e| (e.policy_id(), e as &dyn Diagnostic));
        let warnings = result.validation_warnings().map(|w| (w.policy_id(), w as &dyn Diagnostic));
        for (id, diagnostic) in errors.chain(warnings) {
            self.found.push(match self.places.get(id) {
                Some(Place { source, offset }) => {
                    Problem::from_diagnostic(&source.name, &source.text, *offset, diagnostic)
                }
                None => Problem::new("bundle", diagnostic.to_string()),
            });
        }
    }

    fn check_ports(&mut self) {
        let about = self.rules.values().map(|(rule, _)| rule);
        let about = about.filter(|rule| rule.actions.contains(&Action::PortForward));
        let ports: BTreeSet<u16> = about.flat_map(|rule| rule.mentions.ports.iter().copied()).collect();
        if ports.len() > MAX_PORTS {
            let message = format!(
                "the rules about port-forward single out more than {MAX_PORTS} numbers, with their neighbours; compare \
                 `context.port` with fewer, or with ranges"
            );
            self.found.push(Problem::new("bundle", message));
        }
    }

    fn check_places(&mut self) {
        let fits = |action: Action| {
            let about =
                self.rules.values().map(|(rule, _)| rule).filter(|rule| rule.actions.contains(&action));
            Places::of(about.map(|rule| &rule.mentions)).is_some_and(|places| places.count() <= MAX_PLACES)
        };
        if !Action::ALL.into_iter().all(fits) {
            let message = format!(
                "the rules single out more than {MAX_PLACES} pairs of a namespace and a name; use fewer names, groups of \
                 agents, or `like` patterns that do not overlap"
            );
            self.found.push(Problem::new("bundle", message));
        }
        let keys: BTreeSet<&str> =
            self.rules.values().flat_map(|(rule, _)| rule.mentions.keys.iter().map(String::as_str)).collect();
        if keys.len() > MAX_KEYS {
            let message = format!(
                "the rules single out more than {MAX_KEYS} keys of Secrets; permit every key of a Secret in place of naming \
                 each, or name fewer"
            );
            self.found.push(Problem::new("bundle", message));
        }
    }
}

// === impl Digest ===

impl Digest {
    /// `sha256:…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn digest(sources: &[Source]) -> Digest {
    let mut sorted: Vec<(&str, &str)> = sources.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for part in std::iter::once(SCHEMA).chain(sorted.iter().flat_map(|(name, text)| [*name, *text])) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Digest(Arc::from(format!("sha256:{hex}")))
}

// === impl Summary ===

impl Summary {
    /// The bundle's digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, permits, forbids, asks, digest } = self;
        write!(f, "{files} files: {permits} permits, {forbids} forbids, {asks} that ask; {digest}")
    }
}

#[cfg(test)]
mod tests;
