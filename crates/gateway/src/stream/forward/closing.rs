//! How connections, and with them the way, end.

use bytes::Bytes;
use futures_util::future::join_all;
use ledger::leaf::Streamed;
use streaming::port_forward::{ConnectionId, FromServer, Server};
use tokio::time::timeout;
use upstream::{Forwarded, PortForward};
use wire::leg::{Hearing, Saying};

use super::{Forward, connections::Connection};
use crate::{
    outcome::{Ending, Outcome},
    record,
    refuse::Refused,
    stream::{SWITCHED, closing::FAREWELL},
    tape::{self, Tape},
};

/// Ends the API server's side, whose connection is closed by that.
pub(super) async fn let_go(pod: Forwarded, to_pod: PortForward) {
    let _late = timeout(FAREWELL, to_pod.leave()).await;
    drop((pod, to_pod));
}

/// Ends the client's side, once each connection that was open was told why, and the client had time to show it: kubectl ends at
/// once with what carries them.
pub(super) async fn farewell(
    mut client: Hearing<Server>,
    to_client: &Saying<Server>,
    (open, why): (Vec<ConnectionId>, String),
) {
    let text = Bytes::from(why);
    let tell = async {
        for connection in &open {
            let (connection, text) = (*connection, text.clone());
            for said in last_words(connection, text) {
                // Nobody hears it who has closed the stream.
                let _unheard = to_client.say(&said).await;
            }
        }
        if !open.is_empty() {
            while let Ok(Some(_passed_over)) = client.next_until(Server::has_left).await {}
        }
    };
    let _late = timeout(FAREWELL, tell).await;
    if let Ok(Ok(())) = timeout(FAREWELL, to_client.close(Server::finish)).await {
        client.linger(FAREWELL).await;
    }
}

/// What is said last on a connection: why it ended.
pub(super) fn last_words(connection: ConnectionId, text: Bytes) -> [FromServer; 3] {
    // One that is judged is told nothing before it is accepted; others are already.
    [
        FromServer::Accepted(connection),
        FromServer::Told { connection, text },
        FromServer::Finished(connection),
    ]
}

impl Forward {
    /// Records the end of a connection. `ending`: what ended it, if it did not end by itself. Whether all of that is recorded.
    pub(super) async fn close(&self, over: Connection, ending: Option<Ending>) -> bool {
        let ending = ending.unwrap_or_else(|| over.ending());
        let Connection { id, started, tape: recorded, carries, received, shown, masked, sent, told, .. } =
            over;
        let failed = told.filter(|told| !told.is_empty());
        let counted = format!("{carries}, {received} bytes in, {shown} bytes out");
        let how = match (&failed, ending) {
            (Some(failed), _) => format!("{counted}; failed: {failed}"),
            (None, Ending::Completed) => counted,
            (None, ending) => format!("{counted}; {ending}"),
        };
        let stream = Streamed { number: recorded.number(), received, exit: None };
        // A call of its own is answered: nobody needs to ask what it did.
        let answer = if sent { SWITCHED.as_u16() } else { tape::UNSENT };
        let taped = match self.recorded.tap().answered(id.as_str(), answer, None, None).await {
            Ok(()) => recorded.closed(&how).await,
            Err(stopped) => Err(stopped),
        };
        let ending = if taped.is_ok() { ending } else { Ending::Unrecordable };
        let answered = sent.then_some(SWITCHED);
        let status = answered.unwrap_or_else(|| Refused::CutForward(ending).code());
        let outcome = Outcome { status, answered, bytes: shown, masked, ending };
        let took = started.elapsed();
        let event = record::streamed(&id, &outcome, took, stream);
        let recorded = self.call.tell_end(&id, event).await;
        self.call.gate().metrics().ended(ending.as_ended(), took, masked);
        taped.is_ok() && recorded.is_ok()
    }

    /// Records the end of those that are left; these, and what their client is told.
    pub(super) async fn close_all(&self, ending: Ending) -> (Vec<ConnectionId>, String) {
        let left = self.connections.take();
        let numbers = left.iter().map(|(number, _)| *number).collect();
        // Who leaves, leaves them open.
        let ended = if ending == Ending::Completed { Ending::ClientLeft } else { ending };
        let open = left.into_iter().filter_map(|(_, open)| open);
        let _told_in_the_log = join_all(open.map(|open| self.close(*open, Some(ended)))).await;
        (numbers, Refused::CutForward(ending).status().message().to_owned())
    }

    /// Records the end of the way.
    pub(super) async fn end(self, tape: Tape, ending: Ending) {
        let taped = tape.answered(SWITCHED, ending).await;
        let ending = if taped.is_ok() { ending } else { Ending::Unrecordable };
        let (status, answered) = (SWITCHED, Some(SWITCHED));
        let outcome = Outcome { status, answered, bytes: 0, masked: 0, ending };
        let _told_in_the_log = self.call.close(outcome).await;
    }
}
