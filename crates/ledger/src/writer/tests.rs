//! The running writer on a real folder.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::leaf::{Digest, Outcome, Previous, Stage};

fn config(folder: &std::path::Path) -> Config {
    Config {
        folder: folder.join("ledger"),
        key: Key::load_or_generate(&folder.join("ledger.key"), "example.com/log").unwrap(),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::from_millis(1),
        queue: 64,
    }
}

pub(super) fn start() -> Start {
    let digest = Digest::of(b"");
    Start {
        build: "test".into(),
        config: digest,
        policy: digest,
        clusters: ["dev".into()].into_iter().collect(),
        lifted: [].into_iter().collect(),
        previous: Previous::None,
    }
}

fn open(folder: &std::path::Path) -> Result<(Ledger, Recovery), OpenError> {
    Ledger::open(config(folder), start(), || jiff::Timestamp::UNIX_EPOCH)
}

pub(super) fn outcome(n: u64) -> Event {
    Event::Outcome(Outcome {
        call: Id::from_u128(u128::from(n)),
        stage: Stage::Completed,
        status: Some(200),
        delivered: n,
        masked: 0,
        duration_us: 1,
        error: None,
    })
}

#[tokio::test]
async fn a_log_is_written_closed_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, recovery) = open(folder.path()).unwrap();
    assert_eq!((recovery.size, recovery.boot_epoch, recovery.previous), (0, 1, Previous::None));
    for n in 1..=600 {
        let receipt = ledger.append(outcome(n)).await.unwrap();
        assert_eq!((receipt.index(), receipt.into_entry()), (n, outcome(n)));
    }
    assert!(matches!(open(folder.path()), Err(OpenError::InUse { .. })));
    ledger.close(true).await.unwrap();
    assert_eq!(ledger.append(outcome(0)).await.unwrap_err(), Refused::Closed);
    let stats = ledger.stats();
    assert_eq!((stats.size, stats.sealed, stats.appended, stats.poisoned), (602, 602, 602, None));

    let (ledger, recovery) = open(folder.path()).unwrap();
    assert_eq!((recovery.size, recovery.replayed, recovery.torn_bytes), (602, 0, 0));
    assert_eq!((recovery.boot_epoch, recovery.previous), (2, Previous::Clean));
    ledger.close(false).await.unwrap();
    let note = fs::read(folder.path().join("ledger/checkpoint")).unwrap();
    let verifier = config(folder.path()).key.verifier().clone();
    assert_eq!(Checkpoint::open(&note, &verifier).unwrap().checkpoint.size, 604);
    let tiles = fs::read_dir(folder.path().join("ledger/tile/0")).unwrap();
    let mut names: Vec<_> = tiles.map(|tile| tile.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["000", "001", "002.p"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_a_write_and_keep_their_own_entries() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = open(folder.path()).unwrap();
    let callers = (0..64_u64).map(|caller| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut last = 0;
            for n in 0..20 {
                let receipt = ledger.append(outcome(caller * 100 + n)).await.unwrap();
                assert!(receipt.index() > last);
                last = receipt.index();
                assert_eq!(receipt.entry(), &outcome(caller * 100 + n));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    ledger.close(true).await.unwrap();
    let stats = ledger.stats();
    assert_eq!((stats.size, stats.appended), (1282, 1282));
    assert!(stats.batches < 1282);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_poisons() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = open(folder.path()).unwrap();
    ledger.append(outcome(1)).await.unwrap().into_entry();
    // A file where the folder must be: sealing fails, whoever the user is.
    fs::rename(folder.path().join("ledger"), folder.path().join("away")).unwrap();
    fs::write(folder.path().join("ledger"), "").unwrap();
    let mut n = 2;
    let refused = loop {
        match ledger.append(outcome(n)).await {
            Ok(receipt) => n = receipt.index() + 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Refused::Poisoned);
    assert!(ledger.stats().poisoned.is_some());
    assert_eq!(ledger.append(outcome(n)).await.unwrap_err(), Refused::Poisoned);
}
