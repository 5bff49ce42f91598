//! A port-forward cannot be sent before its pod was looked at.

use policy::{Judge, Judgement, Permit, Principal, Verdict};

fn unseen(judge: &Judge, who: &Principal<'_>, request: kube_api::Request) -> Option<Permit> {
    match judge.judge(who, "prod", request) {
        Judgement::Verdict(Verdict::Allow(permit)) => Some(permit),
        Judgement::Pod(look) => Some(look),
        Judgement::Look(_) | Judgement::Verdict(Verdict::Ask(_) | Verdict::Deny(_)) => None,
    }
}
