//! Telling the ledger's side which sessions ended because their time was over.

use tokio::sync::mpsc;

use crate::SessionId;

/// The sessions whose time is over, as they end, each once.
///
/// What is not taken from here, or not recorded in spite of it, is not lost: until
/// [`Sessions::end_recorded`](crate::Sessions::end_recorded), the store tells of it at the next start.
#[derive(Debug)]
pub struct Expirations(mpsc::Receiver<SessionId>);

/// The registry's end of [`Expirations`].
#[derive(Debug)]
pub(crate) struct Teller(mpsc::Sender<SessionId>);

/// Both ends, with room for `most` that were not taken yet.
pub(crate) fn expirations(most: usize) -> (Teller, Expirations) {
    let (teller, taken) = mpsc::channel(most);
    (Teller(teller), Expirations(taken))
}

impl Expirations {
    /// The next one; `None` once the registry is gone.
    ///
    /// Cancel safety: dropped before it returns, nothing is taken.
    pub async fn next(&mut self) -> Option<SessionId> {
        self.0.recv().await
    }
}

impl Teller {
    /// Never waits: where nobody takes what is told, or too slowly, the store keeps it for the next start.
    pub(crate) fn tell(&self, session: &SessionId) {
        let _kept_by_the_store = self.0.try_send(session.clone());
    }
}
