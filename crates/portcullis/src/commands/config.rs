//! `portcullis config`.

use std::process::ExitCode;

use clap::Subcommand;

use crate::{
    bundles,
    cli::ConfigFile,
    config::{Files, json_schema},
    terminal,
};

/// Check the configuration, or print its schema
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis config check --config /etc/portcullis/portcullis.yaml
  portcullis config schema > portcullis.schema.json    # for editors: # yaml-language-server: $schema=...")]
pub(crate) enum ConfigCommand {
    /// Tell everything that is wrong with the configuration, each with its place; exit code 1 if anything is
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print the JSON schema of portcullis.yaml
    Schema,
}

impl ConfigCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Schema => terminal::print_line(serde_json::to_string_pretty(&json_schema())?)?,
            Self::Check { config } => {
                let loaded = config.load(Files::Check)?;
                for unmet in loaded.unmet(&bundles::load(&loaded.policy)?) {
                    eprintln!("warning: {unmet}");
                }
                let (clusters, agents) = (loaded.clusters.len(), loaded.agents.len());
                terminal::print_line(format_args!(
                    "{}: OK ({clusters} {}, {agents} {}, policy {})",
                    config.path().display(),
                    plural(clusters, "cluster"),
                    plural(agents, "agent"),
                    loaded.policy
                ))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
