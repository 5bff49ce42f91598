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

#[test]
fn broken_into_lines() {
    let value: Vec<u8> = (0..100_u16).map(|byte| u8::try_from(byte * 37 % 251).unwrap()).collect();
    let encoded = STANDARD.encode(&value);
    for width in [64, 76] {
        for line in encoded.as_bytes().chunks(width).filter(|line| line.len() >= SHORTEST) {
            assert!(spelled(&value).contains(&String::from_utf8(line.to_vec()).unwrap()), "{width}");
        }
    }
}

/// Every byte of a long form is in a piece, and no piece begins or ends within an escape.
#[test]
fn long_forms_are_cut() {
    for length in [255, 256, 257, 300, 511, 512, 513, 1000] {
        for text in ["abcdefghij", "\\\"", "a\\u00e9b", "\\\\u003c\\\\\\\"xyz", "\\\\\\\\", "no\\n"] {
            let form: String = text.chars().cycle().take(length / text.len() * text.len()).collect();
            let mut pieces = Vec::new();
            let flags = Flags::BEFORE.with(Flags::AFTER);
            let whole = Whole {
                form: form.as_bytes(),
                flags,
                escaped: true,
                ends: Ends { first: Some(20), last: Some(21) },
            };
            cut(whole, &mut pieces);
            let mut covered = vec![false; form.len()];
            for piece in &pieces {
                assert!((SHORTEST..=LONGEST).contains(&piece.bytes.len()));
                assert!(piece.flags.has(Flags::JSON));
                let text = std::str::from_utf8(&piece.bytes).unwrap();
                let decoded: Result<String, _> = serde_json::from_str(&format!("\"{text}\""));
                assert!(decoded.is_ok(), "{text}");
                for at in (0..form.len()).filter(|at| form.as_bytes()[*at..].starts_with(text.as_bytes())) {
                    covered[at..at + text.len()].fill(true);
                }
            }
            assert!(covered.iter().all(|covered| *covered), "{length} of {text}");
            assert!(pieces.first().unwrap().flags.has(Flags::BEFORE));
            assert!(pieces.last().unwrap().flags.has(Flags::AFTER));
            let ends = pieces.iter().filter(|piece| !piece.flags.has(Flags::MORE)).count();
            assert!(ends == 1 && !pieces.last().unwrap().flags.has(Flags::MORE));
            let told = pieces.iter().map(|piece| (piece.ends.first, piece.ends.last));
            let at = |at: usize| ((at == 0).then_some(20), (at + 1 == pieces.len()).then_some(21));
            assert!(told.eq((0..pieces.len()).map(at)));
        }
    }
}
