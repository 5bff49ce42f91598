//! What the recording of a session has of one call: what was asked, and what its client is shown.
//!
//! Handed over before it is shown; so what cannot be recorded is not shown. Values that policy reveals are in no recording: of such
//! an answer there is its status alone.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use kube_api::Request;
use ledger::leaf::Id;
use policy::Permit;
use recording::{
    Body, Opening, Stopped,
    record::{Channel, Kind},
};

use crate::{
    before::Before, call::Call, interrupt::Nature, outcome::Ending, recordings::Recorded, stream::opening,
};

/// In place of an answer's status: there is none, since nothing was sent.
pub(crate) const UNSENT: u16 = 0;

/// A call that is being recorded.
pub(crate) struct Tape {
    recorded: Recorded,
    call: String,
    media: Option<HeaderValue>,
    answer: Answer,
}

enum Answer {
    /// Kept until its end.
    Body(Body),
    /// Not kept.
    Withheld,
    /// Goes on for as long as its client likes; from the head of the answer on.
    Stream(Box<Streaming>),
}

enum Streaming {
    Asked(Opening),
    Open(recording::Stream),
}

impl Tape {
    /// Records that this is asked as `id`. `recorded` is the recording of the call's session.
    ///
    /// # Errors
    /// It cannot be: it must not be sent.
    pub(crate) async fn called(
        call: &Call,
        id: &Id,
        recorded: Recorded,
        permit: &Permit,
    ) -> Result<Self, Stopped> {
        let (request, id) = (permit.request(), id.as_str());
        let sent = mask::sent(call.upstream().guard(), request);
        recorded.tap().called(id, &act(call, request), sent.as_deref().map(Body::from)).await?;
        let kind = match Nature::of(request) {
            Nature::Watch => Some(Kind::Watch),
            Nature::Follow => Some(Kind::Log),
            Nature::Read | Nature::Write | Nature::Tunnel => None,
        };
        let answer = match kind {
            Some(kind) => {
                let opening = Opening { kind, ..opening::of(call, request) };
                Answer::Stream(Box::new(Streaming::Asked(opening)))
            }
            None if permit.decision().reveal().is_none() => Answer::Body(Body::default()),
            None => Answer::Withheld,
        };
        Ok(Self { recorded, call: id.to_owned(), media: None, answer })
    }

    /// What it is about to change is like this.
    ///
    /// # Errors
    /// That cannot be recorded, or its values cannot be kept: it must not be sent.
    pub(crate) async fn before(&self, call: &Call, before: &Before) -> Result<(), Stopped> {
        let live = &before.live;
        let kept = call.keep(&self.recorded, &self.call, before).await?;
        let object = Some(live.shown()).filter(|shown| !shown.is_null());
        let object = object.map(|shown| Body::from(shown.to_string().as_bytes()));
        self.recorded.tap().before(&self.call, live.is_masked(), kept, object).await
    }

    /// An answer comes, with these headers.
    pub(crate) fn answering(&mut self, headers: &HeaderMap) {
        self.media = headers.get(CONTENT_TYPE).cloned();
    }

    /// The next part of the answer, masked.
    ///
    /// # Errors
    /// It must not be shown.
    pub(crate) async fn showing(&mut self, part: &Bytes) -> Result<(), Stopped> {
        match &mut self.answer {
            Answer::Body(body) => {
                body.push(part);
                Ok(())
            }
            Answer::Withheld => Ok(()),
            Answer::Stream(stream) => match stream.as_mut() {
                Streaming::Open(stream) => stream.bytes(Channel::Data, part.clone()).await,
                Streaming::Asked(opening) => {
                    let open = self.recorded.tap().open(opening.clone()).await?;
                    let passed = open.bytes(Channel::Data, part.clone()).await;
                    **stream = Streaming::Open(open);
                    passed
                }
            },
        }
    }

    /// Nothing was sent: nobody needs to ask what it did. A recorder that stops now ends what comes next.
    pub(crate) async fn unsent(self) {
        let _stopped = self.recorded.tap().answered(&self.call, UNSENT, None, None).await;
    }

    /// The answer has ended so.
    ///
    /// # Errors
    /// Its end must not be shown.
    pub(crate) async fn answered(self, status: StatusCode, ending: Ending) -> Result<(), Stopped> {
        let media = self.media.as_ref().and_then(|media| media.to_str().ok());
        let body = match self.answer {
            Answer::Body(body) => Some(body),
            Answer::Withheld => None,
            Answer::Stream(stream) => {
                if let Streaming::Open(stream) = *stream {
                    stream.closed(&ending.to_string()).await?;
                }
                None
            }
        };
        self.recorded.tap().answered(&self.call, status.as_u16(), media, body).await
    }
}

/// What is asked, as the ledger tells it.
pub(crate) fn act(call: &Call, request: &Request) -> String {
    let told = upstream::request(call.cluster(), request, &call.known());
    format!("{} {}", told.verb, told.path)
}
