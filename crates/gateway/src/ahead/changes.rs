//! Several changes, decided at once.

use approval::{
    Answer, Change, Changes, Demand, MOST_CHANGES, Shown, Standing, Subject, WantedCall, WantedChanges,
};
use http::StatusCode;
use kube_api::{Head, RESTORE_HEADER, Request};
use ledger::leaf::Cause;
use policy::Verdict;

use super::{Ahead, Unasked, invalid, said, spoken, unasked, unasked_about};
use crate::{attempt::stopped_by, call::Call, hold::Prepared, look::Stop, refuse::Refused};

/// What is kept to be shown of all of them, in bytes of JSON.
const MOST_SHOWN: usize = 1 << 20;

/// What there is to ask of them.
#[derive(Default)]
struct Asking {
    members: Vec<(Change, Shown)>,
    demands: Vec<Demand>,
    /// Those that policy permits without asking.
    allowed: Vec<String>,
    /// Bytes of what is shown of them.
    shown: usize,
}

impl Call {
    pub(super) async fn ask_about_changes(
        &self,
        wanted: WantedChanges,
        key: &str,
    ) -> Result<Answer, Unasked> {
        let WantedChanges { reason, calls } = wanted;
        let reason = spoken("reason", &reason)?;
        if calls.is_empty() || calls.len() > MOST_CHANGES {
            return Err(invalid(&format!("propose from 1 to {MOST_CHANGES} changes at once")));
        }
        let session = self.caller().session().as_str();
        let Some(_turn) = self.gate().proposals().take(session) else {
            let words = "this session proposes something else at this moment; wait until that is answered";
            return Err(said(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", Cause::Limit, words));
        };
        // Before anything is looked at.
        let inbox = self.gate().inbox();
        let open = inbox.open_for(session, key).await.map_err(|error| self.unasked_by(&error))?;
        if open.is_none() {
            inbox.may_ask(session).await.map_err(|error| self.unasked_by(&error))?;
        }
        let requests = (1..).zip(&calls).map(|(number, call)| understood(number, call));
        let requests = requests.collect::<Result<Vec<_>, _>>()?;
        let mut asking = Asking::default();
        for request in requests {
            self.look_at(request, &mut asking).await?;
            if asking.shown > MOST_SHOWN {
                return Err(invalid("these are too large to be shown to humans at once; propose fewer"));
            }
        }
        let Asking { mut members, demands, allowed, .. } = asking;
        if members.is_empty() {
            return Ok(nothing_to_ask(allowed));
        }
        members.sort_by(|(one, _), (other, _)| one.object().cmp(&other.object()));
        let (members, shown): (Vec<Change>, Vec<Shown>) = members.into_iter().unzip();
        let shown = self.written(&shown).map_err(unasked)?;
        let changes = if members.len() == 1 { "change" } else { "changes" };
        let act = format!("make {} {changes} in cluster {:?}", members.len(), self.cluster());
        let approval = self.ask_ahead(Ahead {
            subject: Subject::Changes(Changes { members, reason: self.told_text(&reason) }),
            use_seconds: self.gate().holding().use_seconds,
            demands,
            key,
            act: &act,
            shown: &shown,
        });
        Ok(self.answer(&approval.await?, allowed))
    }

    /// Judges what would be sent, and asks the API server what would come of it.
    async fn look_at(&self, request: Request, asking: &mut Asking) -> Result<(), Unasked> {
        if let Err(frozen) = self.hold_against_known_values(&request).await {
            return Err(Box::new((Some(request), Stop::unseen(frozen))));
        }
        let usage = policy::usage(&request);
        let (asked, verdict) = self.verdict(request).await.map_err(unasked_about)?;
        let ask = match verdict {
            Verdict::Allow(_) => {
                let line = usage.map(|usage| usage.to_string()).unwrap_or_default();
                asking.allowed.push(self.told_text(&line));
                return Ok(());
            }
            Verdict::Deny(denial) => return Err(unasked_about(stopped_by(&denial))),
            Verdict::Ask(ask) => ask,
        };
        if self.policy_has_changed(&ask) {
            return Err(invalid("another policy came into force meanwhile; propose it again"));
        }
        let request = ask.request().clone();
        let stopped = |stop| Box::new((Some(request.clone()), stop));
        let key = self.key_of(asked.as_ref().unwrap_or(&request));
        let prepared = self.prepare(key, ask).await.map_err(stopped)?;
        let Some(change) = prepared.change.clone() else { return Err(stopped(no_change())) };
        if !self.is_tellable(&change.to_string()) {
            return Err(invalid("the name of an object holds a value of a Secret; give it another"));
        }
        if asking.members.iter().any(|(other, _)| other.object() == change.object()) {
            return Err(invalid(&format!("two of the changes are about the same object: {change}")));
        }
        let Prepared { ask, .. } = &prepared;
        for demand in ask.demands() {
            if !asking.demands.contains(demand) {
                asking.demands.push(demand.clone());
            }
        }
        let shown = self.shown_with_beside(&prepared).await;
        asking.shown += shown.size();
        asking.members.push((change, shown));
        Ok(())
    }
}

/// As if it had come by itself. What is no change is refused before anything is looked at.
fn understood(number: usize, wanted: &WantedCall) -> Result<Request, Unasked> {
    let WantedCall { method, path, content_type, body, restores } = wanted;
    let mut built = http::Request::builder()
        .method(method.as_str())
        .uri(path.as_str())
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::CONTENT_TYPE, content_type.as_str());
    if let Some(restores) = restores {
        built = built.header(RESTORE_HEADER, restores.as_str());
    }
    let none = |_| {
        invalid(&format!("change {number} is no HTTP request: look at its method, path and content type"))
    };
    let parts = built.body(()).map_err(none)?.into_parts().0;
    let parsed = Head::parse(&parts).and_then(|head| head.with_body(body.as_bytes()));
    let request = parsed.map_err(|refusal| {
        let status = refusal.status();
        let message = format!("change {number}: {}", status.message());
        let refused = Refused::Unparsed(Box::new(status.with_message(message)));
        unasked(Stop::Refused { refused, cause: Cause::Malformed, decision: None })
    })?;
    let changes = policy::usage(&request).is_some_and(|usage| usage.changes());
    if changes && !request.dry_run() { Ok(request) } else { Err(Box::new((Some(request), no_change()))) }
}

fn no_change() -> Stop {
    let words = "only what creates, updates, patches or deletes an object by its name can be proposed; send anything else by itself";
    said(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", Cause::Unsupported, words).1
}

fn nothing_to_ask(allowed: Vec<String>) -> Answer {
    Answer {
        approval: None,
        state: Standing::Allowed,
        how: "policy permits all of it without asking".to_owned(),
        needs: String::new(),
        until: None,
        page: None,
        asked: Vec::new(),
        allowed,
    }
}
