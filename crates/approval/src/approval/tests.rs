//! Every step that may follow another, and every one that may not.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::testing::{self, demand, human};
use crate::{Approval, Asked, Bound, Call, Change, Changes, Demand, Human, Refusal, State, Subject, What};

pub(super) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_mins(minutes)
}

pub(super) fn asked(demands: Vec<Demand>) -> Approval {
    Approval::new(Asked { demands, ..testing::asked("a-1", at(0)) }).unwrap()
}

pub(super) fn bound() -> Bound {
    testing::asked("a-1", at(0)).bound
}

fn yes(by: &Human) -> What {
    testing::yes(by.clone())
}

fn no(by: &Human) -> What {
    What::Refused { by: by.clone(), why: "not on a Friday".into() }
}

fn consumed() -> What {
    testing::used(&bound(), "c-1")
}

pub(super) fn step(approval: &Approval, what: What, minutes: i64) -> Result<Approval, Refusal> {
    let (step, next) = approval.next(what, at(minutes))?;
    // What is read back from a store goes through the same.
    assert_eq!(approval.clone().after(&step).as_ref(), Ok(&next));
    Ok(next)
}

#[test]
fn one_yes_of_whom_the_rule_names_suffices_and_is_used_once() {
    let grace = human("grace", &["sre"]);
    let approval = asked(vec![demand("delete-asks", &["sre"], 1)]);
    assert_eq!(approval.consumed().map(|_| ()), None);
    let approved = step(&approval, yes(&grace), 1).unwrap();
    assert_eq!(approved.state(), &State::Approved { until: at(6) });
    let used = step(&approved, consumed(), 2).unwrap();
    let proof = used.consumed().unwrap();
    assert_eq!((proof.approval(), proof.call(), proof.digest()), ("a-1", "c-1", bound().digest()));
    assert_eq!(step(&used, consumed(), 2), Err(Refusal::Final("consumed")));
}

#[test]
fn every_demand_needs_its_own_quorum_of_distinct_humans() {
    let (grace, alan, joan) =
        (human("grace", &["sre"]), human("alan", &["sre"]), human("joan", &["security"]));
    let approval = asked(vec![demand("two", &["sre"], 2), demand("sec", &["security"], 1)]);
    let approval = step(&approval, yes(&grace), 1).unwrap();
    // The same human under another name.
    let alias = Human { groups: vec!["sre".into()], ..Human::called("GRACE@example.com") };
    assert_eq!(step(&approval, yes(&alias), 1), Err(Refusal::Twice("GRACE@example.com".into())));
    let approval = step(&approval, yes(&joan), 2).unwrap();
    let missing: Vec<_> = approval.missing().map(|(demand, lacking)| (&*demand.rule, lacking)).collect();
    assert_eq!(missing, [("two", 1)]);
    assert_eq!(approval.state(), &State::Pending);
    assert!(matches!(step(&approval, yes(&alan), 3).unwrap().state(), State::Approved { .. }));
}

#[test]
fn what_several_rules_want_of_the_same_humans_is_told_once() {
    let approval =
        asked(vec![demand("one", &["sre"], 1), demand("sec", &["security"], 1), demand("two", &["sre"], 2)]);
    assert_eq!(approval.needs(), "2 of sre and 1 of security");
    let approval = step(&approval, yes(&human("grace", &["sre"])), 1).unwrap();
    assert_eq!(approval.needs(), "1 of security and 1 of sre");
}

#[test]
fn refusals_in_words() {
    let grace = human("grace", &["sre"]);
    let author = Demand { authors: vec!["grace@example.com".into()], ..demand("delete-asks", &["sre"], 1) };
    let one = asked(vec![demand("delete-asks", &["sre", "alan"], 1)]);
    let approved = step(&one, yes(&grace), 1).unwrap();
    let refused = step(&one, no(&grace), 1).unwrap();
    let other = What::Consumed { call: "c-2".into(), digest: "sha256:11".into() };
    let cases = [
        ("delegator, by another name", step(&one, yes(&human("ada", &["sre"])), 1)),
        ("delegator says no", step(&one, no(&human("ada", &["sre"])), 1)),
        ("not named", step(&one, yes(&human("joan", &["security"])), 1)),
        ("author", step(&asked(vec![author]), yes(&grace), 1)),
        ("too late", step(&one, yes(&grace), 10)),
        ("used too late", step(&approved, consumed(), 6)),
        ("used before a yes", step(&one, consumed(), 1)),
        ("used for another call", step(&approved, other, 2)),
        ("yes after enough", step(&approved, yes(&human("alan", &[])), 2)),
        ("no after enough", step(&approved, no(&human("alan", &[])), 2)),
        ("yes after a no", step(&refused, yes(&grace), 2)),
        ("expires too early", step(&one, What::Expired, 9)),
    ];
    let text: Vec<_> =
        cases.iter().map(|(name, result)| format!("{name}: {}", result.as_ref().unwrap_err())).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn it_ends_by_a_no_by_time_by_nobody_wanting_it_and_by_another() {
    let grace = human("grace", &["sre"]);
    let pending = asked(vec![demand("delete-asks", &["sre"], 1)]);
    let approved = step(&pending, yes(&grace), 1).unwrap();
    let withdrawn = || What::Withdrawn { why: "the client left".into(), by: None };
    let superseded = || What::Superseded { by: "a-2".into(), why: "the object has changed".into() };
    for (what, minutes) in [(What::Expired, 10), (withdrawn(), 1), (superseded(), 20)] {
        for from in [&pending, &approved] {
            let ended = step(from, what.clone(), minutes).unwrap();
            assert_eq!(ended.deadline(), None);
            let after = step(&ended, yes(&grace), minutes);
            assert_eq!(after, Err(Refusal::Final(ended.state().as_str())));
        }
    }
    assert!(matches!(step(&pending, no(&grace), 1).unwrap().state(), State::Refused { .. }));
}

#[test]
fn a_clock_that_goes_back_dates_no_step_before_another() {
    let grace = human("grace", &["sre"]);
    let pending = asked(vec![demand("delete-asks", &["sre"], 2)]);
    let (step, next) = pending.next(yes(&grace), at(5)).unwrap();
    assert_eq!(step.at, at(5));
    let (back, _) = next.next(yes(&human("alan", &["sre"])), at(-60)).unwrap();
    assert_eq!(back.at, at(5));
    let forged = crate::Transition { at: at(4), ..back.clone() };
    assert_eq!(next.clone().after(&forged), Err(Refusal::Time));
    let again = crate::Transition { number: 1, ..back };
    assert_eq!(next.after(&again), Err(Refusal::Number));
}

#[test]
fn one_human_is_one_however_the_name_is_typed() {
    let typed = |name: &str| Human::called(name);
    for (one, other) in
        [("Ada", " ada "), ("jos\u{e9}", "jose\u{301}"), ("JOSE\u{301}", "jos\u{e9}"), ("\u{ff41}da", "Ada")]
    {
        assert!(typed(one).is(&typed(other)), "{one} {other}");
    }
    assert!(!typed("ada").is(&typed("adam")));
}

#[test]
fn what_nobody_can_meet_is_not_asked() {
    let asked = testing::asked("a-1", at(0));
    for demands in [vec![], vec![demand("zero", &["sre"], 0)]] {
        assert_eq!(Approval::new(Asked { demands, ..asked.clone() }), Err(Refusal::Unmeetable));
    }
    // Somebody gave it more time than a yes is bound to.
    assert_eq!(Approval::new(Asked { decide_by: at(60), ..asked }), Err(Refusal::Unmeetable));
}

#[test]
fn a_bound_digest_covers_every_field_and_its_form_is_canonical() {
    let target = Some(crate::Target { resource_version: "7".into(), uid: "u".into() });
    let call = Call {
        body: Some("hmac-sha256:aa".into()),
        content_type: Some("application/json".into()),
        each: vec![target.clone().unwrap()],
        hidden: Some("hmac-sha256:cc".into()),
        result: Some("hmac-sha256:bb".into()),
        target: target.clone(),
        ..testing::call()
    };
    let change = Change {
        applied: Some("hmac-sha256:dd".into()),
        call: Some("hmac-sha256:ee".into()),
        gone: true,
        target,
        ..testing::change("a")
    };
    let changes = Changes { members: vec![change], reason: "roll out".into() };
    let access = testing::access(&["patch,delete deployments.apps named web in shop"], Some("INC-7"));
    let mut seen = Vec::new();
    for subject in [Subject::Call(call), Subject::Changes(changes), Subject::Access(access)] {
        let bound = Bound { subject, ..bound() };
        let value = serde_json::to_value(&bound).unwrap();
        // A map of serde_json's sorts its keys.
        assert_eq!(serde_json::to_string(&value).unwrap(), serde_json::to_string(&bound).unwrap());
        seen.push(bound.digest());
        for other in each_changed(&value) {
            let digest = serde_json::from_value::<Bound>(other.clone()).unwrap().digest();
            assert!(!seen.contains(&digest), "{other}");
            seen.push(digest);
        }
    }
    assert_eq!(seen.len(), 3 + 3 * 7 + 10 + 10 + 9);
}

/// The value with another text or number at each of its places, in turn.
fn each_changed(value: &Value) -> Vec<Value> {
    let within =
        |parts: Vec<Value>, put: &dyn Fn(Value) -> Value| parts.into_iter().map(put).collect::<Vec<_>>();
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, member)| {
                within(each_changed(member), &|changed| {
                    let mut other = members.clone();
                    other.insert(key.clone(), changed);
                    Value::Object(other)
                })
            })
            .collect(),
        Value::Array(items) => (0..items.len())
            .flat_map(|at| {
                within(each_changed(&items[at]), &|changed| {
                    let mut other = items.clone();
                    other[at] = changed;
                    Value::Array(other)
                })
            })
            .collect(),
        Value::Number(_) => vec![7.into()],
        Value::Bool(flag) => vec![(!flag).into()],
        _ => vec!["another".into()],
    }
}
