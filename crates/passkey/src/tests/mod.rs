//! What is taken and what is not, by the specification's vectors and an authenticator in software.

use serde_json::{Value, json};

use crate::{
    Assertion, Challenge, Credential, CredentialId, Refusal, RelyingParty, User, Verified, base64url,
    creation_options, register, request_options, testing::Authenticator,
};

mod ceremonies;
mod mutations;
mod properties;
mod refusals;
mod vectors;

const ORIGIN: &str = "https://gate.example.com";

fn rp() -> RelyingParty {
    RelyingParty::new("example.com", ORIGIN).unwrap()
}

fn challenge() -> Challenge {
    Challenge::from([7; 32])
}

fn creation() -> Value {
    let user = User::new(b"u-1", "ada@example.com", "Ada").unwrap();
    creation_options(&rp(), &challenge(), &user, &[])
}

fn request() -> Value {
    request_options(&rp(), &challenge(), &[])
}

/// An authenticator and its passkey.
fn registered(mut authenticator: Authenticator) -> (Authenticator, Credential) {
    let response = authenticator.create(&creation(), ORIGIN);
    let credential = register(&rp(), &challenge(), &response).unwrap();
    (authenticator, credential)
}

fn verify(response: &[u8], credential: &Credential) -> Result<Verified, Refusal> {
    Assertion::from_response(response)?.verify(&rp(), &challenge(), credential)
}

/// A response with these parts, in bytes.
fn response(id: &[u8], parts: &[(&str, &[u8])]) -> Vec<u8> {
    let parts: Value = parts.iter().map(|(name, bytes)| (*name, base64url::encode(bytes))).collect();
    let id = base64url::encode(id);
    json!({ "id": id, "rawId": id, "type": "public-key", "response": parts }).to_string().into_bytes()
}

/// A response with one member changed.
fn with(response: &[u8], at: &str, value: impl Into<Value>) -> Vec<u8> {
    let mut response: Value = serde_json::from_slice(response).unwrap();
    *response.pointer_mut(at).unwrap() = value.into();
    response.to_string().into_bytes()
}

fn said<T>(result: Result<T, Refusal>) -> String {
    result.map_or_else(|refusal| refusal.to_string(), |_| "taken".into())
}
