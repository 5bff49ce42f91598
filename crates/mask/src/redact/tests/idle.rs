//! What is given out when nothing more comes, and what of a value that is written slowly is seen.

use super::support::*;
use super::*;

fn text(values: &[&str]) -> Redactor {
    Redactor::new(known(values), Content::Text)
}

#[test]
fn a_prompt_is_shown() {
    let mut redactor = text(&[VALUE]);
    assert_eq!(push(&mut redactor, "total 0\n/ # "), "total 0\n");
    assert!(redactor.is_holding());
    assert_eq!(idle(&mut redactor), "/ # ");
    assert!(!redactor.is_holding());
    assert_eq!(idle(&mut redactor), "");
    // The echo of what is typed.
    assert_eq!(push(&mut redactor, "l"), "");
    assert_eq!(idle(&mut redactor), "l");
    assert_eq!(push(&mut redactor, "\x1b[1ms\x1b[0"), "");
    assert_eq!(idle(&mut redactor), "\x1b[1ms");
    assert_eq!(push(&mut redactor, "m\n"), "\x1b[0m\n");
    assert!(!redactor.is_holding());
}

#[test]
fn what_may_become_a_value_is_not() {
    let mut redactor = text(&[VALUE]);
    assert_eq!(push(&mut redactor, "a Xk9f"), "");
    assert_eq!(idle(&mut redactor), "a ");
    assert!(!redactor.is_holding());
    assert_eq!(idle(&mut redactor), "");
    // It is none.
    assert_eq!(push(&mut redactor, "x"), "");
    assert_eq!(idle(&mut redactor), "Xk9fx");
    // It is one.
    assert_eq!(push(&mut redactor, " Xk9fT\x1b[0m"), "");
    assert_eq!(idle(&mut redactor), " ");
    assert_eq!(push(&mut redactor, "q2Lm8Zr") + &idle(&mut redactor), "#\x1b[0m");
    assert_eq!(push(&mut redactor, " Xk9fTq2Lm8"), "");
    assert_eq!(idle(&mut redactor), " ");
    assert_eq!(shown(&redactor.finish()), "Xk9fTq2Lm8");
}

/// Other contents have an end, and come to it.
#[test]
fn only_text_is_given_out() {
    for content in [Content::Json, Content::Opaque] {
        let mut redactor = Redactor::new(known(&[VALUE]), content);
        assert_eq!(push(&mut redactor, "{\"a\":1}"), "");
        assert!(!redactor.is_holding());
        assert_eq!(idle(&mut redactor), "");
        assert_eq!(shown(&redactor.finish()), "{\"a\":1}");
    }
}

#[test]
fn three_bytes_at_most_are_seen_of_a_value_that_is_written_slowly() {
    let known = known(&[VALUE]);
    for (form, core) in forms() {
        let line = format!("a [{form}] b");
        let mut redactor = Redactor::new(known.clone(), Content::Text);
        let out = shown(&steps(&mut redactor, line.as_bytes().chunks(1), || true));
        let (before, after) = out.split_once('#').unwrap();
        assert_eq!(before, &line[..3 + core.start + 3], "{out}");
        assert!(line.ends_with(after) && after.len() <= line.len() - 3 - core.end, "{out}");
        assert_eq!(redactor.masked(), 1);
    }
}

#[test]
fn a_match_that_goes_on_stays_masked() {
    let longer = format!("{VALUE}w7Rt9zK2xw8Vb");
    let mut redactor = text(&[VALUE, &longer]);
    assert_eq!(push(&mut redactor, &format!("a {VALUE}\x1b[0m")), "");
    assert_eq!(idle(&mut redactor), "a #\x1b[0m");
    assert_eq!(push(&mut redactor, "w7R"), "");
    // The longer one may go on: not even three bytes of its rest are seen.
    assert_eq!(idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "t9zK2xw8Vb") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, ".\n"), ".\n");
    assert_eq!(redactor.masked(), 1);
    // It does not go on.
    assert_eq!(push(&mut redactor, VALUE) + &idle(&mut redactor), "#");
    assert_eq!(push(&mut redactor, "w7") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "x") + &idle(&mut redactor), "w7x");
}

/// Long values are looked for in pieces, none of which is seen to begin.
#[test]
fn long_values_byte_by_byte() {
    let mut state = 1_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                [usize::try_from(state >> 33).unwrap() % 62],
        )
    };
    for length in [250, 256, 257, 600, 1000] {
        let value: String = (0..length).map(|_| letter()).collect();
        for sequence in ["", "\x1b[0m"] {
            let letters: Vec<String> = value.chars().map(|letter| format!("{letter}{sequence}")).collect();
            let mut redactor = text(&[&value]);
            let chunks = letters.iter().map(String::as_bytes);
            let out = shown(&steps(&mut redactor, chunks, || true)).replace(sequence, "");
            assert_eq!(out, format!("{}#", &value[..3]), "{length} bytes");
        }
    }
}

/// What a terminal takes for a sequence may be part of a value, or its beginning.
#[test]
fn values_that_look_like_sequences_byte_by_byte() {
    let binary = b"\x8f\x1b[1mQ\x0e\xd3\x1b\x9aZk\x07\xee\x1b7\xc4\x0f\xb2";
    let known = known(&[binary.as_slice(), VALUE.as_bytes()]);
    for (before, value) in
        [(&b"a "[..], binary.as_slice()), (b"a \x1b[", VALUE.as_bytes()), (b"a \x1b(", VALUE.as_bytes())]
    {
        let text = [before, value, b"."].concat();
        let mut redactor = Redactor::new(known.clone(), Content::Text);
        let out = steps(&mut redactor, text.chunks(1), || true);
        let masked = [PLACEHOLDER.as_bytes(), b"."].concat();
        let seen = out.strip_suffix(masked.as_slice()).unwrap();
        assert!(text.starts_with(seen) && seen.len() <= before.len() + 3, "{}", shown(&out));
    }
}

#[test]
fn the_characters_of_base64_beside_a_value_go_with_it() {
    let mut redactor = text(&[VALUE]);
    // YTpYazlmVHEyTG04WnI6eA== is a:Xk9fTq2Lm8Zr:x
    assert_eq!(push(&mut redactor, "YTpYazlm"), "");
    assert_eq!(idle(&mut redactor), "YT");
    assert_eq!(push(&mut redactor, "VHEyTG04Wn") + &idle(&mut redactor), "#");
    assert_eq!(push(&mut redactor, "I") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "6eA==\n"), "6eA==\n");
    assert_eq!(redactor.masked(), 1);
}

/// What is certain to be a credential stays masked; what might have become one is shown, and its rest is not.
#[test]
fn shapes() {
    let mut redactor = text(&[VALUE]);
    let token = "ghp_0123456789abcdefABCDEF0123456789abcd";
    assert_eq!(push(&mut redactor, &format!("a {token}")) + &idle(&mut redactor), "a #");
    assert_eq!(push(&mut redactor, "ef0") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "1 b\n"), " b\n");
    assert_eq!(push(&mut redactor, "password: hunter2") + &idle(&mut redactor), "password: #");
    assert_eq!(push(&mut redactor, "hunter2") + &idle(&mut redactor), "");
    // However far its beginning is away.
    let rest = "0123456789".repeat(12);
    let mut rest = rest.as_bytes().chunks(1).map(shown);
    assert!(rest.all(|digit| (push(&mut redactor, &digit) + &idle(&mut redactor)).is_empty()));
    assert_eq!(push(&mut redactor, " x\n"), " x\n");
    assert_eq!(push(&mut redactor, "a ghp_0123") + &idle(&mut redactor), "a ghp_0123");
    assert_eq!(push(&mut redactor, "456789abcdefABCDEF0123456789abcd\n"), "#\n");
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcC";
    assert_eq!(push(&mut redactor, key) + &idle(&mut redactor), "#");
    assert_eq!(push(&mut redactor, "AQEE\nxyz") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "\n-----END EC PRIVATE KEY-----\n"), "\n");
}

/// A value becomes known while its beginning waits.
#[test]
fn an_update_is_seen() {
    let known = known(&["w7Rt9zK2xw8Vb"]);
    let mut redactor = Redactor::new(known.clone(), Content::Text);
    assert_eq!(push(&mut redactor, "a Xk9fTq2"), "");
    let _updated = known.update([crate::SecretValue::new(VALUE.into())]);
    assert_eq!(idle(&mut redactor), "a ");
    assert_eq!(push(&mut redactor, "Lm8Zr b\n"), "# b\n");
}
