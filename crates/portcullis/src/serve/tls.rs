//! TLS towards agents, with a certificate that can be renewed while the gate is open.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// The certificate in force and where it is read from.
#[derive(Debug)]
pub(super) struct Certificate {
    files: Tls,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// # Errors
    /// The certificate or its key cannot be used.
    pub(super) fn load(files: &Tls) -> anyhow::Result<Arc<Self>> {
        let current = ArcSwap::new(files.certified_key()?);
        Ok(Arc::new(Self { files: files.clone(), current }))
    }

    /// TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1 by ALPN.
    pub(super) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let resolver = Arc::clone(self);
        let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = door::ALPN.iter().map(|protocol| protocol.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Reads the files again, for connections to come. What cannot be used changes nothing.
    pub(super) fn reload(&self) {
        match self.files.certified_key() {
            Ok(renewed) if renewed.cert == self.current.load().cert => {}
            Ok(renewed) => {
                self.current.store(renewed);
                tracing::info!("another certificate is in force");
            }
            Err(error) => {
                tracing::error!(%error, "the certificate stays as it was, since the new one cannot be used");
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::certificate;

    fn write(folder: &Path) {
        let made = certificate::for_listener(&["gate.example.com".to_owned()]).unwrap();
        fs::write(folder.join("tls.crt"), made.chain).unwrap();
        // As `portcullis init` leaves it: a key that others may read is refused.
        let key = folder.join("tls.key");
        fs::write(&key, made.key).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(key, owner_only).unwrap();
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_bad_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        let served = Certificate::load(&Tls { certificate, key, ca: None }).unwrap();
        let first = served.current.load_full().cert.clone();
        write(folder.path());
        served.reload();
        let second = served.current.load_full().cert.clone();
        assert_ne!(first, second);
        fs::write(folder.path().join("tls.crt"), "half a cert").unwrap();
        served.reload();
        assert_eq!(served.current.load_full().cert, second);
    }
}
