//! Which running gate a command is about.

use std::path::PathBuf;

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

impl Gate {
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let data = match &self.data {
            Some(folder) => DataFolder::new(folder.clone()),
            None => Config::load(&self.config, Files::Ignore)?.data,
        };
        Ok(Client::new(&data))
    }
}
