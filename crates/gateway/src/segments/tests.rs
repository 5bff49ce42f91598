use std::{collections::BTreeMap, path::Path, sync::Arc};

use ledger::testing;
use recording::{Config, Recorder, Session, Stopped, at_rest::Plain, reader::Library};
use tempfile::TempDir;

use super::*;

fn recorder(folder: &Path) -> (Recorder, mpsc::Receiver<Sealed>) {
    let config = Config {
        folder: folder.join("recordings"),
        reserve: 0,
        quota: u64::MAX,
        queue: 0,
        at_rest: Arc::new(Plain),
    };
    Recorder::open(config, jiff::Timestamp::now).unwrap()
}

fn session() -> Session {
    "s-1".parse().unwrap()
}

/// What the ledger has of the recording.
fn told(folder: &Path) -> BTreeMap<u64, recording::Digest> {
    let recorded = |event| match event {
        Event::Recorded(leaf) if leaf.session.as_str() == "s-1" => {
            Some((leaf.segment, recording::Digest(leaf.sha256.0)))
        }
        _ => None,
    };
    testing::events(folder).into_iter().filter_map(recorded).collect()
}

#[tokio::test]
async fn what_is_recorded_can_be_held_against_the_ledger() {
    let folder = TempDir::new().unwrap();
    let (recorder, segments) = recorder(folder.path());
    let ledger = testing::open(folder.path());
    let telling = tokio::spawn(tell(segments, ledger.clone()));
    let tap = recorder.session(&session()).await.unwrap();
    for call in ["c-1", "c-2"] {
        tap.called(call, "get pods", None).await.unwrap();
        tap.flush().await.unwrap();
    }
    tap.end().await.unwrap();
    recorder.close().await.unwrap();
    drop((tap, recorder));
    telling.await.unwrap();
    ledger.close(true).await.unwrap();

    let told = told(folder.path());
    assert!(told.len() >= 2, "{told:?}");
    let library = Library::new(&folder.path().join("recordings"), Arc::new(Plain));
    let recording = library.recording(&session()).unwrap();
    let amiss = |known| recording.clone().against(known).records().filter(Result::is_err).count();
    assert_eq!(amiss(told.clone()), 0);
    let other = recording::Digest::of(b"another segment");
    assert!(amiss(told.into_keys().map(|number| (number, other)).collect()) > 0);
}

#[tokio::test]
async fn a_recording_ends_when_the_ledger_does() {
    let folder = TempDir::new().unwrap();
    let (recorder, segments) = recorder(folder.path());
    let ledger = testing::open(folder.path());
    ledger.close(true).await.unwrap();
    let telling = tokio::spawn(tell(segments, ledger));
    let tap = recorder.session(&session()).await.unwrap();
    // What comes first is that the recording was begun, which may have ended it already.
    let called = tap.called("c-1", "get pods", None).await;
    assert!(matches!(called, Ok(()) | Err(Stopped::Unrecorded)), "{called:?}");
    assert_eq!(tap.until_stopped().await, Stopped::Unrecorded);
    drop((tap, recorder));
    telling.await.unwrap();
}
