//! Which running gate a command is about.

use std::{future::Future, path::PathBuf};

use clap::Args;

use crate::{
    admin::Client,
    config::{Config, DataFolder, Files},
};

/// Where the running gate is found.
#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// The gate's configuration file
    #[arg(long, value_name = "FILE", default_value = "portcullis.yaml")]
    config: PathBuf,
    /// The gate's data folder, where its configuration cannot be read
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
}

/// Runs a command that talks to a running gate.
///
/// # Errors
/// What it came to, or that the runtime cannot be had.
pub(crate) fn run<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

impl Gate {
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let data = match &self.data {
            Some(folder) => DataFolder::new(folder.clone()),
            None => Config::load(&self.config, Files::Ignore)?.data,
        };
        Ok(Client::new(&data))
    }
}
