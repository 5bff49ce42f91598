//! Asking humans, unless they were asked already.

use approval::{Approval, Asked, Bound, What};
use inbox::{Error, Inbox};
use jiff::SignedDuration;
use ledger::leaf::{self, Hidden};

use super::Prepared;
use crate::{call::Call, look::Stop, refuse::Refused};

impl Call {
    /// The approval that this waits for: the one that was asked for before, if nothing has changed, or another.
    pub(super) async fn asked(&self, prepared: &Prepared) -> Result<Approval, Stop> {
        let inbox = self.gate().inbox();
        let session = self.caller().session().as_str();
        let before =
            inbox.open_for(session, &prepared.key).await.map_err(|error| self.not_asked(prepared, &error))?;
        let Some(before) = before else { return self.ask_humans(prepared).await };
        let Some(why) = changed(&before.asked().bound, prepared) else { return Ok(before) };
        let approval = self.ask_humans(prepared).await?;
        let superseded = What::Superseded { by: approval.asked().id.clone(), why: why.to_owned() };
        match inbox.step(&before.asked().id, superseded).await {
            // Whoever used or ended it was faster.
            Ok(_) | Err(Error::Refused(_)) => Ok(approval),
            Err(error) => Err(self.not_asked(prepared, &error)),
        }
    }

    async fn ask_humans(&self, prepared: &Prepared) -> Result<Approval, Stop> {
        let inbox = self.gate().inbox();
        let holding = self.gate().holding();
        let now = inbox.now();
        let decide_by = now
            .checked_add(SignedDuration::from_secs(holding.decide_seconds.into()))
            .map_err(|_beyond_all_time| Stop::unseen(Refused::Internal))?
            .min(self.caller().expires_at());
        let request = self.told_request(prepared);
        let decision = upstream::decision(prepared.ask.decision());
        let asked = Asked {
            id: Inbox::new_id(),
            at: now,
            decide_by,
            use_seconds: holding.use_seconds,
            bound: self.bound(prepared, &request, &decision, decide_by),
            delegator: self.caller().delegator().as_str().to_owned(),
            demands: prepared.ask.demands(),
        };
        let id = asked.id.clone();
        let shown = serde_json::to_string(&prepared.shown).map_err(|error| {
            tracing::error!(call = %self.id(), %error, "what approvers are shown cannot be written");
            Stop::unseen(Refused::Internal)
        })?;
        let asking = inbox::Request {
            asked,
            key: &prepared.key,
            shown: &shown,
            call: self.id().clone(),
            actor: self.actor().clone(),
            request,
            decision,
        };
        let approval = inbox.ask(asking).await.map_err(|error| self.not_asked(prepared, &error))?;
        tracing::info!(call = %self.id(), approval = id, "humans are asked");
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

    fn bound(
        &self,
        prepared: &Prepared,
        told: &leaf::Request,
        decision: &leaf::Decision,
        decide_by: jiff::Timestamp,
    ) -> Bound {
        let request = prepared.ask.request();
        let outgoing = request.to_http();
        let keyed = |bytes: &[u8]| self.gate().ledger().keyed_digest(bytes);
        let content = request.body().map(|body| body.content().header_value());
        let told_in_part = told.hidden.total() > 0 || told.path.is_cut();
        Bound {
            agent: self.caller().agent().as_str().to_owned(),
            body: (!outgoing.body().is_empty()).then(|| keyed(outgoing.body())),
            cluster: self.cluster().to_owned(),
            content_type: content.and_then(|value| value.to_str().ok().map(str::to_owned)),
            decide_by: decide_by.to_string(),
            hidden: told_in_part.then(|| keyed(outgoing.uri().to_string().as_bytes())),
            method: outgoing.method().to_string(),
            nonce: uuid::Uuid::new_v4().simple().to_string(),
            policy: decision.policy.to_string(),
            result: prepared.result.clone(),
            session: self.caller().session().as_str().to_owned(),
            target: prepared.target.clone(),
            url: told.path.to_string(),
        }
    }

    /// Humans could not be asked.
    pub(super) fn not_asked(&self, prepared: &Prepared, error: &Error) -> Stop {
        match error {
            Error::TooMany { most } => {
                let how =
                    format!("{most} requests of this session wait for approval already, as many as may");
                let next = "wait until humans have decided about some, then send it again";
                Stop::asked(&prepared.ask, prepared.ask.ended(&how, Some(next), true))
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

/// What has changed since humans were asked, if anything.
fn changed(before: &Bound, prepared: &Prepared) -> Option<&'static str> {
    let policy = upstream::digest(prepared.ask.decision().policy_digest().as_str()).to_string();
    if before.policy != policy {
        return Some("the policy has changed");
    }
    (before.target != prepared.target).then_some("the object has changed")
}
