//! How sure rules want to be who decides.

use super::*;
use crate::approval::tests::{asked, at, bound, step};
use crate::testing::{self, demand, human, signed};
use crate::{Bound, Level, Signed};

/// One of `sre`, this sure.
fn wanting(level: Level) -> Approval {
    asked(vec![Demand { assurance: Some(level), ..demand("asks", &["sre"], 1) }])
}

fn grace(assurance: Assurance) -> What {
    What::Approved { by: human("grace", &["sre"]), assurance }
}

#[test]
fn a_rule_is_content_with_what_it_wants_and_with_more() {
    for (wants, content) in
        [(Level::LocalAccount, [false, true, true]), (Level::Provider, [false, false, true])]
    {
        let given = [Assurance::Link, Assurance::LocalAccount, Assurance::Provider];
        let found = given.map(|assurance| step(&wanting(wants), grace(assurance), 1).is_ok());
        assert_eq!(found, content, "{wants:?}");
    }
    let by_passkey = Assurance::Passkey(signed("key", &bound()));
    assert!(step(&wanting(Level::Passkey), grace(by_passkey.clone()), 1).is_ok());
    assert!(step(&wanting(Level::Provider), grace(by_passkey), 1).is_ok());
    // It is worth no more than the sign-in by which it was enrolled.
    let by_link = Assurance::Passkey(Box::new(Signed { enrolled: Level::Link, ..*signed("key", &bound()) }));
    assert!(step(&wanting(Level::Passkey), grace(by_link.clone()), 1).is_ok());
    assert!(step(&wanting(Level::Provider), grace(by_link), 1).is_err());
}

#[test]
fn what_is_not_sure_enough_is_told_what_would_be() {
    let told = |level| step(&wanting(level), grace(Assurance::Link), 1).unwrap_err().to_string();
    insta::assert_snapshot!([Level::LocalAccount, Level::Provider, Level::Passkey].map(told).join("\n"));
}

#[test]
fn a_signature_is_of_this_and_of_nothing_else() {
    let approval = wanting(Level::Passkey);
    let refused = |change: fn(&mut Signed)| {
        let mut signed = signed("key", &bound());
        change(&mut signed);
        step(&approval, grace(Assurance::Passkey(signed)), 1).unwrap_err().to_string()
    };
    let other = Bound { nonce: "another".into(), ..bound() };
    let of_another = step(&approval, grace(Assurance::Passkey(signed("key", &other))), 1).unwrap_err();
    insta::assert_snapshot!(
        [
            of_another.to_string(),
            refused(|signed| signed.origin = "https://evil.example.com".into()),
            refused(|mine| mine.passkey = signed("other key", &bound()).passkey),
            refused(|mine| mine.origin = "gate".into()),
        ]
        .join("\n")
    );
}

#[test]
fn nobody_says_yes_to_half_of_what_they_are_asked() {
    let sure = Demand { assurance: Some(Level::Passkey), ..demand("sure", &["sre"], 1) };
    let approval = asked(vec![demand("any", &["sre"], 1), sure.clone()]);
    assert!(matches!(step(&approval, grace(Assurance::Link), 1), Err(Refusal::NotSure { .. })));
    assert_eq!(approval.demanded_of(&human("grace", &["sre"])), Some(Level::Passkey));
    // Somebody else's rule is theirs.
    let approval =
        asked(vec![demand("any", &["sre"], 1), Demand { approvers: vec!["security".into()], ..sure }]);
    assert!(step(&approval, grace(Assurance::Link), 1).is_ok());
    assert_eq!(approval.demanded_of(&human("grace", &["sre"])), None);
}

#[test]
fn what_was_signed_reads_back_as_it_was() {
    let (taken, _) =
        wanting(Level::Passkey).next(grace(Assurance::Passkey(signed("key", &bound()))), at(1)).unwrap();
    let json = serde_json::to_string(&taken).unwrap();
    assert_eq!(serde_json::from_str::<Transition>(&json).unwrap(), taken);
    assert_eq!(
        serde_json::to_value(testing::yes(human("grace", &[]))).unwrap()["assurance"],
        "local_account"
    );
}

#[test]
fn what_somebody_only_claims_to_be_called_keeps_them_from_deciding_and_never_lets_them() {
    let approval = asked(vec![demand("asks", &["grace"], 1)]);
    let claims =
        |name: &str, groups: &[&str]| Human { claimed: vec![name.into()], ..human("mallory", groups) };
    let yes = |by: Human| step(&approval, testing::yes(by), 1).map(drop);
    assert!(matches!(yes(claims("grace", &[])), Err(Refusal::NotAsked { .. })));
    // Nor does another spelling of who is named.
    assert!(matches!(yes(human("\u{ff47}race", &[])), Err(Refusal::NotAsked { .. })));
    assert!(yes(human("Grace", &[])).is_ok());
    let approval = asked(vec![demand("asks", &["sre"], 2)]);
    let yes = |by: Human| step(&approval, testing::yes(by), 1);
    assert!(matches!(yes(claims("Ada@Example.com", &["sre"])), Err(Refusal::Delegator(_))));
    let once = yes(human("grace", &["sre"])).unwrap();
    let twice = step(&once, testing::yes(claims("grace@example.com", &["sre"])), 1);
    assert!(matches!(twice, Err(Refusal::Twice(_))));
}
