//! What browsers are asked, and what is kept of their answers.

use super::*;

#[test]
fn the_options_are_what_browsers_parse() {
    let user = User::new(b"u-1", "ada@example.com", "Ada").unwrap();
    let ids = [CredentialId::new(&[1; 16]).unwrap()];
    let creation = creation_options(&rp(), &challenge(), &user, &ids);
    let request = request_options(&rp(), &challenge(), &ids);
    let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    insta::assert_snapshot!([text(&creation), text(&request)].join("\n"));
}

#[test]
fn what_is_kept_is_text_and_suffices_to_verify() {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let assertion = Assertion::from_response(&ada.get(&request(), ORIGIN)).unwrap();
    let kept = serde_json::to_string_pretty(&(&credential, &assertion)).unwrap();
    insta::assert_snapshot!(kept);
    let (credential, assertion): (Credential, Assertion) = serde_json::from_str(&kept).unwrap();
    assert_eq!(assertion.credential_id(), &credential.id);
    let verified = assertion.verify(&rp(), &challenge(), &credential).unwrap();
    assert_eq!((verified.credential_id(), verified.challenge()), (&credential.id, &challenge()));
    assert_eq!(verified.sign_count(), 1);
}

#[test]
fn what_is_kept_has_one_form() {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let credential = serde_json::to_value(credential).unwrap();
    let assertion = Assertion::from_response(&ada.get(&request(), ORIGIN)).unwrap();
    let assertion = serde_json::to_value(assertion).unwrap();
    let more = |value: &Value| {
        let mut value = value.clone();
        value["more"] = 1.into();
        value
    };
    assert!(serde_json::from_value::<Credential>(more(&credential)).is_err());
    assert!(serde_json::from_value::<Assertion>(more(&assertion)).is_err());
    let refused = |at: &str, change: fn(&str) -> String| {
        let mut value = credential.clone();
        value[at] = change(credential[at].as_str().unwrap()).into();
        serde_json::from_value::<Credential>(value).unwrap_err().to_string()
    };
    let said = [
        refused("id", |id| format!("{id}=")),
        refused("id", |_| "AAAA".into()),
        refused("public_key", |key| format!("{key}AAAA")),
        // The type of key, 1, in two bytes rather than in one.
        refused("public_key", |key| {
            let cose = base64url::decode("key", key, 1..=64).unwrap();
            base64url::encode(&[&cose[..2], &[0x18, 1], &cose[3..]].concat())
        }),
        refused("aaguid", |aaguid| aaguid.replace('-', "")),
        refused("aaguid", |aaguid| format!("+{aaguid}")),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn algorithms_authenticators_and_what_they_say_beside_are_taken() {
    for mut authenticator in [Authenticator::new("ada"), Authenticator::es256("ada")] {
        let response = authenticator.create_saying(&creation(), ORIGIN, |said| {
            said.client_data["other"] = json!({ "keys": "may come" });
            // {"credProtect": 2}
            said.flags |= 0x80 | 0x08;
            said.rest = b"\xa1\x6bcredProtect\x02".to_vec();
            // A statement nobody reads: {"x": [h'00']}
            said.attestation = ("packed".into(), b"\xa1\x61x\x81\x41\x00".to_vec());
        });
        let credential = register(&rp(), &challenge(), &response).unwrap();
        assert!(credential.backup_eligible && !credential.backed_up);
        // Copied since.
        let response = authenticator.get_saying(&request(), ORIGIN, |said| said.flags |= 0x18);
        assert!(verify(&response, &credential).unwrap().backed_up());
    }
}

#[test]
fn counts_grow_or_there_are_none() {
    let (mut ada, credential) = registered(Authenticator::new("ada"));
    let mut with_count = |count| {
        let response = ada.get_saying(&request(), ORIGIN, |said| said.sign_count = count);
        verify(&response, &credential).unwrap()
    };
    for (previous, found, follows) in [
        (0, 0, true),
        (0, 1, true),
        (1, 2, true),
        (1, 1, false),
        (2, 1, false),
        (1, 0, false),
        (u32::MAX, 0, false),
    ] {
        assert_eq!(with_count(found).follows(previous).is_ok(), follows, "{previous}, {found}");
    }
}

#[test]
fn origins_are_at_their_relying_party() {
    for (id, origin) in [
        ("gate.example.com", "https://gate.example.com"),
        ("example.com", "https://gate.example.com:8443"),
        ("gate", "https://gate"),
        ("localhost", "http://localhost:8080"),
    ] {
        let rp = RelyingParty::new(id, origin).unwrap();
        assert_eq!((rp.id(), rp.origin()), (id, origin));
    }
    let said: Vec<_> = [
        ("example.com", "https://evilexample.com"),
        ("a.example.com", "https://example.com"),
        ("com", "https://example.com"),
        ("", "https://example.com"),
        (".com", "https://example.com"),
        ("Example.com", "https://example.com"),
        ("example.com", "https://Example.com"),
        ("example.com", "https://example.com/"),
        ("example.com", "https://example.com:443"),
        ("example.com", "https://a@example.com"),
        ("example.com.", "https://example.com."),
        ("example.com", "http://example.com"),
        ("example.com", "ftp://example.com"),
        ("127.0.0.1", "https://127.0.0.1"),
        ("localhost", "http://localhost.example.com"),
        ("example.com", "example.com"),
    ]
    .into_iter()
    .map(|(id, origin)| said(RelyingParty::new(id, origin)))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}
