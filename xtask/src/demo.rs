//! `cargo xtask demo`: what an agent can and cannot do through the gate, on a real Kubernetes.

mod afterwards;
mod human;
mod own_cluster;
mod scene;
mod scenes;
mod stage;

pub(crate) use stage::Stage;

use std::time::Instant;

use clap::Args;

use crate::{interrupt::Interrupt, run::build_gate};

/// Options of `cargo xtask demo`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// End after the last scene, with a failure if anything was not as told, instead of staying up
    #[arg(long)]
    once: bool,
    /// Use this context of your own kubeconfig instead of a throw-away Kubernetes; only reads
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

impl Options {
    /// The scenes as a test.
    pub(crate) fn once() -> Self {
        Self { once: true, ..Self::default() }
    }
}

/// Builds what is needed, sets the stage, plays the scenes.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    testkit::tools()?;
    build_gate("dev")?;
    // Before there is anything to leave behind.
    let mut interrupt = Interrupt::listen()?;
    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    match &options.context {
        Some(context) => own_cluster::run(context, folder.path(), options.once, &mut interrupt),
        None => {
            let bundle = stage::rules(folder.path())?.display().to_string();
            let settings = testkit::Options { bundle, hold: "60s".to_owned(), ..Default::default() };
            let stage = Stage::set(folder.path(), &settings)?;
            let surprises = scenes::play(&stage, options.once, &mut interrupt)?;
            eprintln!("\n{} scenes in {:.1} s", scenes::COUNT, started.elapsed().as_secs_f64());
            anyhow::ensure!(surprises == 0, "{surprises} of the scenes did not go as told");
            if options.once { Ok(()) } else { stage.stay(&mut interrupt) }
        }
    }
}
