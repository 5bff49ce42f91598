//! The running writer on a real folder.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::leaf::{Asserted, Digest, Outcome, Previous, SessionOpened, Stage};
use crate::note::Signer;
use crate::storage::sim::SimDisk;
use zeroize::Zeroizing;

fn config(folder: &std::path::Path) -> Config {
    Config {
        folder: folder.join("ledger"),
        key: Key::load_or_generate(&folder.join("ledger.key"), "example.com/log").unwrap(),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::from_millis(1),
        queue: 64,
        reserve: 0,
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
        again_as: None,
        stream: None,
    })
}

fn opened() -> Event {
    Event::SessionOpened(Box::new(SessionOpened {
        session: Id::from_u128(1),
        agent: "claude".into(),
        groups: [].into_iter().collect(),
        delegator: "anna".into(),
        cluster: "dev".into(),
        reason: Asserted { self_asserted: "look".into() },
        by: "anna".into(),
        expires: "1970-01-01T01:00:00Z".into(),
    }))
}

#[tokio::test]
async fn a_log_is_written_closed_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, recovery) = open(folder.path()).unwrap();
    assert_eq!((recovery.size, recovery.boot_epoch, recovery.previous), (0, 1, Previous::None));
    for n in 1..=600 {
        let receipt = ledger.append(outcome(n)).await.unwrap();
        assert_eq!((receipt.index(), receipt.entry()), (n, &outcome(n)));
    }
    assert!(matches!(open(folder.path()), Err(OpenError::InUse { .. })));
    ledger.close(true).await.unwrap();
    assert_eq!(ledger.append(outcome(0)).await.unwrap_err(), Refused::Closed);
    let stats = ledger.stats();
    assert_eq!((stats.size, stats.sealed, stats.appended, stats.refusing), (602, 602, 602, None));

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
}

/// A log on a simulated disk.
fn simulated(disk: &SimDisk, reserve: u64) -> Ledger {
    let config = Config {
        folder: PathBuf::new(),
        key: Key(signer()),
        writer_id: Id::new("w").unwrap(),
        checkpoint_interval: Duration::ZERO,
        queue: 64,
        reserve,
    };
    let clock = || jiff::Timestamp::UNIX_EPOCH;
    Ledger::open_on(Arc::new(disk.clone()), None, config, start(), clock).unwrap().0
}

fn signer() -> Signer {
    Signer::from_seed("example.com/log", Zeroizing::new([7; 32])).unwrap()
}

/// Waits for what the other threads do.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

/// Appends until it is acknowledged; answers with its index.
async fn insist(ledger: &Ledger, event: Event) -> u64 {
    loop {
        match ledger.append(event.clone()).await {
            Ok(receipt) => return receipt.index(),
            Err(refused) => assert_eq!(refused, Refused::Unwritable),
        }
        tokio::task::yield_now().await;
    }
}

fn verified(disk: &SimDisk) -> crate::verify::Report {
    let report = crate::verify::verify_storage(disk, signer().verifier(), None);
    assert!(report.intact(), "{report}");
    report
}

#[tokio::test]
async fn while_sealing_fails_the_journal_takes_entries_and_then_all_is_sealed() {
    for broken in ["tile", "checkpoint"] {
        let disk = SimDisk::default();
        let ledger = simulated(&disk, 0);
        until(|| ledger.stats().sealed == 1).await;
        disk.break_down(Some(broken));
        for n in 1..150 {
            assert_eq!(ledger.append(outcome(n)).await.unwrap().index(), n);
        }
        until(|| ledger.stats().unsealed.is_some()).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(ledger.stats().unsealed.unwrap(), @"sealing failed: simulated fault, NotDone");
        }
        assert_eq!((ledger.stats().sealed, ledger.stats().refusing), (1, None));
        disk.break_down(None);
        until(|| ledger.stats().sealed == 150).await;
        assert_eq!(ledger.stats().unsealed, None);
        ledger.close(true).await.unwrap();
        assert_eq!(verified(&disk).size, 151);
    }
}

#[tokio::test]
async fn a_sealer_that_fails_for_too_long_keeps_new_things_out_but_lets_open_ones_end() {
    let disk = SimDisk::default();
    let ledger = simulated(&disk, 0);
    disk.break_down(Some("checkpoint"));
    let mut n = 0;
    let refused = loop {
        n += 1;
        match ledger.append(opened()).await {
            Ok(receipt) => assert_eq!(receipt.index(), n),
            Err(refused) => break refused,
        }
    };
    insta::assert_snapshot!(refused, @"the ledger cannot seal what it has: free or repair its disk, and it goes on by itself");
    assert!(ledger.stats().refusing.is_some());
    assert_eq!(ledger.append(outcome(n)).await.unwrap().index(), n);
    disk.break_down(None);
    until(|| ledger.stats().refusing.is_none()).await;
    assert_eq!(ledger.append(opened()).await.unwrap().index(), n + 1);
    ledger.close(true).await.unwrap();
    verified(&disk);
}

#[tokio::test]
async fn a_journal_that_fails_refuses_and_goes_on_by_itself() {
    let disk = SimDisk::default();
    let ledger = simulated(&disk, 0);
    assert_eq!(ledger.append(outcome(1)).await.unwrap().index(), 1);
    disk.break_down(Some("journal"));
    let refused = ledger.append(outcome(2)).await.unwrap_err();
    insta::assert_snapshot!(refused, @"the ledger cannot write: free or repair its disk, and it goes on by itself");
    insta::assert_snapshot!(ledger.stats().refusing.unwrap(), @"writing the journal failed: simulated fault, NotDone");
    disk.break_down(None);
    until(|| ledger.stats().refusing.is_none()).await;
    assert_eq!(ledger.append(outcome(3)).await.unwrap().index(), 2);
    ledger.close(true).await.unwrap();
    let report = verified(&disk);
    assert_eq!((report.size, report.findings_total), (4, 2), "{report}");
}

#[tokio::test]
async fn a_full_disk_keeps_its_reserve_for_what_ends_something() {
    let disk = SimDisk::default();
    let ledger = simulated(&disk, 1000);
    disk.leave_free(999);
    let refused = ledger.append(opened()).await.unwrap_err();
    insta::assert_snapshot!(refused, @"the ledger's disk is nearly full, and nothing new may begin: free space, and it goes on by itself");
    insta::assert_snapshot!(ledger.stats().refusing.unwrap(), @"999 bytes are free, 1000 are kept in reserve");
    assert_eq!(ledger.append(outcome(1)).await.unwrap().index(), 1);
    disk.leave_free(1000);
    assert_eq!(ledger.append(opened()).await.unwrap().index(), 2);
    assert_eq!(ledger.stats().refusing, None);
    ledger.close(true).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_goes_away_and_comes_back_is_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = open(folder.path()).unwrap();
    assert_eq!(ledger.append(outcome(1)).await.unwrap().index(), 1);
    // A file where the folder must be: whoever the user is, nothing can be put there, and no new segment begun.
    fs::rename(folder.path().join("ledger"), folder.path().join("away")).unwrap();
    fs::write(folder.path().join("ledger"), "").unwrap();
    let mut n = 2;
    let refused = loop {
        match ledger.append(outcome(n)).await {
            Ok(receipt) => n = receipt.index() + 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Refused::Unwritable);
    assert!(ledger.stats().refusing.is_some());
    fs::remove_file(folder.path().join("ledger")).unwrap();
    fs::rename(folder.path().join("away"), folder.path().join("ledger")).unwrap();
    assert_eq!(insist(&ledger, outcome(n)).await, n);
    ledger.close(true).await.unwrap();
    let report = crate::verify::verify(&folder.path().join("ledger"), config(folder.path()).key.verifier());
    assert!(report.intact(), "{report}");
    assert_eq!(report.size, n + 2);
}

#[tokio::test]
async fn a_disk_that_hangs_is_waited_for_within_bounds_and_what_nobody_waits_for_does_not_begin() {
    let disk = SimDisk::default();
    let ledger = simulated(&disk, 0);
    assert_eq!(ledger.append(outcome(1)).await.unwrap().index(), 1);
    until(|| ledger.stats().sealed == 2).await;
    disk.hang(Some("journal"));
    let append = |event| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.append(event).await })
    };
    let written = append(opened());
    until(|| disk.is_stuck()).await;
    let queued = [append(opened()), append(outcome(2))];
    // The clock goes on by itself once every task waits.
    tokio::time::pause();
    let refused = written.await.unwrap().unwrap_err();
    insta::assert_snapshot!(refused, @"the ledger's disk does not answer: repair it, and it goes on by itself");
    for queued in queued {
        assert_eq!(queued.await.unwrap().unwrap_err(), Refused::Hanging);
    }
    insta::assert_snapshot!(ledger.stats().refusing.unwrap(), @"the disk does not answer");
    let before = tokio::time::Instant::now();
    assert_eq!(ledger.append(opened()).await.unwrap_err(), Refused::Hanging);
    assert_eq!(before.elapsed(), Duration::ZERO);
    tokio::time::resume();

    disk.hang(None);
    until(|| ledger.stats().size == 4).await;
    until(|| ledger.stats().refusing.is_none()).await;
    assert_eq!(ledger.append(opened()).await.unwrap().index(), 4, "start, outcome, opened, outcome");
    ledger.close(true).await.unwrap();
    assert_eq!(verified(&disk).size, 6);
}

#[tokio::test]
async fn a_close_does_not_wait_for_a_disk_that_hangs() {
    for hanging in ["journal", "checkpoint"] {
        let disk = SimDisk::default();
        let ledger = simulated(&disk, 0);
        until(|| ledger.stats().sealed == 1).await;
        disk.hang(Some(hanging));
        let closing = {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.close(true).await })
        };
        until(|| disk.is_stuck()).await;
        tokio::time::pause();
        assert_eq!(closing.await.unwrap(), Err(Refused::Hanging));
        tokio::time::resume();
        disk.hang(None);
    }
}
