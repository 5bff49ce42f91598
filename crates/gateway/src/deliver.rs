//! Phases 7 and 8, *mask* and *outcome*: the masked answer on its way to the client, and the leaf that says how
//! it ended, which is durable before the client can see the end.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use kube_api::Target;
use mask::{BodyError, Masked};
use upstream::{AnswerBody, Interrupted};

use crate::{
    call::Call,
    compress::Gzip,
    interrupt::{Nature, interrupted},
    outcome::{Ending, Outcome},
    passage::{self, Passage},
    refuse::Refused,
    reply::Reply,
    tape::Tape,
};
use door::Slot;

/// An answer of at most this many bytes is held until its outcome is in the ledger and then passed on whole: what
/// goes wrong with it can still be told in words, and its length with it.
const WHOLE: usize = 64 * 1024;

/// A part of a longer answer has at least as many bytes, if they are there: each part costs a change of tasks.
const PART: usize = 64 * 1024;

/// The head of the answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// All of them may be shown.
    pub(crate) headers: HeaderMap,
}

/// What is answered.
pub(crate) struct Asked {
    pub(crate) nature: Nature,
    pub(crate) target: Target,
    pub(crate) tape: Tape,
}

/// One answer, and the call it belongs to.
pub(crate) struct Delivery {
    call: Call,
    head: Head,
    nature: Nature,
    target: Target,
    body: Masked<AnswerBody>,
    tape: Tape,
    /// What is masked and not passed on yet.
    ready: VecDeque<Bytes>,
    gzip: Option<Gzip>,
    /// Bytes that the client's connection has taken.
    taken: u64,
    last: Option<u8>,
}

/// Why an answer is not delivered to its end.
enum Fault {
    Interrupted(Ending),
    Body(BodyError<Interrupted>),
}

impl Delivery {
    pub(crate) fn new(call: Call, head: Head, asked: Asked, body: Masked<AnswerBody>) -> Self {
        let Asked { nature, target, mut tape } = asked;
        tape.answering(&head.headers);
        Self {
            call,
            head,
            nature,
            target,
            body,
            tape,
            ready: VecDeque::new(),
            gzip: None,
            taken: 0,
            last: None,
        }
    }

    /// The answer to the client. What is long goes on in a task of its own, which outlives the client's connection and
    /// owes the outcome.
    pub(crate) async fn deliver(mut self) -> Result<Response<Reply>, Refused> {
        if !self.nature.is_stream() {
            match self.hold().await {
                Ok(true) => return self.whole().await,
                Ok(false) => {}
                Err(Fault::Interrupted(ending)) => {
                    let refused = Refused::cut(ending, self.nature);
                    return self.call.fail_answered(self.tape, self.head.status, ending, refused).await;
                }
                Err(Fault::Body(error)) => {
                    tracing::warn!(call = %self.call.id(), %error, "the answer broke off");
                    let refused = Refused::of_body(&error);
                    let ending = Ending::of_body(&error);
                    return self.call.fail_answered(self.tape, self.head.status, ending, refused).await;
                }
            }
        }
        if self.call.takes_gzip() && !self.nature.is_stream() {
            Gzip::announce(&mut self.head.headers);
            self.gzip = Some(Gzip::new());
        }
        let (passing, client) = passage::new();
        let response = self.respond(|code, call, slot| Reply::passing(code, passing, call, slot));
        let tasks = self.call.gate().tasks().clone();
        tasks.spawn(self.pass(client));
        Ok(response)
    }

    /// Reads up to [`WHOLE`] bytes; tells whether that is all.
    async fn hold(&mut self) -> Result<bool, Fault> {
        let mut interrupted = pin!(self.call.interrupts().unseen(self.nature));
        let mut held = 0;
        while held <= WHOLE {
            let data = tokio::select! {
                biased;
                ending = &mut interrupted => return Err(Fault::Interrupted(ending)),
                data = next(&mut self.body) => data.map_err(Fault::Body)?,
            };
            let Some(data) = data else { return Ok(true) };
            held += data.len();
            self.ready.push_back(data);
        }
        Ok(false)
    }

    async fn whole(mut self) -> Result<Response<Reply>, Refused> {
        let data = match (self.ready.pop_front(), self.ready.is_empty()) {
            (Some(only), true) => only,
            (first, _) => first.into_iter().chain(self.ready.drain(..)).flatten().collect(),
        };
        self.taken = data.len() as u64;
        let shown = self.tape.showing(&data).await;
        let response = self.respond(|code, call, slot| Reply::whole(code, data, call, slot));
        let outcome = self.outcome(Ending::Completed);
        let ended = self.tape.answered(outcome.status, Ending::Completed).await;
        if let Err(stopped) = shown.and(ended) {
            tracing::error!(call = %self.call.id(), %stopped, "an answer cannot be recorded, and is withheld");
            let answered = Some(outcome.status);
            return self.call.undelivered(answered, Ending::of_stopped(&stopped), Refused::Unended).await;
        }
        self.call.close(outcome).await.map(|()| response).map_err(|_unrecorded| Refused::Unended)
    }

    fn respond(
        &mut self,
        reply: impl FnOnce(StatusCode, &str, Arc<Slot>) -> Response<Reply>,
    ) -> Response<Reply> {
        let mut response = reply(self.head.status, self.call.id().as_str(), self.call.slot());
        response.headers_mut().extend(std::mem::take(&mut self.head.headers));
        response
    }

    fn outcome(&self, ending: Ending) -> Outcome {
        Outcome {
            status: self.head.status,
            answered: Some(self.head.status),
            bytes: self.taken,
            masked: self.body.masked_values(),
            ending,
        }
    }

    /// Passes on part after part, and the end when the outcome is recorded. Without an end, the client's connection is
    /// reset.
    async fn pass(mut self, client: Passage) {
        let ending = match self.pass_all(&client).await {
            Ok(()) => Ending::Completed,
            Err(Fault::Interrupted(ending)) => ending,
            Err(Fault::Body(error)) => {
                tracing::warn!(call = %self.call.id(), %error, "the answer broke off");
                Ending::of_body(&error)
            }
        };
        let ends = self.may_end(ending, &client);
        let mut outcome = self.outcome(ending);
        let cut = self.call.gate().cut().clone();
        // The API server is let go first: the ledger may take its time.
        drop(self.body);
        let taped = self.tape.answered(outcome.status, ending).await.is_ok();
        if !taped {
            outcome.ending = Ending::Unrecordable;
        }
        let recorded = self.call.close(outcome).await.is_ok();
        if taped && recorded && ends {
            tokio::select! {
                () = client.end() => {}
                () = cut.cancelled() => {}
            }
        }
    }

    /// Nothing more is read before the client's connection has taken what there is.
    async fn pass_all(&mut self, client: &Passage) -> Result<(), Fault> {
        let mut interrupted = pin!(interrupted(&self.call, self.nature, &self.target));
        let (mut offered, mut end) = (0, None);
        loop {
            let room = tokio::select! {
                biased;
                ending = &mut interrupted => return Err(Fault::Interrupted(ending)),
                room = client.room() => room.ok_or_else(|| Fault::Interrupted(client.ending()))?,
            };
            self.taken += std::mem::take(&mut offered);
            if let Some(end) = end {
                return end;
            }
            if self.ready.is_empty() {
                let data = tokio::select! {
                    biased;
                    ending = &mut interrupted => return Err(Fault::Interrupted(ending)),
                    data = next(&mut self.body) => data.map_err(Fault::Body)?,
                    () = client.left() => return Err(Fault::Interrupted(client.ending())),
                };
                self.ready.extend(data.clone());
                end = data.is_none().then_some(Ok(()));
            }
            if end.is_none() {
                end = gather(&mut self.ready, &mut self.body);
            }
            let last = self.ready.back().and_then(|data| data.last()).copied().or(self.last);
            let ended = matches!(end, Some(Ok(())));
            for data in &self.ready {
                let taped = self.tape.showing(data).await;
                taped.map_err(|stopped| Fault::Interrupted(Ending::of_stopped(&stopped)))?;
            }
            let part = encoded(std::mem::take(&mut self.ready), &mut self.gzip, ended);
            offered = part.iter().map(|data| data.len() as u64).sum();
            room.send(part);
            self.last = last;
            self.call.interrupts().passes();
        }
    }

    /// Whether the client may see an end. A watch may end between any two events, and one whose session is over says so
    /// in a last event, which clients show to their user; anything else that is cut off can only be reset, lest half an
    /// answer look like a whole one.
    fn may_end(&self, ending: Ending, client: &Passage) -> bool {
        let between_events = self.nature == Nature::Watch
            && self.head.status == StatusCode::OK
            && matches!(self.last, None | Some(b'\n'));
        match ending {
            Ending::Completed => true,
            // As an API server that restarts does; the client asks anew.
            Ending::GateStopping => between_events,
            Ending::SessionEnded
            | Ending::SessionFrozen
            | Ending::AccessOver
            | Ending::Idle(_)
            | Ending::TooLong(_)
            | Ending::RecordedEnough
            | Ending::Unseen => between_events && client.offer(farewell(ending)),
            Ending::Failed(_)
            | Ending::Unsent(_)
            | Ending::Unmaskable
            | Ending::UpstreamBroke
            | Ending::ClientLeft
            | Ending::ClientStalled
            | Ending::ClientErred
            | Ending::Unrecordable
            | Ending::Changed => false,
        }
    }
}

/// Adds what is there already, up to [`PART`] bytes; tells the end if that is there, too.
fn gather(ready: &mut VecDeque<Bytes>, body: &mut Masked<AnswerBody>) -> Option<Result<(), Fault>> {
    let mut size: usize = ready.iter().map(Bytes::len).sum();
    while size < PART {
        match next(body).now_or_never()? {
            Ok(Some(data)) => {
                size += data.len();
                ready.push_back(data);
            }
            Ok(None) => return Some(Ok(())),
            Err(error) => return Some(Err(Fault::Body(error))),
        }
    }
    None
}

/// What is ready as it leaves, and at the end what comes after it.
fn encoded(ready: VecDeque<Bytes>, gzip: &mut Option<Gzip>, ended: bool) -> VecDeque<Bytes> {
    let Some(stream) = gzip else { return ready };
    let mut parts = stream.parts(&ready);
    if ended && let Some(stream) = gzip.take() {
        parts.push_back(stream.finish());
    }
    parts
}

/// The next data, if any is left.
async fn next(body: &mut Masked<AnswerBody>) -> Result<Option<Bytes>, BodyError<Interrupted>> {
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        // Trailers are no part of an answer.
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// `WatchEvent` of type `ERROR`, newline-terminated as the API server frames them.
fn farewell(ending: Ending) -> Bytes {
    let status = Refused::Cut(ending).status();
    let mut event = b"{\"type\":\"ERROR\",\"object\":".to_vec();
    event.extend_from_slice(&status.to_json());
    event.extend_from_slice(b"}\n");
    Bytes::from(event)
}
