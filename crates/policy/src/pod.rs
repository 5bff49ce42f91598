//! Judging a port-forward by the pod that it reaches, which the request only names: its labels are what rules are written about, and
//! what it runs decides whether it may be reached at all.
//!
//! ```text
//! judge ─ PodLook ─ read, by the gate ─ judge_pod ─ Verdict
//! ```
//!
//! A connection names its port when it is opened, and is judged then, as a call of its own. The call that opens the way for
//! connections names none: it is permitted if there is a port that is permitted. Ports are tried for that: those that the rules
//! compare with and their neighbours, and one beside, which stands for all others.

use kube_api::Request;

use crate::action::Action;
use crate::call::Call;
use crate::decision::Outcome;
use crate::facts::Pod;
use crate::judge::{Cause, Finding, Judge, Principal};
use crate::request::call_of;
use crate::slices::Slice;
use crate::uses::exceeds_work;
use crate::verdict::Verdict;

/// A port-forward that cannot be judged before its pod is known. There is no way from here to a permit but
/// [`Judge::judge_pod`].
#[derive(Debug)]
pub struct PodLook {
    agent: String,
    groups: Vec<String>,
    cluster: String,
    request: Request,
}

impl PodLook {
    pub(crate) fn new(who: &Principal<'_>, cluster: &str, request: Request) -> Self {
        Self {
            agent: who.agent.to_owned(),
            groups: who.groups.to_vec(),
            cluster: cluster.to_owned(),
            request,
        }
    }

    /// The request that waits to be judged.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl Judge {
    /// Judges the request of `look`, which reaches `pod`, in a cluster whose API server is reached at the port `api_server`.
    pub fn judge_pod(&self, look: PodLook, pod: &Pod, api_server: u16) -> Verdict {
        let PodLook { agent, groups, cluster, request } = look;
        let who = Principal { agent: &agent, groups: &groups };
        let call = call_of(&request).reaching(pod, Some(api_server));
        let finding = self.decide(&who, &cluster, &call);
        self.settle(&who, &cluster, &call, &finding).of(&who, &cluster, request)
    }

    /// Whether it takes a look at the pod to decide `call`: it may be permitted.
    pub(crate) fn needs_pod(&self, who: &Principal<'_>, cluster: &str, call: &Call<'_>) -> bool {
        let is_permitted_some = || {
            let slice = self.slice(who);
            slice.action(Action::PortForward).is_some_and(|rules| rules.permits || rules.incomplete)
        };
        call.action == Some(Action::PortForward)
            && !who.agent.is_empty()
            && self.fixed_denial(cluster, call).is_none()
            && is_permitted_some()
    }

    /// Judges a port-forward that names no port, or several: by the one that is permitted, or asked about, or else the last.
    pub(crate) fn decide_some_port(
        &self,
        who: &Principal<'_>,
        cluster: &str,
        call: &Call<'_>,
    ) -> Finding<'_> {
        let slice = self.slice(who);
        let ports = ports_to_try(&slice, call);
        let work = ports.len().saturating_mul(self.evaluations_in(&slice, call));
        if exceeds_work(work, call) {
            return Finding::deny(Cause::ManyLabels, Vec::new());
        }
        let mut best: Option<Finding<'_>> = None;
        let mut call = call.clone();
        for port in ports {
            call.set_port(port);
            let finding = self.decide(who, cluster, &call);
            match (finding.outcome, best.as_ref().map(|best| best.outcome)) {
                (Outcome::Allow, _) => return finding,
                (Outcome::Deny, Some(Outcome::Ask)) | (Outcome::Ask, Some(Outcome::Ask)) => {}
                (Outcome::Ask | Outcome::Deny, _) => best = Some(finding),
            }
        }
        best.unwrap_or_else(|| Finding::deny(Cause::NoRule, Vec::new()))
    }
}

fn ports_to_try(slice: &Slice, call: &Call<'_>) -> Vec<u16> {
    let named = &call.facts.forward.ports;
    if !named.is_empty() {
        return named.iter().copied().collect();
    }
    let Some(rules) = slice.action(Action::PortForward) else { return Vec::new() };
    let beside = (1..=u16::MAX).find(|port| !rules.ports.contains(port));
    rules.ports.iter().copied().chain(beside).collect()
}

#[cfg(test)]
mod tests;
