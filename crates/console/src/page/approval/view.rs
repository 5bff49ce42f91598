//! What an approval's page shows.

use approval::{
    Access, Approval, Bound, BreakGlass, Call, Change, Changes, Container, Level, Part, Shown, State,
    Subject, Target,
};
use askama::Template;
use passkey::{Challenge, CredentialId, RelyingParty};
use store::{Passkey, StoredApproval};

use super::super::{Frame, When, diff::Diff, session::CallRow};
use crate::signin::Visitor;

#[derive(Template)]
#[template(path = "approval.html")]
pub(super) struct Page {
    frame: Frame,
    /// What stood against what was just tried.
    alert: Option<String>,
    id: String,
    /// How many steps of it are shown.
    steps: u32,
    act: String,
    standing: Standing,
    /// What it does: of several changes, each.
    parts: Vec<Does>,
    /// What it is for, if it was said of it alone.
    purpose: String,
    agent: String,
    delegator: String,
    session: String,
    reason: String,
    cluster: String,
    rules: Vec<Rule>,
    asked: When,
    /// Lines of it that are not shown at once.
    folded: usize,
    /// `None`: they could not be looked up.
    calls: Option<Vec<CallRow>>,
    /// What was sent by it, if it is not about one call, and how much of it there is beyond that.
    done: Option<(Vec<CallRow>, u64)>,
    /// Whether more than one call can have been sent by it.
    lasts: bool,
    /// Of several changes: for how long each can be made.
    changes_for: Option<String>,
    /// What exactly a yes is bound to: names and values.
    bound: Vec<(&'static str, String)>,
}

/// What it does, or one of the changes that it makes.
struct Does {
    /// Which of several changes it is.
    title: String,
    /// By which call it was made.
    made: String,
    effects: Vec<String>,
    diff: Option<Diff>,
}

/// Calls that are shown beside it; `None`: they could not be looked up.
pub(super) struct Calls {
    /// What else its session did.
    pub(super) calls: Option<Vec<chronicle::Call>>,
    /// What was sent by it, and how much of it there is.
    pub(super) done: Option<(Vec<chronicle::Call>, u64)>,
}

/// A rule that asks, and whom.
struct Rule {
    id: String,
    reason: String,
    needs: String,
}

/// Where an approval stands, and what its reader can do.
#[derive(Template)]
#[template(path = "approval_state.html")]
pub(super) struct Standing {
    id: String,
    state: &'static str,
    how: String,
    votes: Vec<(String, When, String)>,
    needs: String,
    until: Option<When>,
    /// For the forms; empty where the reader cannot decide.
    form: String,
    /// What their passkeys are to sign, as JSON; empty: they have none.
    options: String,
    /// Whether one must.
    must_sign: bool,
    /// Whether it is access, and not exactly this.
    is_access: bool,
    /// Why the reader cannot.
    because: String,
    /// For the form that ends what can be used; empty where it cannot.
    end: String,
    /// Who signed off what was done, when and what they found.
    review: Option<(String, When, String)>,
    /// For the form by which the reader signs it off; empty where they cannot.
    sign_off: String,
    /// Why they cannot, though somebody has to.
    open: String,
}

impl Page {
    pub(super) fn new(
        frame: Frame,
        stored: &StoredApproval,
        shown: &[Shown],
        Calls { calls, done }: Calls,
        standing: Standing,
        alert: Option<String>,
    ) -> Self {
        let asked = stored.approval.asked();
        let bound = &asked.bound;
        let parts = Does::all(&stored.approval, shown);
        let rows = |calls: Vec<chronicle::Call>| calls.into_iter().map(CallRow::from).collect();
        Self {
            frame,
            alert,
            id: asked.id.clone(),
            steps: stored.approval.steps(),
            act: stored.act.clone(),
            standing,
            folded: parts.iter().filter_map(|part| part.diff.as_ref()).map(|diff| diff.more.len()).sum(),
            parts,
            purpose: bound.purpose().to_owned(),
            agent: bound.agent.clone(),
            delegator: bound.delegator.clone(),
            session: bound.session.clone(),
            reason: stored.reason.clone(),
            cluster: bound.cluster.clone(),
            rules: rules(shown, &stored.approval),
            asked: asked.at.into(),
            calls: calls.map(rows),
            done: done.map(|(calls, found)| {
                let more = found.saturating_sub(calls.len() as u64);
                (rows(calls), more)
            }),
            changes_for: bound.changes().map(|_| approval::time(asked.use_seconds)),
            lasts: bound.call().is_none() && !stored.approval.votes().is_empty(),
            bound: binding(&stored.approval),
        }
    }
}

impl Does {
    fn all(approval: &Approval, shown: &[Shown]) -> Vec<Self> {
        let made = approval.made().chain(std::iter::repeat(None));
        let one = |(part, made): (Part, Option<&str>)| {
            let Part { title, effects, diff } = part;
            let made = made.unwrap_or_default().to_owned();
            Self { title, made, effects, diff: diff.map(Diff::from) }
        };
        approval.asked().bound.parts(shown).into_iter().zip(made).map(one).collect()
    }
}

fn rules(shown: &[Shown], approval: &Approval) -> Vec<Rule> {
    let demands = &approval.asked().demands;
    let why = |rule: &str| {
        let mut rules = shown.iter().flat_map(|shown| &shown.rules);
        rules.find(|why| why.rule == rule).map(|why| why.reason.clone())
    };
    let one = |demand: &approval::Demand| Rule {
        id: demand.rule.clone(),
        reason: why(&demand.rule).unwrap_or_else(|| "the gate's configuration names who decides".to_owned()),
        needs: format!("{} of {}", demand.quorum, demand.approvers.join(", ")),
    };
    demands.iter().map(one).collect()
}

/// All of it: what is added to it must find a place here.
fn binding(approval: &Approval) -> Vec<(&'static str, String)> {
    let Bound { agent, cluster, decide_by, delegator, nonce, policy, session, subject } =
        &approval.asked().bound;
    let mut rows = match subject {
        Subject::Call(call) => bound_call(call),
        Subject::Changes(changes) => bound_changes(changes),
        Subject::Access(access) => bound_access(access),
    };
    rows.push(("Agent", format!("{agent} for {delegator} in {session} on {cluster}")));
    rows.push(("Policy", policy.clone()));
    rows.push(("To be decided by", decide_by.clone()));
    rows.push(("Number used once", nonce.clone()));
    rows.push(("Digest of all this", approval.asked().bound.digest().to_string()));
    rows
}

fn bound_call(call: &Call) -> Vec<(&'static str, String)> {
    let Call { body, container, content_type, each, hidden, method, result, target, url } = call;
    let mut rows = vec![("Request", format!("{method} {url}"))];
    rows.extend(target.iter().chain(each).map(|target| ("Object", object(target))));
    rows.extend(container.as_ref().map(|Container { image, name, pod }| {
        ("Container", format!("{name} of pod {pod}, running {image}"))
    }));
    rows.extend(content_type.as_ref().map(|kind| ("Media type", kind.clone())));
    rows.extend(body.as_ref().map(|digest| ("Body", digest.clone())));
    rows.extend(hidden.as_ref().map(|digest| ("Whole path", digest.clone())));
    rows.extend(result.as_ref().map(|digest| ("Dry run", digest.clone())));
    rows
}

fn bound_changes(changes: &Changes) -> Vec<(&'static str, String)> {
    let Changes { members, reason } = changes;
    let mut rows = vec![("Reason", reason.clone())];
    for member in members {
        let Change { applied, call, gone: _, name: _, namespace: _, resource: _, result, target } = member;
        rows.push(("Change", member.to_string()));
        rows.extend(target.as_ref().map(|target| ("Object", object(target))));
        rows.push(("Outcome", result.clone()));
        rows.extend(applied.as_ref().map(|digest| ("Noted as applied", digest.clone())));
        rows.extend(call.as_ref().map(|digest| ("Only by the call", digest.clone())));
    }
    rows
}

fn bound_access(access: &Access) -> Vec<(&'static str, String)> {
    let Access { break_glass, reason, scopes, seconds } = access;
    let mut rows: Vec<_> = scopes.iter().map(|scope| ("Scope", scope.to_string())).collect();
    rows.push(("Time", format!("{seconds} s")));
    rows.push(("Reason", reason.clone()));
    if let Some(BreakGlass { incident, reviewers }) = break_glass {
        rows.push(("Incident", incident.clone()));
        rows.push(("Signed off by one of", reviewers.join(", ")));
    }
    rows
}

fn object(target: &Target) -> String {
    format!("uid {} at version {}", target.uid, target.resource_version)
}

impl Standing {
    /// `passkeys`: those of the reader, and where they are used.
    pub(super) fn of(
        stored: &StoredApproval,
        visitor: &Visitor,
        party: Option<&RelyingParty>,
        passkeys: &[Passkey],
    ) -> Self {
        let approval = &stored.approval;
        let can = approval.can_be_decided_by(&visitor.human);
        let because = match &can {
            Ok(()) | Err(approval::Refusal::Final(_)) => String::new(),
            Err(refusal) => refusal.to_string(),
        };
        Self {
            id: approval.asked().id.clone(),
            state: approval.state().as_str(),
            how: approval.state().told(),
            votes: approval
                .votes()
                .iter()
                .map(|vote| (vote.by.subject.clone(), vote.at.into(), vote.assurance.to_string()))
                .collect(),
            needs: approval.needs(),
            until: approval.deadline().map(Into::into),
            form: if can.is_ok() { visitor.form().to_owned() } else { String::new() },
            options: party.map_or_else(String::new, |party| options(approval, party, passkeys)),
            is_access: approval.asked().bound.access().is_some(),
            must_sign: approval.demanded_of(&visitor.human) == Some(Level::Passkey),
            because,
            end: match approval.state() {
                State::Approved { .. } => visitor.form().to_owned(),
                _ => String::new(),
            },
            review: approval
                .review()
                .map(|review| (review.by.subject.clone(), review.at.into(), review.note.clone())),
            sign_off: match approval.can_be_reviewed_by(&visitor.human) {
                Ok(()) => visitor.form().to_owned(),
                Err(_) => String::new(),
            },
            open: match approval.can_be_reviewed_by(&visitor.human) {
                Err(refusal) if approval.owes_review() => refusal.to_string(),
                _ => String::new(),
            },
        }
    }
}

/// What a passkey is to sign: the digest of what is asked.
fn options(approval: &Approval, party: &RelyingParty, passkeys: &[Passkey]) -> String {
    let here = passkeys.iter().filter(|passkey| passkey.origin == party.origin());
    let ids: Vec<CredentialId> = here.map(|passkey| passkey.credential.id.clone()).collect();
    if ids.is_empty() {
        return String::new();
    }
    let challenge = Challenge::from(approval.asked().bound.digest().bytes());
    passkey::request_options(party, &challenge, &ids).to_string()
}
