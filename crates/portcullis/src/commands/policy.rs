//! `portcullis policy`: bundles checked, explained and tested, without a gate or a cluster.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use http::{Request as HttpRequest, Uri};
use identity::{AgentName, ClusterName, GroupName};
use kube_api::{Head, Request};
use policy::{Judge, Principal, Settings};

use crate::{
    bundles,
    cli::ConfigFile,
    config::{Bundle, Config, Files, suggestion},
    terminal::{self, visible},
};

/// Check, explain and test policy bundles
///
/// A bundle is a folder of *.cedar files, or one that comes with the gate: builtin:read-only, builtin:developer,
/// builtin:operator. Where none is given, the configuration's is taken.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis policy check policies/developer
  portcullis policy test builtin:operator
  portcullis policy explain --agent claude --cluster prod DELETE /api/v1/namespaces/shop
  portcullis policy explain --bundle builtin:developer --agent claude --cluster prod \\
      --body deployment.json POST /apis/apps/v1/namespaces/shop/deployments")]
pub(crate) enum PolicyCommand {
    Check(Check),
    Explain(Explain),
    Test(Test),
}

/// Tell everything that is wrong with a bundle, each with its place; exit code 1 if anything is
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    which: Which,
}

/// Run a bundle's tests.yaml; exit code 1 if a case fails
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// A folder, or builtin:NAME
    #[arg(value_name = "BUNDLE")]
    bundle: Option<Bundle>,
    #[command(flatten)]
    config: ConfigFile,
}

/// Tell how a call is decided, by which rules, and what would turn it round
///
/// With a configuration, the agent's groups and the denials lifted for the cluster are taken from it; with --bundle,
/// nothing is.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A folder, or builtin:NAME
    #[arg(long, value_name = "BUNDLE")]
    bundle: Option<Bundle>,
    #[command(flatten)]
    config: ConfigFile,
    /// Who calls
    #[arg(long, value_name = "NAME")]
    agent: AgentName,
    /// A group the agent is in; may be repeated
    #[arg(long = "group", value_name = "NAME", requires = "bundle")]
    groups: Vec<GroupName>,
    /// Where
    #[arg(long, value_name = "NAME")]
    cluster: ClusterName,
    /// JSON or YAML file with the request's body
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The body's media type
    #[arg(long, value_name = "TYPE", default_value = "application/json")]
    content_type: String,
    /// The call's method
    #[arg(value_name = "METHOD")]
    method: String,
    /// The call's path and query, or its whole URL, as `kubectl -v=6` shows it
    #[arg(value_name = "PATH")]
    path: String,
}

impl PolicyCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(command) => command.run(),
            Self::Explain(command) => command.run(),
            Self::Test(command) => command.run(),
        }
    }
}

impl Which {
    fn bundle(&self) -> anyhow::Result<Bundle> {
        match &self.bundle {
            Some(bundle) => Ok(bundle.clone()),
            None => Ok(self.config.load(Files::Ignore)?.policy),
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let bundle = self.which.bundle()?;
        let summary = policy::check(&bundles::sources(&bundle)?.rules)?;
        terminal::print_line(format_args!("{bundle}: OK ({summary})"))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        let bundle = self.which.bundle()?;
        let sources = bundles::sources(&bundle)?;
        let compiled = policy::Bundle::compile(&sources.rules)?;
        let Some(tests) = sources.tests else {
            bail!(
                "{bundle} has no `tests.yaml`; see the one of `builtin:developer`, which `portcullis init` copies"
            );
        };
        let report = policy::run_tests(&compiled, &tests.name, &tests.text)?;
        terminal::print(&report)?;
        Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Explain {
    fn run(self) -> anyhow::Result<ExitCode> {
        let (bundle, groups, settings) = self.setting()?;
        let judge = Judge::new(bundles::load(&bundle)?, settings);
        let who = Principal { agent: self.agent.as_str(), groups: &groups };
        let explanation = policy::explain(&judge, &who, self.cluster.as_str(), &self.request()?);
        for line in explanation.to_string().lines() {
            terminal::print_line(visible(line))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn setting(&self) -> anyhow::Result<(Bundle, Vec<String>, Settings)> {
        if let Some(bundle) = &self.bundle {
            let groups = self.groups.iter().map(ToString::to_string).collect();
            return Ok((bundle.clone(), groups, Settings::default()));
        }
        let config = self.config.load(Files::Ignore)?;
        let groups = self.groups_in(&config)?;
        let settings = config.settings()?;
        Ok((config.policy, groups, settings))
    }

    fn groups_in(&self, config: &Config) -> anyhow::Result<Vec<String>> {
        if config.cluster(self.cluster.as_str()).is_none() {
            let known = config.clusters.iter().map(|cluster| cluster.name.as_str());
            bail!("there is no cluster `{}`; {}", self.cluster, suggestion(self.cluster.as_str(), known));
        }
        let Some(agent) = config.agents.iter().find(|agent| agent.name == self.agent) else {
            let known = config.agents.iter().map(|agent| agent.name.as_str());
            bail!("there is no agent `{}`; {}", self.agent, suggestion(self.agent.as_str(), known));
        };
        Ok(agent.groups.iter().map(ToString::to_string).collect())
    }

    /// Parsed as the gate parses it.
    fn request(&self) -> anyhow::Result<Request> {
        let uri: Uri = self.path.parse().with_context(|| format!("`{}` is not a path", self.path))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut builder = HttpRequest::builder().method(self.method.to_uppercase().as_str()).uri(path);
        let body = match &self.body {
            Some(file) => fs::read(file).with_context(|| format!("`{}`", file.display()))?,
            None => Vec::new(),
        };
        if self.body.is_some() {
            builder = builder.header(http::header::CONTENT_TYPE, &self.content_type);
        }
        let (parts, ()) = builder.body(())?.into_parts();
        let refused = |refusal: kube_api::Refusal| {
            anyhow::anyhow!("the gate would refuse this request: {}", refusal.status().message())
        };
        Head::parse(&parts).map_err(refused)?.with_body(&body).map_err(refused)
    }
}
