//! What is sent in place of a write that cannot go as it is: one with placeholders, or to a Secret, whose values it could
//! test. `mask::writeback` says what that is; here the object is looked at.

use kube_api::Request;
use ledger::leaf::Cause;
use mask::{Unwritable, needs_live};
use policy::{Judgement, Verdict};

use crate::{call::Call, look::Stop};

impl Call {
    /// The request that will be judged and sent in place of `request`, if it is another. What policy does not permit anyway
    /// is not looked at.
    pub(crate) async fn settle(&self, request: &Request) -> Result<Option<Request>, Stop> {
        if !needs_live(self.upstream().guard(), request)? {
            return Ok(None);
        }
        // What waits for humans has to be the same bytes whenever its client comes back, so its mark is not the call's.
        let mark = match self.judge(request.clone()) {
            Judgement::Verdict(Verdict::Deny(_)) => return Ok(None),
            Judgement::Verdict(Verdict::Ask(_)) => self.key_of(request),
            Judgement::Verdict(Verdict::Allow(_)) | Judgement::Look(_) | Judgement::Pod(_) => {
                self.id().to_string()
            }
        };
        let live = self.look(request).await?;
        Ok(Some(live.update(request, &mark)?))
    }
}

impl From<Unwritable> for Stop {
    fn from(unwritable: Unwritable) -> Self {
        Self::Refused { refused: unwritable.into(), cause: Cause::Malformed, decision: None }
    }
}
