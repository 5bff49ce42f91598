//! Settling, judging and sending, once or again.
//!
//! What was judged by the object it is about is sent bound to the version that was looked at: on another, the API server
//! does nothing and answers 409. A Deployment gets a new version with each step of its rollout, so that the agent would see
//! conflicts where without the gate there are none. What the agent itself did not bind is therefore looked at and judged
//! anew, as the API server does with a patch (`patchResource` in k8s.io/apiserver/pkg/endpoints/handlers/patch.go), and with an
//! update that names no version.

use std::sync::Arc;

use http::Response;
use kube_api::{Request, Verb};
use mask::placeholder_path;
use policy::{Denial, Judgement, Verdict};

use crate::{
    call::Call,
    forward::Forwarded,
    hold::{Granted, Stopped},
    judged::Judged,
    refuse::Refused,
    reply::Reply,
};

/// How often a call is judged and sent again.
const REPEATS: u32 = 3;

impl Call {
    /// Judges a request and sends it if it is permitted; again if the object was another by then.
    ///
    /// A refusal is told under the id of the try that it ends.
    pub(crate) async fn attempt(mut self, asked: Request) -> Response<Reply> {
        let kept = leaves_version_open(&asked).then(|| asked.clone());
        let (gate, echo) = (Arc::clone(self.gate()), self.echoes(&asked));
        let (mut request, mut repeats) = (asked, 0..REPEATS);
        loop {
            let id = self.id().clone();
            let mut again = || kept.as_ref().filter(|_| repeats.next().is_some());
            match self.attempt_once(request, &mut again).await {
                Ok(Forwarded::Answer(answer)) => return answer,
                Ok(Forwarded::Outdated(call, again)) => (self, request) = (*call, *again),
                Err(refused) => {
                    if let Some(asked) = echo {
                        gate.echoes().refused(asked, &refused);
                    }
                    return refused.answer(Some(id.as_str()));
                }
            }
        }
    }

    async fn attempt_once<'a>(
        mut self,
        request: Request,
        again: &mut impl FnMut() -> Option<&'a Request>,
    ) -> Result<Forwarded, Refused> {
        match self.permit(request).await {
            Ok(Granted::One(permit)) => {
                let again = if permit.request().names_version() { again() } else { None };
                let call = self.lasting_with(&permit);
                if permit.request().upgrade().is_some() {
                    return call.forward_stream(*permit).await.map(Forwarded::Answer);
                }
                call.forward(*permit, again).await
            }
            Ok(Granted::Each(request, permits)) => {
                self.forward_each(&request, permits).await.map(Forwarded::Answer)
            }
            Ok(Granted::Outdated(request)) => {
                Ok(Forwarded::Outdated(Box::new(self.by_policy_in_force()), request))
            }
            Err(stopped) => self.stop(&stopped.0, stopped.1).await.map(Forwarded::Answer),
        }
    }

    /// The permit for `request`, or for what is sent in its place; or else the request as far as it came, and why it came
    /// no further.
    async fn permit(&mut self, request: Request) -> Result<Granted, Stopped> {
        let (asked, verdict) = self.verdict(request).await?;
        if self.has_waited() && !matches!(verdict, Verdict::Ask(_)) {
            self.unask(asked.as_ref().unwrap_or_else(|| verdict.request())).await;
        }
        if !matches!(verdict, Verdict::Deny(_)) {
            let fits = match self.fit_for_stream(verdict.request()) {
                Ok(()) => self.begin_recording().await,
                Err(stop) => Err(stop),
            };
            if let Err(stop) = fits {
                return Err(Box::new((verdict.request().clone(), stop)));
            }
        }
        match verdict {
            Verdict::Allow(permit) => Ok(Granted::One(Box::new(permit))),
            Verdict::Ask(ask) => {
                let asked = asked.unwrap_or_else(|| ask.request().clone());
                self.hold(asked, ask).await
            }
            Verdict::Deny(denial) => Err(stopped_by(&denial)),
        }
    }

    /// The verdict on `request`, or on what is sent in its place; then, with the request as its client sent it.
    pub(crate) async fn verdict(&self, request: Request) -> Result<(Option<Request>, Verdict), Stopped> {
        // As its client sent it: kept only where something else is judged in its place.
        let (mut asked, request) = match self.settle(&request).await {
            Ok(Some(settled)) => (Some(request), settled),
            Ok(None) => (None, request),
            Err(stop) => return Err(Box::new((request, stop))),
        };
        let verdict = match self.judge(request) {
            Judgement::Verdict(verdict) => verdict,
            Judgement::Look(look) => {
                asked.get_or_insert_with(|| look.request().clone());
                match self.judge_merged(look).await {
                    Ok(verdict) => verdict,
                    Err((look, stop)) => return Err(Box::new((look.request().clone(), stop))),
                }
            }
            Judgement::Pod(look) => match self.judge_reaching(look).await {
                Ok(verdict) => verdict,
                Err((request, stop)) => return Err(Box::new((*request, stop))),
            },
        };
        Ok((asked, verdict))
    }
}

pub(crate) fn stopped_by(denial: &Denial) -> Stopped {
    Box::new((denial.request().clone(), Judged::from(denial).into()))
}

/// Whether a version that this request is sent with is the gate's doing, and another would be as good: its client names
/// none, and no placeholder of one either. An update without a version overwrites any (`AllowUnconditionalUpdate` in
/// k8s.io/apiserver/pkg/registry/rest/update.go).
fn leaves_version_open(request: &Request) -> bool {
    let changes = matches!(request.verb(), Verb::Patch | Verb::Update | Verb::Delete);
    (changes || request.is_eviction()) && !request.names_version() && placeholder_path(request).is_none()
}
