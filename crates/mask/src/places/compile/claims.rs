//! Objects that say what they are, and variables that say what they are called: at which node they go on from there.

use super::{Builder, SECRETS};
use crate::binding::place_digest;
use crate::placeholder::Placeholder;
use crate::places::tree::{Branch, NOTHING, Node, Note, Step, Treatment, Turns, Whose};

/// What holds in an object besides its own, by what it says it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claimed {
    /// A Secret, or a list of them.
    secret: Node,
    /// Of the core group's `v1`: a Secret or a ConfigMap. None: it cannot be a Secret.
    core: Option<Node>,
}

impl Builder<'_> {
    /// What holds in objects by what they say they are. A failure (`Status`) or what every kind may have is grafted on Secrets
    /// alone: what is only perhaps one has that of its own kind.
    pub(super) fn claimed(&mut self) -> Claimed {
        let secret = self.add(Branch::default());
        let list = self.grow(secret, &Step::key("items"));
        let item = self.grow(list, &Step::Each);
        for object in [secret, item] {
            self.graft(object, SECRETS, Whose::Secret);
        }
        let core = self.add(Branch::default());
        let source = self.source;
        for entry in source.entries.iter().filter(|entry| entry.resource == SECRETS) {
            let place = place_digest(&entry.path);
            self.insert(core, &entry.steps, self.adapted(entry.treatment, Whose::Secret), place);
        }
        Claimed { secret, core: Some(core) }
    }

    /// Lets an object at `node` go on elsewhere once it says what it is. One that says it is something else can still say that it
    /// is a Secret after all.
    pub(super) fn claims(&mut self, node: Node, claimed: Claimed) {
        let Claimed { secret, core } = claimed;
        self.note(node, "kind", Note::Kind);
        if core.is_some() {
            self.note(node, "apiVersion", Note::ApiVersion);
        }
        let (secret, settled) = (self.variant(node, secret), self.variant(node, NOTHING));
        self.turns(settled, Turns { secret, ..Turns::default() });
        let undecided = Turns { secret, settled, ..Turns::default() };
        let core = core.map(|core| self.variant(node, core));
        if let Some(core) = core {
            self.turns(core, undecided);
        }
        if let Some(branch) = self.branch(node) {
            let core = core.unwrap_or(NOTHING);
            branch.turns = Turns { secret, settled, core, ..branch.turns };
        }
    }

    /// What holds for an object that the answer is about. Go writes the keys of what it has no type for in the order of the
    /// alphabet: `data` before `kind`. With an `apiVersion` of `v1`, that is a Secret or a ConfigMap. Where it may be either it is
    /// taken for a Secret.
    pub(super) fn claims_of_object(&mut self, node: Node, claimed: Claimed) {
        let core = claimed.core.filter(|_| self.resource != "configmaps");
        self.claims(node, Claimed { core, ..claimed });
    }

    /// Lets objects on the way to a place from configuration be Secrets too.
    pub(super) fn claims_on_the_way(&mut self, claimed: Claimed) {
        for node in self.built() {
            let Some(branch) = self.branch(node) else { continue };
            let settled = branch.turns.secret != NOTHING;
            if !settled && branch.treatment.is_none() {
                self.claims(node, claimed);
            }
        }
    }

    /// Lets the variables of objects at `node` have telling names, beside whatever else holds there.
    pub(super) fn variables(&mut self, node: Node) {
        let list = self.forked(node, &Step::key("env"));
        let named = self.forked(list, &Step::Each);
        self.note(named, "name", Note::EnvName);
        // Without what follows: the value of one whose name is not telling stays.
        let plain = self.variant(named, NOTHING);
        // A value that comes before its name is replaced.
        let value = self.forked(named, &Step::key("value"));
        self.treat(value, Treatment::Replace(Placeholder::Text), place_digest("env[].value"));
        self.turns(named, Turns { plain, ..Turns::default() });
        self.turns(plain, Turns { telling: named, ..Turns::default() });
    }

    /// The same at all nodes where something else holds for a member `env`.
    pub(super) fn variables_on_the_way(&mut self) {
        for node in self.built() {
            if self.branch(node).is_some_and(|own| own.on_the_way() && own.named(b"env") != NOTHING) {
                self.variables(node);
            }
        }
    }

    /// Lets the member `key` of objects at `node` say something.
    fn note(&mut self, node: Node, key: &str, note: Note) {
        let said = self.forked(node, &Step::key(key));
        self.treat(said, Treatment::Note(note), 0);
    }

    /// Where an object at `node` goes on once what holds at `other` does too; with [`NOTHING`], what it does once it is settled
    /// what it is. Nothing happens to the object itself any more, which has begun.
    fn variant(&mut self, node: Node, other: Node) -> Node {
        let merged = self.merged(node, other);
        self.add(Branch { treatment: None, fresh: false, turns: Turns::default(), ..merged })
    }

    /// A node at which all holds that does at either.
    fn both(&mut self, own: Node, other: Node) -> Node {
        match (own, other) {
            (node, NOTHING) | (NOTHING, node) => node,
            _ if own == other => own,
            _ => {
                let merged = self.merged(own, other);
                self.add(merged)
            }
        }
    }

    /// The branch of a node at which all holds that does at either. What is replaced anyhow stays so; what else happens is up to
    /// `other`.
    fn merged(&mut self, own: Node, other: Node) -> Branch {
        let get = |node: Node| self.tree.nodes.get(node as usize).cloned().unwrap_or_default();
        let (own, other) = (get(own), get(other));
        let leading = if own.replaced() || other.treatment.is_none() { &own } else { &other };
        let (treatment, place) = (leading.treatment, leading.place);
        let mut names: Vec<_> = own.keys.iter().chain(&other.keys).map(|(key, _)| key.clone()).collect();
        names.sort_unstable();
        names.dedup();
        let keys = names
            .into_iter()
            .map(|key| {
                let child = self.both(own.named(key.as_bytes()), other.named(key.as_bytes()));
                (key, child)
            })
            .collect();
        let more = other.globs.iter().filter(|(glob, _)| own.globs.iter().all(|(own, _)| own != glob));
        let globs = own.globs.iter().chain(more).map(|(glob, _)| glob.clone());
        let globs = globs.map(|glob| (glob.clone(), self.both(own.like(&glob), other.like(&glob)))).collect();
        Branch {
            keys,
            globs,
            other_key: self.both(own.other_key, other.other_key),
            element: self.both(own.element, other.element),
            first: own.first,
            treatment,
            place,
            fresh: own.fresh || other.fresh,
            turns: own.turns,
            ..Branch::default()
        }
    }
}
