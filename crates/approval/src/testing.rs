//! Approvals to test with, for this crate's tests and others'.

#![expect(clippy::unwrap_used, reason = "what cannot be made is a failed test")]

use jiff::{SignedDuration, Timestamp};

use passkey::{Assertion, Challenge, User, testing::Authenticator};

use crate::{
    Access, Asked, Assurance, Bound, BreakGlass, Call, Change, Demand, Human, Level, Signed, Subject, What,
    relying_party,
};

/// A delete of the namespace `shop` by `claude` in session `s-1`.
#[must_use]
pub fn bound() -> Bound {
    bound_to(Subject::Call(call()))
}

/// A delete of the namespace `shop`.
#[must_use]
pub fn call() -> Call {
    Call { method: "DELETE".into(), url: "/api/v1/namespaces/shop".into(), ..Call::default() }
}

/// The same for another subject.
#[must_use]
pub fn bound_to(subject: Subject) -> Bound {
    Bound {
        agent: "claude".into(),
        cluster: "prod".into(),
        decide_by: String::new(),
        delegator: "ada@example.com".into(),
        nonce: "n-1".into(),
        policy: format!("sha256:{}", "0".repeat(64)),
        session: "s-1".into(),
        subject,
    }
}

/// The creation of a ConfigMap of this name in namespace `shop`.
#[must_use]
pub fn change(name: &str) -> Change {
    Change {
        applied: None,
        call: None,
        gone: false,
        name: name.into(),
        namespace: "shop".into(),
        resource: "configmaps".into(),
        result: format!("hmac-sha256:{}", "0".repeat(64)),
        target: None,
    }
}

/// Access to these scopes for five minutes; with an incident, by breaking the glass, for one of `leads` to sign off.
///
/// # Panics
/// One is no scope.
#[must_use]
pub fn access(scopes: &[&str], incident: Option<&str>) -> Access {
    let reviewers = || vec!["leads".to_owned()];
    Access {
        break_glass: incident
            .map(|incident| BreakGlass { incident: incident.into(), reviewers: reviewers() }),
        reason: "roll back".into(),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        seconds: 300,
    }
}

/// The request for [`bound`], made at this time for `ada@example.com`: one of `sre` can decide it for ten minutes, and a yes can be
/// used for five.
#[must_use]
pub fn asked(id: &str, at: Timestamp) -> Asked {
    asked_for(id, at, Subject::Call(call()))
}

/// The same for another subject.
#[must_use]
pub fn asked_for(id: &str, at: Timestamp, subject: Subject) -> Asked {
    let decide_by = at.saturating_add(SignedDuration::from_mins(10)).unwrap_or(at);
    Asked {
        id: id.into(),
        at,
        decide_by,
        use_seconds: 300,
        bound: Bound { decide_by: decide_by.to_string(), nonce: id.into(), ..bound_to(subject) },
        demands: vec![demand("asks", &["sre"], 1)],
    }
}

/// A rule's demand.
#[must_use]
pub fn demand(rule: &str, approvers: &[&str], quorum: u32) -> Demand {
    let approvers = approvers.iter().map(|name| (*name).into()).collect();
    Demand { rule: rule.into(), approvers, quorum, assurance: None, no_access: false, authors: vec![] }
}

/// A human in these groups, with an address beside the name.
#[must_use]
pub fn human(subject: &str, groups: &[&str]) -> Human {
    let groups = groups.iter().map(|group| (*group).into()).collect();
    Human { aliases: vec![format!("{subject}@example.com")], groups, ..Human::called(subject) }
}

/// This human's yes.
#[must_use]
pub fn yes(by: Human) -> What {
    What::Approved { by, assurance: Assurance::LocalAccount }
}

/// The use of an approval of this for a call.
#[must_use]
pub fn used(bound: &Bound, call: &str) -> What {
    What::Consumed { call: call.into(), digest: bound.digest().to_string() }
}

/// The origin of the console in tests.
pub const ORIGIN: &str = "https://console.example.com";

/// A passkey that follows from `name`, and what it signs: the digest of what was asked.
///
/// # Panics
/// Never, as long as passkeys work at [`ORIGIN`].
#[must_use]
pub fn signed(name: &str, bound: &Bound) -> Box<Signed> {
    let mut authenticator = Authenticator::new(name);
    let party = relying_party(ORIGIN).unwrap();
    let enrolment = Challenge::from([1; 32]);
    let user = User::new(b"handle", name, name).unwrap();
    let options = passkey::creation_options(&party, &enrolment, &user, &[]);
    let passkey = passkey::register(&party, &enrolment, &authenticator.create(&options, ORIGIN)).unwrap();
    let challenge = Challenge::from(bound.digest().bytes());
    let options = passkey::request_options(&party, &challenge, std::slice::from_ref(&passkey.id));
    let assertion = Assertion::from_response(&authenticator.get(&options, ORIGIN)).unwrap();
    Box::new(Signed { origin: ORIGIN.to_owned(), passkey, enrolled: Level::Provider, assertion })
}
