//! [`Storage`] in memory, with a disk's freedoms: it may lose what was not made durable, and fail any write with or
//! without doing it.

use super::{Appender, Storage};
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// What a failing write leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotDone,
    Done,
    /// Of an append, the first half; other writes are not done.
    Half,
}

/// What is left of bytes and names that were not made durable when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process ended, the machine did not.
    KeepsAll,
    Loses,
    /// Appended bytes are cut in half; names are kept.
    Tears,
    /// Appended bytes are zeros: the length was written, the data was not. Names are kept.
    Zeros,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
    /// A write that hung may go on, or one hangs.
    changed: Arc<Condvar>,
}

#[derive(Debug, Clone, Default)]
struct State {
    files: Vec<SimFile>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    writes: usize,
    faults: Vec<(usize, Fault)>,
    /// Every write to a path that begins so fails, undone.
    broken: Option<&'static str>,
    /// Every write to a path that begins so waits until this is `None`.
    hanging: Option<&'static str>,
    /// How many writes wait.
    stuck: usize,
    free: Option<u64>,
    /// Every content that a file of this name ever had.
    history: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone, Default)]
struct SimFile {
    bytes: Vec<u8>,
    durable: usize,
}

#[derive(Debug)]
struct SimAppender {
    disk: SimDisk,
    path: String,
    file: usize,
}

// === impl SimDisk ===

impl SimDisk {
    /// The write with this number, from 0, fails, too.
    pub(crate) fn fail(&self, write: usize, fault: Fault) {
        self.state.lock().faults.push((write, fault));
    }

    /// Writes to paths that begin so fail from now on; `None` ends it.
    pub(crate) fn break_down(&self, path: Option<&'static str>) {
        self.state.lock().broken = path;
    }

    /// Writes to paths that begin so do not come back from now on; `None` lets them.
    pub(crate) fn hang(&self, path: Option<&'static str>) {
        self.state.lock().hanging = path;
        self.changed.notify_all();
    }

    /// Whether a write hangs.
    pub(crate) fn is_stuck(&self) -> bool {
        self.state.lock().stuck > 0
    }

    /// This many bytes are free from now on.
    pub(crate) fn leave_free(&self, bytes: u64) {
        self.state.lock().free = Some(bytes);
    }

    /// How many writes there were.
    pub(crate) fn writes(&self) -> usize {
        self.state.lock().writes
    }

    /// Every content that this file ever had, in order.
    pub(crate) fn history(&self, path: &str) -> Vec<Vec<u8>> {
        let state = self.state.lock();
        state.history.iter().filter(|(name, _)| name == path).map(|(_, bytes)| bytes.clone()).collect()
    }

    /// The disk as the next process finds it, without further faults. The old one stays as it was.
    pub(crate) fn after(&self, crash: Crash) -> Self {
        let mut state = self.state.lock().clone();
        state.faults.clear();
        state.broken = None;
        if crash == Crash::Loses {
            state.names = state.durable_names.clone();
        }
        for file in &mut state.files {
            match crash {
                Crash::KeepsAll => {}
                Crash::Loses => file.bytes.truncate(file.durable),
                Crash::Tears => file.bytes.truncate((file.durable + file.bytes.len()) / 2),
                Crash::Zeros => file.bytes[file.durable..].fill(0),
            }
            file.durable = file.bytes.len();
        }
        state.durable_names = state.names.clone();
        Self { state: Arc::new(Mutex::new(state)), changed: Arc::default() }
    }

    /// Does a write unless it is the one to fail.
    fn write(&self, path: &str, act: impl FnOnce(&mut State, bool)) -> io::Result<()> {
        let mut state = self.state.lock();
        state.stuck += 1;
        self.changed
            .wait_while(&mut state, |state| state.hanging.is_some_and(|hangs| path.starts_with(hangs)));
        state.stuck -= 1;
        let broken = state.broken.filter(|broken| path.starts_with(broken)).map(|_| Fault::NotDone);
        let planned = state.faults.iter().find(|(at, _)| *at == state.writes).map(|(_, fault)| *fault);
        let fault = broken.or(planned);
        state.writes += 1;
        match fault {
            None => act(&mut state, false),
            Some(Fault::Done) => act(&mut state, false),
            Some(Fault::Half) => act(&mut state, true),
            Some(Fault::NotDone) => {}
        }
        fault.map_or(Ok(()), |fault| Err(io::Error::other(format!("simulated fault, {fault:?}"))))
    }
}

impl Storage for SimDisk {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let state = self.state.lock();
        Ok(state.names.get(path).map(|file| state.files[*file].bytes.clone()))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        let below = state.names.keys().filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/'));
        let mut names: Vec<String> =
            below.filter_map(|name| name.split('/').next()).map(str::to_owned).collect();
        names.dedup();
        Ok(names)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Appender>> {
        let file = self.state.lock().files.len();
        self.state.lock().files.push(SimFile::default());
        self.write(path, |state, half| {
            state.names.insert(path.to_owned(), file);
            if !half {
                state.durable_names = state.names.clone();
            }
        })?;
        Ok(Box::new(SimAppender { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.write(path, |state, half| {
            if half {
                return;
            }
            let file = state.files.len();
            state.files.push(SimFile { bytes: bytes.to_vec(), durable: bytes.len() });
            state.names.insert(path.to_owned(), file);
            state.history.push((path.to_owned(), bytes.to_vec()));
        })
    }

    fn flush_names(&self) -> io::Result<()> {
        self.write("", |state, half| {
            if !half {
                state.durable_names = state.names.clone();
            }
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.write(path, |state, half| {
            if !half {
                state.names.retain(|name, _| name != path && !name.starts_with(&format!("{path}/")));
            }
        })
    }

    fn free(&self) -> io::Result<u64> {
        Ok(self.state.lock().free.unwrap_or(u64::MAX))
    }
}

// === impl SimAppender ===

impl Appender for SimAppender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.write(&self.path, |state, half| {
            let kept = if half { bytes.len() / 2 } else { bytes.len() };
            state.files[self.file].bytes.extend_from_slice(&bytes[..kept]);
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.write(&self.path, |state, half| {
            let file = &mut state.files[self.file];
            file.durable = if half { (file.durable + file.bytes.len()) / 2 } else { file.bytes.len() };
        })
    }
}
