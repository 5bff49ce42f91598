//! Asking humans, unless they were asked already.

use approval::{Approval, Asked, Bound, Shown, What};
use inbox::{Error, Inbox};
use jiff::{SignedDuration, Timestamp};
use ledger::leaf::{self, Hidden};

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
            let superseded = What::Superseded { by: id.clone(), why: why.to_owned() };
            match inbox.step(&before.asked().id, superseded).await {
                // Whoever used or ended it was faster.
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.ask_humans(prepared, id).await
    }

    async fn ask_humans(&self, prepared: &Prepared, id: String) -> Result<Approval, Stop> {
        let inbox = self.gate().inbox();
        let holding = self.gate().holding();
        let now = inbox.now();
        let decide_by = now
            .checked_add(SignedDuration::from_secs(holding.decide_seconds.into()))
            .map_err(|_beyond_all_time| Stop::unseen(Refused::Internal))?
            .min(self.caller().expires_at());
        let asked = Asked {
            id,
            at: now,
            decide_by,
            use_seconds: holding.use_seconds,
            bound: self.bound(prepared, uuid::Uuid::new_v4().simple().to_string(), decide_by),
            demands: prepared.ask.demands().to_vec(),
        };
        let shown = Shown { beside: self.look_beside(prepared).await, ..prepared.shown.clone() };
        let shown = serde_json::to_string(&shown).map_err(|error| {
            tracing::error!(call = %self.id(), %error, "what approvers are shown cannot be written");
            Stop::unseen(Refused::Internal)
        })?;
        let asking = inbox::Request {
            asked,
            key: &prepared.key,
            shown: &shown,
            act: &prepared.shown.act,
            reason: &prepared.shown.reason,
            call: self.id().clone(),
            actor: self.actor().clone(),
            request: self.told_request(prepared),
            decision: upstream::decision(prepared.ask.decision()),
        };
        let approval = inbox.ask(asking).await.map_err(|error| self.not_asked(prepared, &error))?;
        tracing::info!(call = %self.id(), approval = approval.asked().id, "humans are asked");
        Ok(approval)
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
        let keyed = |bytes: &[u8]| self.gate().ledger().keyed_digest(bytes);
        let content = request.body().map(|body| body.content().header_value());
        let told_in_part = told.hidden.total() > 0 || told.path.is_cut();
        Bound {
            agent: self.caller().agent().as_str().to_owned(),
            body: (!outgoing.body().is_empty()).then(|| keyed(outgoing.body())),
            cluster: self.cluster().to_owned(),
            content_type: content.and_then(|value| value.to_str().ok().map(str::to_owned)),
            decide_by: decide_by.to_string(),
            delegator: self.caller().delegator().as_str().to_owned(),
            each: prepared.ask.each().cloned().collect(),
            hidden: told_in_part.then(|| keyed(outgoing.uri().to_string().as_bytes())),
            method: outgoing.method().to_string(),
            nonce,
            policy: upstream::digest(prepared.ask.decision().policy_digest().as_str()).to_string(),
            result: prepared.result.clone(),
            session: self.caller().session().as_str().to_owned(),
            target: prepared.target.clone(),
            url: told.path.to_string(),
        }
    }

    /// What would be sent, as `asked` is bound: computed from what is at hand, and equal only if that is what was asked about.
    ///
    /// What the dry run answered is not held against what it answered before: it has times and generated names in it. It is
    /// evidence of what was shown.
    pub(super) fn bound_as(&self, prepared: &Prepared, asked: &Bound) -> Bound {
        let bound = self.bound(prepared, asked.nonce.clone(), Timestamp::UNIX_EPOCH);
        Bound { decide_by: asked.decide_by.clone(), result: asked.result.clone(), ..bound }
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
        if now.each != before.each {
            return Some("the objects that it covers have changed");
        }
        let same_object = now.target == before.target;
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
