//! A catalogue as the scanner walks it.

use std::ops::Deref;
use std::sync::Arc;

use super::glob::Glob;
use super::names::Names;
use crate::placeholder::Placeholder;

/// The longest key that a place may name or a placeholder be bound to, in bytes of UTF-8. The longest that Kubernetes has are
/// those of annotations: 253 + 1 + 63.
pub(crate) const MAX_KEY: usize = 320;

/// One step from a value to one within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member with this key.
    Key(Key),
    /// Every member with such a key.
    Glob(Glob),
    /// Every member of an object.
    Any,
    /// Every element of an array.
    Each,
}

/// A key in lower case. Keys are compared after unescaping and without regard to ASCII case: a misspelt key must not hide a value
/// that a human meant to be secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Box<str>);

impl Step {
    /// The member `key`, in any case.
    pub(crate) fn key(key: &str) -> Self {
        Self::Key(Key(key.to_ascii_lowercase().into()))
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What happens to a value. `null` always stays; a value of a type that does not belong there is replaced whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Replaced, whatever it is.
    Replace(Placeholder),
    /// The same, but where policy reveals this key.
    Revealable(Placeholder),
    /// An object: its members' values are replaced.
    ReplaceMembers(Placeholder),
    /// A string that holds a JSON document: masked in place.
    Embedded(Whose),
    /// A string that is held until it is clear what it is.
    Held(Check),
    /// The same, but where policy reveals this key.
    RevealableHeld(Check),
    /// Replaced by an empty list.
    Emptied,
    /// A string that says something about what comes after it; it stays.
    Note(Note),
}

/// By whose rules a document within a string is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of the answer's kind.
    Own,
    /// A Secret's: the object says it is one.
    Secret,
}

/// What decides whether a string is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Whether the document packed into it has a place in it.
    Packed(Whose),
    /// Whether it is a Helm release, which is masked within.
    Release(Wrapped),
    /// Whether it is a certificate signing request with a challenge password.
    Request,
}

impl Check {
    /// What stands in the stead of a value that is replaced.
    pub(crate) fn placeholder(self) -> Placeholder {
        match self {
            Self::Request | Self::Release(Wrapped::Twice) => Placeholder::Base64,
            Self::Packed(_) | Self::Release(Wrapped::Once) => Placeholder::Text,
        }
    }
}

/// How often the gzip of a Helm release is encoded in base64 (`helm.sh/helm/v3/pkg/storage/driver`, `encodeRelease`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapped {
    /// In a ConfigMap.
    Once,
    /// In a Secret, whose values are in base64 anyhow.
    Twice,
}

/// What a string says about what comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// The object's `metadata.uid`.
    Uid,
    /// Its `metadata.resourceVersion`.
    Version,
    /// Its `kind`.
    Kind,
    /// Its `apiVersion`.
    ApiVersion,
    /// The name of an environment variable.
    EnvName,
}

/// Which node of the rules a value is at.
pub(crate) type Node = u32;

/// The node below which there is no place.
pub(crate) const NOTHING: Node = 0;

/// The node of a value that no place names: only what holds anywhere holds in it.
pub(crate) const ANYWHERE: Node = 1;

/// The node of a whole document.
pub(crate) const ROOT: Node = 2;

/// Which places a document is held against: the rules for the answers of one resource. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules(Arc<Tree>);

impl Rules {
    pub(crate) fn new(tree: Tree) -> Self {
        Self(Arc::new(tree))
    }

    /// Whether both are the same rules, not only equal ones.
    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Rules {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0
    }
}

/// One node for each value on the way to a place, and for each state of an object that was found to be something special.
#[derive(Debug)]
#[expect(unnameable_types, reason = "what `Rules` consists of is nobody else's business")]
pub struct Tree {
    /// INVARIANT: the nodes [`NOTHING`], [`ANYWHERE`] and [`ROOT`] exist, `NOTHING` is empty, and every node named within is an
    /// index into it.
    pub(super) nodes: Vec<Branch>,
    pub(super) names: Arc<Names>,
    /// For documents in strings.
    pub(super) own: Option<Rules>,
    pub(super) secret: Option<Rules>,
}

/// What is known of the values at a node.
#[derive(Debug, Default, Clone)]
pub(super) struct Branch {
    pub(super) keys: Vec<(Key, Node)>,
    pub(super) filter: Filter,
    pub(super) globs: Vec<(Glob, Node)>,
    pub(super) other_key: Node,
    /// An array's first element, and the others.
    pub(super) first: Node,
    pub(super) element: Node,
    pub(super) treatment: Option<Treatment>,
    /// What stands for the catalogue's path in what a placeholder is bound to.
    pub(super) place: u64,
    /// Whether an object begins here that is somebody: what was noted of the one before no longer holds.
    pub(super) fresh: bool,
    pub(super) turns: Turns,
}

/// At which node an object goes on once something is noted in it; [`NOTHING`]: at the same.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Turns {
    /// It says that it is a Secret.
    pub(super) secret: Node,
    /// It says that it is something else.
    pub(super) settled: Node,
    /// It is of the core group's `v1`.
    pub(super) core: Node,
    /// The variable's name is telling.
    pub(super) telling: Node,
    /// It is not.
    pub(super) plain: Node,
}

/// Tells at once that most keys are not among a branch's.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Filter {
    /// A bit for each length modulo 64.
    lengths: u64,
    /// A bit for each first letter.
    letters: u32,
}

impl Filter {
    pub(super) fn add(&mut self, key: &[u8]) {
        self.lengths |= 1 << (key.len() & 63);
        self.letters |= 1 << Self::letter(key);
    }

    #[inline]
    fn may_have(self, key: &[u8]) -> bool {
        self.lengths >> (key.len() & 63) & 1 != 0 && self.letters >> Self::letter(key) & 1 != 0
    }

    /// The same for both cases of a letter.
    #[inline]
    fn letter(key: &[u8]) -> u8 {
        key.first().map_or(0, |first| first & 31)
    }
}

impl Tree {
    #[inline]
    fn branch(&self, node: Node) -> Option<&Branch> {
        self.nodes.get(node as usize)
    }

    /// The node of the member `key` (unescaped; none when it is longer than [`MAX_KEY`]) of an object at `node`.
    #[inline(always)]
    pub(crate) fn key(&self, node: Node, key: Option<&[u8]>) -> Node {
        let Some(branch) = self.branch(node) else { return NOTHING };
        match key {
            Some(key) if branch.filter.may_have(key) => branch.named(key),
            Some(_) if branch.globs.is_empty() => branch.other_key,
            Some(key) => branch.globbed(key),
            None => branch.globs.first().map_or(branch.other_key, |(_, node)| *node),
        }
    }

    /// The node of an array's first element.
    #[inline]
    pub(crate) fn first(&self, node: Node) -> Node {
        if node <= ANYWHERE { node } else { self.branch(node).map_or(NOTHING, |branch| branch.first) }
    }

    /// The node of every other element.
    #[inline]
    pub(crate) fn element(&self, node: Node) -> Node {
        if node <= ANYWHERE { node } else { self.branch(node).map_or(NOTHING, |branch| branch.element) }
    }

    /// What happens to the value at `node`.
    #[inline]
    pub(crate) fn treatment(&self, node: Node) -> Option<Treatment> {
        self.branch(node).and_then(|branch| branch.treatment)
    }

    /// What stands for the place at `node` in what a placeholder is bound to.
    pub(crate) fn place(&self, node: Node) -> u64 {
        self.branch(node).map_or(0, |branch| branch.place)
    }

    /// Whether an object at `node` is somebody, with a `uid` and `resourceVersion` of its own.
    #[inline]
    pub(crate) fn fresh(&self, node: Node) -> bool {
        self.branch(node).is_some_and(|branch| branch.fresh)
    }

    /// Where an object at `node` goes on after it was noted what `value` says; none if that is too long to be told.
    pub(crate) fn turn(&self, node: Node, note: Note, value: Option<&[u8]>) -> Node {
        let turns = self.branch(node).map(|branch| branch.turns).unwrap_or_default();
        let turn = match note {
            Note::Kind if matches!(value, Some(b"Secret" | b"SecretList")) => turns.secret,
            Note::EnvName if value.is_none_or(|name| self.names.telling(name)) => turns.telling,
            Note::Kind => turns.settled,
            Note::EnvName => turns.plain,
            Note::ApiVersion if value == Some(b"v1") => turns.core,
            Note::ApiVersion | Note::Uid | Note::Version => NOTHING,
        };
        if turn == NOTHING { node } else { turn }
    }

    /// The rules for a document within a string.
    pub(crate) fn embedded(&self, whose: Whose) -> Option<&Rules> {
        match whose {
            Whose::Own => self.own.as_ref(),
            Whose::Secret => self.secret.as_ref(),
        }
    }
}

impl Branch {
    /// Whether places can be below: the value stays, or what is there is an object that is not replaced.
    pub(super) fn on_the_way(&self) -> bool {
        matches!(self.treatment, None | Some(Treatment::Note(_)))
    }

    /// Whether what is here is replaced whole.
    pub(super) fn replaced(&self) -> bool {
        matches!(self.treatment, Some(Treatment::Replace(_)))
    }

    #[inline(never)]
    pub(super) fn named(&self, key: &[u8]) -> Node {
        let named = self.keys.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key));
        named.map_or_else(|| self.globbed(key), |(_, node)| *node)
    }

    /// The node that `step` leads to before it has one of its own.
    pub(super) fn holds_at(&self, step: &Step) -> Node {
        match step {
            Step::Key(key) => self.named(key.as_bytes()),
            Step::Glob(glob) => self.like(glob),
            Step::Any => self.other_key,
            Step::Each => self.element,
        }
    }

    /// The node of members with keys like `glob`.
    pub(super) fn like(&self, glob: &Glob) -> Node {
        self.globs.iter().find(|(own, _)| own == glob).map_or(self.other_key, |(_, node)| *node)
    }

    #[inline(never)]
    fn globbed(&self, key: &[u8]) -> Node {
        self.globs.iter().find(|(glob, _)| glob.matches(key)).map_or(self.other_key, |(_, node)| *node)
    }
}
