//! One rule of a bundle: a Cedar policy and what its annotations say.

use std::sync::Arc;
use std::time::Duration;

use approval::{Demand, Level};
use cedar_policy::{ActionConstraint, Effect, EntityUid, Policy, PolicyId, PrincipalConstraint};

use crate::action::Action;
use crate::est::{ApprovedUse, Est, Mentions};
use crate::limits::{Limits, can_go_on, span};

const KNOWN_ANNOTATIONS: &[&str] = &[
    "id",
    "reason",
    "hint",
    "outcome",
    "approvers",
    "quorum",
    "assurance",
    "access",
    "hold",
    "author",
    "idle",
    "longest",
];
/// Most characters of an id, and of a reason or hint, which end up in one line of an agent's terminal.
const MAX_ID: usize = 100;
/// A client that waits longer is taken for hung by those who wait for it.
const LONGEST_HOLD: Duration = Duration::from_secs(600);
const MAX_TEXT: usize = 400;

/// A rule that passed every check.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) file: Arc<str>,
    pub(crate) reason: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) approval: Option<Approval>,
    /// How long what it permits may go on.
    pub(crate) limits: Limits,
    pub(crate) effect: Effect,
    pub(crate) principal: PrincipalScope,
    /// The actions its scope covers, by [`Action::index`].
    pub(crate) actions: Vec<Action>,
    pub(crate) mentions: Mentions,
    pub(crate) policy: Policy,
}

/// Who must agree: `quorum` distinct humans out of `approvers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approval {
    pub(crate) approvers: Vec<String>,
    pub(crate) quorum: u32,
    /// How sure it must be who decides.
    pub(crate) assurance: Option<Level>,
    /// Whether access that was given ahead is no answer to it.
    pub(crate) no_access: bool,
    /// For how long its calls wait, if it says so.
    pub(crate) hold: Option<Duration>,
    /// Who wrote the rule, and may not approve by it.
    pub(crate) authors: Vec<String>,
}

/// Whom a rule's scope covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalScope {
    Anyone,
    Agent(String),
    Group(String),
}

impl Rule {
    /// What it demands, if it asks.
    pub(crate) fn demand(&self) -> Option<Demand> {
        let Approval { approvers, quorum, assurance, no_access, authors, hold: _ } = self.approval.clone()?;
        Some(Demand { rule: self.id.clone(), approvers, quorum, assurance, no_access, authors })
    }

    /// Reads a policy's annotations and scope; on failure says everything that is wrong with them.
    pub(crate) fn read(file: &Arc<str>, policy: &Policy) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        check_annotations(policy, &mut wrong);
        check_literals(policy, &mut wrong);
        let approval = read_approval(policy, &mut wrong);
        let limits = read_limits(policy, &mut wrong);
        let id = policy.annotation("id").unwrap_or_default().to_owned();
        let Some(est) = Est::of(policy) else {
            wrong.push("cannot be read back; write it more simply".to_owned());
            return Err(wrong);
        };
        check_approved_use(policy, est.approved_use(), &mut wrong);
        if est.compares_names_freely() {
            wrong.push(
                "`resource.name` and `resource.namespace` can be compared only with strings and patterns in the rule itself: \
                 a call on a collection could not be judged for every object it covers"
                    .to_owned(),
            );
        }
        if est.compares_keys_freely() {
            wrong.push(
                "`context.key` can be compared only with strings in the rule itself, by `==`, `!=` or `[\"a\", \"b\"].contains(…)`: \
                 which keys are shown could not be told"
                    .to_owned(),
            );
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let text = |key| policy.annotation(key).map(|text| text.trim_end_matches('.').to_owned());
        Ok(Self {
            file: Arc::clone(file),
            reason: text("reason"),
            hint: text("hint"),
            approval,
            limits,
            effect: policy.effect(),
            principal: principal_scope(policy),
            actions: action_scope(policy),
            mentions: est.mentions(policy),
            policy: without_text(&policy.new_id(PolicyId::new(&id))),
            id,
        })
    }

    /// For how long its calls wait for humans, if it says so.
    pub(crate) fn hold(&self) -> Option<Duration> {
        self.approval.as_ref()?.hold
    }

    pub(crate) fn is_forbid(&self) -> bool {
        self.effect == Effect::Forbid
    }
}

fn check_annotations(policy: &Policy, wrong: &mut Vec<String>) {
    for (key, value) in policy.annotations() {
        if !KNOWN_ANNOTATIONS.contains(&key) {
            let known = KNOWN_ANNOTATIONS.join("`, `@");
            wrong.push(format!("unknown annotation `@{key}`; known are `@{known}`"));
        } else if matches!(key, "reason" | "hint") && !is_text(value) {
            wrong.push(format!("`@{key}` must be one line of 1 to {MAX_TEXT} characters"));
        }
    }
    match policy.annotation("id") {
        None => wrong.push("rule without `@id`; give it a name that is unique in the bundle".to_owned()),
        Some(id) if id.starts_with("fixed/") => {
            wrong.push(format!("`@id` `{id}`: the prefix `fixed/` belongs to the built-in denials"));
        }
        Some(id) if !is_id(id) => wrong.push(format!(
            "`@id` `{}` must be 1 to {MAX_ID} of a-z, 0-9, `-`, `_`, `.` and `/`",
            id.escape_debug()
        )),
        Some(_) => {}
    }
    if policy.effect() == Effect::Forbid && policy.annotation("reason").is_none() {
        wrong.push("forbid without `@reason`; say why, for the agent that is refused".to_owned());
    }
}

fn is_id(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_./".contains(&b);
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(allowed)
}

fn is_text(text: &str) -> bool {
    let length = text.trim().chars().count();
    (1..=MAX_TEXT).contains(&length) && !text.chars().any(char::is_control)
}

/// Entity literals that could never match, or match by accident.
fn check_literals(policy: &Policy, wrong: &mut Vec<String>) {
    for uid in policy.entity_literals() {
        let id = uid.id().unescaped();
        match uid.type_name().to_string().as_str() {
            "Namespace" => {
                let mut parts = id.split('/');
                let two = parts.by_ref().take(2).filter(|part| !part.is_empty()).count() == 2;
                if !two || parts.next().is_some() {
                    wrong.push(format!("`{uid}` must be `Namespace::\"CLUSTER/NAMESPACE\"`"));
                }
            }
            "Object" => wrong.push(format!("`{uid}`: name an object by `resource.type` and `resource.name`")),
            "Endpoint" => wrong.push(format!("`{uid}`: name an endpoint by `resource.path`")),
            _ if id.is_empty() => wrong.push(format!("`{uid}` has an empty name")),
            _ => {}
        }
    }
}

fn read_approval(policy: &Policy, wrong: &mut Vec<String>) -> Option<Approval> {
    let outcome = policy.annotation("outcome");
    if let Some(other) = outcome.filter(|outcome| *outcome != "approval") {
        wrong.push(format!("`@outcome` must be `approval`, not `{}`", other.escape_debug()));
    }
    if outcome.is_none() {
        for key in ["approvers", "quorum", "assurance", "access", "hold", "author"] {
            if policy.annotation(key).is_some() {
                wrong.push(format!("`@{key}` without `@outcome(\"approval\")`"));
            }
        }
        return None;
    }
    let approvers = names(policy.annotation("approvers").unwrap_or_default());
    if approvers.is_empty() || !approvers.iter().all(|name| is_text(name)) {
        wrong.push("`@outcome(\"approval\")` needs `@approvers(\"NAME, NAME\")`".to_owned());
    }
    let authors = names(policy.annotation("author").unwrap_or_default());
    if policy.annotation("author").is_some()
        && (authors.is_empty() || !authors.iter().all(|name| is_text(name)))
    {
        wrong.push("`@author` must be `@author(\"NAME, NAME\")`".to_owned());
    }
    let assurance = policy.annotation("assurance").and_then(|written| {
        let level = Level::of_rule(written);
        if level.is_none() {
            let written = written.escape_debug();
            wrong.push(format!("`@assurance` must be `account`, `provider` or `passkey`, not `{written}`"));
        }
        level
    });
    let access = policy.annotation("access");
    if let Some(other) = access.filter(|access| *access != "never") {
        wrong.push(format!("`@access` must be `never`, not `{}`", other.escape_debug()));
    }
    let no_access = access.is_some();
    let hold = policy.annotation("hold").and_then(|written| {
        let hold = span(written).filter(|hold| *hold <= LONGEST_HOLD);
        if hold.is_none() {
            let written = written.escape_debug();
            wrong.push(format!("`@hold` must be a time of at most 10m, as `90s` or `5m`, not `{written}`"));
        }
        hold
    });
    let quorum = policy.annotation("quorum").unwrap_or("1");
    match quorum.parse::<u32>().ok().filter(|quorum| (1..=10).contains(quorum)) {
        Some(quorum) => Some(Approval { approvers, quorum, assurance, no_access, hold, authors }),
        None => {
            wrong.push(format!("`@quorum` must be 1 to 10, not `{}`", quorum.escape_debug()));
            None
        }
    }
}

fn read_limits(policy: &Policy, wrong: &mut Vec<String>) -> Limits {
    let limits = Limits::read(policy.annotation("idle"), policy.annotation("longest"), wrong);
    for key in ["idle", "longest"] {
        if policy.annotation(key).is_none() {
            continue;
        }
        if policy.effect() == Effect::Forbid {
            wrong.push(format!("`@{key}` belongs on a permit: it ends what the rule permits"));
        } else if !action_scope(policy).into_iter().any(can_go_on) {
            wrong.push(format!(
                "`@{key}` on a rule that permits nothing which goes on; it ends `exec`, `attach`, copies, `portforward`, `watch`, \
                 and `get` of a log that is followed"
            ));
        }
    }
    limits
}

/// Names between commas.
fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Only an approval rule may look at `context.approved`, and only to step aside: then saying yes can
/// take such rules away and do nothing else.
fn check_approved_use(policy: &Policy, used: ApprovedUse, wrong: &mut Vec<String>) {
    let asks = policy.annotation("outcome").is_some();
    match (asks, policy.effect(), used) {
        (true, Effect::Forbid, ApprovedUse::Unless) | (false, _, ApprovedUse::Never) => {}
        (true, Effect::Permit, _) => {
            wrong.push("`@outcome(\"approval\")` belongs on a forbid: write `forbid … unless { context.approved }`".to_owned());
        }
        (true, Effect::Forbid, _) => wrong.push(
            "`@outcome(\"approval\")` needs exactly one clause `unless { context.approved }` and no other use of `approved`"
                .to_owned(),
        ),
        (false, ..) => wrong.push(
            "`context.approved` is only for rules with `@outcome(\"approval\")`, as `unless { context.approved }`; \
             read other facts by name"
                .to_owned(),
        ),
    }
}

fn principal_scope(policy: &Policy) -> PrincipalScope {
    let named = |uid: &EntityUid| {
        let id = uid.id().unescaped().to_owned();
        if uid.type_name().to_string() == "Group" {
            PrincipalScope::Group(id)
        } else {
            PrincipalScope::Agent(id)
        }
    };
    match policy.principal_constraint() {
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => PrincipalScope::Anyone,
        PrincipalConstraint::In(uid) | PrincipalConstraint::Eq(uid) | PrincipalConstraint::IsIn(_, uid) => {
            named(&uid)
        }
    }
}

fn action_scope(policy: &Policy) -> Vec<Action> {
    let covers = |action: &Action, uid: &EntityUid| {
        let id = uid.id().unescaped();
        action.as_str() == id || action.groups().contains(&id)
    };
    let all = Action::ALL.into_iter();
    match policy.action_constraint() {
        // Nobody shows Secrets by a permit that does not say so.
        ActionConstraint::Any if policy.effect() == Effect::Permit => {
            all.filter(|action| *action != Action::Reveal).collect()
        }
        ActionConstraint::Any => all.collect(),
        ActionConstraint::Eq(uid) => all.filter(|action| action.as_str() == uid.id().unescaped()).collect(),
        ActionConstraint::In(uids) => {
            all.filter(|action| uids.iter().any(|uid| covers(action, uid))).collect()
        }
    }
}

/// The same policy without the copy of its source text that Cedar keeps: slices hold many of them.
fn without_text(policy: &Policy) -> Policy {
    Policy::from(AsRef::as_ref(policy).clone())
}
