//! Notes against the specification's example and each way to spoil one.

use super::*;

/// The key and note of the example in Go's `golang.org/x/mod/sumdb/note` documentation.
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SKEY: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer(byte: u8) -> Signer {
    Signer::from_seed("example.com/log", Zeroizing::new([byte; 32])).unwrap()
}

#[test]
fn the_example_of_the_go_implementation_holds() {
    let verifier = Verifier::parse(VKEY).unwrap();
    assert_eq!(verifier.to_string(), VKEY);
    let signer = Signer::parse(SKEY).unwrap();
    assert_eq!(signer.verifier(), &verifier);
    assert_eq!(signer.to_private().as_str(), SKEY);
    let opened = verifier.open(NOTE.as_bytes()).unwrap();
    assert_eq!(signer.sign(&opened.text).unwrap(), NOTE);
}

#[test]
fn signatures_by_others_are_named_and_not_trusted() {
    let note = signer(1).sign("text\n").unwrap();
    let both = format!("{note}— witness.example {}\n", STANDARD.encode([9; 68]));
    assert_eq!(signer(1).verifier().open(both.as_bytes()).unwrap().others, ["witness.example"]);
    insta::assert_snapshot!(signer(2).verifier().open(note.as_bytes()).unwrap_err(), @"not signed by `example.com/log+b07fbc77`");
}

#[test]
fn a_changed_note_is_refused() {
    let note = signer(1).sign("text\n\nmore\n").unwrap();
    let open = |note: &str| signer(1).verifier().open(note.as_bytes());
    assert!(open(&note).is_ok());
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(signer(1).verifier().open(&bytes).is_err(), "byte {at}");
    }
    for at in 0..note.len() {
        assert!(signer(1).verifier().open(&note.as_bytes()[..at]).is_err(), "cut at {at}");
    }
    insta::assert_snapshot!(open(&note.replace("more", "less")).unwrap_err(), @"the signature by `example.com/log+9be5d3c6` does not verify");
    insta::assert_snapshot!(open("text\n").unwrap_err(), @"not a signed note: no empty line");
    insta::assert_snapshot!(open("text\n\n\u{2014} a\n").unwrap_err(), @"not a signed note: a signature line of another form");
    insta::assert_snapshot!(open("te\0xt\n\n\u{2014} a b\n").unwrap_err(), @"not a signed note: control characters");
}

#[test]
fn keys_of_another_form_are_refused_and_the_seed_is_not_shown() {
    for key in ["", "name", "name+00000000", &VKEY.replace("c74f20a3", "c74f20a"), &VKEY.replace('A', "B")] {
        assert_eq!(Verifier::parse(key), Err(Error::Key), "{key}");
    }
    assert_eq!(Verifier::parse(&VKEY.replace("c74f20a3", "c74f20a4")), Err(Error::KeyId));
    assert!(matches!(Signer::from_seed("a b", Zeroizing::new([0; 32])), Err(Error::Name(_))));
    assert!(matches!(signer(1).sign("no newline"), Err(Error::Text)));
    insta::assert_snapshot!(format!("{:?}", signer(1)), @"Signer(example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c)");
}
