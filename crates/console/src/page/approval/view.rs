//! What an approval's page shows.

use approval::{Approval, Bound, Level, Line, Shown, Target};
use askama::Template;
use passkey::{Challenge, CredentialId, RelyingParty};
use store::{Passkey, StoredApproval};

use super::super::{Frame, When, session::CallRow};
use crate::signin::Visitor;

/// Lines of a diff that are shown at once; what follows is behind a line that says how much it is.
const LINES: usize = 400;

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
    effects: Vec<String>,
    agent: String,
    delegator: String,
    session: String,
    reason: String,
    cluster: String,
    rules: Vec<Rule>,
    asked: When,
    diff: Diff,
    /// `None`: they could not be looked up.
    calls: Option<Vec<CallRow>>,
    /// What exactly a yes is bound to: names and values.
    bound: Vec<(&'static str, String)>,
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
    /// Why the reader cannot.
    because: String,
}

/// What would change.
struct Diff {
    lines: Vec<DiffLine>,
    /// Beyond what is shown at once.
    more: Vec<DiffLine>,
    left_out: String,
}

/// A line, or some that were folded.
struct DiffLine {
    /// `same`, `added`, `removed`, `folded`.
    class: &'static str,
    sign: &'static str,
    text: String,
    folded: Vec<String>,
}

impl Page {
    pub(super) fn new(
        frame: Frame,
        stored: &StoredApproval,
        shown: &Shown,
        calls: Option<Vec<chronicle::Call>>,
        standing: Standing,
        alert: Option<String>,
    ) -> Self {
        let asked = stored.approval.asked();
        let bound = &asked.bound;
        Self {
            frame,
            alert,
            id: asked.id.clone(),
            steps: stored.approval.steps(),
            act: shown.act.clone(),
            standing,
            effects: shown.effects(),
            agent: bound.agent.clone(),
            delegator: bound.delegator.clone(),
            session: bound.session.clone(),
            reason: shown.reason.clone(),
            cluster: bound.cluster.clone(),
            rules: rules(shown, &stored.approval),
            asked: asked.at.into(),
            diff: Diff::of(shown),
            calls: calls.map(|calls| calls.into_iter().map(CallRow::from).collect()),
            bound: binding(&stored.approval),
        }
    }
}

fn rules(shown: &Shown, approval: &Approval) -> Vec<Rule> {
    let demands = &approval.asked().demands;
    let one = |demand: &approval::Demand| Rule {
        id: demand.rule.clone(),
        reason: shown
            .rules
            .iter()
            .find(|why| why.rule == demand.rule)
            .map_or_else(String::new, |why| why.reason.clone()),
        needs: format!("{} of {}", demand.quorum, demand.approvers.join(", ")),
    };
    demands.iter().map(one).collect()
}

/// All of it: what is added to it must find a place here.
fn binding(approval: &Approval) -> Vec<(&'static str, String)> {
    let Bound {
        agent,
        body,
        cluster,
        content_type,
        decide_by,
        delegator,
        each,
        hidden,
        method,
        nonce,
        policy,
        result,
        session,
        target,
        url,
    } = &approval.asked().bound;
    let object = |target: &Target| format!("uid {} at version {}", target.uid, target.resource_version);
    let mut rows = vec![
        ("Request", format!("{method} {url}")),
        ("Agent", format!("{agent} for {delegator} in {session} on {cluster}")),
    ];
    rows.extend(target.as_ref().map(|target| ("Object", object(target))));
    rows.extend(each.iter().map(|target| ("Object", object(target))));
    rows.extend(content_type.as_ref().map(|kind| ("Media type", kind.clone())));
    rows.extend(body.as_ref().map(|digest| ("Body", digest.clone())));
    rows.extend(hidden.as_ref().map(|digest| ("Whole path", digest.clone())));
    rows.extend(result.as_ref().map(|digest| ("Dry run", digest.clone())));
    rows.push(("Policy", policy.clone()));
    rows.push(("To be decided by", decide_by.clone()));
    rows.push(("Number used once", nonce.clone()));
    rows.push(("Digest of all this", approval.asked().bound.digest().to_string()));
    rows
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
            needs: super::super::inbox::needs(approval),
            until: approval.deadline().map(Into::into),
            form: if can.is_ok() { visitor.form().to_owned() } else { String::new() },
            options: party.map_or_else(String::new, |party| options(approval, party, passkeys)),
            must_sign: approval.demanded_of(&visitor.human) == Some(Level::Passkey),
            because,
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

impl Diff {
    fn of(shown: &Shown) -> Self {
        let changes = shown.changes();
        let mut lines: Vec<DiffLine> = changes.lines.into_iter().map(DiffLine::from).collect();
        let more = if lines.len() > LINES { lines.split_off(LINES) } else { Vec::new() };
        Self { lines, more, left_out: changes.left_out.join(", ") }
    }
}

impl From<Line> for DiffLine {
    fn from(line: Line) -> Self {
        let (class, sign, text, folded) = match line {
            Line::Same(text) => ("same", " ", text, Vec::new()),
            Line::Added(text) => ("added", "+", text, Vec::new()),
            Line::Removed(text) => ("removed", "-", text, Vec::new()),
            Line::Folded(lines) => ("folded", " ", String::new(), lines),
        };
        Self { class, sign, text, folded }
    }
}
