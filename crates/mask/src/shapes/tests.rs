mod found;
mod harmless;
mod properties;

use bytes::Bytes;

use super::table::SHAPES;
use super::{SEARCH, Shapes};
use crate::known::KnownValues;
use crate::placeholder::base64_core;
use crate::redact::{Content, Detector as _, Redactor};

const PLACEHOLDER: &str = "masked-by-portcullis--not-the-real-value";

/// What goes out for a text.
fn redacted(text: &str) -> String {
    String::from_utf8(in_chunks(Content::Text, [text.as_bytes()])).unwrap()
}

/// What goes out for a text that comes in these chunks.
fn in_chunks<'c>(content: Content, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut redactor = Redactor::new(KnownValues::none(), content);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
    }
    out.extend_from_slice(&redactor.finish());
    out
}

/// A text in which `«»` enclose what is masked: as it comes in, and as it must go out.
fn marked(text: &str) -> (String, String) {
    let mut out = String::new();
    let mut parts = text.split(['«', '»']);
    out.push_str(parts.next().unwrap());
    while let Some(_masked) = parts.next() {
        out.push_str(PLACEHOLDER);
        out.push_str(parts.next().unwrap());
    }
    (text.replace(['«', '»'], ""), out)
}

#[test]
fn no_trigger_begins_with_another() {
    let triggers = SEARCH.triggers();
    for one in triggers {
        assert!(one.text.len() >= 3);
        for other in triggers {
            assert!(std::ptr::eq(one, other) || !one.text.starts_with(&other.text), "{one:?} {other:?}");
        }
    }
}

#[test]
fn base64_of_a_text_holds_its_core() {
    use base64::Engine as _;
    for shift in 0..3 {
        let encoded =
            base64::engine::general_purpose::STANDARD.encode(format!("{}-----BEGIN x", "?".repeat(shift)));
        let core = String::from_utf8(base64_core(b"-----BEGIN ", shift)).unwrap();
        assert!(encoded.contains(&core), "{encoded} {core}");
    }
}

#[test]
fn little_is_held_back() {
    for (window, pending) in [
        ("", 0),
        ("what was\n", 0),
        ("the quick brown cub", 0),
        ("see https:", 1),
        (r#"{"a":"b","c":"ghp_01234567"#, 12),
        (r#"{"a":"b","password":"hunter2"}"#, 0),
        ("password: hunter2", 16),
        ("password: hunter2\nthe quick brown cub", 0),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lb", 0),
        ("-----BEGIN PRIVATE KEY-----\nMII=", 0),
    ] {
        assert_eq!(Shapes.find(window.as_bytes(), 0, &mut Vec::new()), pending, "{window}");
    }
}

/// Found by chance: a token within another whose first characters a window began with, and a first line taken for a last one.
#[test]
fn wherever_a_window_begins_the_same_is_found() {
    for text in [
        "mysql --host dbxoxb-012345678901-0123456789012-abcdefABCDEFclient-key-dataglpat-xoxb-012345678901-0123456789012-abcdefAB",
        "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04f\\n-----END \n-----BEGIN EC PRIVATE KEY-----",
    ] {
        let whole = redacted(text);
        for cut in 1..text.len() {
            let (one, two) = text.as_bytes().split_at(cut);
            assert_eq!(String::from_utf8(in_chunks(Content::Text, [one, two])).unwrap(), whole, "{cut}");
        }
    }
}

/// What is left of something that was judged as a whole is judged no more, or masking twice would mask more.
#[test]
fn a_placeholder_is_a_wall() {
    for text in [
        r#"{"auths":{"ghcr.io":{"auth":"YWRtaW46aHVudGVyMg=AKIAIOSFODNN7EXAMPLE_PASS="#,
        r"-----BEGIN EC PRIVATE KEY-----\-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1\n-----END EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1",
        r"_PASS=\npm_0123456789abcdefABCDEF0123456789abcd",
    ] {
        let once = redacted(text);
        assert_ne!(once, text);
        assert_eq!(redacted(&once), once);
    }
}

/// Who may choose a user's name or a host could otherwise have the password beside it shown.
#[test]
fn words_that_are_like_a_placeholder_protect_nothing() {
    for text in [
        "dial postgres://masked-by-x:CANARYpw1@db:5432/app",
        "dial postgres://app:CANARYpw1@masked-by-x@db:5432/app",
        "dial postgres://masked-by-portcullis-:CANARYpw1@db:5432/app",
        "Config{password=CANARYpw1,host=masked-by-portcullis}",
        "Config{password:CANARYpw1,host:masked-by-portcullis--not-the-real}",
        r#"{"dsn":"password=\"CANARYpw1 masked-by-portcullis\""}"#,
        "token=0a1b2c3d4e5fCANARY0718,host=masked-by-x",
        "Authorization: Bearer 0a1b2c3d4eCANARY60718masked-by-",
        "Authorization: Basic Q0FOQVJZOnBhc3N3b3Jkmasked-by-",
        r"-----BEGIN EC PRIVATE KEY-----\nComment: masked-by-portcullis\nMHcCANARYIIrYSSNQFaA2Hwf1\n-----END EC PRIVATE KEY-----",
        r#"{"last":"{\"c\":\"password=CANARYhunter2\nmasked-by-portcullis--not-the-real-value"}"#,
    ] {
        let out = redacted(text);
        assert!(!out.contains("CANARY") && !out.contains("Q0FOQVJZ"), "{text} became {out}");
    }
}

#[test]
fn the_document_names_every_shape() {
    let document = include_str!("../../../../docs/masking-shapes.md");
    for shape in SHAPES {
        assert!(document.contains(&format!("| {} |", shape.name)), "{}", shape.name);
    }
}
