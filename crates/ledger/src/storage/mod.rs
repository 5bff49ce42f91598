//! The disk as the ledger sees it: few operations, each with its durability stated, so that a test can fail each.

mod fs;
#[cfg(test)]
pub(crate) mod sim;

pub(crate) use fs::FsStorage;

use std::fmt::Debug;
use std::io;

/// A folder. Paths are relative to it, with `/` between names.
pub(crate) trait Storage: Debug + Send + Sync {
    /// The whole file; `None` when there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// The names in a folder, in byte order; none when there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// A new, empty file to append to, in place of any that was there. Its name is durable.
    fn create(&self, path: &str) -> io::Result<Box<dyn Appender>>;

    /// Replaces a file whole: after a crash it has the old content or the new, which is durable. The *name* of a file
    /// that was not there before is durable only after [`Storage::flush_names`].
    fn put(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Makes every name put and removed so far durable.
    fn flush_names(&self) -> io::Result<()>;

    /// Removes a file, or a folder with all in it; nothing happens when there is none.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Bytes that may still be written.
    fn free(&self) -> io::Result<u64>;
}

/// A file that grows at its end.
pub(crate) trait Appender: Debug + Send {
    /// Writes at the end. Not durable.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all that was appended durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
}
