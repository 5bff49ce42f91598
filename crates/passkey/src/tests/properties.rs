//! Whatever comes, it is answered.

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;
use crate::{PublicKey, authenticator_data::AuthenticatorData};

/// CBOR that is nearly right: heads of every kind, nested as it happens, and cut off anywhere.
fn cbor() -> impl Strategy<Value = Vec<u8>> {
    let head = prop_oneof![
        Just(vec![0xa1]),
        Just(vec![0xa4]),
        Just(vec![0xbf]),
        Just(vec![0x81]),
        Just(vec![0x9f]),
        Just(vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Just(vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        Just(b"\x63fmt".to_vec()),
        Just(b"\x67attStmt".to_vec()),
        Just(b"\x68authData".to_vec()),
        Just(vec![0x58, 0x20]),
        Just(vec![0xc2]),
        Just(vec![0xff]),
        prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(head, 0..32).prop_map(|heads| heads.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_cbor_is_refused_as_an_attestation_object(object in cbor()) {
        let client_data = json!({ "type": "webauthn.create", "challenge": challenge().encoded(), "origin": ORIGIN });
        let parts = [("clientDataJSON", client_data.to_string().into_bytes()), ("attestationObject", object)];
        let parts: Vec<_> = parts.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
        prop_assert!(register(&rp(), &challenge(), &response(&[1; 16], &parts)).is_err());
    }

    #[test]
    fn any_cbor_is_refused_as_a_public_key_and_as_attested_data(bytes in cbor()) {
        prop_assert!(PublicKey::read(&bytes).is_err());
        let data = [&[0; 32][..], &[0x45], &[0; 4], &[0; 16], &[0, 16], &[1; 16], &bytes].concat();
        prop_assert!(AuthenticatorData::parse(&data).is_err());
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..256), at in 0..4096usize) {
        prop_assert!(Assertion::from_response(&bytes).is_err());
        // A response with bytes written over it is another one, or none.
        let mut response = Authenticator::new("ada").create(&creation(), ORIGIN);
        let at = at % response.len();
        for (old, new) in response[at..].iter_mut().zip(&bytes) {
            *old = *new;
        }
        let _ = register(&rp(), &challenge(), &response);
    }

    #[test]
    fn what_is_read_is_written_the_same(name in "[a-z]{1,8}") {
        for authenticator in [Authenticator::new(&name), Authenticator::es256(&name)] {
            let (mut authenticator, credential) = registered(authenticator);
            let text = serde_json::to_string(&credential).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Credential>(&text).unwrap(), &credential);
            let assertion = Assertion::from_response(&authenticator.get(&request(), ORIGIN)).unwrap();
            let text = serde_json::to_string(&assertion).unwrap();
            let read: Assertion = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &assertion);
            prop_assert!(read.verify(&rp(), &challenge(), &credential).is_ok());
        }
    }
}
