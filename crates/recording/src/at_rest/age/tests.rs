use super::*;
use flate2::read::ZlibDecoder;
use std::fs;
use std::io::Read as _;
use std::path::Path;

const ONE: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
const OTHER: &str = "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG";

fn identity(text: &str) -> Identity {
    identities(text).unwrap().remove(0)
}

/// What a vector expects, and what became of it.
fn vector(bytes: &[u8]) -> (String, String) {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
    let told = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let all = |name: &str| {
        let lines = told.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
    };
    let mut file = bytes[end + 2..].to_vec();
    if all("compressed") == ["zlib"] {
        let compressed = std::mem::take(&mut file);
        ZlibDecoder::new(&*compressed).read_to_end(&mut file).unwrap();
    }
    let identities: Vec<_> = all("identity").iter().map(|text| identity(text)).collect();
    let became = match decrypt(&identities, &file) {
        Ok(plain) => format!("success {}", crate::Digest::of(&plain)),
        Err(Error::Header) => "header failure".to_owned(),
        Err(Error::NoMatch) => "no match".to_owned(),
        Err(Error::Mac) => "HMAC failure".to_owned(),
        Err(Error::Payload) => "payload failure".to_owned(),
    };
    let expected = all("expect").concat();
    let digest = if expected == "success" { format!(" {}", all("payload").concat()) } else { String::new() };
    (expected + &digest, became)
}

#[test]
fn files_of_the_reference_are_read_or_refused_as_it_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/at_rest/age/vectors");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let vectors: Vec<_> =
        files.filter(|file| file.extension().is_none() && !file.ends_with(".gitattributes")).collect();
    assert_eq!(vectors.len(), 65);
    for file in vectors {
        let (expected, became) = vector(&fs::read(&file).unwrap());
        assert_eq!(became, expected, "{}", file.display());
    }
}

#[test]
fn what_is_encrypted_can_be_decrypted_by_each_of_them_alone() {
    let (one, other) = (identity(ONE), identity(OTHER));
    let (both, alone) = ([one.recipient(), other.recipient()], [one.recipient()]);
    for length in [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 128 << 10, 200_000] {
        let plain: Vec<u8> = std::iter::repeat_with(|| 7).take(length).collect();
        let file = encrypt(&both, &plain).unwrap();
        for identity in [ONE, OTHER].map(identity) {
            assert_eq!(decrypt(&[identity], &file).unwrap(), plain, "{length}");
        }
        let file = encrypt(&alone, &plain).unwrap();
        assert_eq!(decrypt(&[identity(OTHER)], &file), Err(Error::NoMatch));
        assert_eq!(decrypt(&[identity(OTHER), identity(ONE)], &file).unwrap(), plain);
    }
    assert_ne!(encrypt(&alone, b"same"), encrypt(&alone, b"same"), "no key is used twice");
}

#[test]
fn a_file_that_was_changed_or_cut_anywhere_is_refused() {
    let identities = [identity(ONE)];
    let file = encrypt(&[identities[0].recipient()], b"some records").unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(decrypt(&identities, &changed).is_err(), "changed at {at}");
        assert!(decrypt(&identities, &file[..at]).is_err(), "cut at {at}");
    }
    assert!(decrypt(&identities, &[&*file, b"more"].concat()).is_err());
}

#[test]
fn a_file_is_text_and_then_what_nobody_reads() {
    let file = encrypt(&[identity(ONE).recipient(), identity(OTHER).recipient()], b"").unwrap();
    let lines: Vec<_> = file.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
    assert_eq!(lines[..6], [21, 53, 43, 53, 43, 47]);
    assert_eq!(file.len(), 260 + 6 + NONCE + 16);
}

#[test]
fn what_is_no_recipient_says_what_to_give() {
    let text = identity(ONE).recipient().to_string();
    assert_eq!(text.parse::<Recipient>().map(|recipient| recipient.to_string()), Ok(text.clone()));
    // The key of which anybody knows the secret.
    let zero = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &[0; 32]).unwrap();
    let short = bech32::encode::<bech32::Bech32>(bech32::Hrp::parse("age").unwrap(), &[1; 31]).unwrap();
    let wrong = [
        text.get(..61).unwrap(),
        &format!("{text}q"),
        &text.to_uppercase(),
        "",
        "ada@example.com",
        &zero,
        &short,
    ];
    for wrong in wrong {
        assert_eq!(wrong.parse::<Recipient>(), Err(NotARecipient::Other), "{wrong}");
    }
    for kind in ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "age1pq1cc6ds6fc2ruc0uzx0cyayrkuw4gm"] {
        assert_eq!(kind.parse::<Recipient>(), Err(NotARecipient::Kind), "{kind}");
    }
    for secret in [ONE, &ONE.to_lowercase()] {
        assert_eq!(secret.parse::<Recipient>(), Err(NotARecipient::Secret));
    }
}

#[test]
fn identities_are_read_from_files_of_them_and_never_told() {
    let file = format!("# created: 2026-06-01T12:00:00Z\n# public key: age1…\n{ONE}\r\n\n  {OTHER}\n");
    let both = crate::at_rest::Identities::parse(&file).unwrap();
    assert_eq!(both.iter().len(), 2);
    let told = format!("{both:?}");
    assert!(told.contains("Identity(age1") && !told.contains("SECRET"), "{told}");
    let refused = |file: &str| identities(file).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(refused("# nothing\n"), @"has no age identity: give a file that `age-keygen` makes, with a line `AGE-SECRET-KEY-1…`");
    insta::assert_snapshot!(refused(&format!("{ONE}\n{}", OTHER.to_lowercase())), @"line 2 is no age identity that recordings are encrypted to: give a file that `age-keygen` makes, with a line `AGE-SECRET-KEY-1…`");
    insta::assert_snapshot!(refused(ONE.get(..70).unwrap()), @"line 1 is no age identity that recordings are encrypted to: give a file that `age-keygen` makes, with a line `AGE-SECRET-KEY-1…`");
    insta::assert_snapshot!(refused("age-encryption.org/v1\n-> scrypt"), @"is encrypted itself: decrypt it first, with `age -d`");
}
