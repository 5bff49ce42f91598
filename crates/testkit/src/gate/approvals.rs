//! Humans who decide, from a terminal.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde_json::Value;

use super::Gate;

/// How long something that is about to be asked may take.
const ASKED_WITHIN: Duration = Duration::from_secs(20);

impl Gate {
    /// `portcullis approvals` with these arguments, whatever it says.
    ///
    /// # Errors
    /// It could not be started.
    pub fn approvals(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let config = self.path("portcullis.yaml");
        let mut all = vec!["approvals"];
        all.extend(arguments);
        all.extend(["--config", &config]);
        self.portcullis(&all)
    }

    /// Everything that can be decided or used, or with `all` ever was asked, as the command line tells it.
    ///
    /// # Errors
    /// What it printed instead.
    pub fn asked(&self, all: bool) -> anyhow::Result<Vec<Value>> {
        let config = self.path("portcullis.yaml");
        let mut arguments = vec!["approvals", "list", "-o", "json", "--config", &config];
        arguments.extend(all.then_some("--all"));
        serde_json::from_str(&self.must(&arguments)?).context("the list of approvals")
    }

    /// The id of the one that waits, as soon as one does.
    ///
    /// # Errors
    /// None does, for twenty seconds.
    pub fn waiting(&self) -> anyhow::Result<String> {
        let begun = Instant::now();
        loop {
            let asked = self.asked(false)?;
            if let Some(id) =
                asked.iter().find(|one| one["state"] == "pending").and_then(|one| one["id"].as_str())
            {
                return Ok(id.to_owned());
            }
            if begun.elapsed() > ASKED_WITHIN {
                bail!("nobody was asked: {asked:?}");
            }
            std::thread::yield_now();
        }
    }
}
