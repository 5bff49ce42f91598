//! The namespace that the gate itself runs in: what the cluster says counts, what is written must agree with it.

use std::{io::ErrorKind, path::Path};

use super::{defaults, files};

/// Where the kubelet puts it into every pod that has a service account's token.
pub(super) const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The namespace of the pod that this is; `None` outside of one.
///
/// # Errors
/// The file is there and cannot be read: not knowing must not pass for not being in a pod.
pub(super) fn mounted(file: &Path) -> Result<Option<String>, String> {
    match file.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        _ => files::read(file).map(|text| Some(text.trim().to_owned())),
    }
}

/// The gate's namespace from what is written and what is mounted.
///
/// # Errors
/// They differ, or it is no name of a namespace.
pub(super) fn own(written: Option<&str>, mounted: Option<&str>) -> Result<String, String> {
    let namespace = match (written, mounted) {
        (Some(written), Some(mounted)) if written != mounted => {
            return Err(format!(
                "the gate runs in namespace `{mounted}`, not in `{written}`; write `{mounted}`, or remove the field"
            ));
        }
        (Some(namespace), _) | (None, Some(namespace)) => namespace,
        (None, None) => defaults::NAMESPACE,
    };
    if !is_label(namespace) {
        return Err(format!(
            "`{namespace}` is no name of a namespace; use 1 to 63 lower-case letters, digits and `-`"
        ));
    }
    Ok(namespace.to_owned())
}

/// RFC 1123 label: `ValidateNamespaceName` in k8s.io/apimachinery.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_knows_best() {
        assert_eq!(own(None, None), Ok("portcullis".to_owned()));
        assert_eq!(own(Some("gates"), None), Ok("gates".to_owned()));
        assert_eq!(own(None, Some("gates")), Ok("gates".to_owned()));
        assert_eq!(own(Some("gates"), Some("gates")), Ok("gates".to_owned()));
        let told = own(Some("portcullis"), Some("gates")).unwrap_err();
        assert_eq!(
            told,
            "the gate runs in namespace `gates`, not in `portcullis`; write `gates`, or remove the field"
        );
        for wrong in ["", "Gates", "-a", "a/b", &"a".repeat(64)] {
            assert!(own(Some(wrong), None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_mounted_is_read_or_the_start_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("namespace");
        assert_eq!(mounted(&file), Ok(None));
        std::fs::write(&file, "gates\n").unwrap();
        assert_eq!(mounted(&file), Ok(Some("gates".to_owned())));
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("nowhere", &file).unwrap();
        assert!(mounted(&file).is_err());
    }
}
