//! [`Storage`] in memory, with a disk's freedoms: it may lose what was not made durable, and fail any write with or
//! without doing it.

use super::Storage;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// What a failing write leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotDone,
    Done,
    /// Of a file's bytes the first half; other writes are not done.
    Half,
}

/// What is left of bytes and names that were not made durable when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process ended, the machine did not.
    KeepsAll,
    Loses,
    /// Bytes that are not durable are zeros, or cut; each change of a name is kept or not.
    Mixes(u64),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    files: Vec<SimFile>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    folders: BTreeSet<String>,
    writes: usize,
    faults: Vec<(usize, Fault)>,
    broken: bool,
    free: Option<u64>,
}

#[derive(Debug, Clone)]
struct SimFile {
    bytes: Vec<u8>,
    durable: bool,
}

// === impl SimDisk ===

impl SimDisk {
    /// The write with this number, from 0, fails, too.
    pub(crate) fn fail(&self, write: usize, fault: Fault) {
        self.state.lock().faults.push((write, fault));
    }

    /// All writes fail from now on, or no longer.
    pub(crate) fn break_down(&self, broken: bool) {
        self.state.lock().broken = broken;
    }

    /// This many bytes are free from now on.
    pub(crate) fn leave_free(&self, bytes: u64) {
        self.state.lock().free = Some(bytes);
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> usize {
        self.state.lock().writes
    }

    /// Every file's name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.state.lock().names.keys().cloned().collect()
    }

    /// The disk as the next process finds it, without further faults. The old one stays as it was.
    pub(crate) fn after(&self, crash: Crash) -> Self {
        let mut state = self.state.lock().clone();
        (state.faults, state.broken) = (Vec::new(), false);
        let mut random = match crash {
            Crash::Mixes(seed) => fastrand::Rng::with_seed(seed),
            Crash::KeepsAll | Crash::Loses => fastrand::Rng::with_seed(0),
        };
        match crash {
            Crash::KeepsAll => {}
            Crash::Loses => state.names = state.durable_names.clone(),
            Crash::Mixes(_) => {
                let all: BTreeSet<String> =
                    state.names.keys().chain(state.durable_names.keys()).cloned().collect();
                for name in all {
                    let from = if random.bool() { &state.names } else { &state.durable_names };
                    match from.get(&name).copied() {
                        Some(file) => state.names.insert(name, file),
                        None => state.names.remove(&name),
                    };
                }
            }
        }
        for file in state.files.iter_mut().filter(|file| !file.durable) {
            match crash {
                Crash::KeepsAll => {}
                Crash::Loses => file.bytes.clear(),
                Crash::Mixes(_) if random.bool() => file.bytes.fill(0),
                Crash::Mixes(_) => file.bytes.truncate(random.usize(..=file.bytes.len())),
            }
            file.durable = true;
        }
        state.durable_names = state.names.clone();
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Does a write unless it is the one to fail.
    fn act(&self, act: impl FnOnce(&mut State, bool)) -> io::Result<()> {
        let mut state = self.state.lock();
        let broken = state.broken.then_some(Fault::NotDone);
        let planned = state.faults.iter().find(|(at, _)| *at == state.writes).map(|(_, fault)| *fault);
        let fault = broken.or(planned);
        state.writes += 1;
        match fault {
            None | Some(Fault::Done) => act(&mut state, false),
            Some(Fault::Half) => act(&mut state, true),
            Some(Fault::NotDone) => {}
        }
        fault.map_or(Ok(()), |fault| Err(io::Error::other(format!("simulated fault, {fault:?}"))))
    }
}

impl Storage for SimDisk {
    fn folders(&self) -> io::Result<Vec<String>> {
        Ok(self.state.lock().folders.iter().cloned().collect())
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let state = self.state.lock();
        let below = state.names.keys().filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'));
        Ok(state.folders.contains(folder).then(|| below.map(str::to_owned).collect()))
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let state = self.state.lock();
        let bytes = state.names.get(path).map(|file| &state.files[*file].bytes);
        Ok(bytes.map(|bytes| bytes[..bytes.len().min(limit)].to_vec()))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        let bytes = self.read(path, usize::MAX)?;
        bytes.map(|bytes| bytes.len() as u64).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        self.act(|state, half| {
            if !half {
                state.folders.insert(folder.to_owned());
            }
        })
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.act(|state, half| {
            let kept = if half { bytes.len() / 2 } else { bytes.len() };
            state.files.push(SimFile { bytes: bytes[..kept].to_vec(), durable: false });
            state.names.insert(path.to_owned(), state.files.len() - 1);
        })?;
        self.act(|state, half| {
            if let Some(file) = state.files.last_mut().filter(|_| !half) {
                file.durable = true;
            }
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.act(|state, half| {
            if !half && let Some(file) = state.names.remove(from) {
                state.names.insert(to.to_owned(), file);
            }
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.act(|state, half| {
            if !half {
                state.names.remove(path);
            }
        })
    }

    fn flush_names(&self, folder: &str) -> io::Result<()> {
        self.act(|state, half| {
            if !half {
                let within = |name: &String| name.starts_with(&format!("{folder}/"));
                state.durable_names.retain(|name, _| !within(name));
                let now = state.names.iter().filter(|(name, _)| within(name));
                state.durable_names.extend(now.map(|(name, file)| (name.clone(), *file)));
            }
        })
    }

    fn free(&self) -> io::Result<u64> {
        Ok(self.state.lock().free.unwrap_or(u64::MAX))
    }
}
