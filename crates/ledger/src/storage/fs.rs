//! [`Storage`] on a real file system.

use super::{Appender, Storage};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A folder on disk.
#[derive(Debug)]
pub(crate) struct FsStorage {
    root: PathBuf,
    /// Folders with names that were put or removed and are not yet durable.
    dirty: Mutex<BTreeSet<PathBuf>>,
}

#[derive(Debug)]
struct FsAppender(File);

// === impl FsStorage ===

impl FsStorage {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), dirty: Mutex::default() }
    }

    /// The path, with the folders above it there and marked for flushing.
    fn prepare(&self, path: &str) -> io::Result<PathBuf> {
        let path = self.root.join(path);
        let mut folder = path.parent();
        let mut dirty = self.dirty.lock();
        while let Some(at) = folder {
            let fresh = dirty.insert(at.to_owned());
            // Above a folder that was there already, no name changes.
            if at == self.root || !fresh || at.is_dir() {
                break;
            }
            folder = at.parent();
        }
        drop(dirty);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(path)
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
        let path = self.prepare(path)?;
        // A file of its own rather than the old one emptied: nothing of the old can come back.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        self.flush_names()?;
        Ok(Box::new(FsAppender(file)))
    }

    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.prepare(path)?;
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&temporary, &path)
    }

    fn flush_names(&self) -> io::Result<()> {
        // Kept until every folder is flushed: what fails now is tried again.
        let dirty = self.dirty.lock().clone();
        for folder in &dirty {
            match File::open(folder) {
                Ok(folder) => folder.sync_all()?,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        self.dirty.lock().retain(|folder| !dirty.contains(folder));
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.root.join(path);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        }
        self.dirty.lock().extend(path.parent().map(Path::to_owned));
        Ok(())
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
