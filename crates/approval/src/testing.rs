//! Approvals to test with, for this crate's tests and others'.

use jiff::{SignedDuration, Timestamp};

use crate::{Asked, Assurance, Bound, Demand, Human, What};

/// A delete of the namespace `shop` by `claude` in session `s-1`.
#[must_use]
pub fn bound() -> Bound {
    Bound {
        agent: "claude".into(),
        body: None,
        cluster: "prod".into(),
        content_type: None,
        decide_by: String::new(),
        delegator: "ada@example.com".into(),
        hidden: None,
        method: "DELETE".into(),
        nonce: "n-1".into(),
        policy: format!("sha256:{}", "0".repeat(64)),
        result: None,
        session: "s-1".into(),
        target: None,
        url: "/api/v1/namespaces/shop".into(),
    }
}

/// The request for [`bound`], made at this time for `ada@example.com`: one of `sre` can decide it for ten minutes, and a yes can be
/// used for five.
#[must_use]
pub fn asked(id: &str, at: Timestamp) -> Asked {
    let decide_by = at.saturating_add(SignedDuration::from_mins(10)).unwrap_or(at);
    Asked {
        id: id.into(),
        at,
        decide_by,
        use_seconds: 300,
        bound: Bound { decide_by: decide_by.to_string(), nonce: id.into(), ..bound() },
        demands: vec![demand("asks", &["sre"], 1)],
    }
}

/// A rule's demand.
#[must_use]
pub fn demand(rule: &str, approvers: &[&str], quorum: u32) -> Demand {
    let approvers = approvers.iter().map(|name| (*name).into()).collect();
    Demand { rule: rule.into(), approvers, quorum, assurance: None, authors: vec![] }
}

/// A human in these groups, with an address beside the name.
#[must_use]
pub fn human(subject: &str, groups: &[&str]) -> Human {
    let groups = groups.iter().map(|group| (*group).into()).collect();
    Human { subject: subject.into(), aliases: vec![format!("{subject}@example.com")], groups }
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
