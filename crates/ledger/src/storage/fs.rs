//! [`Storage`] on a real file system.

use super::{Appender, Storage};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A folder on disk. Two threads change it at a time.
#[derive(Debug)]
pub(crate) struct FsStorage {
    root: PathBuf,
    /// Folders with names that were put or removed and are not yet durable. A folder is entered *after* its name was
    /// changed, so that whoever takes the entry out and flushes the folder flushes that name too.
    dirty: Mutex<BTreeSet<PathBuf>>,
    /// Held from before entries are taken out of `dirty` until they are flushed or put back: who finds none there may
    /// rely on its own names being durable.
    flushing: Mutex<()>,
}

#[derive(Debug)]
struct FsAppender(File);

/// A path whose folders are there.
struct Prepared {
    path: PathBuf,
    /// The folders in which a name changes with it.
    changed: Vec<PathBuf>,
}

// === impl FsStorage ===

impl FsStorage {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), dirty: Mutex::default(), flushing: Mutex::default() }
    }

    fn prepare(&self, path: &str) -> io::Result<Prepared> {
        let path = self.root.join(path);
        let mut changed = Vec::new();
        let mut folder = path.parent();
        while let Some(at) = folder {
            changed.push(at.to_owned());
            // Above a folder that was there already, no name changes.
            if at == self.root || at.is_dir() {
                break;
            }
            folder = at.parent();
        }
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        // Now, since the next attempt finds the folders there; and by the caller once more, after its own change.
        self.mark(changed.iter().cloned());
        made.map(|()| Prepared { path, changed })
    }

    /// Names changed in these folders.
    fn mark(&self, changed: impl IntoIterator<Item = PathBuf>) {
        self.dirty.lock().extend(changed);
    }
}

impl Storage for FsStorage {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Appender>> {
        let Prepared { path, changed } = self.prepare(path)?;
        // A file of its own rather than the old one emptied: nothing of the old can come back.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        self.mark(changed);
        self.flush_names()?;
        Ok(Box::new(FsAppender(file?)))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let Prepared { path, changed } = self.prepare(path)?;
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        // Nothing of an attempt that failed is built upon: what the system says of its pages cannot be relied on.
        match fs::remove_file(&temporary) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        let renamed = fs::rename(&temporary, &path);
        self.mark(changed);
        renamed
    }

    fn flush_names(&self) -> io::Result<()> {
        let _alone = self.flushing.lock();
        let mut dirty = std::mem::take(&mut *self.dirty.lock());
        while let Some(folder) = dirty.first() {
            let flushed = match File::open(folder) {
                Ok(folder) => folder.sync_all(),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(e) => Err(e),
            };
            if let Err(error) = flushed {
                // What failed now is tried again.
                self.mark(dirty);
                return Err(error);
            }
            dirty.pop_first();
        }
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.root.join(path);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        self.mark(path.parent().map(Path::to_owned));
        match removed {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn free(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.root)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

// === impl FsAppender ===

impl Appender for FsAppender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}
