//! `portcullis rbac`: what a cluster must grant, and to whom.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use identity::ClusterName;
use upstream::{AGENTS_GROUP, GROUP_PREFIX, MASKED_READER_GROUP, USER_PREFIX};

use crate::{
    cli::ConfigFile,
    config::{Config, Files, suggestion},
    rbac_rules::AGENT_RULES,
    terminal,
    yaml::quoted,
};

const DEFAULT_ACCOUNT: &str = "portcullis/gate";

/// Print the RBAC that a cluster needs: the gate may impersonate agents, and nothing else
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis rbac | kubectl apply -f -
  portcullis rbac --cluster prod --service-account portcullis/gate
  portcullis rbac --user portcullis-gate          # the gate authenticates as a user, not a service account

Run it again, and apply, whenever agents or groups change in the configuration.")]
pub(crate) struct Rbac {
    #[command(flatten)]
    config: ConfigFile,
    /// Only for the agents that may have sessions on this cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The gate's own service account
    #[arg(long, value_name = "NAMESPACE/NAME", default_value = DEFAULT_ACCOUNT, conflicts_with = "user")]
    service_account: String,
    /// The gate's own user, where it has no service account
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

impl Rbac {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.load(Files::Ignore)?;
        let subject = match &self.user {
            Some(user) => Subject::User(user.clone()),
            None => Subject::account(&self.service_account)?,
        };
        let impersonated = Impersonated::of(&config, self.cluster.as_deref())?;
        terminal::print(manifest(&subject, &impersonated))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Who the gate is to the cluster.
enum Subject {
    User(String),
    ServiceAccount { namespace: String, name: String },
}

/// As whom the gate may act: users and groups by name.
struct Impersonated {
    users: Vec<String>,
    groups: Vec<String>,
}

impl Subject {
    fn account(text: &str) -> anyhow::Result<Self> {
        let label = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
                })
        };
        match text.split_once('/') {
            Some((namespace, name)) if label(namespace) && label(name) => {
                Ok(Self::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => anyhow::bail!("`{text}` is not a service account; write it as `NAMESPACE/NAME`"),
        }
    }

    fn yaml(&self) -> String {
        match self {
            Self::User(name) => {
                format!(
                    "  - kind: User\n    apiGroup: rbac.authorization.k8s.io\n    name: {}\n",
                    quoted(name)
                )
            }
            Self::ServiceAccount { namespace, name } => {
                format!(
                    "  - kind: ServiceAccount\n    namespace: {}\n    name: {}\n",
                    quoted(namespace),
                    quoted(name)
                )
            }
        }
    }
}

impl Impersonated {
    fn of(config: &Config, cluster: Option<&str>) -> anyhow::Result<Self> {
        if let Some(name) = cluster
            && config.cluster(name).is_none()
        {
            let hint = suggestion(name, config.clusters.iter().map(|cluster| cluster.name.as_str()));
            anyhow::bail!("there is no cluster `{name}` in the configuration; {hint}");
        }
        let may = |clusters: &[ClusterName]| {
            cluster.is_none_or(|name| clusters.iter().any(|other| other.as_str() == name))
        };
        let agents: Vec<_> = config.agents.iter().filter(|agent| may(&agent.clusters)).collect();
        if agents.is_empty() {
            anyhow::bail!(
                "no agent may have sessions on `{}`; see `agents[].clusters`",
                cluster.unwrap_or_default()
            );
        }
        let mut users: Vec<String> =
            agents.iter().map(|agent| format!("{USER_PREFIX}{}", agent.name)).collect();
        users.sort_unstable();
        let own = agents.iter().flat_map(|agent| &agent.groups).map(|group| format!("{GROUP_PREFIX}{group}"));
        let mut groups: Vec<String> = own.collect();
        groups.sort_unstable();
        groups.dedup();
        groups.splice(0..0, [AGENTS_GROUP.to_owned(), MASKED_READER_GROUP.to_owned()]);
        Ok(Self { users, groups })
    }
}

fn manifest(subject: &Subject, impersonated: &Impersonated) -> String {
    let mut yaml = String::from(
        "# What Portcullis needs in this cluster. Written by `portcullis rbac`; apply with `kubectl apply -f -`.\n",
    );
    yaml.push_str(
        "#\n# 1. The gate's own account. It may act as the configured agents, by name, and do nothing else: a call\n\
         #    whose impersonation got lost is refused by the API server.\n",
    );
    yaml.push_str(&role("portcullis:gate"));
    for (resource, names) in [("users", &impersonated.users), ("groups", &impersonated.groups)] {
        let _infallible = write!(
            yaml,
            "  - apiGroups: [\"\"]\n    resources: [{resource}]\n    verbs: [impersonate]\n    resourceNames:\n"
        );
        for name in names {
            let _infallible = writeln!(yaml, "      - {}", quoted(name));
        }
    }
    yaml.push_str(
        "  # The session and the human behind it, for the API server's own audit log.\n  \
         - apiGroups: [authentication.k8s.io]\n    \
         resources: [userextras/portcullis.dev/session, userextras/portcullis.dev/delegator]\n    \
         verbs: [impersonate]\n",
    );
    yaml.push_str(&binding("portcullis:gate", &subject.yaml()));
    yaml.push_str(
        "# 2. Reading Secrets. The gate adds this group to one request at a time: a read that policy permits and whose\n\
         #    answer it masks. No agent has it otherwise.\n",
    );
    yaml.push_str(&role(MASKED_READER_GROUP));
    yaml.push_str("  - apiGroups: [\"\"]\n    resources: [secrets]\n    verbs: [get, list, watch]\n");
    yaml.push_str(&binding(MASKED_READER_GROUP, &group_subject(MASKED_READER_GROUP)));
    yaml.push_str(
        "# 3. The most that any agent may do; policy decides what it may do indeed. Nothing here reads Secrets, opens\n\
         #    a shell or a tunnel, mints tokens, or writes RBAC. To let agents use your custom resources, bind a\n\
         #    ClusterRole of your own to the group `portcullis:agents`.\n",
    );
    yaml.push_str(&role("portcullis:agent"));
    yaml.push_str(AGENT_RULES);
    yaml.push_str(&binding("portcullis:agent", &group_subject(AGENTS_GROUP)));
    yaml
}

fn role(name: &str) -> String {
    let name = quoted(name);
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {name}\n  \
         labels: {{app.kubernetes.io/managed-by: portcullis}}\nrules:\n"
    )
}

fn binding(name: &str, subject: &str) -> String {
    let name = quoted(name);
    format!(
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: {name}\n  \
         labels: {{app.kubernetes.io/managed-by: portcullis}}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  \
         kind: ClusterRole\n  name: {name}\nsubjects:\n{subject}"
    )
}

fn group_subject(name: &str) -> String {
    format!("  - kind: Group\n    apiGroup: rbac.authorization.k8s.io\n    name: {}\n", quoted(name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const CONFIG: &str = "
public_url: https://gate
tls: { certificate: c, key: k }
policy: { bundle: builtin:developer }
clusters: [{ name: prod, in_cluster: true }, { name: stage, in_cluster: true }]
agents:
  - { name: zed, groups: [sre, developers] }
  - { name: claude, groups: [developers], clusters: [stage] }
";

    fn config() -> Config {
        Config::parse(CONFIG, Path::new("portcullis.yaml"), Files::Ignore).unwrap()
    }

    #[test]
    fn the_manifest_is_as_it_was() {
        let impersonated = Impersonated::of(&config(), None).unwrap();
        insta::assert_snapshot!(manifest(&Subject::account(DEFAULT_ACCOUNT).unwrap(), &impersonated));
    }

    #[test]
    fn the_account_is_granted_impersonation_by_name_and_nothing_else() {
        let impersonated = Impersonated::of(&config(), None).unwrap();
        let text = manifest(&Subject::User("gate".to_owned()), &impersonated);
        let role = text
            .split("---")
            .find(|part| part.contains("kind: ClusterRole\n") && part.contains("portcullis:gate"));
        let verbs: Vec<&str> = role.unwrap().lines().filter(|line| line.contains("verbs:")).collect();
        assert!(verbs.iter().all(|line| line.trim() == "verbs: [impersonate]"), "{verbs:?}");
        assert!(
            text.contains("  - kind: User\n    apiGroup: rbac.authorization.k8s.io\n    name: \"gate\"\n")
        );
    }

    #[test]
    fn agents_never_read_secrets_and_wildcards_are_not_used() {
        for rule in AGENT_RULES.split("  - apiGroups:") {
            assert!(!rule.contains('*'), "{rule}");
            let reads = ["get", "list", "watch"].iter().any(|verb| rule.contains(verb));
            assert!(!(rule.contains("secrets") && reads), "{rule}");
            for never in
                ["exec", "attach", "portforward", "proxy", "token", "impersonate", "escalate", "bind"]
            {
                assert!(
                    !rule.contains(&format!("/{never}")) && !rule.contains(&format!("[{never}")),
                    "{rule}"
                );
            }
        }
    }

    #[test]
    fn a_cluster_narrows_it_to_the_agents_that_may_go_there() {
        let config = config();
        let users = |cluster| Impersonated::of(&config, cluster).map(|found| found.users);
        assert_eq!(users(Some("prod")).unwrap(), ["portcullis:agent:zed"]);
        assert_eq!(users(None).unwrap(), ["portcullis:agent:claude", "portcullis:agent:zed"]);
        insta::assert_snapshot!(users(Some("prd")).unwrap_err(), @"there is no cluster `prd` in the configuration; did you mean `prod`?");
        insta::assert_snapshot!(Subject::account("gate").err().unwrap(), @"`gate` is not a service account; write it as `NAMESPACE/NAME`");
    }
}
