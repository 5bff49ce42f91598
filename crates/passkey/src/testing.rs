//! An authenticator in software, with a browser around it, for this crate's tests and others'.

#![expect(clippy::unwrap_used, reason = "what cannot be signed is a failed test")]

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use crate::base64url;

/// A passkey that does what it is asked, for whoever asks.
#[derive(Debug)]
pub struct Authenticator {
    key: Key,
    id: Vec<u8>,
    sign_count: u32,
}

#[derive(Debug)]
enum Key {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
}

/// What an authenticator and its browser are about to say, for tests to change.
#[derive(Debug)]
pub struct Said {
    /// The client data.
    pub client_data: Value,
    /// The ID that the response is of.
    pub id: Vec<u8>,
    /// Whose passkey it is.
    pub rp_id: String,
    /// The authenticator data's flags.
    pub flags: u8,
    /// Its signature counter.
    pub sign_count: u32,
    /// The ID in attested credential data.
    pub attested_id: Vec<u8>,
    /// The public key in COSE form.
    pub cose: Vec<u8>,
    /// The attestation statement's format and the statement, in CBOR.
    pub attestation: (String, Vec<u8>),
    /// What follows in the authenticator data: extensions, if the flags say so.
    pub rest: Vec<u8>,
    /// What follows the attestation object.
    pub after: Vec<u8>,
}

/// User present and verified.
const USER: u8 = 0x05;
/// With attested credential data.
const ATTESTED: u8 = 0x40;

impl Authenticator {
    /// One that signs by EdDSA, whose every byte follows from `name`.
    ///
    /// # Panics
    /// Never, as long as every seed makes a key.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with(name, Key::EdDsa(Ed25519KeyPair::from_seed_unchecked(&seed("key", name)).unwrap()))
    }

    /// One that signs by ES256. Its key follows from `name`, its signatures are others each time.
    ///
    /// # Panics
    /// The name makes no key, which is as good as impossible.
    #[must_use]
    pub fn es256(name: &str) -> Self {
        // `ECPrivateKey` of RFC 5915, on prime256v1.
        let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let der = [&[0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20], &seed("key", name)[..], &curve].concat();
        let key = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).unwrap();
        Self::with(name, Key::Es256(key))
    }

    fn with(name: &str, key: Key) -> Self {
        Self { key, id: seed("id", name), sign_count: 0 }
    }

    /// Makes its passkey for [`creation_options`](crate::creation_options), in a page at `origin`: a `RegistrationResponseJSON`.
    ///
    /// # Panics
    /// They are no such options.
    pub fn create(&mut self, options: &Value, origin: &str) -> Vec<u8> {
        self.create_saying(options, origin, |_| ())
    }

    /// Signs what [`request_options`](crate::request_options) ask for, in a page at `origin`: an `AuthenticationResponseJSON`.
    ///
    /// # Panics
    /// They are no such options.
    pub fn get(&mut self, options: &Value, origin: &str) -> Vec<u8> {
        self.get_saying(options, origin, |_| ())
    }

    /// [`create`](Self::create) that says something else.
    ///
    /// # Panics
    /// They are no such options.
    pub fn create_saying(
        &mut self,
        options: &Value,
        origin: &str,
        change: impl FnOnce(&mut Said),
    ) -> Vec<u8> {
        let mut said = self.about("webauthn.create", options, "/rp/id", origin);
        said.flags |= ATTESTED;
        change(&mut said);
        let (format, statement) = &said.attestation;
        let mut object = minicbor::Encoder::new(Vec::new());
        object.map(3).unwrap().str("fmt").unwrap().str(format).unwrap().str("attStmt").unwrap();
        object.writer_mut().extend(statement);
        object.str("authData").unwrap().bytes(&said.authenticator_data()).unwrap();
        object.writer_mut().extend(&said.after);
        said.response(
            json!({ "attestationObject": base64url::encode(object.writer()), "transports": ["usb"] }),
        )
    }

    /// [`get`](Self::get) that says something else. What it says, it signs.
    ///
    /// # Panics
    /// They are no such options.
    pub fn get_saying(&mut self, options: &Value, origin: &str, change: impl FnOnce(&mut Said)) -> Vec<u8> {
        self.sign_count += 1;
        let mut said = self.about("webauthn.get", options, "/rpId", origin);
        change(&mut said);
        let data = said.authenticator_data();
        let client_data_hash = digest(&SHA256, &said.client_data_json());
        let signature = self.key.sign(&[&data, client_data_hash.as_ref()].concat());
        said.response(json!({
            "authenticatorData": base64url::encode(&data),
            "signature": base64url::encode(&signature),
            "userHandle": null,
        }))
    }

    fn about(&self, kind: &str, options: &Value, rp_id: &str, origin: &str) -> Said {
        let text = |at: &str| options.pointer(at).and_then(Value::as_str).unwrap();
        Said {
            client_data: json!({ "type": kind, "challenge": text("/challenge"), "origin": origin, "crossOrigin": false }),
            id: self.id.clone(),
            rp_id: text(rp_id).into(),
            flags: USER,
            sign_count: self.sign_count,
            attested_id: self.id.clone(),
            cose: self.key.cose(),
            attestation: ("none".into(), vec![0xa0]),
            rest: vec![],
            after: vec![],
        }
    }
}

impl Said {
    fn client_data_json(&self) -> Vec<u8> {
        self.client_data.to_string().into_bytes()
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(self.flags);
        data.extend(self.sign_count.to_be_bytes());
        if self.flags & ATTESTED != 0 {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.attested_id.len()).unwrap().to_be_bytes());
            data.extend(&self.attested_id);
            data.extend(&self.cose);
        }
        data.extend(&self.rest);
        data
    }

    fn response(&self, mut parts: Value) -> Vec<u8> {
        let client_data = base64url::encode(&self.client_data_json());
        parts.as_object_mut().unwrap().insert("clientDataJSON".into(), client_data.into());
        let id = base64url::encode(&self.id);
        let response = json!({
            "id": id, "rawId": id, "type": "public-key", "response": parts,
            "authenticatorAttachment": "cross-platform", "clientExtensionResults": {},
        });
        response.to_string().into_bytes()
    }
}

impl Key {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::EdDsa(key) => key.sign(message).as_ref().into(),
            Self::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().into(),
        }
    }

    fn cose(&self) -> Vec<u8> {
        let part = |head: &[u8], coordinate: &[u8]| [head, coordinate].concat();
        match self {
            Self::EdDsa(key) => {
                part(&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32], key.public_key().as_ref())
            }
            Self::Es256(key) => {
                let (_, point) = key.public_key().as_ref().split_first().unwrap();
                let (x, y) = point.split_at(32);
                let x = part(&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], x);
                part(&part(&x, &[0x22, 0x58, 32]), y)
            }
        }
    }
}

fn seed(what: &str, name: &str) -> Vec<u8> {
    digest(&SHA256, format!("{what} of {name}").as_bytes()).as_ref().into()
}
