//! The files of the store: who may read them, and that one process owns them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// The database. SQLite gives `-wal` and `-shm` beside it the same mode.
const DATABASE: &str = "state.sqlite";

/// Locked, not the database itself: SQLite's own locks on that file end when any descriptor of it is closed.
const LOCK: &str = "state.lock";

/// Makes the folder if need be and takes its lock, which lasts as long as the file stays open.
pub(crate) fn lock(data: &Path) -> Result<File, OpenError> {
    let fail = |source| OpenError::File { path: data.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(fail)?;
    let mode = fs::metadata(data).map_err(fail)?.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(OpenError::OpenFolder(data.to_owned()));
    }
    let file = private(&data.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(data.to_owned())),
        Err(TryLockError::Error(source)) => Err(fail(source)),
    }
}

/// Makes the database file, or takes it back into the owner's hands, before SQLite opens it: at no moment can
/// others read it. (A Kubernetes volume with `fsGroup` makes files readable by a group at each mount.)
pub(crate) fn prepare(data: &Path) -> Result<PathBuf, OpenError> {
    let path = data.join(DATABASE);
    private(&path)?;
    for suffix in ["-wal", "-shm"] {
        let beside = data.join(format!("{DATABASE}{suffix}"));
        if exists(&beside)? {
            private(&beside)?;
        }
    }
    Ok(path)
}

/// Opens the regular file at `path`, made if need be, with mode 0600.
fn private(path: &Path) -> Result<File, OpenError> {
    let fail = |source| OpenError::File { path: path.to_owned(), source };
    if exists(path)? && !fs::symlink_metadata(path).map_err(fail)?.is_file() {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(fail)?;
    Ok(file)
}

/// Whether something is at `path`, a dangling symbolic link included.
fn exists(path: &Path) -> Result<bool, OpenError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(OpenError::File { path: path.to_owned(), source }),
    }
}
