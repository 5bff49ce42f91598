use super::*;

fn spelled(value: &[u8]) -> Vec<String> {
    let part = Part { bytes: Zeroizing::new(value.to_vec()), spelled: Spelled::Anyhow };
    let mut forms: Vec<String> =
        forms(&part).iter().map(|form| String::from_utf8_lossy(&form.bytes).into_owned()).collect();
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[test]
fn a_plain_password() {
    insta::assert_snapshot!(spelled(b"Xk9fTq2Lm8Zr").join("\n"), @r"
    %58%6B%39%66%54%71%32%4C%6D%38%5A%72
    %58%6b%39%66%54%71%32%4c%6d%38%5a%72
    586B39665471324C6D385A72
    586b39665471324c6d385a72
    WGs5ZlRxMkxtOFpy
    Xk9fTq2Lm8Zr
    YazlmVHEyTG04Wn
    hrOWZUcTJMbThac
    ");
}

#[test]
fn a_password_of_everything() {
    insta::assert_snapshot!(spelled("a\"b\\c/d<é>&\n\t\u{c} z~x".as_bytes()).join("\n"), @r##"
    %61%22%62%5C%63%2F%64%3C%C3%A9%3E%26%0A%09%0C%20%7A%7E%78
    %61%22%62%5c%63%2f%64%3c%c3%a9%3e%26%0a%09%0c%20%7a%7e%78
    6122625C632F643CC3A93E260A090C207A7E78
    6122625c632f643cc3a93e260a090c207a7e78
    EiYlxjL2Q8w6k+JgoJDCB6fn
    EiYlxjL2Q8w6k-JgoJDCB6fn
    YSJiXGMvZDzDqT4mCgkMIHp+e
    YSJiXGMvZDzDqT4mCgkMIHp-e
    a%22b%5Cc%2Fd%3C%C3%A9%3E%26%0A%09%0C%20z~x
    a%22b%5Cc%2Fd%3C%C3%A9%3E%26%0A%09%0C+z%7Ex
    a%22b%5Cc%2Fd%3C%C3%A9%3E%26%0A%09%0C+z~x
    a%22b%5Cc%2Fd%3C%C3%A9%3E&%0A%09%0C%20z~x
    a%22b%5Cc/d%3C%C3%A9%3E&%0A%09%0C%20z~x
    a%22b%5cc%2fd%3c%c3%a9%3e%26%0a%09%0c%20z~x
    a%22b%5cc%2fd%3c%c3%a9%3e%26%0a%09%0c+z%7ex
    a%22b%5cc%2fd%3c%c3%a9%3e%26%0a%09%0c+z~x
    a%22b%5cc%2fd%3c%c3%a9%3e&%0a%09%0c%20z~x
    a%22b%5cc/d%3c%c3%a9%3e&%0a%09%0c%20z~x
    a\"b\\c/d<\u00E9>&\n\t\f z~x
    a\"b\\c/d<\u00e9>&\n\t\f z~x
    a\"b\\c/d<é>&\n\t\f z~x
    a\"b\\c/d<é>&\n\t\u000c z~x
    a\"b\\c/d\u003cé\u003e\u0026\n\t\f z~x
    a\"b\\c/d\u003cé\u003e\u0026\n\t\u000c z~x
    a\"b\\c\/d<\u00e9>&\n\t\f z~x
    a\"b\\c\/d<é>&\n\t\f z~x
    a\\\"b\\\\c/d<\\u00E9>&\\n\\t\\f z~x
    a\\\"b\\\\c/d<\\u00e9>&\\n\\t\\f z~x
    a\\\"b\\\\c/d<é>&\\n\\t\\f z~x
    a\\\"b\\\\c/d<é>&\\n\\t\\u000c z~x
    a\\\"b\\\\c/d\\u003cé\\u003e\\u0026\\n\\t\\f z~x
    a\\\"b\\\\c/d\\u003cé\\u003e\\u0026\\n\\t\\u000c z~x
    a\\\"b\\\\c/d\u003c\\u00E9\u003e\u0026\\n\\t\\f z~x
    a\\\"b\\\\c/d\u003c\\u00e9\u003e\u0026\\n\\t\\f z~x
    a\\\"b\\\\c/d\u003cé\u003e\u0026\\n\\t\\f z~x
    a\\\"b\\\\c/d\u003cé\u003e\u0026\\n\\t\\u000c z~x
    a\\\"b\\\\c\\/d<\\u00e9>&\\n\\t\\f z~x
    a\\\"b\\\\c\\/d<é>&\\n\\t\\f z~x
    a\\\"b\\\\c\\/d\u003c\\u00e9\u003e\u0026\\n\\t\\f z~x
    a\\\"b\\\\c\\/d\u003cé\u003e\u0026\\n\\t\\f z~x
    hImJcYy9kPMOpPiYKCQwgen54
    "##);
}

/// What of each spelling would be looked for by itself: up to the mark in the first, and after it in the second.
#[test]
fn the_ends_that_would_be_looked_for_by_themselves() {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let heads = |value: &str| {
        let part = Part { bytes: Zeroizing::new(value.as_bytes().to_vec()), spelled: Spelled::Anyhow };
        let head = |form: &Form| {
            let marked = |at: usize| format!("{}|{}", text(&form.bytes[..at]), text(&form.bytes[at..]));
            let Ends { first, last } = form.ends;
            let tail = marked(form.bytes.len() - last.unwrap_or(form.bytes.len()));
            format!("{} {tail}", marked(first.unwrap_or(0)))
        };
        let mut heads: Vec<String> = forms(&part).iter().map(head).collect();
        heads.sort_unstable();
        heads.dedup();
        heads.join("\n")
    };
    insta::assert_snapshot!(heads("Xk9fTq2Lm8Zr"), @r"
    |%58%6B%39%66%54%71%32%4C%6D%38%5A%72 |%58%6B%39%66%54%71%32%4C%6D%38%5A%72
    |%58%6b%39%66%54%71%32%4c%6d%38%5a%72 |%58%6b%39%66%54%71%32%4c%6d%38%5a%72
    |586B39665471324C6D385A72 |586B39665471324C6D385A72
    |586b39665471324c6d385a72 |586b39665471324c6d385a72
    |WGs5ZlRxMkxtOFpy |WGs5ZlRxMkxtOFpy
    |Xk9fTq2Lm8Zr |Xk9fTq2Lm8Zr
    |YazlmVHEyTG04Wn |YazlmVHEyTG04Wn
    |hrOWZUcTJMbThac |hrOWZUcTJMbThac
    ");
    insta::assert_snapshot!(heads("user:<Xk9fTq2Lm8Zrw7Rt>"), @r"
    %75%73%65%72%3A%3C%58%6B%39%66%54%71%32%4C|%6D%38%5A%72%77%37%52%74%3E %75%73%65%72%3A%3C%58%6B%39%66%54|%71%32%4C%6D%38%5A%72%77%37%52%74%3E
    %75%73%65%72%3a%3c%58%6b%39%66%54%71%32%4c|%6d%38%5a%72%77%37%52%74%3e %75%73%65%72%3a%3c%58%6b%39%66%54|%71%32%4c%6d%38%5a%72%77%37%52%74%3e
    1c2VyOjxYazlmVHEyTG|04WnJ3N1J0P 1c2VyOjxYazlmV|HEyTG04WnJ3N1J0P
    757365723A3C586B39665471324C|6D385A72773752743E 757365723A3C586B396654|71324C6D385A72773752743E
    757365723a3c586b39665471324c|6d385a72773752743e 757365723a3c586b396654|71324c6d385a72773752743e
    VzZXI6PFhrOWZUcTJM|bThacnc3UnQ+ VzZXI6PFhrOWZU|cTJMbThacnc3UnQ+
    VzZXI6PFhrOWZUcTJM|bThacnc3UnQ- VzZXI6PFhrOWZU|cTJMbThacnc3UnQ-
    dXNlcjo8WGs5ZlRxMkx|tOFpydzdSdD dXNlcjo8WGs5Zl|RxMkxtOFpydzdSdD
    user%3A%3CXk9fTq2L|m8Zrw7Rt%3E user%3A%3CXk9fT|q2Lm8Zrw7Rt%3E
    user%3a%3cXk9fTq2L|m8Zrw7Rt%3e user%3a%3cXk9fT|q2Lm8Zrw7Rt%3e
    user:%3CXk9fTq2L|m8Zrw7Rt%3E user:%3CXk9fT|q2Lm8Zrw7Rt%3E
    user:%3cXk9fTq2L|m8Zrw7Rt%3e user:%3cXk9fT|q2Lm8Zrw7Rt%3e
    user:<Xk9fTq2L|m8Zrw7Rt> user:<Xk9fT|q2Lm8Zrw7Rt>
    user:\\u003cXk9fTq2L|m8Zrw7Rt\\u003e user:\\u003cXk9fT|q2Lm8Zrw7Rt\\u003e
    user:\u003cXk9fTq2L|m8Zrw7Rt\u003e user:\u003cXk9fT|q2Lm8Zrw7Rt\u003e
    ");
}

fn letters(length: usize) -> String {
    let mut state = 7_u64;
    let mut letter = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                [usize::try_from(state >> 33).unwrap() % 62],
        )
    };
    (0..length).map(|_| letter()).collect()
}

#[test]
fn broken_into_lines() {
    let value: Vec<u8> = (0..100_u16).map(|byte| u8::try_from(byte * 37 % 251).unwrap()).collect();
    let encoded = STANDARD.encode(&value);
    for width in [64, 76] {
        for line in encoded.as_bytes().chunks(width).filter(|line| line.len() >= SHORTEST) {
            // Of the last character, a part depends on nothing.
            let is_line = |form: &String| line.starts_with(form.as_bytes()) && form.len() + 3 >= line.len();
            assert!(spelled(&value).iter().any(is_line), "{width}");
        }
    }
}

/// Pieces and lines are patterns by themselves: whoever prints one sees whether it is. So none is looked for that anybody may guess.
#[test]
fn no_piece_is_guessable() {
    let random = letters(48);
    let template = "this file is written by the installer and is the same for everybody who installs it; the password is ";
    for value in [
        // In lines of base64, the last one is of a number that is soon found.
        format!("{random}; pin=1234; x=ab").into_bytes(),
        // Or is made to be a word of JSON.
        [random.as_bytes(), &STANDARD.decode("resourceVers").unwrap()].concat(),
        format!("{template}{}{}", letters(20), template.repeat(2)).into_bytes(),
        format!("{template}{template}{}{template}", letters(20)).into_bytes(),
    ] {
        let part = Part { bytes: Zeroizing::new(value.clone()), spelled: Spelled::Anyhow };
        let tail = STANDARD.encode(&value);
        for form in forms(&part) {
            let text = String::from_utf8_lossy(&form.bytes).into_owned();
            assert!(text != "resourceVers" && !(text.len() < 40 && tail.ends_with(&text)), "{text}");
            if text.len() < 257 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let digits = text.as_bytes().chunks_exact(2).map(|two| std::str::from_utf8(two).unwrap());
                let covered: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
                assert!(crate::known::rule::unguessable(&covered), "{text}");
            }
        }
    }
}

/// Which bytes of `form` are in a piece.
fn covered(form: &str, pieces: &[Form]) -> Vec<bool> {
    let mut covered = vec![false; form.len()];
    for piece in pieces {
        let starts = (0..form.len()).filter(|at| form.as_bytes()[*at..].starts_with(&piece.bytes));
        starts.for_each(|at| covered[at..at + piece.bytes.len()].fill(true));
    }
    covered
}

/// What is random in a long value is in pieces of it, in every form, wherever it stands.
#[test]
fn what_is_random_is_in_pieces() {
    let secret = letters(16);
    let text = "all of this is what anybody may know of a file ".repeat(9);
    for before in 0..300 {
        let (front, rest) = text.get(..400).unwrap().split_at(before);
        let value = format!("{front} {secret} {rest}");
        let part = Part { bytes: Zeroizing::new(value.clone().into_bytes()), spelled: Spelled::Anyhow };
        let pieces = forms(&part);
        let at = before + 1;
        let digits: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        for (form, range) in [
            (value.clone(), at..at + 16),
            (digits, at * 2..at * 2 + 32),
            (STANDARD.encode(&value), (at * 8).div_ceil(6)..(at + 16) * 8 / 6),
        ] {
            assert!(covered(&form, &pieces)[range].iter().all(|covered| *covered), "{form}");
        }
    }
}

/// Every byte of a long form of what is random is in a piece, and no piece begins or ends within an escape.
#[test]
fn long_forms_are_cut() {
    for length in [255, 256, 257, 300, 511, 512, 513, 1000] {
        for between in ["", "\"", "é", "\\\"", "<\\", "\n"] {
            let random = letters(length);
            let words = random.as_bytes().chunks(14).map(|word| std::str::from_utf8(word).unwrap());
            let value: String = words.flat_map(|word| [word, between]).collect();
            let mut pieces = Pieces::of(value.as_bytes());
            let spelling = Spelling { flags: Flags::BEFORE.with(Flags::AFTER), ..escape(&value, WRITERS[4]) };
            pieces.add(&spelling);
            let form = String::from_utf8(spelling.bytes.to_vec()).unwrap();
            for piece in &pieces.forms {
                assert!((SHORTEST..=LONGEST).contains(&piece.bytes.len()));
                assert!(piece.flags.has(Flags::JSON));
                let text = std::str::from_utf8(&piece.bytes).unwrap();
                let decoded: Result<String, _> = serde_json::from_str(&format!("\"{text}\""));
                assert!(decoded.is_ok(), "{text}");
            }
            assert!(covered(&form, &pieces.forms).iter().all(|covered| *covered), "{length} of {between}");
            let (first, last) = (pieces.forms.first().unwrap(), pieces.forms.last().unwrap());
            assert!(first.flags.has(Flags::BEFORE) && last.flags.has(Flags::AFTER));
            assert!(first.ends.first.is_some() && last.ends.last.is_some());
            let ends = pieces.forms.iter().filter(|piece| !piece.flags.has(Flags::MORE)).count();
            assert!(ends == 1 && !last.flags.has(Flags::MORE));
            assert_eq!(pieces.forms.iter().filter(|piece| piece.ends.first.is_some()).count(), 1);
        }
    }
}
