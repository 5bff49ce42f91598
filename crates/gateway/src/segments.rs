//! Puts the digests of what the recorder has written into the ledger.

use ledger::{
    Ledger,
    leaf::{Digest, Event, Id, Recorded},
};
use recording::{Sealed, Segment};
use tokio::sync::mpsc;

/// Tells the ledger of each segment, in their order, until the recorder is gone.
///
/// A segment that the ledger does not take stops its recording, and so what is recorded there: nothing goes on that nobody
/// could hold against the ledger later. Where the ledger is slow the recorder waits.
pub async fn tell(mut segments: mpsc::Receiver<Sealed>, ledger: Ledger) {
    while let Some(sealed) = segments.recv().await {
        let Some(leaf) = leaf(sealed.segment()) else {
            tracing::error!(session = %sealed.segment().session, "a recording has a session that the ledger cannot name");
            continue;
        };
        match ledger.append(Event::Recorded(leaf)).await {
            Ok(_receipt) => sealed.recorded(),
            Err(error) => {
                let Segment { session, number, .. } = sealed.segment();
                tracing::error!(%session, segment = number, %error, "a recording ends: its segment is not in the ledger");
            }
        }
    }
}

/// `None` if the session's id is none for the ledger; [`recording::Session`] allows no such.
fn leaf(segment: &Segment) -> Option<Recorded> {
    Some(Recorded {
        session: Id::new(segment.session.as_str()).ok()?,
        segment: segment.number,
        sha256: Digest(segment.sha256.0),
        previous: segment.previous.map(|digest| Digest(digest.0)),
        bytes: segment.bytes,
        records: segment.records,
    })
}

#[cfg(test)]
mod tests;
