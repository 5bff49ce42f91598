//! What the configuration points to: is it there, and is it safe.

use std::{fs, io::Read, os::unix::fs::PermissionsExt, path::Path};

use recording::{at_rest::Identities, kept::Keeper};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use zeroize::Zeroizing;

use super::{problems::Collector, suggest::suggestion, tree};

/// More than any certificate chain, key or kubeconfig needs.
const LARGEST_FILE: u64 = 4 << 20;

/// The text of a file of sane size.
pub(super) fn read(file: &Path) -> Result<String, String> {
    let opened = fs::File::open(file).map_err(|error| cannot_read(file, &error))?;
    let mut text = String::new();
    let read = opened.take(LARGEST_FILE + 1).read_to_string(&mut text);
    match read {
        Ok(length) if u64::try_from(length).unwrap_or(u64::MAX) > LARGEST_FILE => {
            Err(format!("`{}` is larger than {} MiB", file.display(), LARGEST_FILE >> 20))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(cannot_read(file, &error)),
    }
}

fn cannot_read(file: &Path, error: &std::io::Error) -> String {
    let hint = if file.components().any(|part| part.as_os_str() == "~") {
        "; `~` is not expanded, write the whole path"
    } else {
        ""
    };
    format!("cannot read `{}`: {error}{hint}", file.display())
}

pub(super) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(file)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(format!("`{}` holds no PEM certificate", file.display())),
        Err(error) => Err(format!("`{}` is not a PEM file: {error}", file.display())),
    }
}

/// The text of a file that nobody but its owner may read.
fn secret(file: &Path) -> Result<Zeroizing<String>, String> {
    let text = Zeroizing::new(read(file)?);
    let mode = fs::metadata(file).map_err(|error| cannot_read(file, &error))?.permissions().mode();
    if mode & 0o077 != 0 {
        let (file, mode) = (file.display(), mode & 0o777);
        return Err(format!("`{file}` can be read by others (mode {mode:03o}); run `chmod 600 {file}`"));
    }
    Ok(text)
}

/// Refuses a key that others may read.
pub(super) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let text = secret(file)?;
    // The parser's error may quote the file, so it is not passed on.
    PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| format!("`{}` holds no PEM private key", file.display()))
}

/// The age identities that encrypted recordings are read with; refuses a file that others may read.
pub(crate) fn identities(file: &Path) -> Result<Identities, String> {
    Identities::parse(&secret(file)?).map_err(|error| format!("`{}` {error}", file.display()))
}

/// What the gate keeps values with; refuses a file that others may read.
pub(crate) fn keeper(file: &Path) -> Result<Keeper, String> {
    Keeper::parse(&secret(file)?).map_err(|error| format!("`{}` {error}", file.display()))
}

/// Checks that the key belongs to the certificate.
pub(super) fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, String> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, key, &provider)
        .map_err(|error| format!("the key does not belong to the certificate: {error}"))
}

/// Looks whether `context` (or a current context) is in a kubeconfig. Only what is needed to tell a typing
/// error early is read; the whole file is read when the gate connects.
pub(super) fn kubeconfig(file: &Path, context: Option<&str>) -> Result<(), ContextProblem> {
    let text = read(file).map_err(ContextProblem::File)?;
    let mut problems = Collector::default();
    let root = match tree::parse(&text, &mut problems) {
        Some(root) => root,
        None if problems.is_empty() => {
            return Err(ContextProblem::File(format!(
                "`{}` is empty; it must be a kubeconfig",
                file.display()
            )));
        }
        // A kubeconfig may use more of YAML than our own file may; whoever connects will judge that.
        None => return Ok(()),
    };
    let Some(tree::Value::List(contexts)) = root.get("contexts").map(|node| &node.value) else {
        return Err(ContextProblem::File(format!(
            "`{}` is not a kubeconfig: it has no contexts",
            file.display()
        )));
    };
    let name = |node: &tree::Node| node.get("name").and_then(tree::Node::text).map(str::to_owned);
    let names: Vec<String> = contexts.iter().filter_map(name).collect();
    let current = root.get("current-context").and_then(tree::Node::text);
    match context.or_else(|| current.filter(|current| !current.is_empty())) {
        None => Err(ContextProblem::Context(format!(
            "`{}` has no current context; name one with `context`",
            file.display()
        ))),
        Some(wanted) if names.iter().any(|name| name == wanted) => Ok(()),
        Some(wanted) => Err(ContextProblem::Context(format!(
            "`{}` has no context `{wanted}`; {}",
            file.display(),
            suggestion(wanted, names.iter().map(String::as_str))
        ))),
    }
}

/// Which field of the configuration a kubeconfig's problem belongs to.
pub(super) enum ContextProblem {
    File(String),
    Context(String),
}
