//! [`Storage`] on a real file system.

use super::Storage;
use rustix::fs::{Advice, OFlags, fadvise};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Of files of so many bytes and more, the system is told to forget what it holds once that is on disk: what is recorded of much at once is
/// read seldom, and would drive out what is read. New pages for each cost time, too: 1.0 to 2.5 s of CPU a GB where it was measured.
const BULK: usize = 256 << 10;

/// A folder on disk.
#[derive(Debug)]
pub(crate) struct FsStorage {
    root: PathBuf,
}

// === impl FsStorage ===

impl FsStorage {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// A plain file: no link is followed, and nothing that somebody put there makes the reader wait.
    fn open(&self, path: &str) -> io::Result<Option<File>> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(self.root.join(path)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("not a plain file"));
        }
        Ok(Some(file))
    }
}

impl Storage for FsStorage {
    fn folders(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.extend(entry.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
            }
        }
        names.sort();
        Ok(names)
    }

    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>> {
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(Some(names))
    }

    fn read(&self, path: &str, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = self.open(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        Ok(fs::symlink_metadata(self.root.join(path))?.len())
    }

    fn make_folder(&self, folder: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.root.join(folder))?;
        File::open(&self.root)?.sync_all()
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.root.join(path);
        // A file of its own rather than the old one emptied: what the system says of its pages cannot be relied on.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        if bytes.len() >= BULK {
            // Advice: where it is not taken, nothing is lost.
            let _passed_over = fadvise(&file, 0, None, Advice::DontNeed);
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match fs::remove_file(self.root.join(path)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn flush_names(&self, folder: &str) -> io::Result<()> {
        File::open(self.root.join(folder))?.sync_all()
    }

    fn free(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.root)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::super::put;
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn nobody_else_may_look_and_no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let disk = FsStorage::new(root.path());
        disk.make_folder("s").unwrap();
        put(&disk, "s", "s/a", b"abc").unwrap();
        let mode = |path: &str| fs::metadata(root.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("s"), mode("s/a")), (0o700, 0o600));
        assert_eq!(disk.read("s/a", 2).unwrap().as_deref(), Some(b"ab".as_slice()));
        assert_eq!(disk.list("s").unwrap(), Some(vec!["a".to_owned()]));
        symlink("a", root.path().join("s/b")).unwrap();
        assert!(disk.read("s/b", 9).is_err());
        assert!(disk.read("s", 9).is_err());
        assert_eq!(disk.read("s/c", 9).unwrap(), None);
        assert_eq!(disk.list("t").unwrap(), None);
    }
}
