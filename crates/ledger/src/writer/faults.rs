//! The fault table: in a scripted run every write fails in turn, done, half done and not done; then the machine stops
//! in each of the ways it can; then the log is opened again.

use super::recover::{first_position, recover};
use super::tests::{outcome, start};
use super::thread::Writer;
use super::*;
use crate::checkpoint::Checkpoint;
use crate::leaf::{Position, Stop};
use crate::note::Signer;
use crate::storage::sim::{Crash, Fault, SimDisk};
use crate::tile::{self, Place};
use crate::tree::{Hash, fold, leaf_hash, perfect_subtrees};
use crate::verify::verify_storage;
use std::io;
use zeroize::Zeroizing;

const CRASHES: [Crash; 4] = [Crash::KeepsAll, Crash::Loses, Crash::Tears, Crash::Zeros];

fn signer() -> Signer {
    Signer::from_seed("example.com/log", Zeroizing::new([7; 32])).unwrap()
}

/// What was asked of the log, in order, and what it acknowledged.
#[derive(Default)]
struct Told {
    asked: Vec<Vec<u8>>,
    acknowledged: Vec<(u64, Vec<u8>)>,
    /// How many operations failed.
    failures: usize,
}

/// A step of the script.
#[derive(Clone, Copy)]
enum Step {
    /// Record so many leaves together.
    Record(u64),
    Seal,
    Reopen,
}

use Step::{Record, Reopen, Seal};

/// Crosses tile boundaries in one batch and in many, rotates segments, and reopens with and without a tail.
#[rustfmt::skip]
const SCRIPT: &[Step] = &[
    Record(1), Record(3), Record(100), Seal, Record(2), Record(40), Seal, Seal, Record(2), Reopen, Record(1), Seal,
    Record(120), Reopen, Reopen, Record(7), Seal,
];

fn open(disk: &SimDisk, told: &mut Told) -> Option<Writer> {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let opened = recover(&storage, signer()).ok()?;
    let position = first_position(&Id::new("w").unwrap(), &opened.recovery);
    let first = Event::Start(Start { previous: opened.recovery.previous, ..start() });
    let clock = || jiff::Timestamp::UNIX_EPOCH;
    let mut writer = Writer::new(opened, position, Box::new(clock), Shared::for_test(&storage));
    record(&mut writer, vec![first], told).then_some(writer)
}

fn record(writer: &mut Writer, events: Vec<Event>, told: &mut Told) -> bool {
    let at = writer.segments.next();
    let done = writer.record(&events).is_ok();
    for (index, event) in (at..).zip(&events) {
        told.ask(event);
        if done {
            told.acknowledged.extend(told.asked.last().map(|asked| (index, asked.clone())));
        }
    }
    done
}

impl Told {
    fn ask(&mut self, event: &Event) {
        let position = Position { writer_id: Id::new("w").unwrap(), boot_epoch: 0, writer_seq: 0 };
        self.asked.push(body(&event.encode().unwrap().leaf(&position, "")).to_vec());
    }
}

/// The event in a leaf, as it stands there: faster than parsing, a million times.
fn body(leaf: &[u8]) -> &[u8] {
    let find = |what: &[u8]| leaf.windows(what.len()).position(|at| at == what).unwrap();
    &leaf[find(b"\"event\":")..find(b",\"event_id\":")]
}

fn seal(writer: &mut Writer) -> io::Result<()> {
    let runs = std::mem::take(&mut writer.durable);
    runs.iter().try_for_each(|run| writer.sealer.absorb(run))?;
    writer.sealer.seal()?;
    writer.segments.drop_sealed(writer.sealer.sealed())
}

/// What the writer does after a write that failed, once the disk takes writes again.
fn mend(writer: &mut Writer) -> io::Result<()> {
    seal(writer)?;
    writer.segments.begin_anew()
}

/// Runs the script until the disk has failed more often than it may.
fn run(disk: &SimDisk, may_fail: usize) -> Told {
    let mut told = Told::default();
    let Some(mut writer) = open(disk, &mut told) else { return told };
    for step in SCRIPT {
        let done = match step {
            Record(n) => {
                let from = told.asked.len() as u64;
                let events = (from..from + n).map(outcome).collect();
                record(&mut writer, events, &mut told)
            }
            Seal => seal(&mut writer).is_ok(),
            Reopen => match open(disk, &mut told) {
                Some(next) => {
                    writer = next;
                    true
                }
                None => return told,
            },
        };
        if done {
            continue;
        }
        told.failures += 1;
        if matches!(step, Record(_)) {
            // What failed to be written stays failed until a new journal is begun.
            let again = vec![outcome(u64::MAX >> 12)];
            assert!(!record(&mut writer, again, &mut told));
            told.asked.pop();
        }
        while told.failures <= may_fail {
            let mended = if writer.segments.failed() { mend(&mut writer) } else { seal(&mut writer) };
            if mended.is_ok() {
                break;
            }
            told.failures += 1;
        }
        if told.failures > may_fail {
            let _best_effort = seal(&mut writer);
            return told;
        }
    }
    told
}

/// All leaves of a log that is sealed to its end, and its checkpoint's root.
fn contents(disk: &SimDisk, size: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for number in 0..size.div_ceil(tile::WIDTH) {
        let place = Place::of(tile::Level::Entries, number, size);
        let bundle = disk.read(&place.path()).unwrap().unwrap();
        leaves.extend(tile::entries(&bundle).map(|entry| entry.unwrap().to_vec()));
    }
    assert_eq!(leaves.len() as u64, size);
    leaves
}

/// What must hold whatever happened.
fn check(before: &SimDisk, crash: Crash, told: &Told, case: &str) -> SimDisk {
    let disk = before.after(crash);
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let opened = recover(&storage, signer()).unwrap_or_else(|e| panic!("{case}: does not open again: {e}"));
    let leaves = contents(&disk, opened.recovery.size);
    let events: Vec<&[u8]> = leaves.iter().map(|leaf| body(leaf)).collect();
    for (index, event) in &told.acknowledged {
        assert_eq!(events.get(*index as usize), Some(&event.as_slice()), "{case}: acknowledged leaf {index}");
    }
    let mut asked = told.asked.iter();
    for (index, event) in events.iter().enumerate() {
        assert!(
            asked.any(|asked| asked == event),
            "{case}: leaf {index} is out of order or was never asked for"
        );
    }
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    for note in disk.history("checkpoint") {
        let Checkpoint { size, root, .. } = Checkpoint::open(&note, signer().verifier()).unwrap().checkpoint;
        let prefix =
            hashes.get(..size as usize).unwrap_or_else(|| panic!("{case}: leaves below {size} are lost"));
        assert_eq!(tree_root(prefix), root, "{case}: the checkpoint of size {size} is not a prefix");
    }
    disk
}

fn tree_root(hashes: &[Hash]) -> Hash {
    fold(&perfect_subtrees(hashes))
}

#[test]
fn every_write_may_fail_and_nothing_acknowledged_is_lost() {
    let whole = SimDisk::default();
    let told = run(&whole, 0);
    assert_eq!(told.asked.len(), told.acknowledged.len());
    assert!(told.acknowledged.len() > 270);
    let writes = whole.writes();
    for write in 0..writes {
        for fault in [Fault::NotDone, Fault::Done, Fault::Half] {
            for may_fail in [0, 1] {
                let disk = SimDisk::default();
                disk.fail(write, fault);
                let told = run(&disk, may_fail);
                for (i, crash) in CRASHES.into_iter().enumerate() {
                    let case =
                        format!("write {write} of {writes} {fault:?}, mended {may_fail}, then {crash:?}");
                    let recovered = check(&disk, crash, &told, &case);
                    // Verification is slow, and sees little that differs between the crashes.
                    if i == write % CRASHES.len() {
                        let report = verify_storage(&recovered, signer().verifier(), None);
                        assert!(report.intact(), "{case}: {report}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_second_failure_while_the_first_is_mended_loses_nothing_either() {
    let whole = SimDisk::default();
    run(&whole, 0);
    for write in 0..whole.writes() {
        for (i, (first, may_fail)) in
            [(Fault::Done, 1), (Fault::NotDone, 1), (Fault::Half, 1), (Fault::Done, 2)]
                .into_iter()
                .enumerate()
        {
            let disk = SimDisk::default();
            disk.fail(write, first);
            let second = [Fault::NotDone, Fault::Done, Fault::Half][(write + i) % 3];
            let at = write + 1 + (write * 7 + i) % 9;
            disk.fail(at, second);
            let told = run(&disk, may_fail);
            for crash in CRASHES {
                let case = format!("write {write} {first:?}, {at} {second:?}, mended {may_fail}, {crash:?}");
                check(&disk, crash, &told, &case);
            }
        }
    }
}

/// The same with the threads running; which write it is that fails depends on their race, what must hold does not.
#[tokio::test]
async fn the_threads_acknowledge_only_what_is_kept() {
    for write in 0..60 {
        let disk = SimDisk::default();
        disk.fail(write, [Fault::NotDone, Fault::Done, Fault::Half][write % 3]);
        let mut told = Told::default();
        let config = Config {
            folder: PathBuf::new(),
            key: Key(signer()),
            writer_id: Id::new("w").unwrap(),
            checkpoint_interval: Duration::ZERO,
            queue: 4,
            reserve: 0,
        };
        let clock = || jiff::Timestamp::UNIX_EPOCH;
        told.ask(&Event::Start(start()));
        if let Ok((ledger, _)) = Ledger::open_on(Arc::new(disk.clone()), None, config, start(), clock) {
            for n in 0..8 {
                told.ask(&outcome(n));
                match ledger.append(outcome(n)).await {
                    Ok(receipt) => {
                        let asked = told.asked.last().cloned().unwrap();
                        told.acknowledged.push((receipt.index(), asked));
                    }
                    Err(refused) => {
                        assert_eq!(refused, Refused::Unwritable);
                        told.failures += 1;
                    }
                }
            }
            told.ask(&Event::Stop(Stop { clean: true }));
            let closed = ledger.close(true).await;
            assert_eq!(closed.is_err(), ledger.stats().refusing.is_some());
        }
        for crash in CRASHES {
            check(&disk, crash, &told, &format!("write {write}, then {crash:?}"));
        }
    }
}

#[test]
fn a_crash_during_recovery_loses_nothing_either() {
    let disk = SimDisk::default();
    let mut told = Told::default();
    let mut writer = open(&disk, &mut told).unwrap();
    for n in [3, 250, 20] {
        assert!(record(&mut writer, (0..n).map(outcome).collect(), &mut told));
    }
    for first in CRASHES {
        let crashed = disk.after(first);
        let begin = crashed.writes();
        let storage: Arc<dyn Storage> = Arc::new(crashed.after(Crash::KeepsAll));
        recover(&storage, signer()).unwrap();
        for write in begin..begin + 12 {
            for fault in [Fault::NotDone, Fault::Done, Fault::Half] {
                let again = crashed.after(Crash::KeepsAll);
                again.fail(write, fault);
                let storage: Arc<dyn Storage> = Arc::new(again.clone());
                let _fails = recover(&storage, signer());
                for second in CRASHES {
                    check(&again, second, &told, &format!("{first:?}, write {write} {fault:?}, {second:?}"));
                }
            }
        }
    }
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_whole_frame() {
    let disk = SimDisk::default();
    let mut told = Told::default();
    let mut writer = open(&disk, &mut told).unwrap();
    let path = segments::path(0);
    let mut ends = vec![(0, 0), (disk.read(&path).unwrap().unwrap().len(), 1)];
    for n in [1, 4, 2] {
        assert!(record(&mut writer, (0..n).map(outcome).collect(), &mut told));
        ends.push((disk.read(&path).unwrap().unwrap().len(), writer.segments.next()));
    }
    let journal = disk.read(&path).unwrap().unwrap();
    for len in 0..=journal.len() {
        let cut = disk.after(Crash::KeepsAll);
        cut.put(&path, &journal[..len]).unwrap();
        let storage: Arc<dyn Storage> = Arc::new(cut.clone());
        let recovery = recover(&storage, signer()).unwrap().recovery;
        let (end, size) = ends.iter().rfind(|(end, _)| *end <= len).unwrap();
        assert_eq!((recovery.size, recovery.torn_bytes), (*size, (len - end) as u64), "cut at {len}");
        assert_eq!(contents(&cut, *size).len() as u64, *size);
    }
}

/// A frame without leaves at this place, made with this key.
fn empty(first: u64, signer: &Signer) -> Vec<u8> {
    let key = signer.derive(crate::journal::PURPOSE);
    crate::journal::header(first, 0, b"", &crate::journal::NO_TAG, &key).unwrap().0.to_vec()
}

#[test]
fn damage_refuses_to_open_and_names_the_remedy() {
    let disk = SimDisk::default();
    let mut told = Told::default();
    let mut writer = open(&disk, &mut told).unwrap();
    record(&mut writer, (0..300).map(outcome).collect(), &mut told);
    seal(&mut writer).unwrap();
    record(&mut writer, vec![outcome(1)], &mut told);
    let refuse = |change: &dyn Fn(&SimDisk)| {
        let changed = disk.after(Crash::KeepsAll);
        change(&changed);
        let storage: Arc<dyn Storage> = Arc::new(changed);
        recover(&storage, signer()).unwrap_err().to_string()
    };
    let edit = |disk: &SimDisk, path: &str, act: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = disk.read(path).unwrap().unwrap();
        act(&mut bytes);
        disk.put(path, &bytes).unwrap();
    };
    let journal = format!("{}/{}", segments::FOLDER, disk.list(segments::FOLDER).unwrap().last().unwrap());
    insta::assert_snapshot!(refuse(&|disk| edit(disk, &journal, &|bytes| bytes[200] ^= 1)), @"`journal/00000000000000000301` is damaged at byte 0 (the payload's checksum is wrong): leaves that were acknowledged may be in it; restore the file from a backup, or move the folder away and keep it as evidence");
    insta::assert_snapshot!(refuse(&|disk| disk.put(&segments::path(400), &empty(400, &signer())).unwrap()), @"`journal/00000000000000000400` continues at leaf 400 where leaf 302 belongs: a segment before it is missing");
    let forger = Signer::from_seed("example.com/log", Zeroizing::new([8; 32])).unwrap();
    insta::assert_snapshot!(refuse(&|disk| disk.put(&segments::path(302), &empty(302, &forger)).unwrap()), @"`journal/00000000000000000302` has a frame at byte 0 that this gate did not write there (its MAC is not by this ledger's key): someone else had their hands on the folder; keep it as evidence, and restore it from a backup");
    insta::assert_snapshot!(refuse(&|disk| edit(disk, &journal, &|bytes| bytes.extend(bytes.clone()))), @"`journal/00000000000000000301` has a frame at byte 399 that this gate did not write there (it does not follow the frame before it): someone else had their hands on the folder; keep it as evidence, and restore it from a backup");
    insta::assert_snapshot!(refuse(&|disk| disk.remove("checkpoint").unwrap()), @"there are traces of a log but no `checkpoint`: restore the folder from a backup, or move it away");
    insta::assert_snapshot!(refuse(&|disk| edit(disk, "checkpoint", &|bytes| bytes[20] ^= 1)), @"`checkpoint`: the signature by `example.com/log+702f3c70` does not verify; use the key it was signed with, or restore the folder from a backup");
    insta::assert_snapshot!(refuse(&|disk| disk.remove("tile/0/001.p").unwrap()), @"`tile/0/001.p/45` is missing: restore the folder from a backup");
    insta::assert_snapshot!(refuse(&|disk| edit(disk, "tile/0/001.p/45", &|bytes| bytes[0] ^= 1)), @"the tiles on the right edge do not lead to the root signed for size 301: restore from a backup");
    insta::assert_snapshot!(refuse(&|disk| edit(disk, "tile/0/001.p/45", &|bytes| bytes.truncate(33))), @"`tile/0/001.p/45`: a tile of 33 bytes where 45 hashes of 32 bytes belong; restore the folder from a backup");
    insta::assert_snapshot!(refuse(&|disk| edit(disk, "tile/entries/001.p/45", &|bytes| bytes[40] ^= 1)), @"the entries in `tile/entries/001.p/45` do not match their hashes: restore the folder from a backup");
}
