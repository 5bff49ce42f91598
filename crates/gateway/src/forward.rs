//! Phases 5 and 6, *intent* and *forward*: what was permitted is recorded, and then sent.

use http::Response;
use policy::Permit;
use upstream::{Answer, Failure, Intent};

use crate::{
    call::Call,
    deliver::{Asked, Delivery, Head},
    interrupt::Nature,
    metrics::Ended,
    outcome::Ending,
    refuse::Refused,
    reply::Reply,
};

impl Call {
    /// Records the intent, sends it, and delivers the answer. Every way out has its outcome in the ledger.
    pub(crate) async fn forward(self, permit: Permit) -> Result<Response<Reply>, Refused> {
        let asked = Asked { nature: Nature::of(permit.request()), target: permit.request().target().clone() };
        let nature = asked.nature;
        let receipt = match self.intend(permit).await {
            Ok(receipt) => receipt,
            Err((ended, refused)) => {
                self.ended(ended, 0);
                return Err(refused);
            }
        };
        // The body may have taken its time to arrive, and the disk to take the intent.
        if self.session_over() {
            let refused = self.over();
            return self.fail(Ending::UNSENT, refused).await;
        }
        let Some(cluster) = self.gate().cluster(receipt.entry().cluster()) else {
            return self.fail(Ending::Failed("unknown cluster"), Refused::Internal).await;
        };
        let sent = tokio::select! {
            biased;
            ending = self.interrupts().unanswered(nature) => {
                return self.fail(ending, Refused::cut(ending, nature)).await;
            }
            // Connecting may take its time, too.
            sent = cluster.send(receipt, self.interrupts().session.wait()) => sent,
        };
        match sent {
            Ok(answer) => self.open(answer, asked).await,
            Err(Failure::Unwanted) => {
                let refused = self.over();
                self.fail(Ending::UNSENT, refused).await
            }
            Err(failure) => {
                tracing::warn!(call = %self.id(), %failure, "no answer from the API server");
                self.fail(Ending::of_failure(&failure), Refused::from(&failure)).await
            }
        }
    }

    async fn intend(&self, permit: Permit) -> Result<ledger::Receipt<Intent>, (Ended, Refused)> {
        let intent = Intent::new(self.id().clone(), self.origin(), permit).map_err(|error| {
            tracing::error!(call = %self.id(), %error, "permitted, but cannot be sent");
            (Ended::Failed, Refused::Internal)
        })?;
        self.gate().ledger().append(intent).await.map_err(|error| {
            tracing::error!(call = %self.id(), %error, "the intent could not be recorded; nothing was sent");
            (Ended::Unrecorded, Refused::Unrecorded)
        })
    }

    async fn open(self, answer: Answer, asked: Asked) -> Result<Response<Reply>, Refused> {
        let nature = asked.nature;
        let Answer { status, mut headers, body } = answer;
        let opened = tokio::select! {
            biased;
            ending = self.interrupts().unseen(nature) => {
                return self.fail_answered(status, ending, Refused::cut(ending, nature)).await;
            }
            opened = body.open() => opened,
        };
        match opened {
            Ok(opened) => {
                headers.extend(opened.headers);
                Delivery::new(self, Head { status, headers }, asked, opened.body).deliver().await
            }
            Err(unmaskable) => {
                tracing::warn!(call = %self.id(), %unmaskable, "the answer cannot be masked");
                self.fail_answered(status, Ending::Unmaskable, Refused::Unmaskable).await
            }
        }
    }
}
