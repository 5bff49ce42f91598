//! The trip wire: an agent that sends values of Secrets, or tests guesses at them, is told of in the ledger, counted, and
//! frozen once that is more than a session may.
//!
//! It must not become an oracle. A call's answer does not depend on whether it tripped the wire, nor does it wait for
//! what is recorded of that. What a session can learn is that it was frozen, and that ends it.

use std::sync::Arc;

use control::freeze;
use identity::{End, Operator, Reason, SessionId};
use kube_api::Request;
use ledger::leaf::{Event, Id, KnownValueSent};
use policy::Decision;
use serde_json::Value;

use crate::{Gate, call::Call, outcome::Ending, refuse::Refused};

impl Call {
    /// Holds what is asked against the values that the gate knows, before it is judged.
    ///
    /// # Errors
    /// That is more of them than the session may send: it is frozen.
    pub(crate) async fn hold_against_known_values(&self, request: &Request) -> Result<(), Refused> {
        self.sent_known(values_in(request, |text| self.known().count_in(text))).await
    }

    /// The same for a request that was not understood: its target as it came, and as much of its body as was read.
    pub(crate) async fn hold_unparsed_against_known_values(
        &self,
        target: &str,
        body: &[u8],
    ) -> Result<(), Refused> {
        let text = [target.as_bytes(), b"\n", body].concat();
        self.sent_known(u32::try_from(self.known().count_in(&text)).unwrap_or(u32::MAX)).await
    }

    /// The same for a piece of a stream, which is passed on however much that is: a session that is frozen over it ends all its
    /// streams.
    pub(crate) async fn hold_piece_against_known_values(&self, overlap: &mut Overlap, piece: &[u8]) {
        let values = overlap.with(piece, |text| self.known().count_in(text));
        let _frozen = self.sent_known(u32::try_from(values).unwrap_or(u32::MAX)).await;
    }

    /// The agent sent so many known values.
    pub(crate) async fn sent_known(&self, values: u32) -> Result<(), Refused> {
        if values == 0 {
            return Ok(());
        }
        tracing::warn!(call = %self.id(), values, "an agent sent values of Secrets");
        let (call, session) = (self.id().clone(), self.actor().session.clone());
        self.count(values, Some(Event::KnownValueSent(KnownValueSent { call, session, values })));
        self.within_budget().await
    }

    /// Counts a call that was denied since it tests a guess. Its refusal tells which denial that was.
    pub(crate) async fn count_guess(&self, decision: &Decision) {
        if decision.tests_a_guess() {
            self.count(1, None);
            // The denial stands as the answer, frozen or not.
            let _frozen = self.within_budget().await;
        }
    }

    /// In memory now, which decides; on disk while the call goes on.
    fn count(&self, values: u32, event: Option<Event>) {
        self.caller().count_values(values);
        self.gate().metrics().values_sent(values);
        let (gate, id, call) = (Arc::clone(self.gate()), self.caller().session().clone(), self.id().clone());
        self.gate().tasks().spawn(async move {
            if let Some(event) = event {
                record(&gate, &call, event).await;
            }
            if let Err(error) = gate.sessions().keep_count(&id, values).await {
                tracing::error!(%call, %error, "known values that were sent are forgotten by a restart");
            }
        });
    }

    async fn within_budget(&self) -> Result<(), Refused> {
        let (gate, caller) = (self.gate(), self.caller());
        let budget = gate.limits().known_values_a_session;
        if caller.values_sent() <= u64::from(budget) {
            return Ok(());
        }
        // A call of before a thaw must not freeze the session again.
        if caller.ended().how().is_none() {
            // A freeze ends the session's streams, and one of them may be what waits here: it must not take the freeze along.
            let frozen = gate.tasks().spawn(froze(Arc::clone(gate), caller.session().clone(), budget));
            let _panicked = frozen.await;
        }
        Err(self.over())
    }

    /// Why a session that is over, or frozen, is refused.
    pub(crate) fn over(&self) -> Refused {
        match self.caller().ended().how() {
            Some(End::Frozen(frozen)) => Refused::Frozen { session: self.caller().session().clone(), frozen },
            Some(end) => Refused::Cut(Ending::of_session(&end)),
            None => Refused::Cut(Ending::SessionFrozen),
        }
    }
}

/// Freezes a session that has sent more known values than its budget.
async fn froze(gate: Arc<Gate>, session: SessionId, budget: u32) {
    let (by, why) = (Operator::gate(), Reason::known_values(budget));
    match freeze::freeze(gate.sessions(), gate.ledger(), gate.inbox(), &session, &by, &why).await {
        Ok(freeze::Told { unrecorded: None, .. }) => {
            tracing::warn!(%session, %why, "a session was frozen");
        }
        Ok(freeze::Told { unrecorded: Some(error), .. }) => {
            tracing::error!(%session, %error, "a session was frozen; the next start records it");
        }
        Err(error) => {
            tracing::error!(%session, %error, "a session is frozen until the gate restarts");
        }
    }
}

/// The end of what a stream has sent, with which a value may begin.
#[derive(Default)]
pub(crate) struct Overlap(Vec<u8>);

impl Overlap {
    /// No form of a value that is looked for is longer.
    const BYTES: usize = 256;

    /// How many values are in what came that were not in what came before.
    fn with(&mut self, piece: &[u8], count: impl Fn(&[u8]) -> usize) -> usize {
        let before = if self.0.is_empty() { 0 } else { count(&self.0) };
        self.0.extend_from_slice(piece);
        let values = count(&self.0).saturating_sub(before);
        self.0.drain(..self.0.len().saturating_sub(Self::BYTES));
        values
    }
}

/// Beside the call: its answer must not take longer for it.
async fn record(gate: &Gate, call: &Id, event: Event) {
    if let Err(error) = gate.ledger().append(event).await {
        tracing::error!(%call, %error, "that values of Secrets were sent could not be recorded");
    }
}

/// How many different known values are in a request, as `count` finds them in a text.
fn values_in(request: &Request, count: impl FnOnce(&[u8]) -> usize) -> u32 {
    u32::try_from(count(&text_of(request))).unwrap_or(u32::MAX)
}

/// All that a request says, each part on a line of its own, so that no value spans two: the target as it is sent and its
/// parts decoded, the body as it is sent and those of its texts that JSON writes otherwise.
fn text_of(request: &Request) -> Vec<u8> {
    let mut text = request.path_and_query().into_bytes();
    let mut line = |part: &[u8]| {
        text.push(b'\n');
        text.extend_from_slice(part);
    };
    line(request.target().path().as_bytes());
    for (_name, value) in request.options().iter() {
        line(value.as_bytes());
    }
    if let Some(body) = request.body() {
        line(&body.to_bytes());
        escaped_texts(body.value(), &mut line);
    }
    text
}

/// Every key and text that does not stand in the JSON as it is. Bodies are at most 128 levels deep.
fn escaped_texts(value: &Value, found: &mut impl FnMut(&[u8])) {
    match value {
        Value::String(text) => escaped_text(text, found),
        Value::Array(items) => items.iter().for_each(|item| escaped_texts(item, found)),
        Value::Object(fields) => {
            for (key, field) in fields {
                escaped_text(key, found);
                escaped_texts(field, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn escaped_text(text: &str, found: &mut impl FnMut(&[u8])) {
    if text.chars().any(|character| matches!(character, '"' | '\\' | '\0'..='\u{1f}' | '\u{7f}'..)) {
        found(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
