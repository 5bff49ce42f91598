//! A leaf in one line, for people.

use approval::{Asked, Changes, Subject, What};
use ledger::leaf::{
    Actor, ApprovalAsked, ApprovalStep, Decision, Event, Intent, Judged, List, Name, Outcome,
    PasskeyEnrolled, RawRequest, Recorded, RecordingErased, Refusal, Rejections, Request, Reveal, Rule,
    SecretsRead, SessionOpened, Share, SignedIn, Start, Streamed,
};

/// What happened. May hold what agents wrote: make it visible before it is shown.
#[must_use]
pub fn of(event: &Event) -> String {
    match event {
        Event::Start(start) => started(start),
        Event::Stop(stop) if stop.clean => "every call had come to its end".to_owned(),
        Event::Stop(_) => "calls were cut off".to_owned(),
        Event::Intent(intent) => intended(intent),
        Event::Outcome(outcome) => ended(outcome),
        Event::Refusal(refusal) => refused(refusal),
        Event::Answered(answered) => {
            let what = asked_of(answered.request.as_ref(), answered.raw.as_ref());
            format!("{} {what}, by the gate itself", actor(&answered.actor))
        }
        Event::Rejections(rejections) => turned_away(rejections),
        Event::SessionOpened(opened) => session_opened(opened),
        Event::SessionRevoked(revoked) => {
            let why = revoked.reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            format!("{} by {}{why}", revoked.session, revoked.by)
        }
        Event::SessionExpired(expired) => expired.session.to_string(),
        Event::SessionFrozen(frozen) => format!("{} by {}: {}", frozen.session, frozen.by, frozen.reason),
        Event::SessionThawed(thawed) => format!("{} by {}", thawed.session, thawed.by),
        Event::KnownValueSent(sent) => {
            let values = if sent.values == 1 { "value" } else { "values" };
            format!("{} {values} of Secrets in what {} sent [{}]", sent.values, sent.session, sent.call)
        }
        Event::SecretsRead(read) => secrets_read(read),
        Event::PolicyLoaded(loaded) => format!("{} with {} policies", loaded.policy, loaded.policies),
        Event::ApprovalAsked(asked) => approval_asked(asked),
        Event::ApprovalStep(step) => approval_step(step),
        Event::PasskeyEnrolled(enrolled) => {
            let PasskeyEnrolled { human, name, assurance, .. } = &**enrolled;
            format!("`{name}` of {}, {assurance}", human.subject)
        }
        Event::PasskeyRemoved(removed) => format!("of {}", removed.human.subject),
        Event::Recorded(recorded) => {
            let Recorded { session, segment, sha256, .. } = recorded;
            format!("segment {segment} of {session}, {sha256}")
        }
        Event::RecordingErased(erased) => {
            let RecordingErased { session, why, segments, .. } = erased;
            format!("{session}, with {segments} segments: {why}")
        }
        Event::SignedIn(signed_in) => {
            let SignedIn { human, assurance, src } = &**signed_in;
            format!("{} from {src}, {assurance}", human.subject)
        }
    }
}

fn started(start: &Start) -> String {
    let clusters: Vec<String> = start.clusters.items().iter().map(ToString::to_string).collect();
    let lifted = match start.lifted.total() {
        0 => String::new(),
        count => format!(", {count} fixed denials lifted"),
    };
    format!("{} for {}{lifted}", start.build, clusters.join(", "))
}

fn secrets_read(read: &SecretsRead) -> String {
    let SecretsRead { cluster, by, namespaces, except_types } = read;
    let listed = |names: &List<Name, 32>| {
        let more = names.total().saturating_sub(names.items().len() as u64);
        let more = (more > 0).then(|| format!("{more} more"));
        names.items().iter().map(ToString::to_string).chain(more).collect::<Vec<_>>().join(", ")
    };
    if namespaces.total() == 0 {
        return format!("none of {cluster}: values are masked at their places alone");
    }
    let except = match except_types.total() {
        0 => String::new(),
        _some => format!(", but for types {}", listed(except_types)),
    };
    format!("of {cluster} in namespaces {}{except}, by {by}", listed(namespaces))
}

fn approval_asked(asked: &ApprovalAsked) -> String {
    let demands: Vec<String> = asked.asked.demands.iter().map(ToString::to_string).collect();
    let Asked { id, bound, .. } = &asked.asked;
    let wanted = match (&asked.judged, &bound.subject) {
        (Some(Judged { request: asked, .. }), _) => format!("{} {}", request(asked), cluster(asked)),
        (None, Subject::Access(access)) => {
            let glass = access.break_glass.as_ref();
            let glass = glass
                .map_or_else(String::new, |glass| format!(", breaking the glass for {}", glass.incident));
            let scopes: Vec<String> = access.scopes.iter().map(ToString::to_string).collect();
            let (scopes, seconds) = (scopes.join("; "), access.seconds);
            format!("access for {seconds} s to {scopes} on {}{glass}: {}", bound.cluster, access.reason)
        }
        (None, Subject::Changes(Changes { members, reason })) => {
            format!("{} changes on {}: {reason}", members.len(), bound.cluster)
        }
        (None, Subject::Call(call)) => format!("{} {} on {}", call.method, call.url, bound.cluster),
    };
    format!("{id} for {} {wanted} needs {} [{}]", actor(&asked.actor), demands.join(" and "), asked.call)
}

fn approval_step(step: &ApprovalStep) -> String {
    let what = match &step.step.what {
        What::Approved { by, .. } => format!("approved by {}", by.subject),
        What::Refused { by, why } => format!("refused by {}: {why}", by.subject),
        What::Expired => "expired".to_owned(),
        What::Withdrawn { why, by: None } => format!("withdrawn: {why}"),
        What::Withdrawn { why, by: Some(by) } => format!("ended by {}: {why}", by.subject),
        What::Consumed { call, .. } => format!("used [{call}]"),
        What::Superseded { by, why } => format!("superseded by {by}: {why}"),
        What::Reviewed { by, note, .. } => format!("signed off by {}: {note}", by.subject),
    };
    format!("{} {what}", step.approval)
}

fn intended(intent: &Intent) -> String {
    let masked = if intent.decision.masked_read { ", masked" } else { "" };
    let shown = intent.decision.reveal.as_ref().map_or_else(String::new, revealed);
    let looks =
        intent.looks_for.as_ref().map_or_else(String::new, |call| format!(", the gate's look for {call}"));
    let through = intent.through.as_ref().map_or_else(String::new, |call| format!(", through {call}"));
    let approved =
        intent.approval.as_ref().map_or_else(String::new, |approval| format!(", approved as {approval}"));
    let part = intent.part.as_ref().map_or_else(String::new, |part| format!(", a part of {}", part.of));
    format!(
        "{} {} {} (allowed by {}{masked}{shown}{looks}{through}{approved}{part}) [{}]",
        actor(&intent.actor),
        request(&intent.request),
        cluster(&intent.request),
        rules(&intent.decision),
        intent.call
    )
}

fn revealed(reveal: &Reveal) -> String {
    let keys: Vec<String> = reveal.keys.items().iter().map(|key| format!("`{key}`")).collect();
    let others = reveal.others.then(|| "all other keys".to_owned());
    let unlisted = reveal.keys.total().saturating_sub(keys.len() as u64);
    let more = (unlisted > 0).then(|| format!("{unlisted} more"));
    format!(" but for {}", keys.into_iter().chain(more).chain(others).collect::<Vec<_>>().join(", "))
}

fn ended(outcome: &Outcome) -> String {
    let stage = format!("{:?}", outcome.stage).to_lowercase();
    let status = outcome.status.map_or_else(String::new, |status| format!(" {status}"));
    let masked = if outcome.masked > 0 { format!(", {} masked", outcome.masked) } else { String::new() };
    let error = outcome.error.as_ref().map_or_else(String::new, |error| format!(", {error}"));
    let milliseconds = outcome.duration_us / 1_000;
    let (delivered, call) = (outcome.delivered, &outcome.call);
    let again =
        outcome.again_as.as_ref().map_or_else(String::new, |again| format!(", judged again as {again}"));
    let stream = outcome.stream.as_ref().map_or_else(String::new, streamed);
    format!("{stage}{status}{stream}, {delivered} bytes in {milliseconds} ms{masked}{error}{again} [{call}]")
}

fn streamed(stream: &Streamed) -> String {
    let Streamed { number, received, exit } = stream;
    let exit = exit.map_or_else(String::new, |code| format!(" with exit code {code}"));
    format!("{exit}, stream {number} of the recording, {received} bytes sent")
}

fn refused(refusal: &Refusal) -> String {
    let who = refusal.actor.as_ref().map_or_else(|| refusal.src.to_string(), actor);
    let what = asked_of(refusal.request.as_ref(), refusal.raw.as_ref());
    format!("{who} {what}: {} {}", refusal.status, refusal.message)
}

/// What is asked, of a cluster or of the gate itself.
fn asked_of(asked: Option<&Request>, raw: Option<&RawRequest>) -> String {
    match (asked, raw) {
        (Some(asked), _) => format!("{} {}", request(asked), cluster(asked)),
        (None, Some(raw)) => format!("{} {}", raw.method, raw.path),
        (None, None) => "a call".to_owned(),
    }
}

/// What is asked, as one would type it; empty if nobody knows.
pub(crate) fn typed(asked: Option<&Request>, raw: Option<&RawRequest>) -> String {
    match (asked, raw) {
        (Some(asked), _) => request(asked),
        (None, Some(raw)) => format!("{} {}", raw.method, raw.path),
        (None, None) => String::new(),
    }
}

fn turned_away(told: &Rejections) -> String {
    let Rejections { period_s, unauthenticated, over_limit, sessions, refused, .. } = told;
    let (over, beyond) = (whose(sessions.items()), whose(told.refused_sessions.items()));
    let answered = match told.answered {
        0 => String::new(),
        answered => format!("{answered} more answered{}, ", whose(told.answered_sessions.items())),
    };
    format!(
        "{unauthenticated} without a valid token, {over_limit} over the limit{over}, {refused} more refused{beyond}, \
         {answered}within {period_s} s"
    )
}

fn whose(sessions: &[Share]) -> String {
    let named: Vec<String> =
        sessions.iter().map(|Share { session, calls }| format!("{calls} of {session}")).collect();
    if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
}

fn session_opened(opened: &SessionOpened) -> String {
    let SessionOpened { session, agent, delegator, cluster, reason, by, expires, .. } = opened;
    let reason = &reason.self_asserted;
    format!("{session} of {agent} for {delegator} on {cluster} until {expires}, by {by}: {reason}")
}

fn actor(actor: &Actor) -> String {
    format!("{} for {} ({})", actor.agent, actor.delegator, actor.session)
}

/// `get pods/log web-0 -n shop`, as one would type it.
pub(crate) fn request(request: &Request) -> String {
    let Some(resource) = &request.resource else { return format!("{} {}", request.verb, request.path) };
    let mut told = format!("{} {resource}", request.verb);
    let group = request.group.as_ref().filter(|group| !group.as_str().is_empty());
    if let Some(group) = group {
        told.push_str(&format!(".{group}"));
    }
    if let Some(subresource) = &request.subresource {
        told.push_str(&format!("/{subresource}"));
    }
    if let Some(name) = &request.name {
        told.push_str(&format!(" {name}"));
    }
    if let Some(prefix) = &request.generate_name {
        told.push_str(&format!(" {prefix}*"));
    }
    // A Namespace is in itself, which nobody types.
    if let Some(namespace) = &request.namespace
        && resource.as_str() != "namespaces"
    {
        told.push_str(&format!(" -n {namespace}"));
    }
    if request.dry_run {
        told.push_str(" (dry run)");
    }
    told
}

fn cluster(request: &Request) -> String {
    format!("on {}", request.cluster)
}

pub(crate) fn rules(decision: &Decision) -> String {
    let ids: Vec<&str> = decision.rules.items().iter().map(|Rule { id, .. }| id.as_str()).collect();
    ids.join(", ")
}
