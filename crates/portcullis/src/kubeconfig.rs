//! The kubeconfig of a session: what an agent is given.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{admin::OpenedSession, yaml::quoted};

/// First words of every file that we write, by which we know it again.
const MARK: &str = "# Written by `portcullis session open`";

/// Why a kubeconfig was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("`{}` exists and is not one that `portcullis session open` wrote; choose another file, or `--force`", .0.display())]
    Foreign(PathBuf),
    #[error("could not write `{}`: {error}", file.display())]
    Io { file: PathBuf, error: io::Error },
}

/// The file's text.
pub(crate) fn text(opened: &OpenedSession) -> String {
    let session = &opened.session;
    let context = quoted(&format!("portcullis-{}", session.cluster));
    let user = quoted(&format!("portcullis-{}", session.id));
    let ca = opened.ca.as_ref().map_or_else(String::new, |pem| {
        format!("      certificate-authority-data: {}\n", quoted(&STANDARD.encode(pem)))
    });
    format!(
        "{MARK}: session {id}, which ends at {ends}.\n\
         apiVersion: v1\nkind: Config\ncurrent-context: {context}\n\
         clusters:\n  - name: {context}\n    cluster:\n      server: {server}\n{ca}\
         contexts:\n  - name: {context}\n    context:\n      cluster: {context}\n      user: {user}\n\
         users:\n  - name: {user}\n    user:\n      token: {token}\n",
        id = session.id,
        ends = session.expires_at,
        server = quoted(&opened.server),
        token = quoted(&opened.token),
    )
}

/// Refuses a file that somebody else wrote, before a session is opened for it.
pub(crate) fn may_write(file: &Path) -> Result<(), WriteError> {
    match fs::read_to_string(file) {
        Ok(text) if text.starts_with(MARK) => Ok(()),
        Ok(text) if text.is_empty() => Ok(()),
        Ok(_) => Err(WriteError::Foreign(file.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(WriteError::Foreign(file.to_owned())),
        Err(error) => Err(WriteError::Io { file: file.to_owned(), error }),
    }
}

/// Puts `text` at `file`, mode 0600, all of it or nothing.
pub(crate) fn write(file: &Path, text: &str) -> Result<(), WriteError> {
    let failed = |error| WriteError::Io { file: file.to_owned(), error };
    let mut name = file.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    let put = || {
        let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, file)
    };
    put().map_err(|error| {
        // It may hold a token, so it is not left lying about; that it was never made is fine.
        let _gone = fs::remove_file(&beside);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::admin::SessionView;

    fn opened() -> OpenedSession {
        OpenedSession {
            session: SessionView {
                id: "s-2g4kq7nd5wvx3jhc".to_owned(),
                state: "active".to_owned(),
                agent: "claude".to_owned(),
                delegator: "ada@example.com".to_owned(),
                cluster: "prod".to_owned(),
                reason: "look around".to_owned(),
                created_at: "2026-11-23T06:00:00Z".parse().unwrap(),
                expires_at: "2026-11-23T07:00:00Z".parse().unwrap(),
                revoked_at: None,
                revoked_by: None,
                revoked_why: None,
                frozen_at: None,
                frozen_by: None,
                frozen_why: None,
            },
            token: "pct_s-2g4kq7nd5wvx3jhc_abc".to_owned(),
            server: "https://localhost:8443".to_owned(),
            ca: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        }
    }

    #[test]
    fn the_text_is_as_it_was() {
        insta::assert_snapshot!(text(&opened()));
    }

    #[test]
    fn the_token_is_not_in_debug() {
        assert!(!format!("{:?}", opened()).contains("pct_"));
    }

    #[test]
    fn only_our_own_files_are_replaced_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        assert!(may_write(&file).is_ok());
        write(&file, &text(&opened())).unwrap();
        assert!(may_write(&file).is_ok());
        write(&file, &text(&opened())).unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&file, "apiVersion: v1\n").unwrap();
        let refused = may_write(&file).unwrap_err().to_string();
        let refused = refused.replace(&folder.path().display().to_string(), "DIR");
        insta::assert_snapshot!(refused, @"`DIR/kubeconfig` exists and is not one that `portcullis session open` wrote; choose another file, or `--force`");
    }
}
