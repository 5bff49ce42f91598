//! An assertion with anything changed is no assertion.

use super::*;

/// The parts of a response that are bytes, by name.
fn parts(response: &[u8]) -> Vec<(String, Vec<u8>)> {
    let response: Value = serde_json::from_slice(response).unwrap();
    let parts = response["response"].as_object().unwrap().iter();
    parts
        .filter_map(|(name, text)| {
            Some((name.clone(), base64url::decode("part", text.as_str()?, 1..=4096).ok()?))
        })
        .collect()
}

/// Each with one bit flipped, each prefix, and one byte longer.
fn mutations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    let prefixes = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    flips.chain(prefixes).chain([[bytes, &[0]].concat()])
}

fn nothing_changed_is_taken(
    rp: &RelyingParty,
    challenge: &Challenge,
    response: &[u8],
    credential: &Credential,
) {
    let verify = |response: &[u8], challenge: &Challenge| {
        Assertion::from_response(response)?.verify(rp, challenge, credential)
    };
    assert_eq!(said(verify(response, challenge)), "taken");
    let parts = parts(response);
    assert_eq!(parts.len(), 3);
    for (name, bytes) in parts {
        for changed in mutations(&bytes) {
            let response = with(response, &format!("/response/{name}"), base64url::encode(&changed));
            assert!(verify(&response, challenge).is_err(), "{name}: {changed:?}");
        }
    }
}

#[test]
fn of_the_specifications_assertion_nothing_may_change() {
    let vectors = vectors::all();
    let vector = vectors.iter().find(|vector| vector.name == "packed.ES256").unwrap();
    let (challenge, response) = vector.authentication();
    nothing_changed_is_taken(&vectors::rp(), &challenge, &response, &vector.credential());
}

#[test]
fn of_an_eddsa_assertion_nothing_may_change() {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let response = ada.get(&request(), ORIGIN);
    nothing_changed_is_taken(&rp(), &challenge(), &response, &credential);
}

#[test]
fn no_other_challenge_was_signed() {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let assertion = Assertion::from_response(&ada.get(&request(), ORIGIN)).unwrap();
    for changed in mutations(&[7; 32]) {
        let Ok(other) = Challenge::new(&changed) else { continue };
        let refusal = assertion.verify(&rp(), &other, &credential).unwrap_err();
        assert_eq!(refusal, Refusal::OtherChallenge);
    }
}

#[test]
fn no_part_of_a_registration_may_be_missing_or_too_much() {
    let response = Authenticator::es256("ada").create(&creation(), ORIGIN);
    assert_eq!(said(register(&rp(), &challenge(), &response)), "taken");
    for (name, bytes) in parts(&response) {
        // Nobody signs a registration, so a flipped bit makes another one: of its parts, not of its bytes, is all there.
        for changed in mutations(&bytes).skip(bytes.len() * 8) {
            let response = with(&response, &format!("/response/{name}"), base64url::encode(&changed));
            assert!(register(&rp(), &challenge(), &response).is_err(), "{name}: {changed:?}");
        }
    }
}
