//! The notice of something that happened. Pure: the same is the same notice. Its texts are those that the store has, which are masked.

use approval::{Asked, State};
use store::{Frozen, Session, StoredApproval};

use crate::{Address, BadId, Decision, Event, Id, Name, Notice};

/// That an approval was asked for (no step), or decided by its last step. `None`: that step is nothing that people wait for.
///
/// # Errors
/// It cannot be called by its id.
pub(super) fn of_approval(
    stored: &StoredApproval,
    step: u32,
    console: Option<&Address>,
) -> Result<Option<Notice>, BadId> {
    let StoredApproval { approval, act, reason } = stored;
    let Asked { id, bound, demands, decide_by, .. } = approval.asked();
    let by_vote = || approval.votes().iter().map(|vote| vote.by.subject.as_str().into()).collect();
    let (event, by) = match approval.state() {
        // Somebody signed it off.
        _ if approval.review().is_some() => return Ok(None),
        State::Pending if step == 0 => (Event::ApprovalAsked, Vec::new()),
        // A yes that is not enough. Whoever else is asked has heard of it.
        State::Pending => return Ok(None),
        // One of the changes was made: that they may be, was told.
        State::Approved { .. } if approval.made().any(|made| made.is_some()) => return Ok(None),
        State::Approved { .. } if approval.breaks_glass() => (Event::BreakGlass, by_vote()),
        State::Approved { .. } => (Event::ApprovalDecided(Decision::Approved), by_vote()),
        _ if approval.owes_review() => (Event::ReviewDue, by_vote()),
        State::Refused { by, .. } => {
            (Event::ApprovalDecided(Decision::Refused), vec![by.subject.as_str().into()])
        }
        State::Expired => (Event::ApprovalDecided(Decision::Expired), Vec::new()),
        State::Withdrawn { .. } => (Event::ApprovalDecided(Decision::Withdrawn), Vec::new()),
        State::Superseded { .. } => (Event::ApprovalDecided(Decision::Superseded), Vec::new()),
        // What was wanted has come of it. The ledger tells.
        State::Consumed { .. } => return Ok(None),
    };
    let told = if step == 0 { "asked".to_owned() } else { step.to_string() };
    let reviewers = bound.access().and_then(|access| access.break_glass.as_ref());
    let mut approvers: Vec<Name> = match (event, reviewers) {
        (Event::ReviewDue, Some(glass)) => glass.reviewers.iter().map(|name| name.as_str().into()).collect(),
        _ => demands.iter().flat_map(|demand| &demand.approvers).map(|name| name.as_str().into()).collect(),
    };
    approvers.sort_unstable();
    approvers.dedup();
    Ok(Some(Notice {
        id: Id::try_from(format!("{id}-{told}"))?,
        at: approval.since(),
        event,
        cluster: bound.cluster.as_str().into(),
        agent: bound.agent.as_str().into(),
        delegator: bound.delegator.as_str().into(),
        session: bound.session.as_str().into(),
        approval: Some(id.as_str().into()),
        what: act.as_str().into(),
        reason: reason.as_str().into(),
        rules: demands.iter().map(|demand| demand.rule.as_str().into()).collect(),
        approvers,
        decide_by: (step == 0).then_some(*decide_by),
        by,
        console: console.and_then(|console| console.page(&format!("/approvals/{id}")).ok()),
    }))
}

/// That a session was frozen.
///
/// # Errors
/// It cannot be called by its id.
pub(super) fn of_freeze(
    session: &Session,
    frozen: &Frozen,
    console: Option<&Address>,
) -> Result<Notice, BadId> {
    let Session { id, .. } = session;
    Ok(Notice {
        id: Id::try_from(format!("{id}-frozen-{}", frozen.at.as_microsecond()))?,
        at: frozen.at,
        event: Event::SessionFrozen,
        cluster: session.cluster.as_str().into(),
        agent: session.agent.as_str().into(),
        delegator: session.delegator.as_str().into(),
        session: id.as_str().into(),
        approval: None,
        what: frozen.why.as_str().into(),
        reason: session.reason.as_str().into(),
        rules: Vec::new(),
        approvers: Vec::new(),
        decide_by: None,
        by: vec![frozen.by.as_str().into()],
        console: console.and_then(|console| console.page(&format!("/sessions/{id}")).ok()),
    })
}
