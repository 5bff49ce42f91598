//! What a call is about to change is recorded as it is before that, so that it can be put back.
//!
//! It is the gate's own look, by what the agent may read: what it may not read, it may change all the same, and nobody can put that
//! back. Between the look and the change somebody else may change the object; what undoes the session holds it against what the API server
//! answered, and tells (`undo`).

use kube_api::{Request, Verb};
use mask::Live;
use policy::{Judgement, Verdict};

use crate::{
    call::Call,
    look::{Seen, Stop},
    outcome::Unrecorded,
};

/// What a call is about to change.
pub(crate) struct Before {
    pub(crate) live: Live,
    /// Where it is.
    pub(crate) path: String,
}

impl Call {
    /// The object that `request` changes or deletes, as it is now; `None`: there is nothing to put back, or the agent may not see it.
    pub(crate) async fn look_before(&self, request: &Request) -> Result<Option<Before>, Unrecorded> {
        let Some(read) = what_changes(request) else { return Ok(None) };
        let path = read.target().path();
        let absent = Live::absent(self.upstream().guard(), &read);
        let Judgement::Verdict(Verdict::Allow(permit)) = self.judge(read) else { return Ok(None) };
        match self.send_look(permit).await {
            Ok(Seen::Object(live)) => Ok(Some(Before { live: *live, path })),
            Ok(Seen::Error(error, _)) => {
                let is_gone = error.status == http::StatusCode::NOT_FOUND;
                Ok(is_gone.then_some(Before { live: absent, path }))
            }
            Err(Stop::Refused { .. }) => Ok(None),
            Err(Stop::Unrecorded) => Err(Unrecorded),
        }
    }
}

/// A read of what a request changes. What is created is not there, and most subresources are no state of their own.
fn what_changes(request: &Request) -> Option<Request> {
    let by_name = matches!(request.verb(), Verb::Update | Verb::Patch | Verb::Delete);
    let resource = request.resource().filter(|_| by_name && !request.dry_run())?;
    match resource.subresource() {
        None => request.as_read().ok(),
        Some("scale") => request.as_read_of_whole(),
        Some(_) => None,
    }
}
