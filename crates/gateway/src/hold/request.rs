//! Asking humans, unless they were asked already.

use approval::{Approval, Asked, Bound, Shown, Subject, What};
use inbox::{Error, Inbox};
use jiff::{SignedDuration, Timestamp};
use kube_api::Request;
use ledger::leaf::{self, Hidden, Purpose};

use super::Prepared;
use crate::{call::Call, look::Stop, refuse::Refused};

impl Call {
    /// The approval that this waits for: the one that was asked for before, if nothing has changed, or another.
    pub(super) async fn asked(&self, prepared: &Prepared) -> Result<Approval, Stop> {
        let inbox = self.gate().inbox();
        let failed = |error: Error| self.not_asked(prepared, &error);
        let before = inbox.open_for(self.caller().session().as_str(), &prepared.key).await.map_err(failed)?;
        let id = Inbox::new_id();
        if let Some(before) = before {
            let Some(why) = self.changed(prepared, &before.asked().bound) else { return Ok(before) };
            // Before another is asked for: a session has so many, and this is none any more.
            self.supersede(&before, &id, why).await.map_err(failed)?;
        }
        self.ask_humans(prepared, id).await
    }

    /// Another policy does not ask about `asked`: what waits for it is withdrawn.
    pub(crate) async fn unask(&self, asked: &Request) {
        let inbox = self.gate().inbox();
        let (session, key) = (self.caller().session().as_str(), self.key_of(asked));
        match inbox.open_for(session, &key).await {
            Ok(Some(open)) => {
                self.withdraw(&open.asked().id, "the policy has changed, and asks nobody any more").await;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(call = %self.id(), %error, "what waits could not be withdrawn"),
        }
    }

    /// In the place of `before`, another is asked.
    pub(crate) async fn supersede(&self, before: &Approval, by: &str, why: &str) -> Result<(), Error> {
        let superseded = What::Superseded { by: by.to_owned(), why: why.to_owned() };
        match self.gate().inbox().step(&before.asked().id, superseded).await {
            // Whoever used or ended it was faster.
            Ok(_) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Nobody wants it any more. What cannot be withdrawn ends with its time.
    pub(crate) async fn withdraw(&self, id: &str, why: &str) {
        let withdrawn = What::Withdrawn { why: why.to_owned(), by: None };
        match self.gate().inbox().step(id, withdrawn).await {
            // Whoever used or ended it was faster.
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => tracing::error!(call = %self.id(), approval = id, %error, "could not be withdrawn"),
        }
    }

    async fn ask_humans(&self, prepared: &Prepared, id: String) -> Result<Approval, Stop> {
        let inbox = self.gate().inbox();
        let holding = self.gate().holding();
        let now = inbox.now();
        let decide_by = self.decide_by(now)?;
        let asked = Asked {
            id,
            at: now,
            decide_by,
            use_seconds: holding.use_seconds,
            bound: self.bound(prepared, uuid::Uuid::new_v4().simple().to_string(), decide_by),
            demands: prepared.ask.demands().to_vec(),
        };
        let shown = self.written(&[self.shown_with_beside(prepared).await])?;
        let asking = inbox::Request {
            asked,
            key: &prepared.key,
            shown: &shown,
            act: &prepared.shown.act,
            reason: &prepared.shown.reason,
            call: self.id().clone(),
            actor: self.actor().clone(),
            judged: Some(leaf::Judged {
                request: self.told_request(prepared),
                decision: upstream::decision(prepared.ask.decision()),
            }),
        };
        let approval = inbox.ask(asking).await.map_err(|error| self.not_asked(prepared, &error))?;
        tracing::info!(call = %self.id(), approval = approval.asked().id, "humans are asked");
        Ok(approval)
    }

    /// What approvers are shown, with what there is to see beside the object.
    pub(crate) async fn shown_with_beside(&self, prepared: &Prepared) -> Shown {
        Shown { beside: self.look_beside(prepared).await, ..prepared.shown.clone() }
    }

    /// What approvers are shown, to be kept.
    pub(crate) fn written(&self, shown: &[Shown]) -> Result<String, Stop> {
        serde_json::to_string(shown).map_err(|error| {
            tracing::error!(call = %self.id(), %error, "what approvers are shown cannot be written");
            Stop::unseen(Refused::Internal)
        })
    }

    /// The request as it will be sent, as leaves tell it.
    fn told_request(&self, prepared: &Prepared) -> leaf::Request {
        let request = prepared.ask.request();
        let body = request.to_http().into_body();
        leaf::Request {
            body: (!body.is_empty()).then(|| Hidden::new(body)),
            ..upstream::request(self.cluster(), request, &self.known())
        }
    }

    fn bound(&self, prepared: &Prepared, nonce: String, decide_by: Timestamp) -> Bound {
        let request = prepared.ask.request();
        let outgoing = request.to_http();
        let told = upstream::request(self.cluster(), request, &self.known());
        let keyed = |bytes: &[u8]| self.gate().ledger().keyed_digest(Purpose::Told, bytes);
        let content = request.body().map(|body| body.content().header_value());
        let told_in_part = told.hidden.total() > 0 || told.path.is_cut();
        let call = approval::Call {
            body: (!outgoing.body().is_empty()).then(|| keyed(outgoing.body())),
            container: prepared.container.clone(),
            content_type: content.and_then(|value| value.to_str().ok().map(str::to_owned)),
            each: prepared.ask.each().cloned().collect(),
            hidden: told_in_part.then(|| keyed(outgoing.uri().to_string().as_bytes())),
            method: outgoing.method().to_string(),
            result: prepared.result.clone(),
            target: prepared.target.clone(),
            url: told.path.to_string(),
        };
        let policy = prepared.ask.decision().policy_digest().as_str();
        Bound { nonce, ..self.bound_to(Subject::Call(call), policy, decide_by) }
    }

    /// What a yes to `subject` is bound to, of this caller and by this policy.
    pub(crate) fn bound_to(&self, subject: Subject, policy: &str, decide_by: Timestamp) -> Bound {
        Bound {
            agent: self.caller().agent().as_str().to_owned(),
            cluster: self.cluster().to_owned(),
            decide_by: decide_by.to_string(),
            delegator: self.caller().delegator().as_str().to_owned(),
            nonce: uuid::Uuid::new_v4().simple().to_string(),
            policy: upstream::digest(policy).to_string(),
            session: self.caller().session().as_str().to_owned(),
            subject,
        }
    }

    /// Until when what is asked now can be decided.
    pub(crate) fn decide_by(&self, now: Timestamp) -> Result<Timestamp, Stop> {
        let seconds = SignedDuration::from_secs(self.gate().holding().decide_seconds.into());
        let decide_by =
            now.checked_add(seconds).map_err(|_beyond_all_time| Stop::unseen(Refused::Internal))?;
        Ok(decide_by.min(self.caller().expires_at()))
    }

    /// What would be sent, as `asked` is bound: computed from what is at hand, and equal only if that is what was asked about.
    ///
    /// What the dry run answered is not held against what it answered before: it has times and generated names in it. It is
    /// evidence of what was shown.
    pub(super) fn bound_as(&self, prepared: &Prepared, asked: &Bound) -> Bound {
        let mut bound = self.bound(prepared, asked.nonce.clone(), Timestamp::UNIX_EPOCH);
        bound.decide_by.clone_from(&asked.decide_by);
        if let (Subject::Call(call), Subject::Call(asked)) = (&mut bound.subject, &asked.subject) {
            call.result.clone_from(&asked.result);
        }
        bound
    }

    /// What has changed since humans were asked, if anything.
    fn changed(&self, prepared: &Prepared, before: &Bound) -> Option<&'static str> {
        let now = self.bound_as(prepared, before);
        if now == *before {
            return None;
        }
        if now.policy != before.policy {
            return Some("the policy has changed");
        }
        let (now, before) = (now.call(), before.call());
        if now.map(|call| &call.each) != before.map(|call| &call.each) {
            return Some("the objects that it covers have changed");
        }
        if now.map(|call| &call.container) != before.map(|call| &call.container) {
            return Some("the container is another");
        }
        let same_object = now.map(|call| &call.target) == before.map(|call| &call.target);
        Some(if same_object { "what would be sent has changed" } else { "the object has changed" })
    }

    /// Humans could not be asked.
    pub(super) fn not_asked(&self, prepared: &Prepared, error: &Error) -> Stop {
        let told = |how: &str, next: &str, again| {
            Stop::asked(&prepared.ask, prepared.ask.ended(how, Some(next), again))
        };
        match error {
            Error::TooMany { most } => {
                let how =
                    format!("{most} requests of this session wait for approval already, as many as may");
                told(&how, "wait until humans have decided about some, then send it again", true)
            }
            Error::TooManyInAll { most } => {
                let how = format!("this session has asked humans {most} times, as often as it may");
                told(&how, "tell the human for whom you work; another session can ask again", false)
            }
            Error::Unrecorded(_) | Error::Store(_) => {
                tracing::error!(call = %self.id(), %error, "humans could not be asked");
                Stop::Unrecorded
            }
            Error::Unknown(_) | Error::Refused(_) | Error::Busy => {
                tracing::error!(call = %self.id(), %error, "humans could not be asked");
                Stop::unseen(Refused::Internal)
            }
        }
    }
}
