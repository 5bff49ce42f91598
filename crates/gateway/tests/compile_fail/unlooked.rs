//! That a request has to be looked at first cannot be forgotten.

use policy::{Judge, Judgement, Permit, Principal, Verdict};

fn forgotten(judge: &Judge, who: &Principal<'_>, request: kube_api::Request) -> Option<Permit> {
    match judge.judge(who, "prod", request) {
        Judgement::Verdict(Verdict::Allow(permit)) => Some(permit),
        Judgement::Verdict(Verdict::Ask(_) | Verdict::Deny(_)) => None,
    }
}
