//! The schema and the names it gives, parsed once.

use std::borrow::Cow;
use std::sync::LazyLock;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, Schema, Validator};

use crate::action::Action;

/// The schema's text, as it ships in the binary.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

static VOCABULARY: LazyLock<Result<Vocabulary, String>> =
    LazyLock::new(|| parse().map_err(|e| e.to_string()));

/// Entity types, action entities and the validator of [`SCHEMA`].
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub(crate) agent: EntityTypeName,
    pub(crate) group: EntityTypeName,
    pub(crate) cluster: EntityTypeName,
    pub(crate) namespace: EntityTypeName,
    /// The resource of a call on an object, under a fixed id: rules name objects by attributes, so no
    /// name from a request becomes part of an id.
    pub(crate) object: EntityUid,
    pub(crate) endpoint: EntityUid,
    actions: Vec<Entity>,
    pub(crate) validator: Validator,
}

impl Vocabulary {
    /// The shipped vocabulary; an error only if the shipped schema itself is broken.
    pub(crate) fn shipped() -> Result<&'static Self, String> {
        VOCABULARY.as_ref().map_err(Clone::clone)
    }

    /// The entity of `action`, with its groups as parents.
    pub(crate) fn action(&self, action: Action) -> Option<&Entity> {
        self.actions.get(action.index())
    }
}

/// The id of a namespace: `CLUSTER/NAMESPACE`. The two parts cannot run into each other.
pub(crate) fn namespace_id(cluster: &str, namespace: &str) -> String {
    format!("{}/{}", escape(cluster), escape(namespace))
}

/// Kubernetes' names hold neither character; whatever else comes here still stays one part.
fn escape(part: &str) -> Cow<'_, str> {
    if part.contains(['%', '/']) {
        return part.replace('%', "%25").replace('/', "%2F").into();
    }
    part.into()
}

/// An entity id from any string: ids are never parsed.
pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn parse() -> Result<Vocabulary, Box<dyn std::error::Error>> {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA)?;
    let name = |text: &str| text.parse::<EntityTypeName>().map_err(Box::new);
    let action_type = name("Action")?;
    let entity = |action: Action| {
        let groups = action.groups().iter().map(|group| uid(&action_type, group));
        Entity::new_no_attrs(uid(&action_type, action.as_str()), groups.collect())
    };
    Ok(Vocabulary {
        agent: name("Agent")?,
        group: name("Group")?,
        cluster: name("Cluster")?,
        namespace: name("Namespace")?,
        object: uid(&name("Object")?, "it"),
        endpoint: uid(&name("Endpoint")?, "it"),
        actions: Action::ALL.into_iter().map(entity).collect(),
        validator: Validator::new(schema),
    })
}
