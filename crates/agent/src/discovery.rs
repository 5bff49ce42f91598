//! Where objects of a kind are: what the API server says of its types.

use std::collections::BTreeMap;

use serde::Deserialize;
use visible::visible;

use crate::{
    client::{Client, Failure, segment},
    manifests::Manifest,
};

/// What is known of the API's types so far; each group and version is asked for once.
#[derive(Debug)]
pub(crate) struct Discovery<'a> {
    client: &'a Client,
    known: BTreeMap<String, Vec<Resource>>,
}

/// Where one object is, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Without the object's name.
    pub(crate) collection: String,
    /// With it.
    pub(crate) object: String,
    /// Of what is in one.
    pub(crate) namespace: Option<String>,
    /// For people, as `deployments.apps "web" in namespace "shop"`.
    pub(crate) named: String,
}

/// Which namespaces objects go to that name none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespaces {
    /// Asked for: no object may name another.
    pub(crate) asked: Option<String>,
    /// The context's.
    pub(crate) usual: Option<String>,
}

/// Why a place is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Nowhere {
    #[error("what the cluster knows of `{version}` cannot be read: {failure}")]
    Failed { version: String, failure: Failure },
    #[error(
        "the cluster knows no `{kind}` of `{version}`; if these manifests define it, propose the definition first"
    )]
    Unknown { version: String, kind: String },
    #[error("it is in namespace `{found}`, and `--namespace` is `{asked}`; leave one of them out")]
    Elsewhere { found: String, asked: String },
}

/// `APIResourceList` of k8s.io/apimachinery/pkg/apis/meta/v1.
#[derive(Deserialize)]
struct List {
    resources: Vec<Resource>,
}

#[derive(Debug, Clone, Deserialize)]
struct Resource {
    name: String,
    kind: String,
    namespaced: bool,
}

impl<'a> Discovery<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, known: BTreeMap::new() }
    }

    /// Where a manifest's object is.
    pub(crate) async fn place(
        &mut self,
        manifest: &Manifest,
        namespaces: &Namespaces,
    ) -> Result<Place, Nowhere> {
        let resource = self.resource(manifest).await?;
        let namespace = if resource.namespaced { Some(namespaces.of(manifest)?) } else { None };
        let mut collection = root(&manifest.group, &manifest.version);
        if let Some(namespace) = &namespace {
            collection = format!("{collection}/namespaces/{}", segment(namespace));
        }
        collection = format!("{collection}/{}", segment(&resource.name));
        let object = format!("{collection}/{}", segment(&manifest.name));
        let named = named(&resource.name, manifest, namespace.as_deref());
        Ok(Place { collection, object, namespace, named })
    }

    async fn resource(&mut self, manifest: &Manifest) -> Result<Resource, Nowhere> {
        let version = manifest.group_version();
        let told = || visible(&version);
        if !self.known.contains_key(&version) {
            let path = root(&manifest.group, &manifest.version);
            let failed = |failure| Nowhere::Failed { version: told(), failure };
            let found = self.client.get(&path).await.map_err(failed)?;
            let list: Option<List> = found
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| failed(Failure::Answer(visible(&error.to_string()))))?;
            self.known.insert(version.clone(), list.map(|list| list.resources).unwrap_or_default());
        }
        let known = self.known.get(&version).into_iter().flatten();
        // What has a slash is a subresource.
        let mut fit = known.filter(|found| found.kind == manifest.kind && !found.name.contains('/'));
        let unknown = || Nowhere::Unknown { version: told(), kind: visible(&manifest.kind) };
        fit.next().cloned().ok_or_else(unknown)
    }
}

impl Namespaces {
    /// As kubectl does: the manifest's own, what was asked for, the context's, `default`.
    fn of(&self, manifest: &Manifest) -> Result<String, Nowhere> {
        match (&manifest.namespace, &self.asked) {
            (Some(found), Some(asked)) if found != asked => {
                Err(Nowhere::Elsewhere { found: visible(found), asked: visible(asked) })
            }
            (Some(found), _) => Ok(found.clone()),
            (None, Some(asked)) => Ok(asked.clone()),
            (None, None) => Ok(self.usual.clone().unwrap_or_else(|| "default".to_owned())),
        }
    }
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{}", segment(version))
    } else {
        format!("/apis/{}/{}", segment(group), segment(version))
    }
}

fn named(resource: &str, manifest: &Manifest, namespace: Option<&str>) -> String {
    let Manifest { group, name, .. } = manifest;
    let dot = if group.is_empty() { "" } else { "." };
    let namespace = namespace.map_or_else(String::new, |name| format!(" in namespace \"{name}\""));
    visible(&format!("{resource}{dot}{group} \"{name}\"{namespace}"))
}
