//! A request that has to be looked at first cannot be sent without, nor can the look be forgotten.

use policy::{Judge, Judgement, Permit, Principal, Verdict};

fn forgotten(judge: &Judge, who: &Principal<'_>, request: kube_api::Request) -> Option<Permit> {
    match judge.judge(who, "prod", request) {
        Judgement::Verdict(Verdict::Allow(permit)) => Some(permit),
        Judgement::Verdict(Verdict::Ask(_) | Verdict::Deny(_)) => None,
    }
}

fn skipped(judge: &Judge, who: &Principal<'_>, request: kube_api::Request) -> Option<Permit> {
    match judge.judge(who, "prod", request) {
        Judgement::Verdict(Verdict::Allow(permit)) => Some(permit),
        Judgement::Look(look) => Permit { request: look.request().clone(), ..look.dry_run() },
        Judgement::Verdict(Verdict::Ask(_) | Verdict::Deny(_)) => None,
    }
}
