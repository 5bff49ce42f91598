//! `portcullis ledger prove` and `check-proof`: one leaf, proven without the log.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use ledger::{note::Verifier, proof::Proof, reader::Stored};

use super::{
    Log,
    read::{Seal, line},
    verifier,
};
use crate::terminal::{self, visible};

/// Print a leaf with the proof that it is in the log (C2SP tlog-proof); `check-proof` verifies it without the log
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    log: Log,
    /// The leaf
    #[arg(value_name = "INDEX")]
    index: u64,
}

/// Verify what `prove` printed, offline and without the log, and show the leaf; exit code 1 if it does not hold
#[derive(Debug, Args)]
pub(crate) struct CheckProof {
    /// The proof
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// The log's public key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The leaf, as `show -o json` prints it; without it, the one that the proof brings along
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
}

impl Prove {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let proof = self.log.reader()?.prove(self.index)?;
        terminal::print(proof)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl CheckProof {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let verifier = verifier(&self.key)?;
        let text = fs::read_to_string(&self.proof)
            .with_context(|| format!("cannot read the proof `{}`", self.proof.display()))?;
        let leaf = self.leaf.as_deref().map(leaf_in).transpose()?;
        terminal::print(checked(&text, leaf, &verifier)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn leaf_in(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut leaf = fs::read(file).with_context(|| format!("cannot read the leaf `{}`", file.display()))?;
    // `show` ends a line with it; no leaf does.
    leaf.pop_if(|last| *last == b'\n');
    Ok(leaf)
}

/// What was proven: the checkpoint, and the leaf under it.
pub(super) fn checked(text: &str, leaf: Option<Vec<u8>>, verifier: &Verifier) -> anyhow::Result<String> {
    let proof = Proof::parse(text).context("NOT PROVEN")?;
    let Some(json) = leaf.or_else(|| proof.extra.clone()) else {
        bail!("NOT PROVEN: the proof brings no leaf along; give it with --leaf");
    };
    let checkpoint = proof.verify(&json, verifier).context("NOT PROVEN")?;
    let (index, origin, size) = (proof.index, visible(&checkpoint.origin), checkpoint.size);
    let shown = visible(&String::from_utf8_lossy(&json));
    let told = line(&Stored { index, json }, Seal::Sealed);
    Ok(format!(
        "{told}\n{shown}\nPROVEN: leaf {index} is in the log `{origin}`, under its checkpoint of {size} leaves\n"
    ))
}
