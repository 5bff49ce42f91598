//! Ctrl-C that ends what was started, instead of ending us and leaving it behind.

use std::{future::poll_fn, task::Poll};

use anyhow::{Context, ensure};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

/// While this lives, and ever after, Ctrl-C (SIGINT) does not end this process but is noted here, so that destructors end
/// the programs that were started and remove their folders, keys and tokens.
#[derive(Debug)]
pub(crate) struct Interrupt {
    runtime: Runtime,
    signal: Signal,
}

// === impl Interrupt ===

impl Interrupt {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        // A thread of its own notes the signal while nobody asks.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
        let signal = runtime.block_on(async { signal(SignalKind::interrupt()) }).context("no Ctrl-C")?;
        Ok(Self { runtime, signal })
    }

    /// Fails if Ctrl-C was pressed since it was last asked for.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let Self { runtime, signal } = self;
        let came = runtime.block_on(poll_fn(|context| Poll::Ready(signal.poll_recv(context).is_ready())));
        ensure!(!came, "ended by Ctrl-C");
        Ok(())
    }

    /// Waits until Ctrl-C is pressed.
    pub(crate) fn wait(&mut self) {
        let Self { runtime, signal } = self;
        runtime.block_on(signal.recv());
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_process_outlives_the_signal_and_knows_of_it() {
        let mut interrupt = Interrupt::listen().unwrap();
        interrupt.check().unwrap();
        let pid = std::process::id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        interrupt.wait();
        interrupt.check().unwrap();
    }
}
