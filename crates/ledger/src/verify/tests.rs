//! A log of three boots, intact and tampered with in each way: what verification says, word for word.

use super::*;
use crate::leaf::{
    Actor, Asserted, Decision, Digest, Event, Hidden, Id, Impersonated, Intent, Leaf, Outcome, Previous,
    Request, SessionFrozen, SessionOpened, SessionRevoked, SessionThawed, Stage, Start, Verdict,
};
use crate::note::Signer;
use crate::reader::Reader;
use crate::tile::push_entry;
use crate::{Config, Key, Ledger, OpenError, proof};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use zeroize::Zeroizing;

fn signer(byte: u8) -> Signer {
    Signer::from_seed("example.com/log", Zeroizing::new([byte; 32])).unwrap()
}

fn open(folder: &Path) -> Result<Ledger, OpenError> {
    let digest = Digest::of(b"");
    let config = Config {
        folder: folder.to_owned(),
        key: Key(signer(7)),
        writer_id: Id::new("gate-1").unwrap(),
        checkpoint_interval: Duration::ZERO,
        queue: 16,
        reserve: 0,
    };
    let start = Start {
        build: "test".into(),
        config: digest,
        policy: digest,
        clusters: [].into_iter().collect(),
        lifted: [].into_iter().collect(),
        previous: Previous::None,
    };
    Ledger::open(config, start, || jiff::Timestamp::UNIX_EPOCH).map(|(ledger, _)| ledger)
}

fn session(n: u128) -> Id {
    Id::from_u128(n)
}

fn opened(n: u128) -> Event {
    Event::SessionOpened(Box::new(SessionOpened {
        session: session(n),
        agent: "claude".into(),
        groups: [].into_iter().collect(),
        delegator: "anna".into(),
        cluster: "dev".into(),
        reason: Asserted { self_asserted: "look".into() },
        by: "anna".into(),
        expires: "1970-01-01T01:00:00Z".into(),
    }))
}

fn intent(call: u64, in_session: u128) -> Event {
    Event::Intent(Box::new(Intent {
        call: Id::from_u128(call.into()),
        actor: Actor {
            agent: "claude".into(),
            groups: [].into_iter().collect(),
            delegator: "anna".into(),
            session: session(in_session),
            src: "127.0.0.1:4000".into(),
        },
        request: Request {
            cluster: "dev".into(),
            verb: "get".into(),
            group: None,
            version: None,
            resource: None,
            subresource: None,
            namespace: None,
            name: None,
            generate_name: None,
            hidden: [].into_iter().collect(),
            path: "/version".into(),
            dry_run: false,
            restores: None,
            body: None,
        },
        decision: Decision {
            outcome: Verdict::Allow,
            rules: [].into_iter().collect(),
            policy: Digest::of(b""),
            masked_read: false,
            reveal: None,
        },
        impersonated: Impersonated { user: "agent".into(), groups: [].into_iter().collect() },
        audit_id: Id::from_u128(call.into()),
        looks_for: None,
        through: None,
        approval: None,
        demands: vec![],
        part: None,
    }))
}

fn outcome(call: u64) -> Event {
    Event::Outcome(Outcome {
        call: Id::from_u128(call.into()),
        stage: Stage::Completed,
        status: Some(200),
        delivered: 0,
        masked: 0,
        duration_us: 0,
        error: None,
        again_as: None,
        stream: None,
    })
}

async fn append(ledger: &Ledger, events: impl IntoIterator<Item = Event>) {
    for event in events {
        let _receipt = ledger.append(event).await.unwrap();
    }
}

/// 560 leaves: a clean boot, one killed with a call open, one with things to explain.
async fn log() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let ledger = open(&path).unwrap();
    append(&ledger, [opened(1)]).await;
    for call in 0..270 {
        append(&ledger, [intent(call, 1), outcome(call)]).await;
    }
    ledger.close(true).await.unwrap();
    let ledger = open(&path).unwrap();
    append(&ledger, [intent(1000, 1)]).await;
    drop(ledger);
    let ledger = loop {
        match open(&path) {
            Err(OpenError::InUse { .. }) => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    let revoked = SessionRevoked { session: session(1), by: "bob".into(), reason: None };
    append(&ledger, [Event::SessionRevoked(revoked), intent(2000, 1), outcome(2000), intent(3000, 9)]).await;
    append(&ledger, [intent(3000, 1), outcome(3000), outcome(4000)]).await;
    append(&ledger, [opened(2)]).await;
    append(&ledger, (5000..5002).flat_map(|call| [intent(call, 2), outcome(call)])).await;
    ledger.close(true).await.unwrap();
    (folder, path)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// The log after this was done to a copy of it.
fn tampered(log: &Path, act: impl FnOnce(&Path)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    copy(log, folder.path());
    act(folder.path());
    verify(folder.path(), signer(7).verifier())
}

fn edit(path: PathBuf, act: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(&path).unwrap();
    act(&mut bytes);
    fs::write(&path, bytes).unwrap();
}

/// Rewrites a bundle's leaves.
fn edit_leaves(path: PathBuf, act: impl FnOnce(&mut Vec<Vec<u8>>)) {
    edit(path, |bytes| {
        let mut leaves: Vec<Vec<u8>> = tile::entries(bytes).map(|entry| entry.unwrap().to_vec()).collect();
        act(&mut leaves);
        bytes.clear();
        assert!(leaves.iter().all(|leaf| push_entry(bytes, leaf)));
    });
}

fn replace(leaf: &mut Vec<u8>, from: &str, to: &str) {
    *leaf = String::from_utf8(leaf.clone()).unwrap().replace(from, to).into_bytes();
}

/// What a malicious writer with the key would make of a log: these leaves, hashed and signed as they should be.
fn rewritten(log: &Path, act: impl FnOnce(&mut Vec<Vec<u8>>)) -> TempDir {
    let target = tempfile::tempdir().unwrap();
    let reader = Reader::new(log, signer(7).verifier().clone());
    let mut leaves: Vec<_> = reader.leaves(0..u64::MAX).unwrap().map(|leaf| leaf.unwrap().json).collect();
    act(&mut leaves);
    let storage = std::sync::Arc::new(FsStorage::new(target.path()));
    let mut sealer = crate::writer::Sealer::open(storage, signer(7)).unwrap();
    let mut run = Vec::new();
    assert!(leaves.iter().all(|leaf| push_entry(&mut run, leaf)));
    sealer.absorb(&run).and_then(|()| sealer.seal()).unwrap();
    target
}

/// The problems alone, a line each.
fn problems(report: &Report) -> String {
    assert!(!report.intact());
    report.problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[tokio::test]
async fn a_body_is_in_the_log_by_its_keyed_digest_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path()).unwrap();
    let mut event = intent(1, 1);
    let Event::Intent(with_body) = &mut event else { panic!("{event:?}") };
    with_body.request.body = Some(Hidden::new("hunter2"));
    let index = ledger.append(event).await.unwrap().index();
    ledger.close(true).await.unwrap();
    let leaf = Reader::new(folder.path(), signer(7).verifier().clone()).leaf(index).unwrap();
    let Event::Intent(read) = Leaf::parse(&leaf.json).unwrap().event else { panic!("{leaf:?}") };
    assert!(Key(signer(7)).digester().matches(&read.request.body.unwrap(), b"hunter2"));
    assert!(!leaf.json.windows(7).any(|window| window == b"hunter2"));
}

#[tokio::test]
async fn an_intact_log_is_reported_with_what_needs_explaining() {
    let (_folder, log) = log().await;
    let report = verify(&log, signer(7).verifier());
    assert!(report.intact());
    insta::assert_snapshot!(report, @r"
    log         example.com/log
    checkpoint  559 leaves, root zTSehw/KtFVB9o7b1eKp/hjo0qJl25lnVC6Bvtv6cRA=
    time        1970-01-01T00:00:00.000000Z to 1970-01-01T00:00:00.000000Z
    leaves      3 start, 2 stop, 276 intent, 275 outcome, 2 session_opened, 1 session_revoked
    witness     UNWITNESSED: whoever holds the key and the files could have rewritten or cut off this log
    to explain  leaf 545: before boot 3 the gateway stopped without saying so: a crash, a kill, or a full disk
    to explain  leaf 547: the session 00000000-0000-0000-0000-000000000001 had ended at leaf 546
    to explain  leaf 549: the session 00000000-0000-0000-0000-000000000009 was never opened
    to explain  leaf 550: the session 00000000-0000-0000-0000-000000000001 had ended at leaf 546
    to explain  leaf 550: the call 00000000-0000-0000-0000-000000000bb8 has a second intent before its outcome
    to explain  leaf 552: the call 00000000-0000-0000-0000-000000000fa0 has an outcome and no intent
    to explain  leaf 544: the call 00000000-0000-0000-0000-0000000003e8 in session 00000000-0000-0000-0000-000000000001 has an intent and no outcome: it is open, or a crash hid its end
    INTACT: 559 leaves under the checkpoint, each what was signed; 0 problems, 7 to explain
    ");
}

#[tokio::test]
async fn a_call_of_a_frozen_session_needs_explaining_until_it_is_thawed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let frozen = || {
        let frozen = SessionFrozen { session: session(1), by: "bob".into(), reason: "gone wild".into() };
        Event::SessionFrozen(frozen)
    };
    let thawed = Event::SessionThawed(SessionThawed { session: session(1), by: "ada".into() });
    let revoked = SessionRevoked { session: session(1), by: "bob".into(), reason: None };
    let ledger = open(&path).unwrap();
    append(&ledger, [opened(1), intent(1, 1), frozen(), outcome(1), intent(2, 1), outcome(2)]).await;
    append(&ledger, [thawed, intent(3, 1), outcome(3), frozen(), Event::SessionRevoked(revoked)]).await;
    append(&ledger, [intent(4, 1), outcome(4)]).await;
    ledger.close(true).await.unwrap();
    let report = verify(&path, signer(7).verifier());
    let told: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    leaf 5: the session 00000000-0000-0000-0000-000000000001 was frozen at leaf 3, and not thawed since
    leaf 12: the session 00000000-0000-0000-0000-000000000001 had ended at leaf 11
    ");
}

#[tokio::test]
async fn a_clean_stop_is_held_against_the_calls_of_its_own_boot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    for calls in [vec![intent(1, 1), intent(2, 1), outcome(2)], vec![intent(3, 1), outcome(3)]] {
        let ledger = open(&path).unwrap();
        append(&ledger, [opened(1)].into_iter().chain(calls)).await;
        ledger.close(true).await.unwrap();
    }
    let report = verify(&path, signer(7).verifier());
    assert!(report.intact());
    let told: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    leaf 5: boot 1 says that every call had come to its end, but 1 of its intents have no outcome
    leaf 2: the call 00000000-0000-0000-0000-000000000001 in session 00000000-0000-0000-0000-000000000001 has an intent and no outcome: it is open, or a crash hid its end
    ");
    let ledger = open(&path).unwrap();
    append(&ledger, [intent(4, 1)]).await;
    ledger.close(false).await.unwrap();
    assert_eq!(verify(&path, signer(7).verifier()).findings_total, 3, "one more open intent, and no more");
}

#[tokio::test]
async fn each_kind_of_tampering_is_named_with_its_place() {
    let (_folder, log) = log().await;
    let change = |act: &dyn Fn(&Path)| problems(&tampered(&log, act));
    let leaf = |leaf: &mut Vec<u8>| replace(leaf, "\"verb\":\"get\"", "\"verb\":\"put\"");
    insta::assert_snapshot!(change(&|log| edit_leaves(log.join("tile/entries/000"), |leaves| leaf(&mut leaves[10]))), @"leaf 10 in `tile/entries/000` was changed: the signed tree holds another; restore the file from a backup and compare");
    insta::assert_snapshot!(change(&|log| edit_leaves(last(log, "entries"), |leaves| leaf(&mut leaves[32]))), @"leaf 544 in `tile/entries/002.p/47` was changed: the signed tree holds another; restore the file from a backup and compare");
    insta::assert_snapshot!(change(&|log| edit_leaves(log.join("tile/entries/001"), |leaves| leaves.swap(7, 9))), @"
    leaf 263 in `tile/entries/001` is gate-1.1.265 and does not follow gate-1.1.262: leaves are missing or from elsewhere
    leaf 264 in `tile/entries/001` is gate-1.1.264 and does not follow gate-1.1.265: leaves are missing or from elsewhere
    leaf 265 in `tile/entries/001` is gate-1.1.263 and does not follow gate-1.1.264: leaves are missing or from elsewhere
    leaf 266 in `tile/entries/001` is gate-1.1.266 and does not follow gate-1.1.263: leaves are missing or from elsewhere
    leaf 263 and 1 more in `tile/entries/001` was changed: the signed tree holds another; restore the file from a backup and compare
    ");
    insta::assert_snapshot!(change(&|log| edit_leaves(log.join("tile/entries/001"), |leaves| drop(leaves.remove(7)))), @"`tile/entries/001` has 255 leaves where 256 were signed: leaves were dropped or added; restore it from a backup");
    insta::assert_snapshot!(change(&|log| edit(log.join("tile/entries/001"), |bytes| bytes.truncate(5000))), @"`tile/entries/001`: the bundle ends inside entry 10; restore it from a backup or a mirror");
    insta::assert_snapshot!(change(&|log| edit(log.join("tile/0/000"), |bytes| bytes[32 * 5] ^= 1)), @"the hash of leaf 5 in `tile/0/000` was changed; the leaf is what was signed: compute the tile again or restore it");
    insta::assert_snapshot!(change(&|log| edit(last(log, "0"), |bytes| bytes[32] ^= 1)), @"the hash of leaf 513 in `tile/0/002.p/47` was changed; the leaf is what was signed: compute the tile again or restore it");
    insta::assert_snapshot!(change(&|log| edit(last(log, "1"), |bytes| bytes[33] ^= 1)), @"hash 1 in `tile/1/000.p/2` is not that of the tile below it: restore the file from a backup, or compute it again");
    insta::assert_snapshot!(change(&|log| edit(log.join("tile/0/001"), |bytes| bytes.truncate(100))), @"`tile/0/001`: a tile of 100 bytes where 256 hashes of 32 bytes belong; restore it from a backup or a mirror");
    insta::assert_snapshot!(change(&|log| fs::remove_file(log.join("tile/0/001")).unwrap()), @"`tile/0/001` is missing: restore it from a backup or a mirror");
    insta::assert_snapshot!(change(&|log| fs::remove_file(log.join("tile/entries/001")).unwrap()), @"`tile/entries/001` is missing: restore it from a backup or a mirror");
    insta::assert_snapshot!(change(&|log| fs::remove_file(log.join("checkpoint")).unwrap()), @"`checkpoint` is missing: restore it from a backup or a mirror");
}

#[tokio::test]
async fn a_leaf_changed_with_its_hash_does_not_lead_to_the_root() {
    let (_folder, log) = log().await;
    let change_both = |log: &Path| {
        edit_leaves(log.join("tile/entries/000"), |leaves| replace(&mut leaves[10], "\"get\"", "\"put\""));
        let bundle = fs::read(log.join("tile/entries/000")).unwrap();
        let hashes: Vec<_> =
            tile::entries(&bundle).map(|leaf| crate::tree::leaf_hash(leaf.unwrap())).collect();
        fs::write(log.join("tile/0/000"), tile::tile_bytes(&hashes)).unwrap();
        hashes
    };
    insta::assert_snapshot!(problems(&tampered(&log, |log| drop(change_both(log)))), @"
    hash 0 in `tile/1/000.p/2` is not that of the tile below it: restore the file from a backup, or compute it again
    the log has the root GkJGvrXboaFxXazmHxjWCE/ae8i/0omtJtNB1Q5fQ6o=, signed was zTSehw/KtFVB9o7b1eKp/hjo0qJl25lnVC6Bvtv6cRA=: this is not the log that was signed
    ");
    let up_to_the_top = |log: &Path| {
        let above = crate::tree::perfect_root(&change_both(log));
        edit(last(log, "1"), |bytes| bytes[..32].copy_from_slice(&above.0));
    };
    insta::assert_snapshot!(problems(&tampered(&log, up_to_the_top)), @"the log has the root GkJGvrXboaFxXazmHxjWCE/ae8i/0omtJtNB1Q5fQ6o=, signed was zTSehw/KtFVB9o7b1eKp/hjo0qJl25lnVC6Bvtv6cRA=: this is not the log that was signed");
}

#[tokio::test]
async fn a_rewritten_log_needs_the_key() {
    let (_folder, log) = log().await;
    let sign = |byte: u8, origin: &str, log: &Path| {
        let opened = Reader::new(log, signer(7).verifier().clone()).checkpoint().unwrap();
        let checkpoint = Checkpoint { origin: origin.to_owned(), ..opened.checkpoint };
        fs::write(log.join("checkpoint"), checkpoint.sign(&signer(byte)).unwrap()).unwrap();
    };
    insta::assert_snapshot!(problems(&tampered(&log, |log| sign(8, "example.com/log", log))), @"`checkpoint`: not signed by `example.com/log+702f3c70`; nothing below it can be trusted: use the log's own key, or restore the file");
    insta::assert_snapshot!(problems(&tampered(&log, |log| sign(7, "example.com/other", log))), @"`checkpoint`: a checkpoint of `example.com/other` where one of `example.com/log` belongs; nothing below it can be trusted: use the log's own key, or restore the file");
    insta::assert_snapshot!(problems(&tampered(&log, |log| edit(log.join("checkpoint"), |note| note[16] = b'4'))), @"`checkpoint`: the signature by `example.com/log+702f3c70` does not verify; nothing below it can be trusted: use the log's own key, or restore the file");
}

#[tokio::test]
async fn leaves_that_were_signed_wrong_are_told_too() {
    // The hashes hold, the story does not.
    let (_folder, log) = log().await;
    let rewrite = |act: &dyn Fn(&mut Vec<Vec<u8>>)| {
        problems(&verify(rewritten(&log, act).path(), signer(7).verifier()))
    };
    insta::assert_snapshot!(rewrite(&|leaves| drop(leaves.remove(100))), @"leaf 100 in `tile/entries/000` is gate-1.1.101 and does not follow gate-1.1.99: leaves are missing or from elsewhere");
    insta::assert_snapshot!(rewrite(&|leaves| drop(leaves.remove(542))), @"the start leaf 542 in `tile/entries/002.p/46` does not tell how the boot before it ended: leaves before it are missing or from elsewhere");
    insta::assert_snapshot!(rewrite(&|leaves| drop(leaves.remove(0))), @"leaf 0 in `tile/entries/000` is gate-1.1.1 and cannot be the first: leaves are missing or from elsewhere");
    insta::assert_snapshot!(rewrite(&|leaves| leaves[3].push(b' ')), @"leaf 3 in `tile/entries/000`: JSON, but not in the canonical form of RFC 8785");
    insta::assert_snapshot!(rewrite(&|leaves| replace(&mut leaves[3], "\"schema_version\":1", "\"schema_version\":2")), @"leaf 3 in `tile/entries/000`: leaf schema version 2 is unknown: use a newer build to read it");
}

#[tokio::test]
async fn an_earlier_checkpoint_shows_what_was_cut_off_or_rewritten_with_the_key() {
    let (_folder, log) = log().await;
    let (whole, verifier) = (Reader::new(&log, signer(7).verifier().clone()), signer(7).verifier().clone());
    let kept =
        |size| Checkpoint { origin: "example.com/log".to_owned(), size, root: verify_root(&whole, size) };
    for size in [0, 1, 255, 256, 257, 545, 559] {
        let report = verify_since(&log, &verifier, &kept(size));
        assert!(report.intact(), "{report}");
        assert_eq!(report.extends, Some(size));
        let (proof, now) = whole.consistency(size).unwrap();
        let proven = crate::tree::verify_consistency(&proof, size, &kept(size).root, now.size, &now.root);
        assert_eq!(proven, Ok(()), "as the proof for a witness has it");
    }
    let since = |log: &Path, size| {
        assert!(verify(log, &verifier).intact(), "without the earlier checkpoint nothing is to be seen");
        let report = verify_since(log, &verifier, &kept(size));
        assert_eq!(report.extends, None);
        problems(&report)
    };
    let cut = rewritten(&log, |leaves| leaves.truncate(543));
    insta::assert_snapshot!(since(cut.path(), 559), @"the earlier checkpoint has 559 leaves, this log 543: leaves were cut off, or an old copy was restored");
    let forked = rewritten(&log, |leaves| replace(&mut leaves[300], "\"get\"", "\"put\""));
    let now = Reader::new(forked.path(), verifier.clone());
    let (was, is) = (kept(559).root.to_string(), verify_root(&now, 559).to_string());
    insta::assert_snapshot!(since(forked.path(), 559).replace(&was, "WAS").replace(&is, "IS"), @"the first 559 leaves have the root IS, and had WAS at the earlier checkpoint: the log was rewritten since");
    assert!(since(forked.path(), 301).starts_with("the first 301 leaves have the root "));
    assert_eq!(verify_since(forked.path(), &verifier, &kept(300)).extends, Some(300), "rewritten after it");
}

#[test]
fn what_no_checkpoint_covers_is_read_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let ledger = open(&path).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let reader = Reader::new(&path, signer(7).verifier().clone());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut looks, mut newest) = (0_u64, 0);
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                let extent = reader.extent().unwrap();
                let indices: Vec<u64> = extent.unsealed.iter().map(|leaf| leaf.index).collect();
                let end = extent.sealed + indices.len() as u64;
                assert_eq!(indices, (extent.sealed..end).collect::<Vec<_>>());
                assert!(newest <= end, "nothing that was there is gone");
                (looks, newest) = (looks + 1, extent.sealed);
            }
            looks
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        // Several segments, which go as checkpoints cover them.
        runtime.block_on(append(&ledger, (0..100).flat_map(|call| [intent(call, 1), outcome(call)])));
        done.store(true, std::sync::atomic::Ordering::Release);
        assert!(reading.join().unwrap() > 0);
    });
}

#[tokio::test]
async fn what_is_not_yet_sealed_is_checked_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = crate::writer::tail_for_test(folder.path(), signer(7));
    writer.record(&[opened(1), intent(1, 1)]).unwrap();
    let report = verify(folder.path(), signer(7).verifier());
    assert!(report.intact());
    insta::assert_snapshot!(report, @r"
    log         example.com/log
    checkpoint  0 leaves, root 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    time        1970-01-01T00:00:00.000000Z to 1970-01-01T00:00:00.000000Z
    leaves      1 start, 1 intent, 1 session_opened
    journal     3 entries not covered by a signed checkpoint, from leaf 0 on: anyone who can write the folder could have written or cut off such
    witness     UNWITNESSED: whoever holds the key and the files could have rewritten or cut off this log
    to explain  leaf 2: the call 00000000-0000-0000-0000-000000000001 in session 00000000-0000-0000-0000-000000000001 has an intent and no outcome: it is open, or a crash hid its end
    INTACT: 0 leaves under the checkpoint, each what was signed; 3 further entries NOT COVERED; 0 problems, 1 to explain
    ");
    let reader = Reader::new(folder.path(), signer(7).verifier().clone());
    let extent = reader.extent().unwrap();
    assert_eq!((extent.sealed, extent.unsealed.len()), (0, 3));
    let last = extent.unsealed.last().unwrap();
    assert_eq!((last.index, Leaf::parse(&last.json).unwrap().event), (2, intent(1, 1)));
    let journal = format!("journal/{:020}", 0);
    let change = |act: &dyn Fn(&Path)| tampered(folder.path(), act);
    let report = change(&|log| edit(log.join(&journal), |bytes| bytes.truncate(bytes.len() - 5)));
    assert_eq!((report.intact(), report.unsealed, report.torn_bytes > 0), (true, 1, true));
    insta::assert_snapshot!(problems(&change(&|log| edit(log.join(&journal), |bytes| bytes[99] ^= 1))), @"`journal/00000000000000000000` is damaged at byte 0 (the header's checksum is wrong): leaves in it that no checkpoint covers are lost; restore it, or keep it as evidence");
    let unread = |act: &dyn Fn(&Path)| {
        let copied = tempfile::tempdir().unwrap();
        copy(folder.path(), copied.path());
        act(copied.path());
        Reader::new(copied.path(), signer(7).verifier().clone()).extent().unwrap_err().to_string()
    };
    insta::assert_snapshot!(unread(&|log| edit(log.join(&journal), |bytes| bytes[99] ^= 1)), @"`journal/00000000000000000000` is damaged at byte 0; `ledger verify` tells more");
    let key = signer(7).derive(journal::PURPOSE);
    let (header, _tag) = journal::header(7, 0, b"", &journal::NO_TAG, &key).unwrap();
    insta::assert_snapshot!(problems(&change(&|log| fs::write(log.join("journal/7"), header).unwrap())), @"`journal/7` continues at leaf 7 where leaf 3 belongs: a segment is missing; restore it from a backup");
}

#[tokio::test]
async fn proofs_are_made_read_and_verified() {
    let (_folder, log) = log().await;
    let verifier = signer(7).verifier().clone();
    let reader = Reader::new(&log, verifier.clone());
    let size = reader.checkpoint().unwrap().checkpoint.size;
    for index in [0, 1, 255, 256, 511, 512, size - 1] {
        let (proof, leaf) = (reader.prove(index).unwrap(), reader.leaf(index).unwrap().json);
        let read = proof::Proof::parse(&proof.to_string()).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.extra.as_ref(), Some(&leaf));
        assert_eq!(read.verify(&leaf, &verifier).unwrap().size, size);
        assert!(read.verify(b"other", &verifier).is_err());
        assert!(read.verify(&leaf, signer(8).verifier()).is_err());
    }
    let text = reader.prove(3).unwrap().to_string();
    let extra = text.lines().nth(1).unwrap();
    insta::assert_snapshot!(text.replace(extra, "extra LEAF"), @"
    c2sp.org/tlog-proof@v1
    extra LEAF
    index 3
    8BsNS50Ms9iKfnkPVQ5smJVTMoWNww76Bb8OPeIIvXs=
    NGo/YKYCoVG1sCGVqkZWZoAGDvgdekXJx+UdNzjbPdw=
    CwryWdfkVu0TwZBxOGdS+zyVZJtwVL86bOGqyfsj6/w=
    KDTAdXljW+uEi3/N+2ybVgXG7A4Mz3xPIy34nh2optk=
    rUA/Jm3UoXasv3ReLplZG4ghmnoM84gPC/2dpV9zSLc=
    O8NmJqFnQU+uH9gwbaOHXBy+9PYFz+e0UEaSTAz5zgQ=
    r/d0sZ7IMTHc7rgzy5OgC/gD85liwy9ykwNwS6j2C/M=
    VTljHTsExNFMJKt/1AcPZYBrg3lsjD1L9nFrdcKch7o=
    kri2IrDaLUTG78MapI3TTqKgNnxPDfRrxtXNbi+Ld3g=
    ZVbD3fh0shjTIcNXFHDeQbeuyNvZCA6w1hpx4kh6ecE=

    example.com/log
    559
    zTSehw/KtFVB9o7b1eKp/hjo0qJl25lnVC6Bvtv6cRA=

    — example.com/log cC88cLjlLPw+/2699HICDNHS6hTjf604D7UWPgGLkzo9CxUN1mQ83zHHjniSOloVyaFBEo+gOka56rjj2HGIGs0ZEw0=
    ");
    let leaf = reader.leaf(3).unwrap().json;
    let bare = text.lines().filter(|line| !line.starts_with("extra ")).map(|line| format!("{line}\n"));
    let bare = proof::Proof::parse(&bare.collect::<String>()).unwrap();
    assert_eq!((bare.extra.as_ref(), bare.verify(&leaf, &verifier).unwrap().size), (None, size));
    for (from, to) in [
        ("extra ", "extra !"),
        ("index 3\n", "extra AAAA\nindex 3\n"),
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 3", "index 03"),
        ("index 3\n", ""),
        ("=\n", "\n"),
    ] {
        assert!(proof::Proof::parse(&text.replace(from, to)).is_err(), "{from}");
    }
    insta::assert_snapshot!(reader.prove(size).unwrap_err(), @"leaf 559 is not in the log, which has 559 under its checkpoint");
    edit_leaves(log.join("tile/entries/000"), |leaves| leaves.swap(1, 3));
    insta::assert_snapshot!(reader.prove(3).unwrap_err(), @"leaf 3 is not what was signed: the proof leads to another root: the entry or the tree is not what was signed; `ledger verify` tells more");
}

#[tokio::test]
async fn leaves_are_shown_and_followed() {
    let (_folder, log) = log().await;
    let reader = Reader::new(&log, signer(7).verifier().clone());
    let size = reader.checkpoint().unwrap().checkpoint.size;
    let indices =
        |range| -> Vec<u64> { reader.leaves(range).unwrap().map(|leaf| leaf.unwrap().index).collect() };
    assert_eq!(indices(254..258), [254, 255, 256, 257]);
    assert_eq!(indices(size - 1..u64::MAX), [size - 1]);
    assert_eq!(indices(size..size + 1), [0; 0]);
    let mut tail = reader.tail(size - 2);
    assert_eq!(tail.poll(100).unwrap().len(), 2);
    assert_eq!(tail.poll(100).unwrap(), []);
    let ledger = open(&log).unwrap();
    append(&ledger, [outcome(1)]).await;
    ledger.close(true).await.unwrap();
    let new: Vec<u64> = tail.poll(2).unwrap().iter().map(|leaf| leaf.index).collect();
    assert_eq!((new, tail.poll(2).unwrap().len()), (vec![size, size + 1], 1));
    insta::assert_snapshot!(reader.leaf(u64::MAX).unwrap_err(), @"leaf 18446744073709551615 is not in the log, which has 562 under its checkpoint");
    let (proof, checkpoint) = reader.consistency(size).unwrap();
    let old = verify_root(&reader, size);
    assert_eq!(
        crate::tree::verify_consistency(&proof, size, &old, checkpoint.size, &checkpoint.root),
        Ok(())
    );
    insta::assert_snapshot!(Reader::new(&log.join("none"), signer(7).verifier().clone()).leaf(0).unwrap_err(), @"`checkpoint` is missing: is this a log's folder, and whole?");
}

/// The root of the first leaves, computed from them.
fn verify_root(reader: &Reader, size: u64) -> crate::tree::Hash {
    let mut edge = tile::Edge::default();
    for leaf in reader.leaves(0..size).unwrap() {
        edge.push(crate::tree::leaf_hash(&leaf.unwrap().json));
    }
    edge.root()
}

/// The partial tile at this level.
fn last(log: &Path, level: &str) -> PathBuf {
    let size = Reader::new(log, signer(7).verifier().clone()).checkpoint().unwrap().checkpoint.size;
    let place = tile::partial_places(size).find(|place| place.path().starts_with(&format!("tile/{level}/")));
    log.join(place.unwrap().path())
}
