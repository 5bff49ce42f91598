//! Escape sequences hide no value, and come out as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::support::*;
use super::*;

#[test]
fn a_sequence_between_any_two_letters() {
    let known = known(&[VALUE]);
    for Spelling { text: form, core, .. } in forms(VALUE) {
        for (n, at) in (core.start + 1..core.end).enumerate() {
            let sequence = SEQUENCES[n % SEQUENCES.len()];
            let text = format!("a [{}{sequence}{}] b", &form[..at], &form[at..]);
            // The characters of base64 next to it may go with it.
            let out = shown(&in_all_ways(&known, text.as_bytes()));
            let (before, after) = out.split_once('#').unwrap();
            let after = after.strip_prefix(sequence).unwrap();
            assert!(before == &format!("a [{form}")[..before.len()], "{out:?}");
            assert!(before.len() + 1 >= core.start + 3 && before.len() <= core.start + 3, "{out:?}");
            assert!(form.ends_with(after.strip_suffix("] b").unwrap()), "{out:?}");
            let rest = form.len() - core.end;
            assert!((rest.saturating_sub(1)..=rest).contains(&(after.len() - 3)), "{out:?}");
        }
    }
}

#[test]
fn all_sequences_at_every_place() {
    let known = known(&[VALUE]);
    for sequence in SEQUENCES {
        let letters: Vec<String> = VALUE.chars().map(String::from).collect();
        let text = format!("{sequence}a {sequence}{}{sequence} b{sequence}", letters.join(sequence));
        let expected = format!("{sequence}a {sequence}#{}{sequence} b{sequence}", sequence.repeat(11));
        assert_eq!(shown(&in_all_ways(&known, text.as_bytes())), expected);
    }
}

#[test]
fn what_programs_print() {
    let known = known(&[VALUE]);
    for (text, expected) in [
        // grep --color=always fTq2
        ("db: Xk9\x1b[01;31m\x1b[KfTq2\x1b[m\x1b[KLm8Zr\n", "db: #\x1b[01;31m\x1b[K\x1b[m\x1b[K\n"),
        // ls --color, of a file that is called so.
        ("\x1b[0m\x1b[01;34mXk9fTq2Lm8Zr\x1b[0m\n", "\x1b[0m\x1b[01;34m#\x1b[0m\n"),
        // A window's title, a link, the clipboard.
        ("\x1b]0;Xk9fTq2Lm8Zr\x07$ ", "\x1b]0;#\x07$ "),
        ("\x1b]8;;https://h/Xk9fTq2Lm8Zr\x1b\\h\x1b]8;;\x1b\\", "\x1b]8;;https://h/#\x1b\\h\x1b]8;;\x1b\\"),
        ("\x1b]52;c;WGs5ZlRxMkxtOFpy\x07", "\x1b]52;c;#\x07"),
        // Neighbours are one, whatever is hidden between them.
        ("Xk9fTq2Lm8Zr\x1b[0mXk9fTq2Lm8Zr \x1b[1mXk9fTq2Lm8Zr", "#\x1b[0m \x1b[1m#"),
        // What a terminal takes for part of a sequence is printed all the same.
        ("\x1b[Xk9fTq2Lm8Zr", "\x1b[#"),
        ("\x1bXk9fTq2Lm8Zr", "\x1b#"),
        ("\x1b(Xk9fTq2Lm8Zr\x1b[0m", "\x1b(#\x1b[0m"),
        // Not a value: other control characters are shown, or move what follows.
        ("Xk9f\x08Tq2Lm8Zr Xk9f\0Tq2Lm8Zr", "Xk9f\x08Tq2Lm8Zr Xk9f\0Tq2Lm8Zr"),
    ] {
        assert_eq!(shown(&in_all_ways(&known, text.as_bytes())), expected);
    }
}

/// Random keys have bytes that look like sequences. None of those comes out.
#[test]
fn values_that_hold_sequences() {
    let number = "8306174925836194";
    let binary = b"\x8f\x1b[1mQ\x0e\xd3\x1b\x9aZk\x07\xee\x1b7\xc4\x0f\xb2";
    let known = known(&[binary.as_slice(), number.as_bytes()]);
    for (text, expected) in [
        (binary.to_vec(), b"#".to_vec()),
        ([b"a\x1b[", binary.as_slice(), b"\x1b[0mb"].concat(), b"a\x1b[#\x1b[0mb".to_vec()),
        (format!("\x1b[{number}m").into_bytes(), b"\x1b[#m".to_vec()),
        (format!("\x1b[1;3{number}m x\n").into_bytes(), b"\x1b[1;3#m x\n".to_vec()),
    ] {
        let out = in_all_ways(&known, &text);
        assert_eq!(shown(&out).as_bytes(), expected, "{text:?}");
    }
}

#[test]
fn colours_do_not_hide_a_shape() {
    let known = KnownValues::none();
    for (text, expected) in [
        ("a \x1b[31mghp_0123456789abcdef\x1b[1mABCDEF0123456789abcd\x1b[0m b", "a \x1b[31m#\x1b[1m\x1b[0m b"),
        (
            "pass\x1b[1mword\x1b[0m=\x1b[32mhunter2hunter2\x1b[0m b",
            "pass\x1b[1mword\x1b[0m=\x1b[32m#\x1b[0m b",
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\x1b[0m\nMHcC\x1b[1mAQEE\n-----END EC PRIVATE \x1b[0mKEY----- b",
            "#\x1b[0m\x1b[1m\x1b[0m b",
        ),
    ] {
        assert_eq!(shown(&in_all_ways(&known, text.as_bytes())), expected);
    }
}

/// What counts its bytes is compared as it is.
#[test]
fn only_text_has_sequences() {
    let text = "Xk9fTq\x1b[0m2Lm8Zr Xk9fTq2Lm8Zr";
    for content in [Content::Json, Content::Opaque] {
        let mut redactor = Redactor::new(known(&[VALUE]), content);
        let mut out = steps(&mut redactor, [text.as_bytes()], || Lull::Idle);
        out.truncate(17);
        assert_eq!(out, b"Xk9fTq\x1b[0m2Lm8Zr ");
    }
}

/// Little is held back whatever comes. Where there are so many that a value is decided in parts, its last one is masked, and no part
/// tells whether it is one's.
#[test]
fn kilobytes_of_sequences() {
    let known = known(&[VALUE]);
    for (sequence, times) in [("\x1b[0m", 30_000), ("\x1b[1;31;42m", 700), ("\x0f", 5000), ("\x1b[0m", 600)] {
        for at in 1..VALUE.len() {
            let between = sequence.repeat(times);
            let text = format!("a {}{between}{}{between} b\n", &VALUE[..at], &VALUE[at..]);
            let expected = whole(&known, text.as_bytes());
            let out = shown(&expected);
            assert!(out.contains('#') && !out.contains(&VALUE[at..]), "{at}: {out}");
            // Only where it looks like a value is the text another one, and no sequence is lost.
            assert_eq!(
                out.replace(|c: char| c.is_ascii_alphanumeric() || c == '#', "").len(),
                text.replace(|c: char| c.is_ascii_alphanumeric(), "").len()
            );
            for chunk in [97, 4096] {
                let mut redactor = Redactor::new(known.clone(), Content::Text);
                let mut out = Vec::new();
                for chunk in text.as_bytes().chunks(chunk) {
                    out.extend_from_slice(&redactor.push(Bytes::copy_from_slice(chunk), &[]));
                    assert!(redactor.tail.len() < 8 << 10, "{}", redactor.tail.len());
                }
                out.extend_from_slice(&redactor.finish());
                assert!(out == expected, "{at} in chunks of {chunk}");
            }
        }
    }
}

/// What begins in the middle of a value, as a log may: the rest is masked if it is long enough, whatever is before it.
#[test]
fn a_text_that_begins_in_the_middle_of_a_value() {
    let known = known(&[LONG]);
    let shown_cut = |text: &str, chunk: usize| {
        let mut redactor = Redactor::new(known.clone(), Content::Text).cut();
        shown(&steps(&mut redactor, text.as_bytes().chunks(chunk), || Lull::None))
    };
    let encoded = STANDARD.encode(format!("ab{LONG}"));
    for (text, expected) in [
        (format!("{} b\n", &LONG[1..]), "# b\n"),
        (format!("{} b\n", &LONG[8..]), "# b\n"),
        (format!("\x1b[1m{}\x1b[0m{} b", &LONG[3..9], &LONG[9..]), "\x1b[1m#\x1b[0m b"),
        (encoded[3..].to_owned(), "#=="),
        (encoded[9..].to_owned(), "#=="),
        // Whatever stands where the beginning would be.
        (format!("no {} b\n", &LONG[8..]), "# b\n"),
        // Too little of it; not at the beginning; a whole one, before which nothing is masked.
        (format!("{} b\n", &LONG[10..]), "8VbQd4Gp6N b\n"),
        (format!("a\n{} b\n", &LONG[1..]), "a\n7Rt9zK2xw8VbQd4Gp6N b\n"),
        (format!("a {LONG} b\n"), "a # b\n"),
        (format!("{LONG}\n"), "#\n"),
        (String::new(), ""),
        // The time that stands before it.
        (
            format!("2026-11-27T04:40:24.123456789Z {} b\n", &LONG[1..]),
            "2026-11-27T04:40:24.123456789Z # b\n",
        ),
    ] {
        for chunk in 1..=text.len().max(1) {
            assert_eq!(shown_cut(&text, chunk), expected, "{text:?} in chunks of {chunk}");
        }
    }
}
