//! Questions about a rule's text, asked of Cedar's JSON form of it (the "EST").

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy};
use serde_json::{Map, Value};

/// Operators whose own operands are all that an attribute is compared with.
const COMPARISONS: &[&str] = &["==", "!=", "like", "contains"];

/// Which parts of a resource's identity a rule looks at, and what it compares them with. A call on a
/// collection is judged once for each such place, since it covers the objects there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentions {
    /// Strings that `resource.namespace` is compared with; `None` if the rule does not read it.
    pub(crate) namespaces: Option<BTreeSet<String>>,
    /// The same for `resource.name`.
    pub(crate) names: Option<BTreeSet<String>>,
    /// Ids of `Namespace::"…"` that take permission away: all of a forbid's, those in a permit's conditions.
    pub(crate) namespace_ids: BTreeSet<String>,
}

impl Mentions {
    /// Whether the rule singles out anything.
    pub(crate) fn any(&self) -> bool {
        self.namespaces.is_some() || self.names.is_some() || !self.namespace_ids.is_empty()
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
            found.namespace_ids.extend(namespaces.map(|uid| uid.id().unescaped().to_owned()));
        }
        self.visit(&mut |node| {
            if let Some(entity) = node.get("__entity") {
                let part = |key: &str| entity.get(key).and_then(Value::as_str);
                if part("type") == Some("Namespace") {
                    found.namespace_ids.extend(part("id").map(str::to_owned));
                }
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
            }
        });
        found
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

/// String literals and `like` patterns (as they stand: `*` matches itself) anywhere in an expression.
fn collect_strings(value: &Value, into: &mut BTreeSet<String>) {
    if let Some(pattern) = value.get("pattern").and_then(Value::as_array) {
        let literal = |part: &Value| part.get("Literal").and_then(Value::as_str).unwrap_or("*").to_owned();
        into.insert(pattern.iter().map(literal).collect());
    }
    if let Some(text) = value.get("Value").and_then(Value::as_str) {
        into.insert(text.to_owned());
    }
    for child in children(value) {
        collect_strings(child, into);
    }
}
