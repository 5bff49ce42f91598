use std::io;
use std::path::PathBuf;

/// Why the state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data folder or a file in it could not be made, read or protected.
    #[error("cannot prepare `{}`: {source}", path.display())]
    File {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a symbolic link, a folder or a device.
    #[error("`{}` is not a regular file: move it away, or name another data folder", .0.display())]
    NotAFile(PathBuf),
    /// Anyone on the machine could swap the files.
    #[error("data folder `{}` can be written by everyone: run `chmod o-w` on it", .0.display())]
    OpenFolder(PathBuf),
    /// Another process owns the data folder.
    #[error("data folder `{}` is in use by another process: stop it, or name another data folder", .0.display())]
    InUse(PathBuf),
    /// The file is a SQLite database of another program.
    #[error("`{}` belongs to another program (application id {found}): name another data folder", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
        /// Its `PRAGMA application_id`.
        found: i64,
    },
    /// The file was written by a newer release.
    #[error(
        "`{}` has schema {found}, but this release knows up to {known}: \
         run the newer release, or restore the copy from before the upgrade",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest version this release knows.
        known: i64,
    },
    /// SQLite refused.
    #[error("cannot open the state: {0}")]
    Sql(#[source] sqlx::Error),
}

/// Why an operation on the state failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A session with this id or this token hash exists.
    #[error("session `{0}` exists already: open another")]
    Exists(String),
    /// A stored row cannot be read as what it should be.
    #[error("what is stored of `{id}` has an impossible `{column}`: restore the state from a copy")]
    Corrupt {
        /// The row's id.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// SQLite refused: disk full, read-only, corrupt, or locked for too long.
    #[error("the state cannot be read or written: {0}")]
    Sql(#[from] sqlx::Error),
}
