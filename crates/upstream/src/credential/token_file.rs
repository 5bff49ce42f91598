//! A token that somebody else keeps fresh in a file, as the kubelet does for service accounts.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use http::HeaderValue;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::bearer;

/// As often as Kubernetes' own clients look. Tokens are renewed long before they expire.
const READ_EVERY: Duration = Duration::from_secs(60);

/// The file and what was last read from it.
pub(crate) struct TokenFile {
    file: PathBuf,
    read: Mutex<(HeaderValue, Instant)>,
}

/// Why there is no token in a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFileError {
    #[error("the token file `{}` cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("the token file `{}` holds no token: one line of plain text is expected", file.display())]
    NoToken { file: PathBuf },
}

impl TokenFile {
    pub(crate) fn open(file: PathBuf) -> Result<Self, TokenFileError> {
        let token = read(&file)?;
        Ok(Self { file, read: Mutex::new((token, Instant::now())) })
    }

    /// The token as it is in the file, or was up to a minute ago. One that cannot be read any more is used on, as
    /// Kubernetes' own clients do: the API server knows whether it is still good.
    pub(crate) fn authorization(&self) -> HeaderValue {
        let mut last = self.read.lock();
        if last.1.elapsed() >= READ_EVERY {
            last.1 = Instant::now();
            match read(&self.file) {
                Ok(token) => last.0 = token,
                Err(error) => tracing::warn!(%error, "the last token is used on"),
            }
        }
        last.0.clone()
    }
}

fn read(file: &Path) -> Result<HeaderValue, TokenFileError> {
    let text = fs::read_to_string(file)
        .map_err(|source| TokenFileError::Unreadable { file: file.to_owned(), source })?;
    bearer(&text).ok_or_else(|| TokenFileError::NoToken { file: file.to_owned() })
}
