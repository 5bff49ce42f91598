//! A request that has to be looked at first cannot be sent by the permit for the look.

use policy::{Judge, Judgement, Permit, Principal, Verdict};

fn skipped(judge: &Judge, who: &Principal<'_>, request: kube_api::Request) -> Option<Permit> {
    match judge.judge(who, "prod", request) {
        Judgement::Verdict(Verdict::Allow(permit)) => Some(permit),
        Judgement::Look(look) => Some(Permit { request: look.request().clone(), ..look.dry_run() }),
        Judgement::Pod(_) | Judgement::Verdict(Verdict::Ask(_) | Verdict::Deny(_)) => None,
    }
}
