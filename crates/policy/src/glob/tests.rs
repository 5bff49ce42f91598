use proptest::prelude::*;

use super::*;

fn glob(text: &str) -> Glob {
    Glob(text.chars().map(|c| if c == '*' { Part::Any } else { Part::One(c) }).collect())
}

fn globs(texts: &[&str]) -> BTreeSet<Glob> {
    texts.iter().map(|text| glob(text)).collect()
}

#[test]
fn patterns_match_as_in_cedar() {
    for (pattern, text, expected) in [
        ("kube-*", "kube-system", true),
        ("kube-*", "kube", false),
        ("*-prod", "team-a-prod", true),
        ("*-prod", "team-a-prod-1", false),
        ("a*b*c", "abbc", true),
        ("a*b*c", "acb", false),
        ("*", "", true),
        ("hr", "hr", true),
        ("hr", "hrx", false),
    ] {
        assert_eq!(glob(pattern).matches(text), expected, "{pattern} {text}");
    }
    assert!(glob("kube-*").can_begin_with("ku") && glob("*-prod").can_begin_with("x"));
    assert!(!glob("kube-*").can_begin_with("team-") && !glob("hr").can_begin_with("hrx"));
}

#[test]
fn patterns_that_overlap_too_much_are_given_up() {
    let many: Vec<String> = (b'a'..=b'n').map(|c| format!("*{}*", c as char)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(witnesses(&globs(&many), "(any other)"), None);
    assert!(witnesses(&globs(&many[..5]), "(any other)").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(11), failure_persistence: None, ..Default::default() })]

    /// Whatever a name is: some witness is matched by the same patterns.
    #[test]
    fn every_name_has_its_witness(
        texts in proptest::collection::vec("[ab*-]{0,5}", 0..5), name in "[abc-]{1,8}",
    ) {
        let globs: BTreeSet<Glob> = texts.iter().map(|text| glob(text)).collect();
        if let Some(witnesses) = witnesses(&globs, "(any other)") {
            let by = |text: &str| globs.iter().map(|glob| glob.matches(text)).collect::<Vec<_>>();
            prop_assert!(witnesses.iter().any(|witness| by(witness) == by(&name)), "{witnesses:?}");
        }
    }

    #[test]
    fn what_begins_a_match_can_begin_one(text in "[ab*]{0,6}", name in "[ab]{0,8}", cut in 0..8usize) {
        if glob(&text).matches(&name) {
            let prefix: String = name.chars().take(cut).collect();
            prop_assert!(glob(&text).can_begin_with(&prefix));
        }
    }
}
