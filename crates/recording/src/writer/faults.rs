//! Every write fails, in every way, and the machine stops after it: what was flushed is there, in order, and the chain holds.

use super::testing::*;
use super::{Recorder, Tap};
use crate::Digest;
use crate::reader::Unreadable;
use crate::record::{Record, What};
use crate::storage::Storage as _;
use crate::storage::sim::{Crash, Fault, SimDisk};
use std::collections::BTreeMap;
use tokio::runtime::{Builder, Runtime};

const FAULTS: [Fault; 3] = [Fault::NotDone, Fault::Done, Fault::Half];

fn crashes(seed: usize) -> [Crash; 5] {
    let mixes = |n| Crash::Mixes((seed * 3 + n) as u64);
    [Crash::KeepsAll, Crash::Loses, mixes(0), mixes(1), mixes(2)]
}

/// What the script asked for, and what it was told.
#[derive(Default)]
struct Told {
    asked: Vec<String>,
    taken: Vec<String>,
    flushed: Vec<String>,
    ledger: BTreeMap<u64, Digest>,
    kept: BTreeMap<String, Digest>,
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Two runs of a recorder, the first of which ends in good order if it can. A recording that stops is begun again.
async fn script(disk: &SimDisk, told: &mut Told) {
    for clean in [true, false] {
        let (recorder, ledger) = start_with_ledger(disk);
        for n in 0..4 {
            let Some(tap) = begin(&recorder).await else { continue };
            let mut pending = Vec::new();
            for m in 0..2 {
                let leaf = format!("{clean} {n} {m}");
                told.asked.push(leaf.clone());
                if tap.told(&leaf).await.is_ok() {
                    told.taken.push(leaf.clone());
                    pending.push(leaf);
                }
            }
            let call = format!("{clean}-{n}");
            if let Ok(digest) = tap.keep(&call, call.repeat(100).into_bytes()).await {
                told.kept.insert(call, digest);
            }
            if tap.flush().await.is_ok() {
                told.flushed.append(&mut pending);
            }
        }
        if clean {
            let _fails = recorder.close().await;
        }
        let known = ledger.lock();
        told.ledger.extend(known.iter().map(|segment| (segment.number, segment.sha256)));
    }
}

/// The disk may fail once.
async fn begin(recorder: &Recorder) -> Option<Tap> {
    match recorder.session(&session()).await {
        Ok(tap) => Some(tap),
        Err(_) => recorder.session(&session()).await.ok(),
    }
}

/// What must hold whatever happened.
async fn check(disk: &SimDisk, told: &Told, case: &str) {
    let (recorder, _ledger) = start_with_ledger(disk);
    let tap = recorder.session(&session()).await.unwrap_or_else(|why| panic!("{case}: {why}"));
    tap.told("after").await.unwrap();
    tap.end().await.unwrap();
    let recording = recording(disk);
    if let Some(Err(finding)) = recording.records().find(Result::is_err) {
        panic!("{case}: {finding}");
    }
    let kept = super::testing::told(&recording);
    assert_eq!(kept.last().map(String::as_str), Some("after"), "{case}");
    let mut asked = told.asked.iter().map(String::as_str).chain(["after"]);
    for leaf in &kept {
        assert!(asked.any(|asked| asked == leaf), "{case}: `{leaf}` is out of order, or twice");
    }
    for leaf in &told.flushed {
        assert!(kept.contains(leaf), "{case}: `{leaf}` is lost");
    }
    if told.taken.iter().any(|leaf| !kept.contains(leaf)) {
        let says_so = |record: &Record| matches!(record.what, What::Interrupted { .. });
        let says_so = recording.records().any(|record| record.is_ok_and(|record| says_so(&record)));
        assert!(says_so, "{case}: something is lost, and nothing says so");
    }
    for (number, sha256) in &told.ledger {
        let file = disk.read(&format!("s-1/{number:08}.seg"), usize::MAX).unwrap();
        assert_eq!(file.map(|file| Digest::of(&file)), Some(*sha256), "{case}: segment {number}");
    }
    for (call, digest) in &told.kept {
        let kept = recorder.kept(&session(), call).unwrap();
        assert_eq!(kept.map(|kept| Digest::of(&kept)), Some(*digest), "{case}: {call}");
    }
    for name in disk.names() {
        let Some(call) = name.strip_prefix("s-1/").and_then(|name| name.strip_suffix(".kept")) else {
            assert!(name.ends_with(".seg"), "{case}: {name}");
            continue;
        };
        // Whole, also if nobody was told.
        let kept = recorder.kept(&session(), call).unwrap().unwrap();
        assert_eq!(kept, call.repeat(100).into_bytes(), "{case}");
    }
}

#[test]
fn every_write_may_fail_and_nothing_flushed_is_lost() {
    let whole = SimDisk::default();
    let mut told = Told::default();
    runtime().block_on(script(&whole, &mut told));
    assert_eq!(told.asked, told.flushed);
    let writes = whole.writes();
    assert!(writes > 30, "{writes}");
    for write in 0..writes {
        for fault in FAULTS {
            let disk = SimDisk::default();
            disk.fail(write, fault);
            let mut told = Told::default();
            runtime().block_on(script(&disk, &mut told));
            assert!(told.asked.len() - told.flushed.len() <= 2, "write {write} {fault:?}");
            for crash in crashes(write) {
                let case = format!("write {write} of {writes} {fault:?}, then {crash:?}");
                runtime().block_on(check(&disk.after(crash), &told, &case));
            }
        }
    }
}

/// The machine stops between any two writes: from some write on, none is done.
#[test]
fn the_machine_may_stop_at_every_write() {
    let whole = SimDisk::default();
    runtime().block_on(script(&whole, &mut Told::default()));
    for write in 0..whole.writes() {
        for last in FAULTS {
            let disk = SimDisk::default();
            disk.fail(write, last);
            (write + 1..write + 200).for_each(|after| disk.fail(after, Fault::NotDone));
            let mut told = Told::default();
            runtime().block_on(script(&disk, &mut told));
            for crash in crashes(write) {
                let case = format!("stopped at write {write} {last:?}, then {crash:?}");
                runtime().block_on(check(&disk.after(crash), &told, &case));
            }
        }
    }
}

#[test]
fn what_is_half_erased_is_erased_whole_and_what_is_not_is_whole() {
    let disk = SimDisk::default();
    let mut told = Told::default();
    runtime().block_on(script(&disk, &mut told));
    let begin = disk.after(Crash::KeepsAll);
    for write in begin.writes().. {
        let attempt = begin.after(Crash::KeepsAll);
        (write..write + 200)
            .for_each(|after| attempt.fail(after, FAULTS[(after - write).min(1) * write % 3]));
        let erased = runtime().block_on(async {
            let (recorder, _ledger) = start_with_ledger(&attempt);
            recorder.erase(&session(), "").await
        });
        for crash in crashes(write) {
            let case = format!("erasing stopped at write {write}, then {crash:?}");
            let disk = attempt.after(crash);
            match library(&disk).recording(&session()) {
                Ok(_) => {
                    assert!(erased.is_err(), "{case}");
                    runtime().block_on(check(&disk, &told, &case));
                }
                Err(Unreadable::Erased(_)) => runtime().block_on(async {
                    let (recorder, _ledger) = start_with_ledger(&disk);
                    assert_eq!(recorder.kept(&session(), "true-0").unwrap(), None, "{case}");
                    let expired = recorder.expire(jiff::Timestamp::UNIX_EPOCH, "").await.unwrap();
                    assert_eq!(expired.failed, [], "{case}");
                    assert_eq!(disk.names(), ["s-1/erased.json"], "{case}");
                }),
                Err(other) => panic!("{case}: {other}"),
            }
        }
        if erased.is_ok() {
            return;
        }
    }
}
