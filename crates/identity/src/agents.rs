//! What configuration says about agents: which there are, their groups, the clusters they may use.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;

use crate::{AgentName, ClusterName, Delegator, GroupName, Opening, Refusal};

/// The shortest life of a session.
const LEAST_TTL: SignedDuration = SignedDuration::from_secs(1);

/// The longest life configuration may allow: nothing long-lived reaches an agent.
const MOST_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many names a message lists.
const LISTED: usize = 10;

/// The user names under which agents reach an API server; no delegator may pass for one.
const AGENT_USER: &str = "portcullis:agent:";

/// One agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// The groups it is in, in the order of the configuration.
    pub groups: Vec<GroupName>,
    /// The clusters it may open sessions on.
    pub clusters: BTreeSet<ClusterName>,
}

/// All agents, and the rules for their sessions. Consistent: each cluster an agent may use is one there is.
#[derive(Debug, Clone)]
pub struct Agents {
    agents: BTreeMap<AgentName, Agent>,
    clusters: BTreeSet<ClusterName>,
    max_ttl: SignedDuration,
}

/// What is wrong with a configuration of agents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentsProblem {
    /// Two agents of one name.
    #[error("agent `{0}` is configured twice: keep one")]
    Duplicate(AgentName),
    /// An agent may use a cluster that there is not.
    #[error(
        "agent `{agent}` may use cluster `{cluster}`, which is not configured: configure it, or take it out"
    )]
    UnknownCluster {
        /// The agent.
        agent: AgentName,
        /// The cluster.
        cluster: ClusterName,
    },
    /// The longest life of a session is no sensible time.
    #[error("the longest session `{found:#}` is out of range: give {LEAST_TTL:#} to {MOST_TTL:#}")]
    MaxTtl {
        /// The time given.
        found: SignedDuration,
    },
}

impl Agents {
    /// Checks a configuration: the clusters there are, the agents, and the longest life of a session.
    ///
    /// # Errors
    /// Every problem there is, in the order of the arguments.
    pub fn new(
        clusters: impl IntoIterator<Item = ClusterName>,
        agents: impl IntoIterator<Item = (AgentName, Agent)>,
        max_ttl: SignedDuration,
    ) -> Result<Self, Vec<AgentsProblem>> {
        let clusters: BTreeSet<_> = clusters.into_iter().collect();
        let mut known = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, agent) in agents {
            for cluster in agent.clusters.difference(&clusters) {
                let (agent, cluster) = (name.clone(), cluster.clone());
                problems.push(AgentsProblem::UnknownCluster { agent, cluster });
            }
            if known.insert(name.clone(), agent).is_some() {
                problems.push(AgentsProblem::Duplicate(name));
            }
        }
        if !(LEAST_TTL..=MOST_TTL).contains(&max_ttl) {
            problems.push(AgentsProblem::MaxTtl { found: max_ttl });
        }
        if problems.is_empty() { Ok(Self { agents: known, clusters, max_ttl }) } else { Err(problems) }
    }

    /// The agent of this name, if there is one.
    pub fn agent(&self, name: &AgentName) -> Option<&Agent> {
        self.agents.get(name)
    }

    /// Whether a session may be opened as asked; the agent it would be for.
    ///
    /// # Errors
    /// The first thing that is not right.
    pub fn judge(&self, opening: &Opening) -> Result<&Agent, Refusal> {
        let agent = self.allows(&opening.agent, &opening.delegator, &opening.cluster)?;
        let ttl = opening.ttl;
        if ttl < LEAST_TTL {
            return Err(Refusal::TtlTooShort { ttl });
        }
        if ttl > self.max_ttl {
            return Err(Refusal::TtlTooLong { ttl, most: self.max_ttl });
        }
        Ok(agent)
    }

    /// Whether there may be a session of this agent, for this delegator, on this cluster.
    pub(crate) fn allows(
        &self,
        name: &AgentName,
        delegator: &Delegator,
        cluster: &ClusterName,
    ) -> Result<&Agent, Refusal> {
        let Some(agent) = self.agents.get(name) else {
            let configured = list(self.agents.keys());
            return Err(Refusal::UnknownAgent { agent: name.clone(), configured });
        };
        if !self.clusters.contains(cluster) {
            let configured = list(&self.clusters);
            return Err(Refusal::UnknownCluster { cluster: cluster.clone(), configured });
        }
        if !agent.clusters.contains(cluster) {
            return Err(Refusal::ClusterNotAllowed {
                agent: name.clone(),
                cluster: cluster.clone(),
                allowed: list(&agent.clusters),
            });
        }
        if self.is_agent(delegator) {
            return Err(Refusal::DelegatorIsAgent(delegator.clone()));
        }
        Ok(agent)
    }

    /// Whether a delegator goes by an agent's name, or by its user name, in any case.
    fn is_agent(&self, delegator: &Delegator) -> bool {
        let name = delegator.as_str().to_lowercase();
        self.agents.contains_key(name.as_str())
            || name.strip_prefix(AGENT_USER).is_some_and(|name| self.agents.contains_key(name))
    }
}

/// Names for a message: the first ten, and how many more.
fn list<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let mut listed: Vec<_> = names.by_ref().take(LISTED).map(|name| format!("`{name}`")).collect();
    match names.count() {
        0 if listed.is_empty() => return "none".to_owned(),
        0 => {}
        more => listed.push(format!("{more} more")),
    }
    listed.join(", ")
}
