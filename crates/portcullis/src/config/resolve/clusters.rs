//! The clusters, and what is lifted of the built-in denials for them.

use std::collections::BTreeSet;

use identity::ClusterName;
use policy::FixedDenial;

use super::{
    super::{
        Files, files,
        files::ContextProblem,
        position::FieldPath,
        raw,
        resolved::{Cluster, ClusterSource},
        suggest::suggestion,
    },
    Resolver,
};

/// Clusters that are right, and the names of all that have one, so that an agent's reference to a cluster with
/// another problem is not a second problem.
#[derive(Default)]
pub(super) struct Clusters {
    pub(super) list: Vec<Cluster>,
    pub(super) names: Vec<ClusterName>,
}

impl Resolver<'_> {
    pub(super) fn clusters(&mut self, raw: Vec<raw::Cluster>, at: &FieldPath) -> Clusters {
        let mut clusters = Clusters::default();
        for (index, raw) in raw.into_iter().enumerate() {
            let at = at.index(index);
            let source = self.cluster_source(&raw, &at);
            let name =
                raw.name.and_then(|name| self.name("cluster", &name, &clusters.names, &at.key("name")));
            clusters.names.extend(name.clone());
            let lift = self.lift(raw.lift.unwrap_or_default(), &at.key("lift"));
            let masking = self.masking(raw.masking.unwrap_or_default(), &at.key("masking"));
            if let (Some(name), Some(source), Some(masking)) = (name, source, masking) {
                let at = self.context.tree.locate(&at);
                clusters.list.push(Cluster { name, source, lift, masking, at });
            }
        }
        clusters
    }

    fn cluster_source(&mut self, raw: &raw::Cluster, at: &FieldPath) -> Option<ClusterSource> {
        let in_cluster = raw.in_cluster.unwrap_or(false);
        match (&raw.kubeconfig, in_cluster) {
            (Some(_), true) => self.refuse(at, "give either `kubeconfig` or `in_cluster: true`, not both"),
            (None, true) if raw.context.is_some() => {
                self.refuse(&at.key("context"), "a context belongs to a `kubeconfig`; remove it")
            }
            (None, true) => Some(ClusterSource::InCluster),
            // A field that is misspelt or of the wrong type was most likely meant to be one of them.
            (None, false) if self.problems.has_below(at) => None,
            (None, false) => {
                self.refuse(at, "give the gate's credential: `kubeconfig: FILE` or `in_cluster: true`")
            }
            (Some(file), false) => {
                let file = self.path(file, &at.key("kubeconfig"))?;
                let context = raw.context.clone();
                if self.context.files == Files::Check {
                    match files::kubeconfig(&file, context.as_deref()) {
                        Ok(()) => {}
                        Err(ContextProblem::File(message)) => {
                            return self.refuse(&at.key("kubeconfig"), message);
                        }
                        Err(ContextProblem::Context(message)) => {
                            return self.refuse(&at.key("context"), message);
                        }
                    }
                }
                Some(ClusterSource::Kubeconfig { file, context })
            }
        }
    }

    fn lift(&mut self, written: Vec<String>, at: &FieldPath) -> BTreeSet<String> {
        let known = policy::fixed_denials();
        let mut lifted = BTreeSet::new();
        for (index, id) in written.into_iter().enumerate() {
            let at = at.index(index);
            match known.iter().find(|denial| denial.id() == id) {
                Some(denial) if denial.is_liftable() => {
                    lifted.insert(id);
                }
                Some(denial) => self.report(&at, format!("`{id}` cannot be lifted: {}", denial.reason())),
                None => {
                    let liftable = known.iter().filter(|denial| denial.is_liftable()).map(FixedDenial::id);
                    let hint = suggestion(&id, liftable);
                    self.report(&at, format!("there is no fixed denial `{id}`; {hint}"));
                }
            }
        }
        lifted
    }
}
