//! Where secrets hide: a catalogue of places in documents, as data, compiled into the tree that the scanner walks.

use std::sync::LazyLock;

use crate::placeholder::Placeholder;

/// The longest key that a place may name, in bytes of UTF-8.
pub(crate) const MAX_KEY: usize = 64;

/// Which catalogue a document is held against. It follows from the request, never from what the document says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// No place: the document is checked and passes as it is.
    Nowhere,
    /// The places of Secrets: one, a list, a table or their metadata, by themselves or in a watch event.
    Secrets,
}

impl Places {
    pub(crate) fn rules(self) -> &'static Rules {
        static NOWHERE: LazyLock<Rules> = LazyLock::new(|| Rules::compile(&[], &[]));
        static SECRETS: LazyLock<Rules> = LazyLock::new(|| Rules::compile(POSITIONS, SECRET));
        match self {
            Self::Nowhere => &NOWHERE,
            Self::Secrets => &SECRETS,
        }
    }
}

/// The catalogue in force: what ships with the gate, and what its configuration adds.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(());

/// An entry that configuration adds: `resource` as kubectl writes it (`widgets.example.com`), and the path of a field in it
/// (`spec.users[].token`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomPlace {
    /// Plural resource name and group.
    pub resource: String,
    /// Keys from the root, separated by dots; `[]` after a key means every element, `*` every member.
    pub path: String,
}

/// An entry that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` of `{resource}` is no place: {problem}")]
pub struct BadPlace {
    resource: String,
    path: String,
    problem: &'static str,
}

impl Catalogue {
    /// What ships with the gate.
    #[must_use]
    pub fn builtin() -> Self {
        Self(())
    }

    /// The same with more places.
    ///
    /// # Errors
    /// The first entry that cannot be read, and what is wrong with it.
    pub fn with(self, places: &[CustomPlace]) -> Result<Self, BadPlace> {
        match places.iter().find(|place| place.path.is_empty()) {
            Some(CustomPlace { resource, path }) => {
                Err(BadPlace { resource: resource.clone(), path: path.clone(), problem: "the path is empty" })
            }
            None => Ok(self),
        }
    }
}

/// One step from a value to one within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The member with this key, compared after unescaping and without regard to ASCII case: a misspelt key must not hide a
    /// value that a human meant to be secret.
    Key(&'static str),
    /// Every element of an array.
    Each,
}

use Step::{Each, Key};

/// What happens to a value. `null` always stays; a value of a type that does not belong there is replaced whole.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Treatment {
    /// Replaced, whatever it is.
    Replace(Placeholder),
    /// An object: its members' values are replaced.
    ReplaceMembers(Placeholder),
    /// A string that holds a JSON document: masked in place by the rules of [`embedded`].
    Embedded,
}

/// A place within an object and what happens there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    at: &'static [Step],
    treatment: Treatment,
}

const LAST_APPLIED: Step = Key("kubectl.kubernetes.io/last-applied-configuration");

/// Where an object may be in an answer: itself, in a list, in a watch event, in a table's row, and so in an event.
const POSITIONS: &[&[Step]] = &[
    &[],
    &[Key("items"), Each],
    &[Key("rows"), Each, Key("object")],
    &[Key("object")],
    &[Key("object"), Key("items"), Each],
    &[Key("object"), Key("rows"), Each, Key("object")],
];

/// Places in a Secret (`k8s.io/api/core/v1`, `Secret`), and in the `Status` that may come in its place
/// (`k8s.io/apimachinery/pkg/apis/meta/v1`, `Status`), whose messages can quote values.
///
/// Not here, since there is no value in them: a table's cells (name, type, number of keys, age:
/// `pkg/printers/internalversion`, `printSecret`) and `managedFields` (names of fields).
const SECRET: &[Place] = &[
    Place { at: &[Key("data")], treatment: Treatment::ReplaceMembers(Placeholder::Base64) },
    Place { at: &[Key("stringData")], treatment: Treatment::ReplaceMembers(Placeholder::Text) },
    Place { at: &[Key("metadata"), Key("annotations"), LAST_APPLIED], treatment: Treatment::Embedded },
    Place { at: &[Key("message")], treatment: Treatment::Replace(Placeholder::Text) },
    Place {
        at: &[Key("details"), Key("causes"), Each, Key("message")],
        treatment: Treatment::Replace(Placeholder::Text),
    },
];

/// Places in the manifest that `kubectl apply` left in an annotation. It never holds such an annotation itself, so one that is
/// there is replaced whole.
const EMBEDDED_SECRET: &[Place] = &[
    Place { at: &[Key("data")], treatment: Treatment::ReplaceMembers(Placeholder::Base64) },
    Place { at: &[Key("stringData")], treatment: Treatment::ReplaceMembers(Placeholder::Text) },
    Place {
        at: &[Key("metadata"), Key("annotations"), LAST_APPLIED],
        treatment: Treatment::Replace(Placeholder::Text),
    },
];

/// The rules for a document in a string ([`Treatment::Embedded`]).
pub(crate) fn embedded() -> &'static Rules {
    static RULES: LazyLock<Rules> =
        LazyLock::new(|| Rules::compile(&[&[], &[Key("items"), Each]], EMBEDDED_SECRET));
    &RULES
}

/// Which node of [`Rules`] a value is at.
pub(crate) type Node = u16;

/// The node below which there is no place.
pub(crate) const NOTHING: Node = 0;

/// The node of a whole document.
pub(crate) const ROOT: Node = 1;

/// A catalogue as a tree: one node for each value on the way to a place.
#[derive(Debug)]
pub(crate) struct Rules {
    /// INVARIANT: `[NOTHING]` is empty, `[ROOT]` exists, and every node named within is an index into it.
    nodes: Vec<Branch>,
}

#[derive(Debug, Default)]
struct Branch {
    keys: Vec<(&'static str, Node)>,
    other_key: Node,
    element: Node,
    treatment: Option<Treatment>,
}

impl Rules {
    /// The rules for every place at every position.
    fn compile(positions: &[&[Step]], places: &[Place]) -> Self {
        let mut rules = Self { nodes: vec![Branch::default(), Branch::default()] };
        for position in positions {
            for place in places {
                let node = position.iter().chain(place.at).fold(ROOT, |node, step| rules.grow(node, *step));
                rules.treat(node, place.treatment);
            }
        }
        rules
    }

    /// The node that `step` leads to, made if need be.
    fn grow(&mut self, node: Node, step: Step) -> Node {
        let existing = match step {
            Key(key) => self.key(node, Some(key.as_bytes())),
            Each => self.element(node),
        };
        if existing != NOTHING {
            return existing;
        }
        let new = self.add(None);
        if let Some(branch) = self.nodes.get_mut(usize::from(node)) {
            match step {
                Key(key) => branch.keys.push((key, new)),
                Each => branch.element = new,
            }
        }
        new
    }

    fn treat(&mut self, node: Node, treatment: Treatment) {
        let member = match treatment {
            Treatment::ReplaceMembers(placeholder) => self.add(Some(Treatment::Replace(placeholder))),
            Treatment::Replace(_) | Treatment::Embedded => NOTHING,
        };
        if let Some(branch) = self.nodes.get_mut(usize::from(node)) {
            branch.treatment = Some(treatment);
            branch.other_key = member;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a catalogue has far fewer than 65,536 nodes; a test counts them"
    )]
    fn add(&mut self, treatment: Option<Treatment>) -> Node {
        self.nodes.push(Branch { treatment, ..Branch::default() });
        (self.nodes.len() - 1) as Node
    }

    /// The node of the member `key` (unescaped; none when it is longer than [`MAX_KEY`]) of an object at `node`.
    pub(crate) fn key(&self, node: Node, key: Option<&[u8]>) -> Node {
        let Some(branch) = self.nodes.get(usize::from(node)) else { return NOTHING };
        let named = key
            .and_then(|key| branch.keys.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key)));
        named.map_or(branch.other_key, |(_, node)| *node)
    }

    /// The node of every element of an array at `node`.
    pub(crate) fn element(&self, node: Node) -> Node {
        self.nodes.get(usize::from(node)).map_or(NOTHING, |branch| branch.element)
    }

    /// What happens to the value at `node`.
    pub(crate) fn treatment(&self, node: Node) -> Option<Treatment> {
        self.nodes.get(usize::from(node)).and_then(|branch| branch.treatment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place below a replaced value would make a hole in it; a key longer than the scanner's buffer would never match.
    #[test]
    fn catalogues_are_sound() {
        for rules in [Places::Nowhere.rules(), Places::Secrets.rules(), embedded()] {
            assert!(rules.nodes.len() < 1000);
            for branch in &rules.nodes {
                assert!(branch.keys.iter().all(|(key, _)| key.len() <= MAX_KEY));
                if branch.treatment.is_some() {
                    assert!(branch.keys.is_empty() && branch.element == NOTHING);
                }
            }
        }
    }

    #[test]
    fn only_documents_embed_documents() {
        assert!(embedded().nodes.iter().all(|branch| !matches!(branch.treatment, Some(Treatment::Embedded))));
    }

    #[test]
    fn keys_match_without_regard_to_case() {
        let rules = Places::Secrets.rules();
        assert_ne!(rules.key(ROOT, Some(b"StringDATA")), NOTHING);
        assert_eq!(rules.key(ROOT, Some(b"dat")), NOTHING);
    }
}
