//! A recorder on a simulated disk, and a ledger that takes what it tells.

use super::thread::Closed;
use super::{Config, Recorder, Sealed, Segment, Stopped, Tap};
use crate::at_rest::{Identities, Identity, Plain, Recipients};
use crate::reader::{Finding, Library, Recording};
use crate::record::{Channel, Kind, Payload, Record, Session, What};
use crate::storage::sim::SimDisk;
use crate::writer::Opening;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};

/// What the ledger has.
pub(crate) type Ledger = Arc<Mutex<Vec<Segment>>>;

/// Whom test recordings are encrypted to.
pub(crate) fn identities() -> [Identities; 2] {
    [
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0",
        "AGE-SECRET-KEY-143WN7DCXU4G8R5AXQSSYD9AEPYDNT3HXSLWSPK36CDU6E8M59SSSAGZ3KG",
    ]
    .map(|identity| Identities::parse(identity).unwrap())
}

/// Of the first of them, or of both.
pub(crate) fn recipients(how_many: usize) -> Recipients {
    let identities = identities();
    let recipients = identities.iter().flat_map(Identities::iter).map(Identity::recipient);
    Recipients::new(recipients.take(how_many).collect()).unwrap()
}

pub(crate) fn session() -> Session {
    "s-1".parse().unwrap()
}

pub(crate) fn config() -> Config {
    Config { folder: PathBuf::new(), reserve: 1000, quota: u64::MAX, queue: 0, at_rest: Arc::new(Plain) }
}

/// A recorder whose writer runs in this runtime, in its paused time.
pub(crate) fn start(disk: &SimDisk) -> (Recorder, mpsc::Receiver<Sealed>) {
    start_with(disk, &config())
}

pub(crate) fn start_with(disk: &SimDisk, config: &Config) -> (Recorder, mpsc::Receiver<Sealed>) {
    let (recorder, sealed, writer, queue) = Recorder::on(Arc::new(disk.clone()), config, clock());
    tokio::spawn(async move { writer.run(queue).await.into_iter().for_each(Closed::tell) });
    (recorder, sealed)
}

/// The same with a ledger that takes everything.
pub(crate) fn start_with_ledger(disk: &SimDisk) -> (Recorder, Ledger) {
    with_ledger(start(disk))
}

pub(crate) fn with_ledger((recorder, mut sealed): (Recorder, mpsc::Receiver<Sealed>)) -> (Recorder, Ledger) {
    let ledger = Ledger::default();
    let takes = Arc::clone(&ledger);
    tokio::spawn(async move {
        while let Some(sealed) = sealed.recv().await {
            takes.lock().push(sealed.segment().clone());
            sealed.recorded();
        }
    });
    (recorder, ledger)
}

/// 2026-06-01T12:00:00Z, and the runtime's time since.
pub(crate) fn clock() -> impl super::Clock {
    let began = Instant::now();
    move || "2026-06-01T12:00:00Z".parse::<Timestamp>().unwrap() + began.elapsed()
}

pub(crate) fn exec() -> Opening {
    Opening {
        call: "c-1".into(),
        kind: Kind::Exec,
        namespace: "shop".into(),
        pod: "web-1".into(),
        container: Some("app".into()),
        argv: ["sh", "-c", "ls"].into_iter().collect(),
        tty: true,
    }
}

pub(crate) async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

/// What is on the disk.
pub(crate) fn recording(disk: &SimDisk) -> Recording {
    library(disk).recording(&session()).unwrap()
}

pub(crate) fn library(disk: &SimDisk) -> Library {
    Library::on(Arc::new(disk.clone()), Arc::new(Plain))
}

/// A line for each record or finding.
pub(crate) fn lines<'a>(records: impl Iterator<Item = Result<Record, Finding>> + 'a) -> String {
    let line = |record| match record {
        Ok(record) => line(&record),
        Err(finding) => format!("! {finding}"),
    };
    records.map(line).collect::<Vec<_>>().join("\n")
}

fn line(record: &Record) -> String {
    let json = serde_json::to_string(&record.what).unwrap();
    match String::from_utf8_lossy(record.what.payload()) {
        payload if payload.is_empty() => format!("{} {json}", record.at),
        payload if payload.len() > 100 => format!("{} {json} ({} bytes)", record.at, payload.len()),
        payload => format!("{} {json} {payload:?}", record.at),
    }
}

/// Something short.
pub(crate) fn piece(text: &str) -> What {
    What::Bytes { stream: 1, channel: Channel::Data, bytes: Payload(text.as_bytes().to_vec().into()) }
}

impl Tap {
    /// Records that.
    pub(crate) async fn told(&self, text: &str) -> Result<(), Stopped> {
        self.write(piece(text), None).await
    }
}

/// What was told so, in order; findings are none.
pub(crate) fn told(recording: &Recording) -> Vec<String> {
    let records = recording.records().map(|record| record.unwrap());
    let text = |record: Record| match record.what {
        What::Bytes { bytes, .. } => Some(String::from_utf8(bytes.0.to_vec()).unwrap()),
        _ => None,
    };
    records.filter_map(text).collect()
}
