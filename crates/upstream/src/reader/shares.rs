//! How much of what is held is of which namespace.
//!
//! Who may create Secrets in one namespace, an agent say, could fill all the room there is, and then no call to the cluster
//! could pass. So one namespace takes no more than its share. What is beyond is not known, and only calls that could show it
//! are refused: those to that namespace, and those that are about more than one. Which of a namespace's Secrets are left out
//! does not matter then: no call shows any of its objects.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::object::Name;

#[derive(Debug)]
pub(super) struct Shares {
    most: usize,
    namespaces: BTreeMap<String, Share>,
    /// Secrets that are left out, of all.
    left_out: usize,
    /// The namespaces of which some are: calls look at it.
    over: Arc<BTreeSet<String>>,
}

#[derive(Debug, Default)]
struct Share {
    /// What is held of it.
    bytes: usize,
    /// Its Secrets that are not held.
    left_out: HashMap<String, LeftOut>,
}

#[derive(Debug)]
struct LeftOut {
    source: usize,
    values: usize,
}

impl Shares {
    pub(super) fn new(most: usize) -> Self {
        Self { most, namespaces: BTreeMap::new(), left_out: 0, over: Arc::default() }
    }

    /// A Secret of a source that costs so much is to be held; whether it fits into its namespace's share. If not, it is left
    /// out from now on.
    pub(super) fn take(&mut self, source: usize, name: &Name, cost: usize, values: usize) -> bool {
        if cost == 0 && !self.is_left_out(name) {
            return true;
        }
        let share = self.namespaces.entry(name.namespace.clone()).or_default();
        let fits = share.bytes + cost <= self.most;
        let was_left_out = if fits {
            share.bytes += cost;
            share.left_out.remove(&name.name).is_some()
        } else {
            if share.left_out.is_empty() {
                let (namespace, share) = (&name.namespace, self.most);
                tracing::warn!(
                    namespace,
                    share,
                    "the values of a namespace's Secrets are more than the bytes that one namespace may have; calls that \
                     could show them are refused"
                );
            }
            share.left_out.insert(name.name.clone(), LeftOut { source, values }).is_some()
        };
        self.left_out += usize::from(!fits);
        self.left_out -= usize::from(was_left_out);
        self.settle(&name.namespace);
        fits
    }

    /// A Secret that cost so much is held no longer.
    pub(super) fn give(&mut self, name: &Name, cost: usize) {
        if let Some(share) = self.namespaces.get_mut(&name.namespace) {
            share.bytes -= cost;
        }
        self.settle(&name.namespace);
    }

    /// A Secret that cost so much, or was left out, is gone. Whether there is room for others that were left out: at least
    /// half a share, so that who deletes and creates in turns makes nobody list all Secrets each time.
    pub(super) fn remove(&mut self, name: &Name, cost: usize) -> bool {
        let Some(share) = self.namespaces.get_mut(&name.namespace) else { return false };
        share.bytes -= cost;
        self.left_out -= usize::from(share.left_out.remove(&name.name).is_some());
        let room = !share.left_out.is_empty() && share.bytes <= self.most / 2;
        self.settle(&name.namespace);
        room
    }

    pub(super) fn is_left_out(&self, name: &Name) -> bool {
        self.namespaces.get(&name.namespace).is_some_and(|share| share.left_out.contains_key(&name.name))
    }

    /// A source has these Secrets and no others.
    pub(super) fn keep_only(&mut self, source: usize, names: &HashSet<Name>) {
        for (namespace, share) in &mut self.namespaces {
            let before = share.left_out.len();
            share.left_out.retain(|name, left_out| {
                let name = Name { namespace: namespace.clone(), name: name.clone() };
                left_out.source != source || names.contains(&name)
            });
            self.left_out -= before - share.left_out.len();
        }
        let all: Vec<String> = self.namespaces.keys().cloned().collect();
        all.iter().for_each(|namespace| self.settle(namespace));
    }

    /// The namespaces of which Secrets are left out.
    pub(super) fn namespaces_over(&self) -> &Arc<BTreeSet<String>> {
        &self.over
    }

    /// How many Secrets are left out.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// The namespaces of which Secrets are left out, and how many values of each.
    pub(super) fn values_left_out(&self) -> BTreeMap<String, usize> {
        let over = self.namespaces.iter().filter(|(_name, share)| !share.left_out.is_empty());
        over.map(|(name, share)| {
            (name.clone(), share.left_out.values().map(|left_out| left_out.values).sum())
        })
        .collect()
    }

    /// The namespace that holds most; none has a name that is empty.
    pub(super) fn largest(&self) -> String {
        let largest = self.namespaces.iter().max_by_key(|(_name, share)| share.bytes);
        largest.map(|(name, _share)| name.clone()).unwrap_or_default()
    }

    /// Of a namespace without Secrets nothing stays; `over` is kept in step.
    fn settle(&mut self, namespace: &str) {
        let Some(share) = self.namespaces.get(namespace) else { return };
        let is_over = !share.left_out.is_empty();
        if share.bytes == 0 && !is_over {
            self.namespaces.remove(namespace);
        }
        if self.over.contains(namespace) != is_over {
            let over = Arc::make_mut(&mut self.over);
            if is_over {
                over.insert(namespace.to_owned())
            } else {
                over.remove(namespace)
            };
        }
    }
}
