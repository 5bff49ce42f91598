//! Questions about a rule's text, asked of Cedar's JSON form of it (the "EST").

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy};
use serde_json::{Map, Value};

use crate::glob::Glob;

/// Operators whose own operands are all that an attribute is compared with.
const COMPARISONS: &[&str] = &["==", "!=", "like", "contains"];

/// Which parts of a resource's identity a rule looks at, and what it compares them with. A call on a
/// collection is judged once for each such place, since it covers the objects there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions {
    /// What `resource.namespace` is compared with, and the namespaces of `Namespace::"…"` that take permission away: all
    /// of a forbid's, those in a permit's conditions. `None` if the rule does neither.
    pub(crate) namespaces: Option<BTreeSet<Glob>>,
    /// What `resource.name` is compared with; `None` if the rule does not read it.
    pub(crate) names: Option<BTreeSet<Glob>>,
    /// What `context.key` is compared with.
    pub(crate) keys: BTreeSet<String>,
    /// The numbers in its text that can be ports, and their neighbours: where its answers about `context.port` can change, if it
    /// compares that with numbers.
    pub(crate) ports: BTreeSet<u16>,
}

impl Mentions {
    /// `CLUSTER/NAMESPACE`. The cluster does not matter: a name more is judged once more, and no rule about another
    /// cluster applies there.
    fn namespace_id(&mut self, id: &str) {
        if let Some((_, namespace)) = id.split_once('/') {
            self.namespaces.get_or_insert_default().insert(Glob::literal(namespace));
        }
    }
}

/// How a rule uses `context.approved`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApprovedUse {
    /// Not at all.
    Never,
    /// As one `unless { context.approved }` and nowhere else.
    Unless,
    /// In any other way.
    Other,
}

/// A rule's JSON form.
#[derive(Debug)]
pub(crate) struct Est(Value);

impl Est {
    pub(crate) fn of(policy: &Policy) -> Option<Self> {
        policy.to_json().ok().map(Self)
    }

    fn conditions(&self) -> &[Value] {
        self.0.get("conditions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn approved_use(&self) -> ApprovedUse {
        let is_clause = |condition: &&Value| {
            condition.get("kind").and_then(Value::as_str) == Some("unless")
                && condition.get("body").is_some_and(|body| accessed(body, "context") == Some("approved"))
        };
        let clauses = self.conditions().iter().filter(is_clause).count();
        let mut uses = 0;
        self.visit(&mut |node| {
            let bare_context = node.values().filter(|child| is_variable(child, "context")).count();
            let named =
                node.values().any(|inner| inner.get("attr").and_then(Value::as_str) == Some("approved"));
            uses += usize::from(named || (bare_context > 0 && !node.contains_key("attr")));
        });
        match (clauses, uses) {
            (0, 0) => ApprovedUse::Never,
            (1, 1) => ApprovedUse::Unless,
            _ => ApprovedUse::Other,
        }
    }

    pub(crate) fn mentions(&self, policy: &Policy) -> Mentions {
        let mut found = Mentions::default();
        if policy.effect() == Effect::Forbid {
            let literals = policy.entity_literals();
            let namespaces = literals.iter().filter(|uid| uid.type_name().to_string() == "Namespace");
            namespaces.for_each(|uid| found.namespace_id(uid.id().unescaped()));
        }
        self.visit(&mut |node| {
            if let Some(entity) = node.get("__entity") {
                let part = |key: &str| entity.get(key).and_then(Value::as_str);
                if let (Some("Namespace"), Some(id)) = (part("type"), part("id")) {
                    found.namespace_id(id);
                }
            }
            if let Some(number) = node.get("Value").and_then(Value::as_i64) {
                let around = [number.saturating_sub(1), number, number.saturating_add(1)];
                found.ports.extend(
                    around.into_iter().filter_map(|port| u16::try_from(port).ok()).filter(|port| *port > 0),
                );
            }
            for (operator, operands) in node {
                let reads =
                    |attribute: &str| children(operands).any(|c| accessed(c, "resource") == Some(attribute));
                for (attribute, into) in [("namespace", &mut found.namespaces), ("name", &mut found.names)] {
                    if reads(attribute) {
                        let compares = COMPARISONS.contains(&operator.as_str());
                        collect_strings(
                            if compares { operands } else { &self.0 },
                            into.get_or_insert_default(),
                        );
                    }
                }
                // No key is empty: that is what other actions have.
                let keys = key_literals(operator, operands).into_iter().flatten();
                found.keys.extend(keys.filter(|key| !key.is_empty()));
            }
        });
        found
    }

    /// Whether it does anything with `context.key` but compare it with strings: no list of keys could tell such a rule's
    /// answers.
    pub(crate) fn compares_keys_freely(&self) -> bool {
        let (mut reads, mut compares) = (0_usize, 0_usize);
        self.visit(&mut |node| {
            reads += usize::from(node.get(".").is_some_and(is_key));
            compares +=
                node.iter().filter(|(operator, operands)| key_literals(operator, operands).is_some()).count();
        });
        reads != compares
    }

    /// Whether it compares the resource's name or namespace with something that is not written in the rule: no list of
    /// places could tell such a rule's answers.
    pub(crate) fn compares_names_freely(&self) -> bool {
        let mut free = false;
        self.visit(&mut |node| {
            for (operator, operands) in node {
                let sides = ["left", "right"].map(|side| operands.get(side));
                if let [Some(left), Some(right)] = sides {
                    let joins = matches!(operator.as_str(), "&&" | "||");
                    let reads = reads_name(left) || reads_name(right);
                    free |= !joins && reads && has_variable(left) && has_variable(right);
                }
            }
        });
        free
    }

    /// Calls `f` with every JSON object in the conditions.
    fn visit(&self, f: &mut dyn FnMut(&Map<String, Value>)) {
        for condition in self.conditions() {
            visit(condition, f);
        }
    }
}

fn visit(value: &Value, f: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(node) => {
            f(node);
            node.values().for_each(|child| visit(child, f));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, f)),
        _ => {}
    }
}

/// The attribute, if `value` is exactly `VARIABLE.attribute`.
fn accessed<'a>(value: &'a Value, variable: &str) -> Option<&'a str> {
    let access = value.get(".")?;
    is_variable(access.get("left")?, variable).then_some(())?;
    access.get("attr")?.as_str()
}

/// Whether `access`, the inside of a `.`, is `context.key`.
fn is_key(access: &Value) -> bool {
    let variable = access.get("left").is_some_and(|left| is_variable(left, "context"));
    variable && access.get("attr").and_then(Value::as_str) == Some("key")
}

/// The strings that an operator compares `context.key` with: by `==` and `!=`, or as one of a list. `None` if it does
/// something else.
fn key_literals(operator: &str, operands: &Value) -> Option<Vec<String>> {
    let [left, right] = [operands.get("left")?, operands.get("right")?];
    let is_key = |value| accessed(value, "context") == Some("key");
    let literal = |value: &Value| value.get("Value")?.as_str().map(str::to_owned);
    match operator {
        "==" | "!=" if is_key(left) => Some(vec![literal(right)?]),
        "==" | "!=" if is_key(right) => Some(vec![literal(left)?]),
        "contains" if is_key(right) => left.get("Set")?.as_array()?.iter().map(literal).collect(),
        _ => None,
    }
}

fn reads_name(value: &Value) -> bool {
    matches!(accessed(value, "resource"), Some("name" | "namespace")) || children(value).any(reads_name)
}

fn has_variable(value: &Value) -> bool {
    value.get("Var").is_some() || children(value).any(has_variable)
}

fn is_variable(value: &Value, variable: &str) -> bool {
    value.get("Var").and_then(Value::as_str) == Some(variable)
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(map) => Box::new(map.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// String literals and `like` patterns anywhere in an expression.
fn collect_strings(value: &Value, into: &mut BTreeSet<Glob>) {
    if let Some(pattern) = value.get("pattern").and_then(Value::as_array) {
        into.insert(Glob::pattern(pattern));
    }
    if let Some(text) = value.get("Value").and_then(Value::as_str) {
        into.insert(Glob::literal(text));
    }
    for child in children(value) {
        collect_strings(child, into);
    }
}
