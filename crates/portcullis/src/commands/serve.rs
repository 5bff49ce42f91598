//! `portcullis serve`.

use std::process::ExitCode;

use clap::Args;

use crate::{cli::ConfigFile, config::Files};

/// Open the gate
#[derive(Debug, Args)]
#[command(after_help = "\
Signals:
  SIGTERM, SIGINT   finish open calls, end streams, write the last leaf, stop
  SIGHUP            read the policy and the certificate again; one with problems changes nothing

Example:
  portcullis serve --config /etc/portcullis/portcullis.yaml")]
pub(crate) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        crate::serve::run(self.config.load(Files::Check)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
