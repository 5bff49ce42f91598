//! The nasty cases by name.

use bytes::Bytes;
use mask::{Framing, MAX_DEPTH, Masker, Placeholder, What, placeholder_in};

use crate::support::{Places, mask, mask_in, mask_secret};

const BASE64: &str = Placeholder::Base64.as_str();
const TEXT: &str = Placeholder::Text.as_str();

/// `input` with `D` and `T` in angle brackets standing for the placeholders.
fn filled(expected: &str) -> String {
    expected.replace("<D>", BASE64).replace("<T>", TEXT)
}

/// Each input becomes what stands beside it, in one chunk and split at every byte.
fn check(framing: Framing, cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        let expected = filled(expected);
        let text = |out| String::from_utf8(out).unwrap();
        assert_eq!(
            mask(framing, Places::Secrets, input.as_bytes()).map(text),
            Ok(expected.clone()),
            "{input}"
        );
        for split in 1..input.len() {
            let mut lengths = [split, input.len()].into_iter();
            let out = mask_in(framing, Places::Secrets, input.as_bytes(), || lengths.next().unwrap());
            assert_eq!(out.map(text), Ok(expected.clone()), "{input} split at {split}");
        }
        assert_eq!(
            mask_in(framing, Places::Secrets, input.as_bytes(), || 1).map(text),
            Ok(expected),
            "{input}"
        );
    }
}

/// What a key says that is longer than Kubernetes allows is not looked at, so it may say anything.
#[test]
fn keys_longer_than_any() {
    let long = "x".repeat(400);
    let annotated = |value: &str| format!(r#"{{"metadata":{{"annotations":{{"{long}":"{value}"}}}}}}"#);
    check(Framing::One, &[(&annotated("v"), &annotated("<T>"))]);
    let longest = "x".repeat(320);
    let annotated = format!(r#"{{"metadata":{{"annotations":{{"{longest}":"v"}}}}}}"#);
    check(Framing::One, &[(&annotated, &annotated)]);
}

#[test]
fn values_of_every_type() {
    check(
        Framing::One,
        &[
            (r#"{"data":{"a":"c2VjcmV0"}}"#, r#"{"data":{"a":"<D>"}}"#),
            (r#"{"data":{"a":""}}"#, r#"{"data":{"a":"<D>"}}"#),
            (r#"{"data":{"a":null,"b":"x"}}"#, r#"{"data":{"a":null,"b":"<D>"}}"#),
            (r#"{"data":{"a":12 , "b":-1.5e3}}"#, r#"{"data":{"a":"<D>" , "b":"<D>"}}"#),
            (
                r#"{"data":{"a":true,"b":[1,{"c":"x"}],"d":{"e":{}}}}"#,
                r#"{"data":{"a":"<D>","b":"<D>","d":"<D>"}}"#,
            ),
            (r#"{"stringData":{"a":"x\n\"y\""}}"#, r#"{"stringData":{"a":"<T>"}}"#),
            (r#"{"data":null}"#, r#"{"data":null}"#),
            (r#"{"data":{}}"#, r#"{"data":{}}"#),
            (r#"{"data":[]}"#, r#"{"data":"<T>"}"#),
            (r#"{"data":["x",{"a":"y"}] ,"z":1}"#, r#"{"data":"<T>" ,"z":1}"#),
            (r#"{"data":"x","stringData":5}"#, r#"{"data":"<T>","stringData":"<T>"}"#),
        ],
    );
}

#[test]
fn keys_however_spelled() {
    check(
        Framing::One,
        &[
            (r#"{"d\u0061ta":{"\u0061":"x"}}"#, r#"{"d\u0061ta":{"\u0061":"<D>"}}"#),
            (r#"{"\u0064\u0061\u0074\u0061":{"a":"x"}}"#, r#"{"\u0064\u0061\u0074\u0061":{"a":"<D>"}}"#),
            (r#"{"data":{"a":"x"},"data":{"a":"y"}}"#, r#"{"data":{"a":"<D>"},"data":{"a":"<D>"}}"#),
            (r#"{"data":1,"data":{"a":"y","a":"z"}}"#, r#"{"data":"<T>","data":{"a":"<D>","a":"<D>"}}"#),
            (
                r#"{"Data":{"a":"x"},"STRINGDATA":{"a":"x"}}"#,
                r#"{"Data":{"a":"<D>"},"STRINGDATA":{"a":"<T>"}}"#,
            ),
            (r#"{"data ":{"a":"x"},"dat":{"a":"x"}}"#, r#"{"data ":{"a":"x"},"dat":{"a":"x"}}"#),
            (r#"{"d\\u0061ta":{"a":"x"}}"#, r#"{"d\\u0061ta":{"a":"x"}}"#),
            (r#"{"data\u0000":{"a":"x"}}"#, r#"{"data\u0000":{"a":"x"}}"#),
            (r#"{"x":{"data":{"a":"x"}}}"#, r#"{"x":{"data":{"a":"x"}}}"#),
        ],
    );
}

#[test]
fn lists_tables_and_metadata() {
    check(
        Framing::One,
        &[
            (
                r#"{"kind":"SecretList","items":[{"data":{"a":"x"}},{"data":{"a":"x"}}]}"#,
                r#"{"kind":"SecretList","items":[{"data":{"a":"<D>"}},{"data":{"a":"<D>"}}]}"#,
            ),
            (
                r#"{"kind":"Table","rows":[{"cells":["db","Opaque",1,"5m"],"object":{"data":{"a":"x"}}}]}"#,
                r#"{"kind":"Table","rows":[{"cells":["db","Opaque",1,"5m"],"object":{"data":{"a":"<D>"}}}]}"#,
            ),
            (
                r#"{"kind":"PartialObjectMetadata","metadata":{"annotations":{"a":"x","kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"x\"}}"}}}"#,
                r#"{"kind":"PartialObjectMetadata","metadata":{"annotations":{"a":"x","kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"<D>\"}}"}}}"#,
            ),
            (
                r#"{"kind":"Status","message":"x is bad","details":{"causes":[{"message":"x","field":"data"}]}}"#,
                r#"{"kind":"Status","message":"<T>","details":{"causes":[{"message":"<T>","field":"data"}]}}"#,
            ),
        ],
    );
}

#[test]
fn watch_events() {
    check(
        Framing::Sequence,
        &[
            ("", ""),
            ("\n", "\n"),
            (
                "{\"type\":\"ADDED\",\"object\":{\"data\":{\"a\":\"x\"}}}\n{\"type\":\"DELETED\",\"object\":{\"data\":{\"a\":\"x\"}}}",
                "{\"type\":\"ADDED\",\"object\":{\"data\":{\"a\":\"<D>\"}}}\n{\"type\":\"DELETED\",\"object\":{\"data\":{\"a\":\"<D>\"}}}",
            ),
            (
                r#"{"object":{"kind":"Table","rows":[{"object":{"data":{"a":"x"}}}]}}{"object":{"items":[{"data":{"a":"x"}}]}}"#,
                r#"{"object":{"kind":"Table","rows":[{"object":{"data":{"a":"<D>"}}}]}}{"object":{"items":[{"data":{"a":"<D>"}}]}}"#,
            ),
            (
                r#"{"type":"ERROR","object":{"kind":"Status","message":"x","code":410}}"#,
                r#"{"type":"ERROR","object":{"kind":"Status","message":"<T>","code":410}}"#,
            ),
        ],
    );
}

/// The last-applied annotation, by the text of its string.
fn applied(text: &str) -> String {
    format!(
        r#"{{"metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{text}}}}}}}"#
    )
}

#[test]
fn last_applied_manifests() {
    let cases = [
        (r#""{}\n""#, r#""{}\n""#),
        (
            r#""{\"data\":{\"a\":\"x\"},\"kind\":\"Secret\"}\n""#,
            r#""{\"data\":{\"a\":\"<D>\"},\"kind\":\"Secret\"}\n""#,
        ),
        (r#""{\"d\\u0061ta\":{\"a\":\"x\\\"\\\\\"}}""#, r#""{\"d\\u0061ta\":{\"a\":\"<D>\"}}""#),
        (
            r#""\u007b\u0022data\u0022:{\u0022a\u0022:\u0022x\u0022}}""#,
            r#""\u007b\u0022data\u0022:{\u0022a\u0022:\u0022<D>\u0022}}""#,
        ),
        (r#""{\"stringData\":{\"a\":12,\"b\":null}}""#, r#""{\"stringData\":{\"a\":\"<T>\",\"b\":null}}""#),
        (r#""{\"items\":[{\"data\":{\"a\":\"x\"}}]}""#, r#""{\"items\":[{\"data\":{\"a\":\"<D>\"}}]}""#),
        (
            r#""{\"x\":\"\ud83d\udd11é中\",\"data\":{\"🔑\":\"🔑\"}}""#,
            r#""{\"x\":\"\ud83d\udd11é中\",\"data\":{\"🔑\":\"<D>\"}}""#,
        ),
        (
            r#""{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}}}""#,
            r#""{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"<T>\"}}}""#,
        ),
        ("null", "null"),
        ("{\"data\":{\"a\":\"x\"}}", "\"<T>\""),
        ("5", "\"<T>\""),
    ];
    for (input, expected) in cases {
        check(Framing::One, &[(&applied(input), &applied(expected))]);
    }
}

#[test]
fn last_applied_that_is_no_manifest() {
    let cases = [
        (r#""""#, r#""""#),
        (r#""hunter2""#, r#""<T>""#),
        (r#""data:\n  a: x""#, r#""<T>""#),
        (r#"" {}""#, r#""<T>""#),
        (r#""\"x\"""#, r#""<T>""#),
        (r#""[{\"data\":{\"a\":\"x\"}}]""#, r#""<T>""#),
        (r#""{} {\"data\":{\"a\":\"x\"}}""#, r#""{} <T>""#),
        (r#""{\"a\":1,data:{\"a\":\"x\"}}""#, r#""{\"a\":1,<T>""#),
        (r#""{\"a\":\"b\ndata: x\"}""#, r#""{\"a\":\"b\n<T>""#),
        (r#""{\"data\":{\"a\":\"x\ny\"}}""#, r#""{\"data\":{\"a\":\"<D>""#),
        (r#""{\"data\":{\"a\":\"x""#, r#""{\"data\":{\"a\":\"<D>""#),
        (r#""{\"data\":{\"a\":12x}}""#, r#""{\"data\":{\"a\":\"<D>\"<T>""#),
        (r#""{\"a\":\"\\ud83dx\"}""#, r#""{\"a\":\"\\ud83d\n<T>""#),
        (r#""{\"a\":tru""#, r#""{\"a\":tru""#),
    ];
    for (input, expected) in cases {
        check(
            Framing::One,
            &[(&applied(input), &applied(expected)), (&filled(&applied(expected)), &applied(expected))],
        );
    }
}

#[test]
fn refuses_what_is_not_json() {
    let cases: &[(&[u8], u64, What)] = &[
        (b"", 0, What::Truncated),
        (b" ", 1, What::Truncated),
        (b"{", 1, What::Truncated),
        (b"{\"a\":\"b", 7, What::Truncated),
        (b"[]", 0, What::NotAnObject),
        (b"null", 0, What::NotAnObject),
        (b"\xEF\xBB\xBF{}", 0, What::NotAnObject),
        (b"{}{}", 2, What::Unexpected),
        (b"{} x", 3, What::Unexpected),
        (b"{\"a\" 1}", 5, What::Unexpected),
        (b"{\"a\":1,}", 7, What::Unexpected),
        (b"{\"a\":[1,]}", 8, What::Unexpected),
        (b"{\"a\":[1}", 7, What::Unexpected),
        (b"{a:1}", 1, What::Unexpected),
        (b"{'a':1}", 1, What::Unexpected),
        (b"{/**/}", 1, What::Unexpected),
        (b"{\"a\":+1}", 5, What::Unexpected),
        (b"{\"a\":NaN}", 5, What::Unexpected),
        (b"{\"a\":01}", 6, What::Unexpected),
        (b"{\"a\":-}", 6, What::BadNumber),
        (b"{\"a\":1.}", 7, What::BadNumber),
        (b"{\"a\":1e}", 7, What::BadNumber),
        (b"{\"a\":nul}", 8, What::BadLiteral),
        (b"{\"a\":\"\n\"}", 6, What::ControlCharacter),
        (b"{\"a\":\"\x00\"}", 6, What::ControlCharacter),
        (b"{\"a\":\"\\x\"}", 7, What::BadEscape),
        (b"{\"a\":\"\\u00g0\"}", 10, What::BadEscape),
        (b"{\"a\":\"\\ud800\"}", 12, What::LoneSurrogate),
        (b"{\"a\":\"\\ud800\\n\"}", 13, What::LoneSurrogate),
        (b"{\"a\":\"\\ud800\\ud800\"}", 17, What::LoneSurrogate),
        (b"{\"a\":\"\\udc00\"}", 11, What::LoneSurrogate),
        (b"{\"a\":\"\xff\"}", 6, What::NotUtf8),
        (b"{\"a\":\"\xc0\x80\"}", 6, What::NotUtf8),
        (b"{\"a\":\"\xed\xa0\x80\"}", 7, What::NotUtf8),
        (b"{\"a\":\"\xe4\xb8\"}", 8, What::NotUtf8),
        (b"{\"a\":\"\xf4\x90\x80\x80\"}", 7, What::NotUtf8),
    ];
    for (input, offset, what) in cases {
        let name = input.escape_ascii();
        let error = mask(Framing::One, Places::Secrets, input).unwrap_err();
        assert_eq!((error.offset, error.what), (*offset, *what), "{name}");
        let chunked = mask_in(Framing::One, Places::Nowhere, input, || 1).unwrap_err();
        assert_eq!(chunked.what, *what, "{name}");
    }
}

#[test]
fn refusals_say_where_and_never_what() {
    let error = mask(Framing::One, Places::Secrets, br#"{"data":{"a":"CANARY" CANARY"#).unwrap_err();
    insta::assert_snapshot!(error, @"malformed answer at byte 22: unexpected byte");
    assert!(!format!("{error:?}").contains("CANARY"));
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(mask_secret(&nested(MAX_DEPTH)).is_ok());
    for depth in [MAX_DEPTH + 1, 10_000] {
        let error = mask_secret(&nested(depth)).unwrap_err();
        assert_eq!(error.what, What::TooDeep);
    }
    // In a replaced value too.
    let error = mask_secret(&format!("{{\"data\":{{\"a\":{}", "[".repeat(10_000))).unwrap_err();
    assert_eq!(error.what, What::TooDeep);
}

#[test]
fn long_strings() {
    let long = "x".repeat(1 << 20);
    let out = mask_secret(&format!(r#"{{"{long}":"{long}","data":{{"{long}":"{long}"}}}}"#)).unwrap();
    assert_eq!(out, filled(&format!(r#"{{"{long}":"{long}","data":{{"{long}":"<D>"}}}}"#)));
}

#[test]
fn what_is_not_changed_is_not_copied() {
    let mut masker = Masker::new(Framing::One, &Places::Secrets.rules());
    let chunk = Bytes::from_static(br#"{"metadata":{"name":"db"}}"#);
    assert_eq!(masker.push(chunk.clone()).unwrap().as_ptr(), chunk.as_ptr());
}

#[test]
fn an_event_goes_out_as_soon_as_it_is_there() {
    let mut masker = Masker::new(Framing::Sequence, &Places::Secrets.rules());
    for _ in 0..3 {
        let out = masker.push(Bytes::from_static(br#"{"object":{"data":{"a":"x"}}}"#)).unwrap();
        assert_eq!(out, filled(r#"{"object":{"data":{"a":"<D>"}}}"#));
        assert_eq!(masker.finish(), Ok(()));
    }
    assert_eq!(masker.masked(), 3);
}

#[test]
fn nothing_comes_after_a_failure() {
    let mut masker = Masker::new(Framing::Sequence, &Places::Secrets.rules());
    let error = masker.push(Bytes::from_static(b"{} x")).unwrap_err();
    assert_eq!(masker.push(Bytes::from_static(b"{}")), Err(error));
    assert_eq!(masker.finish(), Err(error));
}

#[test]
fn what_was_masked_is_recognised() {
    let out = mask_secret(&applied(r#""{\"data\":{\"a\":\"x\"}}""#)).unwrap();
    assert!(placeholder_in(&out));
}
