//! How the tree grows: a path is laid down so that what holds for every member holds for those with a node of their own too.

use std::ops::Range;

use super::Builder;
use crate::places::tree::{Branch, Check, NOTHING, Node, ROOT, Step, Treatment, Turns, Wrapped};

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

    pub(super) fn add(&mut self, branch: Branch) -> Node {
        self.tree.nodes.push(branch);
        Node::try_from(self.tree.nodes.len() - 1).unwrap_or(NOTHING)
    }

    /// The nodes that there are now, but for those of no place.
    pub(super) fn built(&self) -> Range<Node> {
        ROOT..Node::try_from(self.tree.nodes.len()).unwrap_or(Node::MAX)
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

    /// Gives `step` from `node` a node of its own, like the one that it led to; what is below stays shared.
    pub(super) fn forked(&mut self, node: Node, step: &Step) -> Node {
        let like = self.branch(node).map_or(NOTHING, |branch| branch.holds_at(step));
        let branch = self.branch(like).cloned().unwrap_or_default();
        let new = self.add(branch);
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
            Step::Glob(glob) => {
                branch.globs.retain(|(own, _)| own != glob);
                branch.globs.push((glob.clone(), to));
            }
            Step::Any => branch.other_key = to,
            Step::Each => branch.element = to,
        }
    }

    /// A node like `node`, with all below it.
    fn copy(&mut self, node: Node) -> Node {
        if node == NOTHING {
            return self.add(Branch::default());
        }
        let Branch { keys, globs, other_key, element, treatment, place, .. } =
            self.branch(node).cloned().unwrap_or_default();
        let copy = |this: &mut Self, child| if child == NOTHING { NOTHING } else { this.copy(child) };
        let keys = keys.into_iter().map(|(key, child)| (key, copy(self, child))).collect();
        let globs = globs.into_iter().map(|(glob, child)| (glob, copy(self, child))).collect();
        let (other_key, element) = (copy(self, other_key), copy(self, element));
        self.add(Branch { keys, globs, other_key, element, treatment, place, ..Branch::default() })
    }
}
