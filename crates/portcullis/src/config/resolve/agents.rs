//! The agents, and which clusters they reach.

use identity::{AgentName, ClusterName, GroupName};

use super::{
    super::{position::FieldPath, raw, resolved::Agent, suggest::suggestion},
    Resolver,
    clusters::Clusters,
};

impl Resolver<'_> {
    pub(super) fn agents(&mut self, raw: Vec<raw::Agent>, clusters: &Clusters, at: &FieldPath) -> Vec<Agent> {
        let mut names: Vec<AgentName> = Vec::new();
        let mut agents = Vec::new();
        for (index, raw) in raw.into_iter().enumerate() {
            let at = at.index(index);
            let name = raw.name.and_then(|name| self.name("agent", &name, &names, &at.key("name")));
            names.extend(name.clone());
            let groups = self.groups(raw.groups.unwrap_or_default(), &at.key("groups"));
            let reachable = match raw.clusters {
                Some(written) => self.agent_clusters(written, clusters, &at.key("clusters")),
                None => clusters.names.clone(),
            };
            agents.extend(name.map(|name| Agent { name, groups, clusters: reachable }));
        }
        agents
    }

    pub(super) fn groups(&mut self, written: Vec<String>, at: &FieldPath) -> Vec<GroupName> {
        let mut groups: Vec<GroupName> = Vec::new();
        for (index, group) in written.into_iter().enumerate() {
            groups.extend(self.name("group", &group, &groups, &at.index(index)));
        }
        groups
    }

    fn agent_clusters(
        &mut self,
        written: Vec<String>,
        clusters: &Clusters,
        at: &FieldPath,
    ) -> Vec<ClusterName> {
        let mut found: Vec<ClusterName> = Vec::new();
        for (index, name) in written.iter().enumerate() {
            match clusters.names.iter().find(|cluster| cluster.as_str() == name) {
                Some(cluster) => found.push(cluster.clone()),
                None => {
                    let hint = suggestion(name, clusters.names.iter().map(ClusterName::as_str));
                    self.report(
                        &at.index(index),
                        format!("there is no cluster `{name}` in `clusters`; {hint}"),
                    );
                }
            }
        }
        found
    }
}
