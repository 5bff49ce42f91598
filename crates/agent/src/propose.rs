//! From manifests to the calls that would make it so.

use approval::WantedCall;
use serde_json::Value;

use crate::{
    apply::{How, NoKey},
    client::{Client, Failure},
    discovery::{Discovery, Namespaces, Nowhere, Place},
    manifests::Manifest,
};

/// What would have to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The calls, in the order of the manifests.
    pub calls: Vec<WantedCall>,
    /// The objects that are already as they are wanted, in words.
    pub unchanged: Vec<String>,
}

/// Why no call can be made of a manifest: where that was read, and what is in the way.
#[derive(Debug, thiserror::Error)]
#[error("{source_of}: {why}")]
pub struct Why {
    source_of: String,
    why: Reason,
}

#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Nowhere(Nowhere),
    #[error("{object} cannot be read: {failure}")]
    Failed { object: String, failure: Failure },
    #[error("{object} cannot be read: it is no object")]
    NoObject { object: String },
    #[error("{object} cannot be patched: {why}")]
    NoKey { object: String, why: NoKey },
    #[error("{object} stands in {first}, too; leave one of them out")]
    Twice { object: String, first: String },
}

/// The calls that `kubectl apply` would make of these manifests now, with `namespace` for its `--namespace`. Reads what is there, and
/// changes nothing.
///
/// # Errors
/// [`Why`]; then nothing should be proposed.
pub async fn changes(
    client: &Client,
    manifests: &[Manifest],
    how: How,
    namespace: Option<&str>,
) -> Result<Changes, Why> {
    let namespaces =
        Namespaces { asked: namespace.map(str::to_owned), usual: client.namespace().map(str::to_owned) };
    let mut discovery = Discovery::new(client);
    let mut changes = Changes::default();
    let mut seen: Vec<(Place, &Manifest)> = Vec::new();
    for manifest in manifests {
        let why = |why| Why { source_of: manifest.source.clone(), why };
        let place = discovery.place(manifest, &namespaces).await.map_err(|no| why(Reason::Nowhere(no)))?;
        if let Some((_place, first)) = seen.iter().find(|(other, _first)| *other == place) {
            return Err(why(Reason::Twice { object: place.named, first: first.source.clone() }));
        }
        match call(client, manifest, how, &place).await.map_err(why)? {
            Some(call) => changes.calls.push(call),
            None => changes.unchanged.push(place.named.clone()),
        }
        seen.push((place, manifest));
    }
    Ok(changes)
}

async fn call(
    client: &Client,
    manifest: &Manifest,
    how: How,
    place: &Place,
) -> Result<Option<WantedCall>, Reason> {
    let object = || place.named.clone();
    let live = if how.looks() {
        client.get(&place.object).await.map_err(|failure| Reason::Failed { object: object(), failure })?
    } else {
        None
    };
    let live = match &live {
        None => None,
        Some(Value::Object(fields)) => Some(fields),
        Some(_) => return Err(Reason::NoObject { object: object() }),
    };
    how.call(manifest, place, live).map_err(|why| Reason::NoKey { object: object(), why })
}
