//! Each refusal, in words.

use std::{collections::HashSet, mem::discriminant};

use super::*;
use crate::testing::Said;

/// What registering says if the authenticator or its browser says something else than it should.
fn registering(change: impl FnOnce(&mut Said)) -> Refusal {
    let response = Authenticator::es256("ada").create_saying(&creation(), ORIGIN, change);
    register(&rp(), &challenge(), &response).unwrap_err()
}

/// What verifying says likewise.
fn verifying(change: impl FnOnce(&mut Said)) -> Refusal {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    verify(&ada.get_saying(&request(), ORIGIN, change), &credential).unwrap_err()
}

/// What registering says of a response with one member changed.
fn altered(at: &str, value: impl Into<Value>) -> Refusal {
    let response = Authenticator::new("ada").create(&creation(), ORIGIN);
    register(&rp(), &challenge(), &with(&response, at, value)).unwrap_err()
}

fn responses() -> Vec<(&'static str, Refusal)> {
    let response = |bytes: &[u8]| register(&rp(), &challenge(), bytes).unwrap_err();
    let nested = [&b"{\"x\":"[..], &[b'['; 9000]].concat();
    vec![
        ("too large", response(&[b' '; 64 * 1024 + 1])),
        ("assertion too large", Assertion::from_response(&[b' '; 16 * 1024 + 1]).unwrap_err()),
        ("no JSON", response(b"")),
        ("nested JSON", response(&nested)),
        ("member twice", response(b"{\"id\":\"\",\"id\":\"\"}")),
        ("another kind", altered("/type", "password")),
        ("id is not rawId", altered("/id", "AAAA")),
        ("id with padding", altered("/response/attestationObject", "AA==")),
        ("standard base64", altered("/response/clientDataJSON", "e30+")),
        ("long client data", altered("/response/clientDataJSON", "A".repeat(6000))),
        ("client data is no JSON", altered("/response/clientDataJSON", "AAAA")),
        ("short challenge", Challenge::new(&[0; 15]).unwrap_err()),
        ("no user handle", User::new(&[], "ada", "Ada").unwrap_err()),
        ("long credential ID", CredentialId::new(&[0; 1024]).unwrap_err()),
        ("origin", RelyingParty::new("example.com", "example.com").unwrap_err()),
        ("relying party", RelyingParty::new("com", "https://example.com").unwrap_err()),
        ("aaguid", crate::Aaguid::try_from(String::new()).unwrap_err()),
    ]
}

fn registrations() -> Vec<(&'static str, Refusal)> {
    let cose = |change: fn(&mut Vec<u8>)| registering(|said| change(&mut said.cose));
    vec![
        ("assertion instead", registering(|said| said.client_data["type"] = "webauthn.get".into())),
        ("other challenge", registering(|said| said.client_data["challenge"] = "AAAA".into())),
        ("other origin", registering(|said| said.client_data["origin"] = "https://gäte\u{202e}\n".into())),
        ("framed", registering(|said| said.client_data["crossOrigin"] = true.into())),
        ("framed by", registering(|said| said.client_data["topOrigin"] = "https://evil.example".into())),
        ("other relying party", registering(|said| said.rp_id = "gate.example.com".into())),
        ("nobody there", registering(|said| said.flags &= !0x01)),
        ("nobody verified", registering(|said| said.flags &= !0x04)),
        ("no passkey", registering(|said| said.flags &= !0x40)),
        ("backed up, not eligible", registering(|said| said.flags |= 0x10)),
        ("other ID attested", registering(|said| said.attested_id = vec![1; 32])),
        ("ID of the response", registering(|said| said.id = vec![1; 32])),
        ("short ID", registering(|said| said.attested_id = vec![1; 15])),
        ("long ID", registering(|said| said.attested_id = vec![1; 1024])),
        ("bytes after", registering(|said| said.rest = vec![0])),
        ("no extensions", registering(|said| said.flags |= 0x80)),
        (
            "extensions are no map",
            registering(|said| (said.flags, said.rest) = (said.flags | 0x80, vec![0x80])),
        ),
        (
            "bytes after extensions",
            registering(|said| (said.flags, said.rest) = (said.flags | 0x80, vec![0xa0, 0])),
        ),
        ("break alone", registering(|said| said.attestation.1 = vec![0x81, 0xff])),
        ("bytes after the object", registering(|said| said.after = vec![0])),
        ("statement without end", registering(|said| said.attestation.1 = vec![0xbf, 0xff])),
        ("statement too deep", registering(|said| said.attestation.1 = vec![0x81; 1000])),
        ("tag", registering(|said| said.attestation.1 = vec![0xc0, 0x00])),
        ("no key", cose(Vec::clear)),
        ("ES384", cose(|cose| drop(cose.splice(4..5, [0x38, 0x22])))),
        ("EdDSA of a P-256 key", cose(|cose| cose[4] = 0x27)),
        ("P-384", cose(|cose| cose[6] = 2)),
        ("not on the curve", cose(|cose| cose[10] ^= 1)),
        ("member twice", cose(|cose| cose[3] = 1)),
        ("member more", cose(|cose| cose[0] = 0xa6)),
        ("number in two bytes", cose(|cose| drop(cose.splice(2..3, [0x18, 2])))),
        ("RSA of 1024 bits", registering(|said| said.cose = rsa(&[0xff; 128], &[1, 0, 1]))),
        ("RSA, even", registering(|said| said.cose = rsa(&[0xfe; 256], &[1, 0, 1]))),
        ("RSA, exponent 1", registering(|said| said.cose = rsa(&[0xff; 256], &[1]))),
        ("RSA, long exponent", registering(|said| said.cose = rsa(&[0xff; 256], &[0xff; 256]))),
        ("RSA, leading zero", registering(|said| said.cose = rsa(&[&[0], &[0xff; 256][..]].concat(), &[3]))),
    ]
}

fn assertions() -> Vec<(&'static str, Refusal)> {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let (mut eve, other) = registered(Authenticator::new("eve"));
    let by_eve = eve.get(&request(), ORIGIN);
    let claimed = eve.get_saying(&request(), ORIGIN, |said| said.id = vec![1; 32]);
    let same_id = Credential { id: CredentialId::new(&[1; 32]).unwrap(), ..credential.clone() };
    let again = ada.get(&request(), ORIGIN);
    let ended = base64url::encode(&[&[0; 32][..], &[0x45], &[0; 21]].concat());
    let ended = verify(&with(&again, "/response/authenticatorData", ended), &credential).unwrap_err();
    let again = verify(&again, &credential).unwrap();
    vec![
        ("registration instead", verifying(|said| said.client_data["type"] = "webauthn.create".into())),
        ("other challenge", verifying(|said| said.client_data["challenge"] = "AAAA".into())),
        (
            "other origin",
            verifying(|said| said.client_data["origin"] = "https://gate.example.com.evil".into()),
        ),
        ("framed", verifying(|said| said.client_data["crossOrigin"] = true.into())),
        ("other relying party", verifying(|said| said.rp_id = "evil".into())),
        ("nobody there", verifying(|said| said.flags &= !0x01)),
        ("nobody verified", verifying(|said| said.flags &= !0x04)),
        ("eligible by now", verifying(|said| said.flags |= 0x08)),
        ("backed up, not eligible", verifying(|said| said.flags |= 0x10)),
        ("a new passkey inside", verifying(|said| said.flags |= 0x40)),
        ("bytes after", verifying(|said| said.rest = vec![0])),
        ("ends in the middle", ended),
        ("another passkey", verify(&by_eve, &credential).unwrap_err()),
        ("another's key", verify(&claimed, &same_id).unwrap_err()),
        ("another's credential", verify(&again_by(&mut ada), &other).unwrap_err()),
        ("a copy", again.follows(again.sign_count()).unwrap_err()),
    ]
}

fn again_by(authenticator: &mut Authenticator) -> Vec<u8> {
    authenticator.get(&request(), ORIGIN)
}

fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    let mut cose = minicbor::Encoder::new(b"\xa4\x01\x03\x03\x39\x01\x00".to_vec());
    cose.i8(-1).unwrap().bytes(n).unwrap().i8(-2).unwrap().bytes(e).unwrap();
    cose.into_writer()
}

#[test]
fn each_refusal_names_the_part_and_the_remedy() {
    let tables =
        [("responses", responses()), ("registrations", registrations()), ("assertions", assertions())];
    for (name, refusals) in &tables {
        let lines: Vec<_> = refusals.iter().map(|(case, refusal)| format!("{case}: {refusal}")).collect();
        insta::assert_snapshot!(*name, lines.join("\n"));
    }
    let kinds: HashSet<_> =
        tables.iter().flat_map(|(_, refusals)| refusals).map(|(_, refusal)| discriminant(refusal)).collect();
    assert_eq!(kinds.len(), 27, "each kind is shown");
}
