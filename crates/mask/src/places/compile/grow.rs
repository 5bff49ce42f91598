//! How the tree grows: a path is laid down so that what holds for every member holds for those with a node of their own too.

use super::Builder;
use crate::places::tree::{Branch, Check, NOTHING, Node, Step, Treatment, Turns, Wrapped};

impl Builder<'_> {
    pub(super) fn turns(&mut self, node: Node, turns: Turns) {
        if let Some(branch) = self.branch(node) {
            branch.turns = turns;
        }
    }

    pub(super) fn fresh(&mut self, node: Node) {
        if let Some(branch) = self.branch(node) {
            branch.fresh = true;
        }
    }

    pub(super) fn branch(&mut self, node: Node) -> Option<&mut Branch> {
        self.tree.nodes.get_mut(node as usize)
    }

    pub(super) fn add(&mut self) -> Node {
        self.tree.nodes.push(Branch::default());
        Node::try_from(self.tree.nodes.len() - 1).unwrap_or(NOTHING)
    }

    /// Adds a place below `node`.
    pub(super) fn insert(&mut self, node: Node, steps: &[Step], treatment: Treatment, place: u64) {
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
    pub(super) fn treat(&mut self, node: Node, treatment: Treatment, place: u64) {
        let release = matches!(treatment, Treatment::Held(Check::Release(Wrapped::Twice)));
        if let Some(branch) = self.branch(node)
            && (release || !branch.replaced())
        {
            branch.treatment = Some(treatment);
            branch.place = place;
        }
    }

    /// The node that `step` leads to, made if need be.
    pub(super) fn grow(&mut self, node: Node, step: &Step) -> Node {
        let Some(branch) = self.branch(node) else { return NOTHING };
        let existing = match step {
            Step::Key(key) => branch.keys.iter().find(|(own, _)| own == key).map(|(_, child)| *child),
            Step::Glob(glob) => branch.globs.iter().find(|(own, _)| own == glob).map(|(_, child)| *child),
            Step::Any => Some(branch.other_key).filter(|child| *child != NOTHING),
            Step::Each => Some(branch.element).filter(|child| *child != NOTHING),
        };
        if let Some(existing) = existing {
            return existing;
        }
        // What holds for every member, or for those with such keys, holds for this one too.
        let like = branch.holds_at(step);
        let new = self.copy(like);
        self.lead(node, step, new);
        new
    }

    /// The same, with a node that `step` from `node` alone leads to, though not those below it.
    pub(super) fn forked(&mut self, node: Node, step: &Step) -> Node {
        let like = self.branch(node).map_or(NOTHING, |branch| branch.holds_at(step));
        let branch = self.branch(like).cloned().unwrap_or_default();
        let new = self.add();
        if let Some(forked) = self.branch(new) {
            *forked = branch;
        }
        self.lead(node, step, new);
        new
    }

    /// Lets `step` from `node` lead to `to`.
    fn lead(&mut self, node: Node, step: &Step, to: Node) {
        let Some(branch) = self.branch(node) else { return };
        match step {
            Step::Key(key) => {
                branch.keys.retain(|(own, _)| own != key);
                branch.keys.push((key.clone(), to));
            }
            Step::Glob(glob) => branch.globs.push((glob.clone(), to)),
            Step::Any => branch.other_key = to,
            Step::Each => branch.element = to,
        }
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
}
