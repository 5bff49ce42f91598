//! From entries to the tree that the scanner walks.

mod claims;
mod grow;

use std::sync::Arc;

use super::names::Names;
use super::parse::Entry;
use super::tree::{
    ANYWHERE, Branch, Check, NOTHING, Node, Note, ROOT, Rules, Step, Treatment, Tree, Whose, Wrapped,
};
use crate::binding::place_digest;
use crate::placeholder::Placeholder;

/// The resource whose rules hold for every object that says it is a Secret.
pub(crate) const SECRETS: &str = "secrets";

/// What every object may have, and a failure in the stead of an object that has values.
const EVERY_KIND: &str = "*";
const STATUS: &str = "Status";

/// Where an object may be in an answer: itself, in a list, in a watch event, in a table's row, and so in an event.
const POSITIONS: &[&[&str]] = &[
    &[],
    &["items", "[]"],
    &["rows", "[]", "object"],
    &["object"],
    &["object", "items", "[]"],
    &["object", "rows", "[]", "object"],
];

/// Where it may be in a document within a string.
const EMBEDDED_POSITIONS: &[&[&str]] = &[&[], &["items", "[]"]];

/// Where a table's rows are.
const ROWS: &[&[&str]] = &[&["rows", "[]"], &["object", "rows", "[]"]];

/// What trees are made from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) entries: &'a [Entry],
    pub(crate) names: &'a Arc<Names>,
}

impl Source<'_> {
    /// The rules for the answers of `resource`, which may be one that has no entry.
    pub(crate) fn compile(&self, resource: &str, secret: &Rules) -> Rules {
        let own = if resource == SECRETS { secret.clone() } else { self.compile_embedded(resource) };
        let mut builder = Builder::new(self, resource, false);
        builder.build(POSITIONS);
        builder.tree.own = Some(own);
        builder.tree.secret = Some(secret.clone());
        builder.finish()
    }

    /// The rules for documents in strings of its objects. They have no such strings themselves.
    pub(crate) fn compile_embedded(&self, resource: &str) -> Rules {
        let mut builder = Builder::new(self, resource, true);
        builder.build(EMBEDDED_POSITIONS);
        builder.finish()
    }

    /// Whether there are values in it that a failure's message can quote.
    pub(crate) fn sensitive(&self, resource: &str) -> bool {
        let replaced = |entry: &Entry| matches!(entry.treatment, Treatment::Replace(_));
        self.entries.iter().any(|entry| entry.resource == resource && replaced(entry))
    }

    /// Whether configuration names places in it, which tables may print.
    fn custom(&self, resource: &str) -> bool {
        self.entries.iter().any(|entry| entry.resource == resource && entry.custom)
    }
}

/// The rules for documents that have no place.
pub(crate) fn nowhere() -> Rules {
    let names = Arc::new(Names::new(Vec::new(), Vec::new(), Vec::new()));
    Builder::new(&Source { entries: &[], names: &names }, SECRETS, true).finish()
}

struct Builder<'a> {
    source: &'a Source<'a>,
    resource: &'a str,
    embedded: bool,
    tree: Tree,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source<'a>, resource: &'a str, embedded: bool) -> Self {
        let tree = Tree {
            nodes: vec![Branch::default(), Branch::default(), Branch::default()],
            names: source.names.clone(),
            own: None,
            secret: None,
        };
        Self { source, resource, embedded, tree }
    }

    fn build(&mut self, positions: &[&[&str]]) {
        let nodes: Vec<Node> = positions.iter().map(|position| self.position(position)).collect();
        for node in &nodes {
            self.graft(*node, self.resource, Whose::Own);
            self.identity(*node);
        }
        if !self.embedded {
            self.rows();
        }
        if !self.everything_is_a_secret() {
            self.other_objects(nodes);
        } else if !self.embedded {
            self.reveal();
        }
    }

    /// What holds in answers that can have objects of other kinds in them: variables with telling names, and objects that say
    /// they are Secrets, at no place and on the way to places.
    fn other_objects(&mut self, nodes: Vec<Node>) {
        self.variables(ANYWHERE);
        self.variables_on_the_way();
        let claimed = self.claimed();
        for node in nodes {
            self.claims_of_object(node, claimed);
        }
        self.claims(ANYWHERE, claimed);
        if self.source.custom(self.resource) {
            self.claims_on_the_way(claimed);
        }
    }

    /// Answers about Secrets have nothing else in them, so no rule need hold for other objects.
    fn everything_is_a_secret(&self) -> bool {
        self.resource == SECRETS
    }

    fn position(&mut self, keys: &[&str]) -> Node {
        keys.iter().fold(ROOT, |node, key| match *key {
            "[]" => self.grow(node, &Step::Each),
            key => self.grow(node, &Step::key(key)),
        })
    }

    /// Adds the places of `resource` to an object.
    fn graft(&mut self, node: Node, resource: &str, whose: Whose) {
        let source = self.source;
        let status = source.sensitive(resource);
        for entry in source.entries {
            if entry.resource == resource
                || entry.resource == EVERY_KIND
                || status && entry.resource == STATUS
            {
                let place = place_digest(&entry.path);
                self.insert(node, &entry.steps, self.adapted(entry.treatment, whose), place);
            }
        }
    }

    fn adapted(&self, treatment: Treatment, whose: Whose) -> Treatment {
        match treatment {
            // `kubectl` puts no copy into a copy, and what would have to be held cannot be within a string.
            Treatment::Held(Check::Request | Check::Release(Wrapped::Twice)) if self.embedded => {
                Treatment::Replace(Placeholder::Base64)
            }
            Treatment::Embedded(_) | Treatment::Held(_) if self.embedded => {
                Treatment::Replace(Placeholder::Text)
            }
            Treatment::Embedded(_) => Treatment::Embedded(whose),
            Treatment::Held(Check::Packed(_)) => Treatment::Held(Check::Packed(whose)),
            other => other,
        }
    }

    /// Notes who an object is, and what kind.
    fn identity(&mut self, node: Node) {
        if !self.embedded {
            let metadata = |key: &str| [Step::key("metadata"), Step::key(key)];
            self.insert(node, &metadata("uid"), Treatment::Note(Note::Uid), 0);
            self.insert(node, &metadata("resourceVersion"), Treatment::Note(Note::Version), 0);
            self.fresh(node);
        }
    }

    /// Rows, whose cells can print the places that configuration names: all but the first, which is the name.
    fn rows(&mut self) {
        for position in ROWS {
            let row = self.position(position);
            self.fresh(row);
            if self.source.custom(self.resource) {
                let cells = self.grow(row, &Step::key("cells"));
                let place = place_digest("cells[]");
                self.insert(cells, &[Step::Each], Treatment::Replace(Placeholder::Text), place);
                if let Some(branch) = self.branch(cells) {
                    branch.first = ANYWHERE;
                }
            }
        }
    }

    /// The values of one Secret that is the whole answer can be revealed.
    fn reveal(&mut self) {
        let data = self.grow(ROOT, &Step::key("data"));
        let mut members = vec![self.grow(data, &Step::Any)];
        members.extend(self.branch(data).iter().flat_map(|data| data.keys.iter().map(|(_, member)| *member)));
        for member in members {
            if let Some(treatment) = self.branch(member).and_then(|branch| branch.treatment.as_mut()) {
                *treatment = match *treatment {
                    Treatment::Replace(placeholder) => Treatment::Revealable(placeholder),
                    Treatment::Held(check) => Treatment::RevealableHeld(check),
                    other => other,
                };
            }
        }
    }

    /// Lets what holds anywhere hold at the nodes on the way to places too, where nothing else does.
    fn finish(mut self) -> Rules {
        let anywhere = self.branch(ANYWHERE).map(|branch| branch.keys.clone()).unwrap_or_default();
        let fallback = if self.everything_is_a_secret() { NOTHING } else { ANYWHERE };
        for branch in self.tree.nodes.iter_mut().skip(ANYWHERE as usize) {
            if branch.on_the_way() {
                for (key, child) in &anywhere {
                    if branch.named(key.as_bytes()) == NOTHING {
                        branch.keys.push((key.clone(), *child));
                    }
                }
                for child in [&mut branch.other_key, &mut branch.element] {
                    if *child == NOTHING {
                        *child = fallback;
                    }
                }
            }
            if branch.first == NOTHING {
                branch.first = branch.element;
            }
            for (key, _) in &branch.keys {
                branch.filter.add(key.as_bytes());
            }
        }
        Rules::new(self.tree)
    }
}
