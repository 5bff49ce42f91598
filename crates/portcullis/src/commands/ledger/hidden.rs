//! `portcullis ledger match-body`: whether something is what a leaf tells only by its keyed digest.

use std::{
    io::{Read, stdin},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use ledger::{
    Key,
    leaf::{Digester, Event, Leaf, Request},
    reader::Reader,
};

use crate::terminal;

/// No body that passes the gate is longer.
const LONGEST: u64 = 64 << 20;

/// Check whether standard input is, byte for byte, the body of a leaf's request or a parameter it hides; exit code 1 if
/// not
///
/// Leaves tell these by length and by a digest under a key that only the gate has, so this needs the gate's own key. The
/// leaf is verified against the signed tree first.
#[derive(Debug, Args)]
pub(crate) struct MatchBody {
    /// The ledger's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The leaf
    #[arg(value_name = "INDEX")]
    index: u64,
    /// The ledger's private key; a gate's is `data/ledger.key`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

impl MatchBody {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let key = Key::load(&self.key)?;
        let leaf = Reader::new(&self.folder, key.verifier().clone()).prove(self.index)?.extra;
        let leaf = Leaf::parse(&leaf.unwrap_or_default()).context("the leaf cannot be read")?;
        let mut value = Vec::new();
        stdin().take(LONGEST).read_to_end(&mut value).context("cannot read standard input")?;
        let found = matching(&leaf.event, &key.digester(), &value)?;
        let told = match &found {
            Some(what) => format!("MATCH: it is {what} of leaf {}\n", self.index),
            None => format!("NO MATCH: it is nothing that leaf {} hides\n", self.index),
        };
        terminal::print(told)?;
        Ok(if found.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What this value is in the request that an event tells of.
pub(super) fn matching(event: &Event, digester: &Digester, value: &[u8]) -> anyhow::Result<Option<String>> {
    let Some(Request { hidden, body, .. }) = request(event) else {
        bail!(
            "the leaf is a {}, which hides nothing: name an intent, a refusal or a call answered",
            event.kind()
        );
    };
    if body.as_ref().is_some_and(|body| digester.matches(body, value)) {
        return Ok(Some("the body".to_owned()));
    }
    let found = hidden.items().iter().enumerate().find(|(_, hidden)| digester.matches(&hidden.value, value));
    Ok(found.map(|(at, hidden)| format!("hidden parameter {}, `{}`,", at + 1, hidden.name)))
}

fn request(event: &Event) -> Option<&Request> {
    match event {
        Event::Intent(intent) => Some(&intent.request),
        Event::Answered(answered) => answered.request.as_ref(),
        Event::ApprovalAsked(asked) => asked.judged.as_ref().map(|judged| &judged.request),
        Event::Refusal(refusal) => refusal.request.as_ref(),
        Event::Start(_)
        | Event::Stop(_)
        | Event::Outcome(_)
        | Event::Rejections(_)
        | Event::SessionOpened(_)
        | Event::SessionRevoked(_)
        | Event::SessionExpired(_)
        | Event::SessionFrozen(_)
        | Event::SessionThawed(_)
        | Event::SignedIn(_)
        | Event::PasskeyEnrolled(_)
        | Event::PasskeyRemoved(_)
        | Event::Recorded(_)
        | Event::RecordingErased(_)
        | Event::KnownValueSent(_)
        | Event::SecretsRead(_)
        | Event::ApprovalStep(_)
        | Event::PolicyLoaded(_) => None,
    }
}
