//! From entries to the tree that the scanner walks.

mod claims;

use std::sync::Arc;

use super::names::Names;
use super::parse::Entry;
use super::tree::{
    ANYWHERE, Branch, Check, NOTHING, Node, Note, ROOT, Rules, Step, Treatment, Tree, Turns, Whose, Wrapped,
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
        for node in nodes {
            self.object(node);
        }
        if !self.embedded {
            self.rows();
        }
        if !self.everything_is_a_secret() {
            self.anywhere();
            if self.source.custom(self.resource) {
                self.claims_on_the_way();
            }
        } else if !self.embedded {
            self.reveal();
        }
    }

    /// Answers about Secrets have nothing else in them, so no rule need hold for other objects.
    fn everything_is_a_secret(&self) -> bool {
        self.resource == SECRETS
    }

    fn position(&mut self, keys: &[&str]) -> Node {
        keys.iter().fold(ROOT, |node, key| match *key {
            "[]" => self.grow(node, &Step::Each),
            key => self.grow(node, &Step::Key(key.into())),
        })
    }

    /// The object at a position: of the answer's kind, but perhaps it says that it is a Secret.
    fn object(&mut self, node: Node) {
        self.graft(node, self.resource, Whose::Own);
        self.identity(node);
        if self.everything_is_a_secret() {
            return;
        }
        let secret = self.secret(node);
        // Go writes the keys of what it has no type for in the order of the alphabet: `data` before `kind`. With an
        // `apiVersion` of `v1`, that is a Secret or a ConfigMap. Where it may be either it is taken for a Secret.
        let core = if self.resource == "configmaps" { NOTHING } else { self.secret_or_config_map(node) };
        self.claims(node, secret, core);
    }

    /// What holds in objects at no place: variables with telling names, and objects that say they are Secrets.
    fn anywhere(&mut self) {
        let list = self.grow(ANYWHERE, &Step::Key("env".into()));
        let named = self.grow(list, &Step::Each);
        let plain = self.add();
        for node in [named, plain] {
            self.insert(node, &[Step::Key("name".into())], Treatment::Note(Note::EnvName), 0);
        }
        let place = place_digest("env[].value");
        // A value that comes before its name is replaced.
        self.insert(named, &[Step::Key("value".into())], Treatment::Replace(Placeholder::Text), place);
        self.turns(named, Turns { no: plain, ..Turns::default() });
        self.turns(plain, Turns { yes: named, ..Turns::default() });
        let secret = self.secret(ANYWHERE);
        let core = self.secret_or_config_map(ANYWHERE);
        self.claims(ANYWHERE, secret, core);
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
            let metadata = |key: &str| [Step::Key("metadata".into()), Step::Key(key.into())];
            self.insert(node, &metadata("uid"), Treatment::Note(Note::Uid), 0);
            self.insert(node, &metadata("resourceVersion"), Treatment::Note(Note::Version), 0);
            self.fresh(node);
        }
    }

    fn turns(&mut self, node: Node, turns: Turns) {
        if let Some(branch) = self.branch(node) {
            branch.turns = turns;
        }
    }

    /// Rows, whose cells can print the places that configuration names: all but the first, which is the name.
    fn rows(&mut self) {
        for position in ROWS {
            let row = self.position(position);
            self.fresh(row);
            if self.source.custom(self.resource) {
                let cells = self.grow(row, &Step::Key("cells".into()));
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
        let data = self.grow(ROOT, &Step::Key("data".into()));
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

    fn fresh(&mut self, node: Node) {
        if let Some(branch) = self.branch(node) {
            branch.fresh = true;
        }
    }

    fn branch(&mut self, node: Node) -> Option<&mut Branch> {
        self.tree.nodes.get_mut(node as usize)
    }

    fn add(&mut self) -> Node {
        self.tree.nodes.push(Branch::default());
        Node::try_from(self.tree.nodes.len() - 1).unwrap_or(NOTHING)
    }

    /// Adds a place below `node`.
    fn insert(&mut self, node: Node, steps: &[Step], treatment: Treatment, place: u64) {
        let Some((step, rest)) = steps.split_first() else { return self.treat(node, treatment, place) };
        if *step == Step::Any {
            // Every member: those that have a node already, and the others.
            let named: Vec<Node> = self
                .branch(node)
                .map(|branch| {
                    let keys = branch.keys.iter().map(|(_, child)| *child);
                    keys.chain(branch.globs.iter().map(|(_, child)| *child)).collect()
                })
                .unwrap_or_default();
            for child in named {
                self.insert(child, rest, treatment, place);
            }
            if let (true, Treatment::Replace(placeholder)) = (rest.is_empty(), treatment) {
                self.treat(node, Treatment::ReplaceMembers(placeholder), place);
            }
        }
        let child = self.grow(node, step);
        self.insert(child, rest, treatment, place);
    }

    /// What is replaced anyhow stays so; only a release is masked within instead, which shows no more of it.
    fn treat(&mut self, node: Node, treatment: Treatment, place: u64) {
        let release = matches!(treatment, Treatment::Held(Check::Release(Wrapped::Twice)));
        if let Some(branch) = self.branch(node)
            && (release || !matches!(branch.treatment, Some(Treatment::Replace(_))))
        {
            branch.treatment = Some(treatment);
            branch.place = place;
        }
    }

    /// The node that `step` leads to, made if need be.
    fn grow(&mut self, node: Node, step: &Step) -> Node {
        let Some(branch) = self.branch(node) else { return NOTHING };
        let others = branch.other_key;
        let existing = match step {
            Step::Key(key) => branch.keys.iter().find(|(own, _)| own == key).map(|(_, child)| *child),
            Step::Glob(glob) => branch.globs.iter().find(|(own, _)| own == glob).map(|(_, child)| *child),
            Step::Any => Some(others).filter(|child| *child != NOTHING),
            Step::Each => Some(branch.element).filter(|child| *child != NOTHING),
        };
        if let Some(existing) = existing {
            return existing;
        }
        // What holds for every member holds for this one too.
        let new = match step {
            Step::Key(_) | Step::Glob(_) => self.copy(others),
            Step::Any | Step::Each => self.add(),
        };
        if let Some(branch) = self.branch(node) {
            match step {
                Step::Key(key) => branch.keys.push((key.clone(), new)),
                Step::Glob(glob) => branch.globs.push((glob.clone(), new)),
                Step::Any => branch.other_key = new,
                Step::Each => branch.element = new,
            }
        }
        new
    }

    /// A node like `node`, with all below it.
    fn copy(&mut self, node: Node) -> Node {
        let new = self.add();
        if node == NOTHING {
            return new;
        }
        let Some(from) = self.branch(node) else { return new };
        let (keys, globs) = (from.keys.clone(), from.globs.clone());
        let (other_key, element, treatment, place) =
            (from.other_key, from.element, from.treatment, from.place);
        let copy = |this: &mut Self, child| if child == NOTHING { NOTHING } else { this.copy(child) };
        let keys = keys.into_iter().map(|(key, child)| (key, copy(self, child))).collect();
        let globs = globs.into_iter().map(|(glob, child)| (glob, copy(self, child))).collect();
        let (other_key, element) = (copy(self, other_key), copy(self, element));
        if let Some(branch) = self.branch(new) {
            *branch = Branch { keys, globs, other_key, element, treatment, place, ..Branch::default() };
        }
        new
    }

    /// Lets what holds anywhere hold at the nodes on the way to places too.
    fn finish(mut self) -> Rules {
        let anywhere = self.branch(ANYWHERE).map(|branch| branch.keys.clone()).unwrap_or_default();
        let fallback = if self.everything_is_a_secret() { NOTHING } else { ANYWHERE };
        for (index, branch) in self.tree.nodes.iter_mut().enumerate().skip(ANYWHERE as usize) {
            if matches!(branch.treatment, None | Some(Treatment::Note(_))) {
                for (key, child) in &anywhere {
                    if index != ANYWHERE as usize && !branch.keys.iter().any(|(own, _)| own == key) {
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
