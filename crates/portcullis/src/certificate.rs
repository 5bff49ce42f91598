//! A certificate for the listener, and a CA for it that signs nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};

/// Below the 398 days above which some clients refuse a certificate.
const DAYS: i32 = 397;

/// PEM texts. `Debug` is not offered, as one of them is a private key.
pub(crate) struct ListenerCertificate {
    pub(crate) ca: String,
    pub(crate) chain: String,
    pub(crate) key: String,
    /// The first day on which it is not good any more.
    pub(crate) ends: Date,
}

/// A certificate for `localhost`, the loopback addresses and `names`. The CA's key is dropped, so that it can
/// never sign another.
pub(crate) fn for_listener(names: &[String]) -> anyhow::Result<ListenerCertificate> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let (begins, ends) = (today.checked_sub(1.day())?, today.checked_add(DAYS.days())?);

    let mut ca = parameters(begins, ends, "Portcullis listener CA")?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let ca_certificate = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);

    let mut listener = parameters(begins, ends, "Portcullis")?;
    listener.subject_alt_names = subject_names(names)?;
    listener.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    listener.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    listener.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = listener.signed_by(&key, &issuer)?;

    Ok(ListenerCertificate {
        ca: ca_certificate.pem(),
        chain: certificate.pem(),
        key: key.serialize_pem(),
        ends,
    })
}

fn parameters(begins: Date, ends: Date, name: &str) -> anyhow::Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    let day = |day: Date| -> anyhow::Result<_> {
        Ok(date_time_ymd(i32::from(day.year()), u8::try_from(day.month())?, u8::try_from(day.day())?))
    };
    parameters.not_before = day(begins)?;
    parameters.not_after = day(ends)?;
    Ok(parameters)
}

fn subject_names(names: &[String]) -> anyhow::Result<Vec<SanType>> {
    let mut found = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    for name in names {
        found.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into()?),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{
        ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    };

    use super::{ListenerCertificate, for_listener};

    /// What the client says at the end of a handshake for `host`.
    fn handshake(certificate: &ListenerCertificate, host: &str) -> Result<(), rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain =
            CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(certificate.ca.as_bytes()).unwrap())?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut server = ServerConnection::new(Arc::new(server))?;
        let mut client = ClientConnection::new(Arc::new(client), host.to_owned().try_into().unwrap())?;
        while client.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn clients_with_the_ca_trust_the_listener_under_its_names_and_no_other() {
        let certificate = for_listener(&["gate.example.com".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        for host in ["localhost", "127.0.0.1", "::1", "gate.example.com", "10.0.0.1"] {
            assert_eq!(handshake(&certificate, host), Ok(()), "{host}");
        }
        assert!(handshake(&certificate, "other.example.com").is_err());
        let other = for_listener(&[]).unwrap();
        let forged = ListenerCertificate { ca: other.ca, ..certificate };
        assert!(handshake(&forged, "localhost").is_err(), "another CA of the same name");
    }

    #[test]
    fn a_name_that_no_certificate_can_have_is_refused() {
        assert!(for_listener(&["gäte.example.com".to_owned()]).is_err());
    }
}
