//! Objects that say what they are: at which node they go on from there.

use super::{Builder, SECRETS};
use crate::binding::place_digest;
use crate::places::tree::{ANYWHERE, Branch, NOTHING, Node, Note, ROOT, Step, Treatment, Turns, Whose};

impl Builder<'_> {
    /// The node at which an object goes on that was at `node` and says it is a Secret, or a list of them.
    pub(super) fn secret(&mut self, node: Node) -> Node {
        let secret = self.add();
        let item = self.grow(secret, &Step::Key("items".into()));
        let item = self.grow(item, &Step::Each);
        for object in [secret, item] {
            if node != ANYWHERE {
                self.graft(object, self.resource, Whose::Secret);
                self.identity(object);
            }
            self.graft(object, SECRETS, Whose::Secret);
        }
        self.share(node, secret);
        secret
    }

    /// The same for one that may be a Secret.
    pub(super) fn secret_or_config_map(&mut self, node: Node) -> Node {
        let either = self.add();
        if node != ANYWHERE {
            self.graft(either, self.resource, Whose::Own);
            self.identity(either);
        }
        let source = self.source;
        for entry in source.entries.iter().filter(|entry| entry.resource == SECRETS) {
            let place = place_digest(&entry.path);
            self.insert(either, &entry.steps, self.adapted(entry.treatment, Whose::Secret), place);
        }
        self.share(node, either);
        either
    }

    /// Lets what `node` has keys for, and `variant` has not, be the same in both.
    fn share(&mut self, node: Node, variant: Node) {
        let shared = self.branch(node).map(|branch| branch.keys.clone()).unwrap_or_default();
        if let Some(branch) = self.branch(variant) {
            for (key, child) in shared {
                if !branch.keys.iter().any(|(own, _)| *own == key) {
                    branch.keys.push((key, child));
                }
            }
        }
    }

    /// Lets an object at `node` go on elsewhere once it says what it is: at `secret`, or if it is of the core group, at `either`
    /// as long as it does not say what kind. One that says it is something else can still say that it is a Secret after all.
    pub(super) fn claims(&mut self, node: Node, secret: Node, either: Node) {
        let kind = [Step::Key("kind".into())];
        self.insert(node, &kind, Treatment::Note(Note::Kind), 0);
        if either != NOTHING {
            self.insert(node, &[Step::Key("apiVersion".into())], Treatment::Note(Note::ApiVersion), 0);
            self.insert(either, &kind, Treatment::Note(Note::Kind), 0);
        }
        let settled = self.mixed(node, NOTHING);
        self.turns(settled, Turns { yes: secret, ..Turns::default() });
        self.turns(node, Turns { yes: secret, no: settled, core: either });
        if either != NOTHING {
            self.turns(either, Turns { yes: secret, no: settled, core: NOTHING });
        }
    }

    /// Lets objects on the way to a place from configuration be Secrets too: their own places stay, unless a Secret's values are
    /// there.
    pub(super) fn claims_on_the_way(&mut self) {
        let Turns { yes, core, .. } =
            self.tree.nodes.get(ANYWHERE as usize).map(|any| any.turns).unwrap_or_default();
        for node in (ROOT..).take(self.tree.nodes.len() - ROOT as usize) {
            let Some(branch) = self.branch(node) else { continue };
            let settled = branch.turns.yes != NOTHING || branch.turns.no != NOTHING;
            if settled || branch.treatment.is_some() || [yes, core].contains(&node) {
                continue;
            }
            let (secret, either) = (self.mixed(node, yes), self.mixed(node, core));
            self.claims(node, secret, either);
        }
    }

    /// A node like `node`, but for what is replaced, or not at all there, in one like `secret`.
    fn mixed(&mut self, node: Node, secret: Node) -> Node {
        let Some(Branch { keys, .. }) = self.tree.nodes.get(secret as usize) else { return NOTHING };
        let replaced = |child: Node| matches!(self.tree.treatment(child), Some(Treatment::ReplaceMembers(_)));
        let keys: Vec<_> = keys.iter().filter(|(_, child)| replaced(*child)).cloned().collect();
        let Some(own) = self.tree.nodes.get(node as usize) else { return NOTHING };
        let mixed = Branch {
            keys,
            globs: own.globs.clone(),
            other_key: own.other_key,
            element: own.element,
            ..Branch::default()
        };
        let new = self.add();
        if let Some(branch) = self.branch(new) {
            *branch = mixed;
        }
        for from in [node, secret] {
            self.share(from, new);
        }
        new
    }
}
