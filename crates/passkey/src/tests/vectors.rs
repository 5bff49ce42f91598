//! The test vectors of the specification (Web Authentication Level 3, §16) in the algorithms that are offered, in `vectors.json`:
//! those without attestation, and those of the `packed` format.
//!
//! They let the user go unverified in most ceremonies and frame some, which is refused here. The signatures are checked of all.

use aws_lc_rs::digest::{SHA256, digest};
use minicbor::Decoder;
use serde::Deserialize;

use super::*;
use crate::{Aaguid, authenticator_data::AuthenticatorData};

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
pub(super) struct Vector {
    pub(super) name: String,
    credential_id: String,
    aaguid: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    challenge: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authentication {
    challenge: String,
    authenticator_data: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    signature: String,
}

pub(super) fn all() -> Vec<Vector> {
    serde_json::from_str::<Vectors>(include_str!("vectors.json")).unwrap().vectors
}

pub(super) fn rp() -> RelyingParty {
    RelyingParty::new("example.org", "https://example.org").unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

impl Vector {
    pub(super) fn registration(&self) -> (Challenge, Vec<u8>) {
        let Registration { challenge, client_data_json, attestation_object } = &self.registration;
        let parts =
            [("clientDataJSON", hex(client_data_json)), ("attestationObject", hex(attestation_object))];
        (Challenge::new(&hex(challenge)).unwrap(), self.response(&parts))
    }

    pub(super) fn authentication(&self) -> (Challenge, Vec<u8>) {
        let Authentication { challenge, authenticator_data, client_data_json, signature } =
            &self.authentication;
        let parts = [
            ("authenticatorData", hex(authenticator_data)),
            ("clientDataJSON", hex(client_data_json)),
            ("signature", hex(signature)),
        ];
        (Challenge::new(&hex(challenge)).unwrap(), self.response(&parts))
    }

    /// The credential, whether or not its registration is taken.
    pub(super) fn credential(&self) -> Credential {
        let object = hex(&self.registration.attestation_object);
        let mut decoder = Decoder::new(&object);
        let members = decoder.map().unwrap().unwrap();
        for _ in 1..members {
            decoder.skip().unwrap();
            decoder.skip().unwrap();
        }
        assert_eq!(decoder.str().unwrap(), "authData");
        let data = AuthenticatorData::parse(decoder.bytes().unwrap()).unwrap();
        let (backup_eligible, backed_up) = (data.backup_eligible(), data.backed_up());
        let attested = data.attested.unwrap();
        let (id, public_key, aaguid) = (attested.id, attested.public_key, attested.aaguid);
        Credential { id, public_key, aaguid, sign_count: data.sign_count, backup_eligible, backed_up }
    }

    /// What the assertion's signature is over, and the signature.
    pub(super) fn signed(&self) -> (Vec<u8>, Vec<u8>) {
        let client_data_hash = digest(&SHA256, &hex(&self.authentication.client_data_json));
        let signed = [&hex(&self.authentication.authenticator_data), client_data_hash.as_ref()].concat();
        (signed, hex(&self.authentication.signature))
    }

    fn response(&self, parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let parts: Vec<_> = parts.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
        response(&hex(&self.credential_id), &parts)
    }
}

#[test]
fn the_vectors_of_the_specification_come_out_as_they_should() {
    let mut outcomes = Vec::new();
    for vector in all() {
        let credential = vector.credential();
        assert_eq!(credential.id, CredentialId::new(&hex(&vector.credential_id)).unwrap());
        assert_eq!(credential.aaguid, Aaguid::new(hex(&vector.aaguid).try_into().unwrap()));
        let (signed, signature) = vector.signed();
        assert_eq!(credential.public_key.verify(&signed, &signature), Ok(()), "{}", vector.name);

        let (challenge, response) = vector.registration();
        let registered = register(&rp(), &challenge, &response);
        if let Ok(registered) = &registered {
            assert_eq!(registered, &credential);
        }
        let (challenge, response) = vector.authentication();
        let assertion = Assertion::from_response(&response).unwrap();
        let verified = assertion.verify(&rp(), &challenge, &credential);
        let algorithm = credential.public_key.algorithm();
        outcomes.push(format!("{}, {algorithm:?}\n  registration: {}", vector.name, said(registered)));
        outcomes.push(format!("  authentication: {}", said(verified)));
    }
    insta::assert_snapshot!(outcomes.join("\n"));
}

#[test]
fn no_bit_of_a_signature_nor_of_what_is_signed_may_differ() {
    for vector in all() {
        let key = vector.credential().public_key;
        let (signed, signature) = vector.signed();
        let flips = |bytes: &[u8]| {
            let bytes = bytes.to_vec();
            (0..bytes.len() * 8).map(move |bit| {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                flipped
            })
        };
        assert!(flips(&signature).all(|other| key.verify(&signed, &other) == Err(Refusal::Signature)));
        assert!(flips(&signed).all(|other| key.verify(&other, &signature) == Err(Refusal::Signature)));
    }
}
