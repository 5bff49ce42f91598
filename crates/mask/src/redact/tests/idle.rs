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

/// Where nobody waits for a part of a word, a value that is written slowly is not cut in two.
#[test]
fn words_are_whole_after_a_pause() {
    let mut redactor = text(&[VALUE]);
    assert_eq!(push(&mut redactor, "total 0\na Xk9f"), "total 0\n");
    assert_eq!(pause(&mut redactor), "a ");
    assert!(redactor.is_holding());
    assert_eq!(pause(&mut redactor), "");
    assert_eq!(push(&mut redactor, "Tq2Lm\x1b[1m8Z") + &pause(&mut redactor), "");
    assert_eq!(push(&mut redactor, "r . b") + &pause(&mut redactor), "#\x1b[1m . ");
    assert_eq!(idle(&mut redactor), "b");
    assert!(!redactor.is_holding());
    assert_eq!(pause(&mut redactor), "");
    // What begins in a word that is held, and what runs on in it.
    assert_eq!(push(&mut redactor, " password=hunter2hunt") + &pause(&mut redactor), " ");
    assert_eq!(push(&mut redactor, "er2 b") + &pause(&mut redactor), "password=# ");
    assert_eq!(push(&mut redactor, "\n"), "b\n");
}

/// Of what has begun like a value nothing is held back: that would show.
#[test]
fn what_may_become_a_value_is_shown() {
    let mut redactor = text(&[VALUE]);
    assert_eq!(push(&mut redactor, "a Xk9f"), "");
    assert_eq!(idle(&mut redactor), "a Xk9f");
    assert!(!redactor.is_holding());
    assert_eq!(push(&mut redactor, "x") + &idle(&mut redactor), "x");
    // It is one: what has not been seen of it is not.
    assert_eq!(push(&mut redactor, " Xk9fT\x1b[0m") + &idle(&mut redactor), " Xk9fT\x1b[0m");
    assert_eq!(push(&mut redactor, "q2Lm8Zr .") + &idle(&mut redactor), "# .");
}

/// From where a value would be looked for by itself, all of its line is masked: whether that is the value's own does not show.
#[test]
fn what_nobody_guesses_is_masked_with_the_rest_of_its_line() {
    for rest in ["", "b", "bQd4", "xQd4", " Qd4", "bQd4Gp6", "bQd4Gp6x"] {
        let mut redactor = text(&[LONG]);
        let begun = push(&mut redactor, &format!("$ w7Rt9zK2xw8V{rest}"));
        assert_eq!(begun + &idle(&mut redactor), "$ #", "{rest}");
        assert_eq!(push(&mut redactor, "y z") + &idle(&mut redactor), "", "{rest}");
        assert_eq!(push(&mut redactor, "\n") + &push(&mut redactor, "x\n"), "\nx\n");
        assert_eq!(redactor.masked(), 1);
    }
    // A whole one ends where it ends, but that a longer one may go on with more of the word.
    for (rest, then) in [("", " z"), ("x", " z"), (" x", "yy z")] {
        let mut redactor = text(&[LONG]);
        let shown = push(&mut redactor, &format!("$ {LONG}{rest}")) + &idle(&mut redactor);
        assert_eq!(
            shown + &push(&mut redactor, "yy z\n"),
            format!("$ #{}{then}\n", rest.trim_start_matches('x'))
        );
    }
}

/// Values of several words, and binary ones: what stands between their breaks is not seen either.
#[test]
fn values_with_breaks_in_them() {
    let cookie = ["w7Rt9zK2xw8VbQd4", "Gp6NZq81kLmT0xWv", "hF82nVq0ZtYpXk9f"].join("; ").repeat(9);
    let binary: Vec<u8> =
        (1..60_u8).map(|byte| byte.wrapping_mul(89) ^ 0xb5).filter(|byte| *byte != b'\n').collect();
    for value in [
        b"w7Rt9zK2xw8V bQd4Gp6NZq81kLmT0xWv hF82nVq0ZtYp".as_slice(),
        b"k=\"w7Rt9zK2xw8V\" p=\"bQd4Gp6NZq81kLmT0xWv\"",
        cookie.as_bytes(),
        &binary,
    ] {
        for at in 16..value.len() {
            for lull in [Lull::Pause, Lull::Idle] {
                let mut redactor = text(&[]);
                redactor.known = known(&[value]);
                let (begun, rest) = value.split_at(at);
                let mut lulls = [lull, Lull::None].into_iter();
                let out =
                    shown(&steps(&mut redactor, [begun, rest, b"\n"], || lulls.next().unwrap_or(Lull::None)));
                let seen = out.trim_end_matches('\n').replace('#', "");
                assert!(seen.len() < 20, "{at} {lull:?}: {out}");
            }
        }
    }
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
fn the_beginning_of_a_value_that_is_written_slowly_is_seen() {
    let known = known(&[LONG]);
    for Spelling { text: form, core, head } in forms(LONG) {
        let line = format!("a [{form}] b");
        for (lull, seen) in [(Lull::Idle, head - 1), (Lull::Pause, core.start)] {
            let mut redactor = Redactor::new(known.clone(), Content::Text);
            let out = shown(&steps(&mut redactor, line.as_bytes().chunks(1), || lull));
            let (before, after) = out.split_once('#').unwrap();
            // The character of base64 before it may go with it.
            assert!(before == &line[..3 + seen] || before == &line[..3 + seen - 1], "{out}");
            assert!(line.ends_with(after) && after.len() <= line.len() - 3 - core.end, "{out}");
            assert_eq!(redactor.masked(), 1);
        }
    }
}

#[test]
fn a_match_that_goes_on_stays_masked() {
    let longer = format!("{VALUE}w7Rt9zK2xw8Vb");
    let mut redactor = text(&[VALUE, &longer]);
    assert_eq!(push(&mut redactor, &format!("a {VALUE}\x1b[0m")), "");
    assert_eq!(idle(&mut redactor), "a #\x1b[0m");
    // The longer one may go on, or not.
    assert_eq!(push(&mut redactor, "w7R") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "t9zK2xw8Vb") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, " .\n"), " .\n");
    assert_eq!(redactor.masked(), 1);
    // Nor does it show whether there is a longer one.
    for values in [&[VALUE, &longer][..], &[VALUE]] {
        let mut redactor = text(values);
        assert_eq!(push(&mut redactor, VALUE) + &idle(&mut redactor), "#");
        assert_eq!(push(&mut redactor, "w7x") + &idle(&mut redactor), "");
        assert_eq!(push(&mut redactor, " x\n"), " x\n");
    }
}

/// Long values are looked for in pieces, of which the first is seen to begin.
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
            let out = shown(&steps(&mut redactor, chunks, || Lull::Idle)).replace(sequence, "");
            let seen = out.strip_suffix('#').unwrap();
            assert!(value.starts_with(seen) && seen.len() < 16, "{length} bytes: {out}");
        }
    }
}

/// What a terminal takes for a sequence may be part of a value, or its beginning.
#[test]
fn values_that_look_like_sequences_byte_by_byte() {
    let binary = b"\x8f\x1b[1mQ\x0e\xd3\x1b\x9aZk\x07\xee\x1b7\xc4\x0f\xb2";
    let known = known(&[binary.as_slice(), LONG.as_bytes()]);
    for (before, value) in
        [(&b"a "[..], binary.as_slice()), (b"a \x1b[", LONG.as_bytes()), (b"a \x1b(", LONG.as_bytes())]
    {
        let text = [before, value, b"."].concat();
        let mut redactor = Redactor::new(known.clone(), Content::Text);
        let out = shown(&steps(&mut redactor, text.chunks(1), || Lull::Idle));
        let seen = out.split('#').next().unwrap();
        assert!(shown(&text).starts_with(seen) && seen.len() <= before.len() + 20, "{out:?}");
        assert!(!out.contains(&shown(&value[value.len() - 2..])), "{out:?}");
    }
}

#[test]
fn the_characters_of_base64_beside_a_value_go_with_it() {
    let mut redactor = text(&[VALUE]);
    // YTpYazlmVHEyTG04WnI6eA== is a:Xk9fTq2Lm8Zr:x
    assert_eq!(push(&mut redactor, "YTpYazlm"), "");
    assert_eq!(pause(&mut redactor), "");
    assert_eq!(push(&mut redactor, "VHEyTG04Wn"), "");
    assert_eq!(idle(&mut redactor), "YT#");
    assert_eq!(push(&mut redactor, "I") + &idle(&mut redactor), "");
    assert_eq!(push(&mut redactor, "6eA==\n"), "\n");
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
    assert_eq!(pause(&mut redactor), "a ");
    assert_eq!(push(&mut redactor, "Lm8Zr b\n"), "# b\n");
}
