//! An authority, a server certificate for `localhost`, and client certificates.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

/// One authority and what it signs.
pub(super) struct Certificates {
    authority: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Certificates {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut parameters = named("stand-in authority", &[])?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate()?;
        let certificate = parameters.self_signed(&key)?;
        let (authority, pem) = (certificate.der().clone(), certificate.pem());
        Ok(Self { authority, pem, issuer: Issuer::new(parameters, key) })
    }

    pub(super) fn authority(&self) -> &str {
        &self.pem
    }

    /// PEM certificate and key of a client.
    pub(super) fn client(&self) -> anyhow::Result<(String, String)> {
        let mut parameters = named("gate", &[])?;
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        Ok((parameters.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }

    /// Takes clients with and without a certificate of this authority.
    pub(super) fn acceptor(&self, protocols: &[Vec<u8>]) -> anyhow::Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        let certificate = named("stand-in", &["localhost", "127.0.0.1"])?.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut clients = RootCertStore::empty();
        clients.add(self.authority.clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()?;
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], key)?;
        tls.alpn_protocols = protocols.to_vec();
        Ok(TlsAcceptor::from(Arc::new(tls)))
    }
}

fn named(name: &str, hosts: &[&str]) -> anyhow::Result<CertificateParams> {
    let mut parameters =
        CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>())?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    Ok(parameters)
}
