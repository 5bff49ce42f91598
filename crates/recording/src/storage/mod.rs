//! The disk as recordings see it: few operations, each with its durability stated, so that a test can fail each.

mod fs;
#[cfg(test)]
pub(crate) mod sim;

pub(crate) use fs::FsStorage;

use std::fmt::Debug;
use std::io;

/// The folder of all recordings. Paths are relative to it: `SESSION` or `SESSION/NAME`.
pub(crate) trait Storage: Debug + Send + Sync {
    /// The folders in it, in byte order, but for those whose names begin with `.`.
    fn folders(&self) -> io::Result<Vec<String>>;

    /// The names in a folder, in byte order; `None` when there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Option<Vec<String>>>;

    /// The first `limit` bytes of a file; `None` when there is none. What is no plain file fails.
    fn read(&self, path: &str, limit: usize) -> io::Result<Option<Vec<u8>>>;

    /// Bytes of a file.
    fn size(&self, path: &str) -> io::Result<u64>;

    /// Makes a folder unless it is there; its name is durable.
    fn make_folder(&self, folder: &str) -> io::Result<()>;

    /// Writes a new file, in place of any that was there. Its bytes are durable, its name is not: after a crash there may
    /// be any part of it.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name, in place of any that had it. Durable after [`Storage::flush_names`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; nothing happens when there is none. Durable after [`Storage::flush_names`].
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn flush_names(&self, folder: &str) -> io::Result<()>;

    /// Bytes that may still be written.
    fn free(&self) -> io::Result<u64>;
}

/// A file that is durable whole, or not there: nobody sees a part of it under its name. `path` is in `folder`.
pub(crate) fn put(storage: &dyn Storage, folder: &str, path: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{path}{TEMPORARY}");
    storage.write(&temporary, bytes)?;
    storage.rename(&temporary, path)?;
    storage.flush_names(folder)
}

/// The end of the names of files that are being written.
pub(crate) const TEMPORARY: &str = ".tmp";
