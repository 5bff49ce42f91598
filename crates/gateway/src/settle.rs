//! What is sent in place of a write that cannot go as it is: one with placeholders, or to a Secret, whose values it could
//! test; and of one that puts values back which were kept (`keeping`). `mask::writeback` says what that is; here the object is looked at.

use kube_api::{Request, Verb};
use ledger::leaf::Cause;
use mask::{Live, Unwritable, needs_live};
use policy::{Judgement, Verdict};

use crate::{call::Call, look::Stop};

impl Call {
    /// The request that will be judged and sent in place of `request`, if it is another. What policy does not permit anyway
    /// is not looked at.
    pub(crate) async fn settle(&self, request: &Request) -> Result<Option<Request>, Stop> {
        let restores = request.restores();
        if restores.is_none() && !needs_live(self.upstream().guard(), request)? {
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
        let Some(restores) = restores else {
            let live = self.look(request).await?;
            return Ok(Some(live.update(request, &mark)?));
        };
        let kept = self.kept(request, restores).await?;
        let live = match request.verb() {
            Verb::Create => Live::absent(self.upstream().guard(), request),
            _ => self.look(request).await?,
        };
        Ok(Some(live.restore(request, &mark, &kept)?))
    }
}

impl From<Unwritable> for Stop {
    fn from(unwritable: Unwritable) -> Self {
        Self::Refused { refused: unwritable.into(), cause: Cause::Malformed, decision: None }
    }
}
