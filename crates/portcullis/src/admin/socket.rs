//! The socket: its file, and who may connect.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
    path::PathBuf,
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::net::UnixListener;

use crate::config::DataFolder;

/// Longest path that fits `sockaddr_un` on Linux, with its closing zero.
const LONGEST: usize = 107;

/// Why the admin socket cannot be offered.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum BindError {
    /// The system would refuse it less clearly.
    #[error("`{}` is too long for a socket: at most {LONGEST} bytes; choose a shorter `data`", path.display())]
    TooLong { path: PathBuf },
    /// Others could replace the socket.
    #[error("`{folder}` is open to others (mode {mode:03o}); run `chmod 700 {folder}`", folder = folder.display())]
    Open { folder: PathBuf, mode: u32 },
    /// Something else is in its place.
    #[error("`{}` exists and is not a socket; move it away", path.display())]
    Taken { path: PathBuf },
    /// Another gate answers on it.
    #[error("another gate is serving `{}`; stop that one first", path.display())]
    InUse { path: PathBuf },
    /// The system refused.
    #[error("`{}`: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
}

/// Opens `DATA/admin.sock` for its owner alone. A socket left by a gate that was killed is replaced; must be called
/// within a tokio runtime.
///
/// # Errors
/// [`BindError`] names the remedy.
pub fn bind(data: &DataFolder) -> Result<UnixListener, BindError> {
    let (folder, path) = (data.path(), data.admin_socket());
    if path.as_os_str().len() > LONGEST {
        return Err(BindError::TooLong { path });
    }
    let io = |error| BindError::Io { path: path.clone(), error };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
    // Between `bind` and `set_permissions` below, only this mode keeps others out.
    let mode = fs::metadata(folder).map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(BindError::Open { folder: folder.to_owned(), mode });
    }
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.file_type().is_socket() => return Err(BindError::Taken { path }),
        Ok(_) if std::os::unix::net::UnixStream::connect(&path).is_ok() => {
            return Err(BindError::InUse { path });
        }
        Ok(_) => fs::remove_file(&path).map_err(io)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io(error)),
    }
    let listener = UnixListener::bind(&path).map_err(io)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(io)?;
    Ok(listener)
}

/// The user who owns the socket's file: us, as we made it.
pub(super) fn owner(listener: &UnixListener) -> io::Result<u32> {
    let address = listener.local_addr()?;
    let path = address.as_pathname().ok_or_else(|| io::Error::other("the socket has no path"))?;
    Ok(fs::metadata(path)?.uid())
}

/// Who connected, as the kernel says (`SO_PEERCRED`). `None`: it did not say, which lets nobody in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) uid: Option<u32>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { uid: stream.io().peer_cred().ok().map(|peer| peer.uid()) }
    }
}
