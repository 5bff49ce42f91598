//! The connection to Chromium: commands and their answers, and events, which go to the session they are about.

use std::{
    collections::HashMap,
    net::TcpStream,
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use anyhow::Context;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tungstenite::{
    Message, WebSocket,
    protocol::{Role, WebSocketConfig},
};

use crate::{PATIENCE, bounded, session::Seen};

/// The largest message that is taken: a screenshot of a long page.
const LARGEST: usize = 128 * 1024 * 1024;

/// A connection that any number of threads use at once.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Written to by one thread at a time.
    writer: Mutex<WebSocket<TcpStream>>,
    shared: Arc<Mutex<Shared>>,
}

/// What whoever calls shares with the thread that reads.
#[derive(Debug, Default)]
struct Shared {
    ended: bool,
    last_id: u64,
    /// Who waits for the answer to which command.
    waiting: HashMap<u64, SyncSender<Result<Value, String>>>,
    /// Who is told the events of which session.
    sessions: HashMap<String, Arc<Seen>>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Chromium will not, or cannot now.
    #[error("Chromium refused `{0}`: {1}")]
    Refused(&'static str, String),
    /// Chromium is gone.
    #[error("Chromium ended before it answered `{0}`")]
    Ended(&'static str),
    /// Chromium hangs, or a dialogue of the page is open.
    #[error("Chromium did not answer `{0}` within {1:?}")]
    Late(&'static str, Duration),
}

/// A message to Chromium.
#[derive(Debug, Serialize)]
struct Command<'a> {
    id: u64,
    #[serde(rename = "sessionId", skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    method: &'static str,
    params: &'a Value,
}

/// A message from Chromium: an answer if it has an `id`, else an event.
#[derive(Debug, Deserialize)]
struct Incoming {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<Refusal>,
    #[serde(rename = "sessionId")]
    session: Option<String>,
    method: Option<String>,
    params: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    message: String,
}

// === impl Connection ===

impl Connection {
    /// Connects to an address such as `ws://127.0.0.1:9222/devtools/browser/ID`.
    pub(crate) fn open(address: &str) -> anyhow::Result<Self> {
        let host = address.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
        let stream = TcpStream::connect(host.with_context(|| format!("not an address: `{address}`"))?)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let (reader, _response) = tungstenite::client::client_with_config(address, stream, Some(config))
            .map_err(|error| anyhow::anyhow!("no WebSocket: {error}"))?;
        // Chromium may be silent for as long as it likes; whoever calls has a deadline.
        reader.get_ref().set_read_timeout(None)?;
        // Two ends of one socket: Chromium sends no pings, so the reader never writes.
        let writer = WebSocket::from_raw_socket(reader.get_ref().try_clone()?, Role::Client, Some(config));
        let shared = Arc::default();
        std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || read(reader, &shared)
        });
        Ok(Self { writer: Mutex::new(writer), shared })
    }

    /// Sends a command, to the browser itself or to one session, and waits for its answer.
    pub(crate) fn call(
        &self,
        session: Option<&str>,
        method: &'static str,
        params: &Value,
        patience: Duration,
    ) -> Result<Value, CallError> {
        let (sender, receiver) = sync_channel(1);
        let id = self.shared.lock().expect_answer(sender).ok_or(CallError::Ended(method))?;
        let command = serde_json::to_string(&Command { id, session, method, params });
        let command = command.map_err(|error| CallError::Refused(method, error.to_string()))?;
        self.writer.lock().send(Message::text(command)).map_err(|_closed| CallError::Ended(method))?;
        match receiver.recv_timeout(patience) {
            Ok(answer) => answer.map_err(|message| CallError::Refused(method, bounded(&message))),
            Err(RecvTimeoutError::Disconnected) => Err(CallError::Ended(method)),
            Err(RecvTimeoutError::Timeout) => {
                self.shared.lock().waiting.remove(&id);
                Err(CallError::Late(method, patience))
            }
        }
    }

    /// Lets `seen` be told the events of this session.
    pub(crate) fn listen(&self, session: &str, seen: Arc<Seen>) {
        self.shared.lock().sessions.insert(session.to_owned(), seen);
    }

    /// Ends what [`Connection::listen`] began.
    pub(crate) fn forget(&self, session: &str) {
        self.shared.lock().sessions.remove(session);
    }
}

// === impl Shared ===

impl Shared {
    /// The number of a new command, whose answer goes to `sender`; none once the connection has ended.
    fn expect_answer(&mut self, sender: SyncSender<Result<Value, String>>) -> Option<u64> {
        if self.ended {
            return None;
        }
        self.last_id += 1;
        self.waiting.insert(self.last_id, sender);
        Some(self.last_id)
    }

    fn take(&mut self, incoming: Incoming) {
        if let Some(id) = incoming.id {
            // Nobody waits any more for what came too late.
            let Some(sender) = self.waiting.remove(&id) else { return };
            let answer = match incoming.error {
                Some(refusal) => Err(refusal.message),
                None => Ok(incoming.result.unwrap_or_default()),
            };
            sender.try_send(answer).ok();
        } else if let (Some(session), Some(method), Some(params)) =
            (incoming.session, incoming.method, incoming.params)
            && let Some(seen) = self.sessions.get(&session)
        {
            seen.note(&method, &params);
        }
    }
}

/// Reads until the connection ends, and then tells everybody who waits.
fn read(mut reader: WebSocket<TcpStream>, shared: &Mutex<Shared>) {
    while let Ok(message) = reader.read() {
        let Message::Text(text) = message else { continue };
        if let Ok(incoming) = serde_json::from_str(&text) {
            shared.lock().take(incoming);
        }
    }
    let mut shared = shared.lock();
    shared.ended = true;
    shared.waiting.clear();
    for seen in shared.sessions.values() {
        seen.end();
    }
}
