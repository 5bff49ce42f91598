//! `portcullis rbac`: what a cluster must grant, and to whom.

use std::{collections::BTreeSet, fmt::Write, process::ExitCode};

use clap::Args;
use identity::ClusterName;
use upstream::{
    AGENTS_GROUP, GROUP_PREFIX, MASKED_READER_GROUP, SECRET_READER_USER, STREAMER_GROUP, USER_PREFIX,
};

use crate::{
    cli::ConfigFile,
    config::{Config, Files, suggestion},
    rbac_rules::AGENT_RULES,
    terminal,
    yaml::quoted,
};

const DEFAULT_ACCOUNT: &str = "portcullis/gate";

/// Print the RBAC that a cluster needs: the gate may impersonate agents and its reader of Secrets, and nothing else
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis rbac | kubectl apply -f -
  portcullis rbac --cluster prod --service-account portcullis/gate
  portcullis rbac --user portcullis-gate          # the gate authenticates as a user, not a service account

Run it again, and apply, whenever agents, groups or masking.known_values change in the configuration.")]
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
        let readable = Readable::of(&config, self.cluster.as_deref());
        terminal::print(manifest(&subject, &impersonated, &readable))?;
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

/// Whose Secrets the gate reads to know their values.
enum Readable {
    Nobodys,
    In(BTreeSet<String>),
    All,
}

impl Readable {
    /// What all of these clusters need together; agents have been looked up in them before.
    fn of(config: &Config, cluster: Option<&str>) -> Self {
        let clusters = config.clusters.iter();
        let clusters = clusters.filter(|other| cluster.is_none_or(|name| other.name.as_str() == name));
        let mut named = BTreeSet::new();
        for reading in clusters.filter_map(|cluster| cluster.masking.reading.as_ref()) {
            match reading.scope.named() {
                Some(names) => named.extend(names.into_iter().map(ToOwned::to_owned)),
                None => return Self::All,
            }
        }
        if named.is_empty() { Self::Nobodys } else { Self::In(named) }
    }

    fn yaml(&self) -> String {
        let user = user_subject(SECRET_READER_USER);
        let bindings: String = match self {
            Self::Nobodys => return String::new(),
            Self::In(namespaces) => {
                namespaces.iter().map(|namespace| bound_in(namespace, SECRET_READER_USER, &user)).collect()
            }
            Self::All => binding(SECRET_READER_USER, &user),
        };
        format!(
            "# 3. Knowing Secrets. As this user, and no agent is it, the gate reads them to mask their values wherever else they\n\
             #    appear. Nothing of what it reads is shown; see `masking.known_values` in portcullis.yaml.\n{}  \
             - apiGroups: [\"\"]\n    resources: [secrets]\n    verbs: [list, watch]\n{bindings}",
            role(SECRET_READER_USER)
        )
    }
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
            Self::User(name) => user_subject(name),
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
        groups.splice(0..0, [AGENTS_GROUP, MASKED_READER_GROUP, STREAMER_GROUP].map(str::to_owned));
        Ok(Self { users, groups })
    }
}

fn manifest(subject: &Subject, impersonated: &Impersonated, readable: &Readable) -> String {
    let mut yaml = String::from(
        "# What Portcullis needs in this cluster. Written by `portcullis rbac`; apply with `kubectl apply -f -`.\n",
    );
    yaml.push_str(
        "#\n# 1. The gate's own account. It may act as the configured agents and as its own reader of Secrets, by\n\
         #    name, and do nothing else: a call whose impersonation got lost is refused by the API server.\n",
    );
    yaml.push_str(&role("portcullis:gate"));
    let mut users = impersonated.users.clone();
    if !matches!(readable, Readable::Nobodys) {
        users.push(SECRET_READER_USER.to_owned());
    }
    for (resource, names) in [("users", &users), ("groups", &impersonated.groups)] {
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
    yaml.push_str(&readable.yaml());
    yaml.push_str(
        "# 4. Reaching into running pods. As above: the gate adds this group to one request at a time, an exec, attach,\n\
         #    port-forward or debug that policy permits, and records and masks what passes. No agent has it otherwise.\n",
    );
    yaml.push_str(&role(STREAMER_GROUP));
    yaml.push_str(
        "  # By GET where a WebSocket is opened.\n  \
         - apiGroups: [\"\"]\n    resources: [pods/attach, pods/exec, pods/portforward]\n    verbs: [get, create]\n  \
         - apiGroups: [\"\"]\n    resources: [pods/ephemeralcontainers]\n    verbs: [update, patch]\n",
    );
    yaml.push_str(&binding(STREAMER_GROUP, &group_subject(STREAMER_GROUP)));
    yaml.push_str(
        "# 5. The most that any agent may do; policy decides what it may do indeed. Nothing here reads Secrets, opens\n\
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

/// As [`binding`], in one namespace.
fn bound_in(namespace: &str, name: &str, subject: &str) -> String {
    binding(name, subject).replace("kind: ClusterRoleBinding", "kind: RoleBinding").replacen(
        "metadata:\n",
        &format!("metadata:\n  namespace: {}\n", quoted(namespace)),
        1,
    )
}

fn user_subject(name: &str) -> String {
    format!("  - kind: User\n    apiGroup: rbac.authorization.k8s.io\n    name: {}\n", quoted(name))
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
        let readable = Readable::of(&config(), None);
        insta::assert_snapshot!(manifest(
            &Subject::account(DEFAULT_ACCOUNT).unwrap(),
            &impersonated,
            &readable
        ));
    }

    #[test]
    fn secrets_are_readable_where_the_configuration_names_them() {
        let told = |known: &str, cluster| {
            let masking =
                format!("in_cluster: true, masking: {{ known_values: {known} }} }}, {{ name: stage");
            let text = CONFIG.replace("in_cluster: true }, { name: stage", &masking);
            let config = Config::parse(&text, Path::new("portcullis.yaml"), Files::Ignore).unwrap();
            let readable = Readable::of(&config, cluster);
            let text = manifest(
                &Subject::User("gate".to_owned()),
                &Impersonated::of(&config, cluster).unwrap(),
                &readable,
            );
            assert_eq!(text.contains(&quoted(SECRET_READER_USER)), !matches!(readable, Readable::Nobodys));
            readable.yaml()
        };
        insta::assert_snapshot!(told("{ namespaces: [shop, bank] }", Some("prod")));
        assert_eq!(told("{ enabled: false }", Some("prod")), "");
        // All clusters together: the other one reads everywhere.
        assert!(told("{ namespaces: [shop] }", None).contains("kind: ClusterRoleBinding"));
    }

    #[test]
    fn the_account_is_granted_impersonation_by_name_and_nothing_else() {
        let impersonated = Impersonated::of(&config(), None).unwrap();
        let text = manifest(&Subject::User("gate".to_owned()), &impersonated, &Readable::All);
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
