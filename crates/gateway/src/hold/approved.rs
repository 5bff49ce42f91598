//! What humans approved ahead of the request that would now ask them.

use approval::{Approval, Change, What};
use inbox::Error;
use policy::{Ask, Permit};

use super::Prepared;
use crate::{call::Call, look::Stop};

impl Call {
    /// The access that its session has, and the changes that it may make.
    pub(super) async fn approved_ahead(&self) -> Result<Vec<Approval>, Stop> {
        let found = self.gate().inbox().approved_ahead(self.caller().session().as_str()).await;
        found.map_err(|error| {
            tracing::error!(call = %self.id(), %error, "what was approved ahead cannot be looked up");
            Stop::Unrecorded
        })
    }

    /// The permit by access that covers it, if there is some.
    pub(super) fn by_access(&self, mut ask: Ask, ahead: &[Approval]) -> Result<Permit, Box<Ask>> {
        let now = self.gate().inbox().now();
        // A policy that came into force meanwhile may say something else.
        if self.policy_has_changed(&ask) || super::can_be_asked(&ask).is_err() {
            return Err(Box::new(ask));
        }
        let given = |approval: &&Approval| self.is_ours(approval) && self.is_given(approval);
        for approval in ahead.iter().filter(given) {
            match ask.by_access(approval, now) {
                Ok(permit) => {
                    tracing::info!(call = %self.id(), approval = approval.asked().id, "access covers it");
                    return Ok(permit);
                }
                Err(not) => ask = *not,
            }
        }
        Err(Box::new(ask))
    }

    /// The permit by the change that it makes, if that was approved; the change is used up.
    pub(super) async fn by_change(
        &self,
        prepared: Prepared,
        ahead: &[Approval],
    ) -> Result<Result<Permit, Box<Prepared>>, Stop> {
        let Some(approval) = self.approval_of(&prepared, ahead) else { return Ok(Err(Box::new(prepared))) };
        // The dry run took its time.
        if self.policy_has_changed(&prepared.ask) {
            return Ok(Err(Box::new(prepared)));
        }
        let (id, digest) = approval;
        let call = self.id().to_string();
        match self.gate().inbox().step(&id, What::Consumed { call: call.clone(), digest }).await {
            Ok(used) => {
                tracing::info!(call = %self.id(), approval = id, "it makes a change that was approved");
                let Prepared { ask, .. } = prepared;
                ask.by_change(&used, &call).map(Ok).map_err(|_ask| {
                    tracing::error!(call = %self.id(), approval = id, "the change that was approved is not what would be sent");
                    Stop::unseen(crate::refuse::Refused::Internal)
                })
            }
            // Its time is over, or another call was faster: then it is asked about like any other.
            Err(Error::Refused(_)) => Ok(Err(Box::new(prepared))),
            Err(error) => Err(self.not_asked(&prepared, &error)),
        }
    }

    /// The approval of the change that this makes, and the change's digest.
    fn approval_of(&self, prepared: &Prepared, ahead: &[Approval]) -> Option<(String, String)> {
        let (change, ask) = (prepared.change.as_ref()?, &prepared.ask);
        let policy = ask.decision().policy_digest().as_str();
        ahead.iter().filter(|approval| self.is_ours(approval)).find_map(|approval| {
            let bound = &approval.asked().bound;
            let open = bound.policy == policy && approval.satisfies(ask.demands());
            let members = bound.changes().filter(|_| open)?.members.iter().zip(approval.made());
            let mut unmade = members.filter(|(_, made)| made.is_none());
            let (member, _) = unmade.find(|(member, _)| makes(change, member))?;
            Some((approval.asked().id.clone(), member.digest().to_string()))
        })
    }

    /// Whether such access is given here at all, by the configuration of today.
    fn is_given(&self, approval: &Approval) -> bool {
        let holding = self.gate().holding();
        if approval.breaks_glass() { holding.break_glass.is_some() } else { holding.access.is_some() }
    }

    /// Whether it is of this session, agent and cluster: what the store found is held against who calls.
    fn is_ours(&self, approval: &Approval) -> bool {
        let bound = &approval.asked().bound;
        bound.session == self.caller().session().as_str()
            && bound.agent == self.caller().agent().as_str()
            && bound.cluster == self.cluster()
            && bound.delegator == self.caller().delegator().as_str()
    }
}

/// Whether a change is the one that was approved. What `kubectl apply` notes in an object may also stay as it is, since other clients note
/// nothing.
fn makes(change: &Change, approved: &Change) -> bool {
    let noted = change.applied.is_none() || change.applied == approved.applied;
    noted && Change { applied: approved.applied.clone(), ..change.clone() } == *approved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(applied: Option<&str>, call: Option<&str>) -> Change {
        Change {
            applied: applied.map(str::to_owned),
            call: call.map(str::to_owned),
            gone: false,
            name: "web".to_owned(),
            namespace: "shop".to_owned(),
            resource: "deployments.apps".to_owned(),
            result: "r".to_owned(),
            target: None,
        }
    }

    #[test]
    fn a_change_is_the_approved_one_in_all_but_what_another_client_does_not_note() {
        let approved = change(Some("a"), None);
        assert!(makes(&change(Some("a"), None), &approved) && makes(&change(None, None), &approved));
        assert!(!makes(&change(Some("b"), None), &approved), "it notes something else");
        assert!(!makes(&change(Some("a"), None), &change(None, None)), "nothing was to be noted");
        assert!(!makes(&Change { result: "s".to_owned(), ..change(None, None) }, &approved));
        assert!(!makes(&Change { gone: true, ..change(None, None) }, &approved));
        assert!(!makes(&Change { name: "api".to_owned(), ..change(None, None) }, &approved));
        let masked = change(None, Some("c"));
        assert!(makes(&masked, &masked) && !makes(&change(None, Some("d")), &masked));
        assert!(!makes(&change(None, None), &masked));
    }
}
