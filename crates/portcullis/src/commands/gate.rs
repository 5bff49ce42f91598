//! Which running gate a command is about.

use std::{future::Future, path::PathBuf};

use clap::Args;

use crate::{
    admin::Client,
    config::{Config, DataFolder, Files, duration},
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

/// A time span on the command line, as 30m or 8h.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let span = duration(text)?;
    u32::try_from(span.as_secs()).map_err(|_| format!("`{text}` is too long"))
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
