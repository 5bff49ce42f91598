//! What is asked ahead of calls: several changes, access for a time, and breaking the glass.

use crate::approval::tests::{asked, at, step};
use crate::testing::{self, change, demand, human, yes};
use crate::{
    Approval, Asked, Assurance, Changes, Demand, Human, Level, Refusal, State, Subject, Usage, What,
};

fn of(subject: Subject, demands: Vec<Demand>) -> Approval {
    Approval::new(Asked { demands, ..testing::asked_for("a-1", at(0), subject) }).unwrap()
}

fn changes(names: &[&str]) -> Subject {
    let members = names.iter().map(|name| change(name)).collect();
    Subject::Changes(Changes { members, reason: "roll out".into() })
}

fn access(incident: Option<&str>) -> Subject {
    Subject::Access(testing::access(&["delete,patch deployments.apps in shop"], incident))
}

fn makes(name: &str, call: &str) -> What {
    What::Consumed { call: call.into(), digest: change(name).digest().to_string() }
}

fn usage(name: &str) -> Usage {
    let (verb, resource) = ("patch".into(), "deployments.apps".into());
    Usage { verb, resource, namespace: Some("shop".into()), name: Some(name.into()) }
}

fn reviewed(by: Human) -> What {
    What::Reviewed { by, note: "as it had to be".into(), assurance: Assurance::Provider }
}

fn sre(subject: &str) -> Human {
    human(subject, &["sre"])
}

fn lead(subject: &str) -> Human {
    human(subject, &["leads"])
}

#[test]
fn each_change_is_made_once_and_the_last_one_uses_it_up() {
    let rule = [demand("asks", &["sre"], 1)];
    let pending = of(changes(&["a", "b"]), rule.to_vec());
    assert_eq!(step(&pending, makes("a", "c-1"), 1), Err(Refusal::NotApproved));
    let approved = step(&pending, yes(sre("grace")), 1).unwrap();
    let one = step(&approved, makes("b", "c-1"), 2).unwrap();
    assert!(matches!(one.state(), State::Approved { .. }));
    assert_eq!(one.made().collect::<Vec<_>>(), [None, Some("c-1")]);
    let proof = one.making("c-1", &rule).unwrap();
    assert_eq!((proof.approval(), proof.change()), ("a-1", &change("b")));
    assert_eq!(proof.by().agent, "claude");
    assert!(one.making("c-2", &rule).is_none());
    assert!(one.consumed().is_none(), "it is no proof for one call");
    for (what, refusal) in [
        (makes("b", "c-2"), Refusal::Made),
        (makes("a", "c-1"), Refusal::Made),
        (makes("c", "c-2"), Refusal::OtherCall),
        (testing::used(&one.asked().bound, "c-2"), Refusal::OtherCall),
    ] {
        assert_eq!(step(&one, what, 2), Err(refusal));
    }
    let both = step(&one, makes("a", "c-2"), 3).unwrap();
    assert_eq!(both.state(), &State::Consumed { call: "c-2".into() });
    assert!(both.consumed().is_none());
    assert_eq!(step(&approved, makes("a", "c-1"), 6), Err(Refusal::TooLate(at(6))));
}

#[test]
fn a_change_that_a_rule_asks_others_about_is_not_made() {
    let pending = of(changes(&["a"]), vec![demand("asks", &["sre"], 1)]);
    let approved = step(&pending, yes(sre("grace")), 1).unwrap();
    let made = step(&approved, makes("a", "c-1"), 2).unwrap();
    let meets = |demands: &[Demand]| made.making("c-1", demands).is_some();
    assert!(meets(&[demand("other", &["grace"], 1)]) && meets(&[]));
    assert!(!meets(&[demand("other", &["dba"], 1)]));
    assert!(!meets(&[demand("other", &["sre"], 2)]));
    assert!(!meets(&[demand("other", &["sre"], 1), demand("yet another", &["dba"], 1)]));
    assert!(!meets(&[Demand { assurance: Some(Level::Provider), ..demand("other", &["sre"], 1) }]));
    assert!(!meets(&[Demand { authors: vec!["GRACE".into()], ..demand("other", &["sre"], 1) }]));
}

#[test]
fn objects_are_named_once_and_in_order() {
    for names in [&["b", "a"][..], &["a", "a"]] {
        let asked = testing::asked_for("a-1", at(0), changes(names));
        assert_eq!(Approval::new(asked), Err(Refusal::NamedTwice));
    }
}

#[test]
fn access_covers_its_scope_until_its_time_is_over_and_is_not_used_up() {
    let rule = [demand("asks", &["sre"], 1)];
    let pending = of(access(None), rule.to_vec());
    assert!(pending.grant(&usage("web"), &rule, at(1)).is_none());
    let approved = step(&pending, yes(sre("grace")), 1).unwrap();
    let grants = |minutes| approved.grant(&usage("web"), &rule, at(minutes));
    let grant = grants(1).unwrap();
    assert_eq!((grant.approval(), grant.usage(), &*grant.by().cluster), ("a-1", &usage("web"), "prod"));
    assert!(grants(5).is_some() && grants(6).is_none());
    assert!(grants(0).is_none(), "a clock that goes back gives no more time");
    let other = Usage { namespace: Some("blog".into()), ..usage("web") };
    assert!(approved.grant(&other, &rule, at(2)).is_none());
    assert!(approved.grant(&usage("web"), &[demand("other", &["dba"], 1)], at(2)).is_none());
    assert_eq!(step(&approved, testing::used(&approved.asked().bound, "c"), 2), Err(Refusal::ForATime));
    let shown_each = Demand { no_access: true, ..demand("asks", &["sre"], 1) };
    assert!(approved.grant(&usage("web"), &[shown_each], at(2)).is_none());
    let ended = What::Withdrawn { why: "enough".into(), by: Some(lead("joan")) };
    assert!(matches!(step(&pending, ended.clone(), 2), Err(Refusal::NotAsked { .. })), "that would be a no");
    let ended = step(&approved, ended, 2).unwrap();
    assert_eq!((pending.over_at(), approved.over_at(), ended.over_at()), (None, Some(at(6)), Some(at(2))));
    assert!(ended.grant(&usage("web"), &rule, at(2)).is_none());
    assert_eq!(ended.state().told(), "ended by joan: enough");
    assert_eq!(asked(rule.to_vec()).grant(&usage("web"), &rule, at(2)).map(drop), None, "that is one call");
}

#[test]
fn access_lasts_as_long_as_what_a_yes_is_bound_to() {
    let asked = testing::asked_for("a-1", at(0), access(None));
    assert_eq!(Approval::new(Asked { use_seconds: 3_600, ..asked }), Err(Refusal::Unmeetable));
}

#[test]
fn a_broken_glass_answers_every_rule_but_not_for_its_author_nor_for_a_weaker_sign_in() {
    let pending = of(access(Some("INC-7")), vec![demand("glass", &["oncall"], 1)]);
    let approved = step(&pending, yes(human("grace", &["oncall"])), 1).unwrap();
    let meets = |demand: Demand| approved.grant(&usage("web"), &[demand], at(2)).is_some();
    assert!(meets(demand("two of others", &["dba"], 2)));
    assert!(!meets(Demand { authors: vec!["grace".into()], ..demand("own", &["dba"], 1) }));
    assert!(!meets(Demand { assurance: Some(Level::Passkey), ..demand("sure", &["dba"], 1) }));
}

#[test]
fn a_broken_glass_is_open_until_somebody_else_signs_it_off() {
    let sure = Demand { assurance: Some(Level::Provider), ..demand("glass", &["oncall"], 1) };
    let pending = of(access(Some("INC-7")), vec![sure]);
    let by = human("grace", &["oncall", "leads"]);
    let vote = What::Approved { by, assurance: Assurance::Provider };
    assert!(!pending.owes_review());
    assert!(!step(&pending, What::Expired, 10).unwrap().owes_review(), "nobody broke it");
    let approved = step(&pending, vote, 1).unwrap();
    assert!(approved.owes_review());
    let over = step(&approved, What::Expired, 6).unwrap();
    let signed = step(&over, reviewed(lead("joan")), 60).unwrap();
    let weak = What::Reviewed { by: lead("joan"), note: "fine".into(), assurance: Assurance::LocalAccount };
    let cases = [
        ("while it can be used", step(&approved, reviewed(lead("joan")), 2)),
        ("by who broke it", step(&over, reviewed(human("GRACE", &["leads"])), 7)),
        ("by the delegator", step(&over, reviewed(lead("ada")), 7)),
        ("by nobody's reviewer", step(&over, reviewed(human("eve", &["oncall"])), 7)),
        ("less sure than the yes", step(&over, weak, 7)),
        ("twice", step(&signed, reviewed(lead("alan")), 61)),
        (
            "of what broke nothing",
            step(&of(access(None), vec![demand("a", &["sre"], 1)]), reviewed(lead("joan")), 1),
        ),
    ];
    let told: Vec<_> =
        cases.iter().map(|(name, result)| format!("{name}: {}", result.as_ref().unwrap_err())).collect();
    insta::assert_snapshot!(told.join("\n"));
    assert!(over.owes_review() && !signed.owes_review());
    assert_eq!(signed.review().unwrap().note, "as it had to be");
    assert_eq!(signed.state(), &State::Expired, "a sign-off changes nothing else");
}
