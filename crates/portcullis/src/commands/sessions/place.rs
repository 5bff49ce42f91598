//! Where recordings and the ledger are, and what is there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use clap::Args;
use ledger::{leaf::SessionOpened, reader::Reader};
use recording::{
    Session,
    at_rest::{Open, Plain},
    reader::{Library, Recording, Unreadable},
};

use super::{beside, state::State, told::Told, words::counted};
use crate::{
    admin::Client,
    commands::ledger::{KEY, verifier},
    config::{self, Config, DataFolder, Files, suggestion},
};

/// Which gate's files are read.
#[derive(Debug, Clone, Args)]
pub(in crate::commands) struct Place {
    /// The gate's configuration file
    #[arg(long, value_name = "FILE", default_value = "portcullis.yaml")]
    config: PathBuf,
    /// The gate's data folder or a copy of it, where its configuration cannot be read
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
    /// The recordings' folder, where they are not in the data folder
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// The ledger's public key, kept elsewhere; without it, the one beside the ledger is believed, which proves nothing
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File with the age identity (`AGE-SECRET-KEY-1…`) of somebody to whom recordings are encrypted; without it, the console's, if the
    /// configuration names one and it can be read
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// What the configuration tells of them, or the data folder alone.
struct Found {
    data: DataFolder,
    recordings: PathBuf,
    identity: Option<PathBuf>,
}

/// All recordings as they were when this was opened, held against the ledger.
#[derive(Debug)]
pub(in crate::commands) struct Shelf {
    recordings: BTreeMap<Session, Result<Recording, Unreadable>>,
    pub(super) told: Told,
}

// === impl Place ===

impl Place {
    #[cfg(test)]
    pub(super) fn of(data: PathBuf) -> Self {
        Self { config: PathBuf::new(), data: Some(data), recordings: None, key: None, identity: None }
    }

    /// The running gate whose files these are.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub(in crate::commands) fn gate(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.found()?.data))
    }

    fn found(&self) -> anyhow::Result<Found> {
        Ok(match &self.data {
            Some(folder) => {
                let data = DataFolder::new(folder.clone());
                Found { recordings: data.recordings(), data, identity: None }
            }
            None => {
                let Config { data, recordings, .. } = Config::load(&self.config, Files::Ignore)?;
                Found { data, recordings: recordings.folder, identity: recordings.identity }
            }
        })
    }

    fn at_rest(&self, configured: Option<&Path>) -> anyhow::Result<Arc<dyn Open>> {
        if let Some(file) = &self.identity {
            return Ok(Arc::new(config::identities(file).map_err(anyhow::Error::msg)?));
        }
        // It is the gate's: who cannot read it sees what is not encrypted, and is told what to give.
        let configured = configured.and_then(|file| config::identities(file).ok());
        Ok(configured.map_or_else(|| Arc::new(Plain) as Arc<dyn Open>, |identities| Arc::new(identities)))
    }

    /// Lists the recordings and reads the ledger.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(in crate::commands) fn shelf(&self) -> anyhow::Result<Shelf> {
        self.read(Told::default())
    }

    /// The same, with what the ledger has beside the recording of a session.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn shelf_with(&self, session: &Session) -> anyhow::Result<Shelf> {
        self.read(Told::beside_of(session))
    }

    fn read(&self, mut told: Told) -> anyhow::Result<Shelf> {
        let Found { data, recordings, identity } = self.found()?;
        let recordings = self.recordings.clone().unwrap_or(recordings);
        if !recordings.is_dir() {
            bail!(
                "there are no recordings in `{}`; name the folder with --recordings, or the gate's with --config or --data",
                recordings.display()
            );
        }
        let key = self.key.clone().unwrap_or_else(|| data.ledger().join(KEY));
        let reader = Reader::new(&data.ledger(), verifier(&key)?);
        // A gate that runs goes on while its files are read. A segment's file is there before its leaf, so: what is told by
        // now is there, and what is there is told soon after.
        told.read_on(&reader)?;
        told.settle();
        let library = Library::new(&recordings, self.at_rest(identity.as_deref())?);
        let sessions = library.sessions();
        let sessions = sessions.with_context(|| format!("cannot list `{}`", recordings.display()))?;
        let recordings =
            sessions.into_iter().map(|session| (session.clone(), library.recording(&session))).collect();
        told.read_on(&reader)?;
        Ok(Shelf { recordings, told })
    }
}

// === impl Shelf ===

impl Shelf {
    /// Every session that has a recording, or should have one, with the state of it.
    pub(super) fn states(&self) -> impl Iterator<Item = (String, State)> {
        let mut sessions: Vec<&str> = self.recordings.keys().map(Session::as_str).collect();
        sessions.extend(self.told.recorded());
        sessions.sort_unstable();
        sessions.dedup();
        sessions.into_iter().filter_map(|session| Some((session.to_owned(), self.state(session)?)))
    }

    /// `None`: there is no recording, and there should be none.
    pub(super) fn state(&self, session: &str) -> Option<State> {
        let opened = session.parse::<Session>().ok().and_then(|session| self.recordings.get(&session));
        let of = self.told.of(session);
        match opened {
            Some(Ok(recording)) if recording.last_segment().is_some() => {
                let held = self.held(recording);
                Some(State::of(held.survey(), of, held.untold(), self.told.gate(session)))
            }
            Some(Err(Unreadable::Erased(tombstone))) => Some(State::erased(tombstone, of)),
            Some(Err(Unreadable::Io { error, .. })) => Some(State::Unreadable(error.to_string())),
            Some(Ok(_) | Err(Unreadable::None { .. })) | None => State::without_files(of?),
        }
    }

    /// The session's recording, held against the ledger.
    ///
    /// # Errors
    /// There is none; the message says which there are, or what became of it.
    pub(in crate::commands) fn recording(&self, session: &Session) -> anyhow::Result<Recording> {
        match self.recordings.get(session) {
            Some(Ok(recording)) if recording.last_segment().is_some() => Ok(self.held(recording)),
            Some(Err(Unreadable::Erased(tombstone))) => {
                bail!("{}", Unreadable::Erased(tombstone.clone()))
            }
            Some(Err(error)) => bail!("{error}; `portcullis sessions list` tells which can be read"),
            Some(Ok(_)) | None => match self.state(session.as_str()) {
                Some(State::Missing { segments }) => bail!(
                    "the recording of `{session}` is not there, but the ledger has {} of it: it was taken away, or is in another \
                     folder (--recordings)",
                    counted(segments, "segment")
                ),
                Some(state) => bail!("the recording of `{session}` is not there: {state}"),
                None => bail!("there is no recording of `{session}`; {}", self.known(session)),
            },
        }
    }

    /// The recordings that can be read, by their sessions' ids.
    pub(super) fn readable(&self) -> impl Iterator<Item = Recording> {
        let opened = self.recordings.values().filter_map(|opened| opened.as_ref().ok());
        opened.filter(|recording| recording.last_segment().is_some()).map(|recording| self.held(recording))
    }

    /// What the ledger has beside the recording of the session that was named.
    pub(super) fn beside(&self) -> &[beside::Told] {
        self.told.beside()
    }

    /// What is wrong with a session's recording, in words, if it is not as the gate and the ledger left it.
    pub(in crate::commands) fn amiss(&self, session: &Session) -> Option<String> {
        self.state(session.as_str()).filter(|state| !state.is_sound()).map(|state| state.to_string())
    }

    /// How a session was opened, if the ledger knows.
    pub(in crate::commands) fn opened(&self, session: &Session) -> Option<&SessionOpened> {
        self.told.of(session.as_str())?.opened.as_deref()
    }

    /// The agent of a session, if the ledger knows.
    pub(super) fn agent(&self, session: &Session) -> Option<&str> {
        Some(self.opened(session)?.agent.as_str())
    }

    fn held(&self, recording: &Recording) -> Recording {
        let of = self.told.of(recording.session().as_str());
        recording.clone().against(of.map(|of| of.digests(recording.last_segment())).unwrap_or_default())
    }

    /// Not all of a thousand.
    fn known(&self, session: &Session) -> String {
        if self.recordings.len() > 20 {
            return "`portcullis sessions list` tells which there are".to_owned();
        }
        suggestion(session.as_str(), self.recordings.keys().map(Session::as_str))
    }
}
