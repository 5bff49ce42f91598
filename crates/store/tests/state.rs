//! The store as its callers use it, on a real file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use insta::assert_snapshot;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use store::{
    Change, Error, Frozen, LiveSession, OpenError, Revocation, Session, State, Store, TokenHash, Which,
};
use tempfile::TempDir;

const HASH: [u8; 32] = *b"this-is-a-hash-of-a-secret-part!";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn hash(id: &str) -> TokenHash {
    let mut hash = TokenHash(HASH);
    hash.0.iter_mut().zip(id.bytes()).for_each(|(to, from)| *to = from);
    hash
}

fn session(id: &str, from: i64, to: i64) -> Session {
    Session {
        id: id.to_owned(),
        agent: "claude".to_owned(),
        delegator: "ada@example.com".to_owned(),
        cluster: "prod".to_owned(),
        reason: "roll out 1.4; DROP TABLE sessions; --'".to_owned(),
        created_at: at(from),
        expires_at: at(to),
        revoked: None,
        frozen: None,
    }
}

async fn sql(data: &Path, statement: &'static str) -> Result<(), sqlx::Error> {
    let url = format!("sqlite://{}?mode=rwc", data.join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await?;
    sqlx::raw_sql(statement).execute(&mut raw).await?;
    raw.close().await
}

async fn refusal(data: &Path) -> String {
    let Err(error) = Store::open(data).await else { panic!("{} opened", data.display()) };
    error.to_string().replace(&data.display().to_string(), "DATA")
}

#[tokio::test]
async fn a_session_comes_back_as_it_went_in_after_a_restart() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    store.open_session(&session("s-1", 0, 60), &hash("s-1")).await.unwrap();
    store.open_session(&session("s-2", 1, 20), &hash("s-2")).await.unwrap();
    store.close().await;

    let store = Store::open(data.path()).await.unwrap();
    let live = store.load_active(at(20)).await.unwrap();
    let [one] = &live[..] else { panic!("{live:?}") };
    let new = session("s-1", 0, 60);
    assert_eq!(one.token_hash.0, hash("s-1").0);
    let read = &one.session;
    assert_eq!(
        (&read.id, &read.agent, &read.delegator, &read.cluster, &read.reason),
        (&new.id, &new.agent, &new.delegator, &new.cluster, &new.reason)
    );
    assert_eq!((read.created_at, read.expires_at, &read.revoked), (at(0), at(60), &None));
}

#[tokio::test]
async fn lists_newest_first_and_no_more_than_asked() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for (id, from, to) in [("s-1", 0, 10), ("s-2", 1, 60), ("s-3", 2, 60), ("s-4", 3, 60)] {
        store.open_session(&session(id, from, to), &hash(id)).await.unwrap();
    }
    store.revoke_session("s-3", "ada", "done", at(5)).await.unwrap();
    let list = async |which, limit| {
        let found = store.list_sessions(which, at(10), limit).await.unwrap();
        found.iter().map(|s| (s.id.clone(), s.state(at(10)))).collect::<Vec<_>>()
    };
    let all = [
        ("s-4".to_owned(), State::Active),
        ("s-3".to_owned(), State::Revoked),
        ("s-2".to_owned(), State::Active),
        ("s-1".to_owned(), State::Expired),
    ];
    assert_eq!(list(Which::All, 100).await, all);
    assert_eq!(list(Which::All, 2).await, all[..2]);
    assert_eq!(list(Which::Active, 100).await, [all[0].clone(), all[2].clone()]);
}

#[tokio::test]
async fn revoking_twice_tells_how_it_ended_first() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    store.open_session(&session("s-1", 0, 60), &hash("s-1")).await.unwrap();
    store.open_session(&session("s-2", 0, 4), &hash("s-2")).await.unwrap();

    let Revocation::Ended(first) = store.revoke_session("s-1", "ada", "gone wild", at(5)).await.unwrap()
    else {
        panic!("not ended")
    };
    let revoked = first.revoked.clone().unwrap();
    assert_eq!((revoked.at, &*revoked.by, &*revoked.why), (at(5), "ada", "gone wild"));
    let again = store.revoke_session("s-1", "bob", "again", at(6)).await.unwrap();
    assert_eq!(again, Revocation::AlreadyEnded(first));

    let expired = store.revoke_session("s-2", "ada", "late", at(5)).await.unwrap();
    assert!(matches!(expired, Revocation::AlreadyEnded(s) if s.revoked.is_none()));
    assert_eq!(store.revoke_session("s-9", "ada", "none", at(5)).await.unwrap(), Revocation::Unknown);
}

fn frozen(second: i64, by: &str) -> Frozen {
    Frozen { at: at(second), by: by.to_owned(), why: "gone wild".to_owned() }
}

#[tokio::test]
async fn a_freeze_is_kept_until_it_is_thawed_and_what_ended_is_not_frozen() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for (id, to) in [("s-1", 60), ("s-2", 4), ("s-3", 60)] {
        store.open_session(&session(id, 0, to), &hash(id)).await.unwrap();
    }
    store.revoke_session("s-3", "ada", "done", at(1)).await.unwrap();
    store.count_values("s-1", 7).await.unwrap();

    let Change::Made(first) = store.freeze_session("s-1", &frozen(5, "bob")).await.unwrap() else {
        panic!("not frozen")
    };
    assert_eq!((&first.frozen, first.state(at(6))), (&Some(frozen(5, "bob")), State::Frozen));
    assert_eq!(first.state(at(60)), State::Expired);
    let again = store.freeze_session("s-1", &frozen(6, "eve")).await.unwrap();
    assert_eq!(again, Change::Needless(first.clone()), "as it was first");
    for over in ["s-2", "s-3"] {
        let found = store.freeze_session(over, &frozen(6, "bob")).await.unwrap();
        assert!(matches!(&found, Change::Needless(session) if session.frozen.is_none()), "{found:?}");
        assert!(matches!(store.thaw_session(over, at(6)).await.unwrap(), Change::Needless(_)));
    }
    assert_eq!(store.freeze_session("s-9", &frozen(6, "bob")).await.unwrap(), Change::Unknown);
    store.close().await;

    let store = Store::open(data.path()).await.unwrap();
    let live = store.load_active(at(6)).await.unwrap();
    assert_eq!(live.iter().map(|live| (&live.session, live.values_sent)).collect::<Vec<_>>(), [(&first, 7)]);
    let Change::Made(thawed) = store.thaw_session("s-1", at(7)).await.unwrap() else { panic!("not thawed") };
    assert_eq!((&thawed.frozen, thawed.state(at(7))), (&None, State::Active));
    assert_eq!(store.load_active(at(7)).await.unwrap()[0].values_sent, 0, "a human has looked");
    assert_eq!(store.thaw_session("s-1", at(8)).await.unwrap(), Change::Needless(thawed));
    assert!(matches!(store.freeze_session("s-1", &frozen(9, "eve")).await.unwrap(), Change::Made(_)));
    let Revocation::Ended(revoked) = store.revoke_session("s-1", "ada", "done", at(10)).await.unwrap() else {
        panic!("not revoked")
    };
    assert_eq!((&revoked.frozen, revoked.state(at(10))), (&Some(frozen(9, "eve")), State::Revoked));
    assert!(sql(data.path(), "UPDATE sessions SET frozen_at = 1").await.is_err());
}

#[tokio::test]
async fn a_freeze_is_told_until_it_is_recorded() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for id in ["s-1", "s-2"] {
        store.open_session(&session(id, 0, 60), &hash(id)).await.unwrap();
    }
    let unrecorded = async || {
        let frozen = store.unrecorded_freezes().await.unwrap();
        frozen.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    store.freeze_session("s-2", &frozen(5, "bob")).await.unwrap();
    store.freeze_session("s-1", &frozen(6, "bob")).await.unwrap();
    assert_eq!(unrecorded().await, ["s-2", "s-1"]);
    store.revoke_session("s-2", "ada", "done", at(7)).await.unwrap();
    store.freeze_recorded("s-1", at(7)).await.unwrap();
    assert_eq!(unrecorded().await, ["s-2"], "ended, but that it was frozen is not told yet");
    store.freeze_recorded("s-2", at(8)).await.unwrap();
    assert!(unrecorded().await.is_empty());
    store.thaw_session("s-1", at(9)).await.unwrap();
    store.freeze_session("s-1", &frozen(10, "bob")).await.unwrap();
    assert_eq!(unrecorded().await, ["s-1"], "another freeze");
}

#[tokio::test]
async fn an_end_is_told_until_it_is_recorded() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for (id, to) in [("s-1", 10), ("s-2", 5), ("s-3", 60), ("s-4", 8)] {
        store.open_session(&session(id, 0, to), &hash(id)).await.unwrap();
    }
    store.revoke_session("s-4", "ada", "done", at(1)).await.unwrap();
    let unrecorded = async |now| {
        let ended = store.unrecorded_ends(at(now)).await.unwrap();
        ended.into_iter().map(|session| (session.id, session.revoked.is_some())).collect::<Vec<_>>()
    };
    let (first, second, fourth) =
        (("s-1".to_owned(), false), ("s-2".to_owned(), false), ("s-4".to_owned(), true));
    assert_eq!(unrecorded(9).await, [fourth.clone(), second.clone()]);
    assert_eq!(unrecorded(10).await, [fourth.clone(), second, first.clone()]);
    store.end_recorded("s-2", at(10)).await.unwrap();
    store.end_recorded("s-2", at(11)).await.unwrap();
    assert_eq!(unrecorded(10).await, [fourth, first.clone()]);
    store.end_recorded("s-4", at(10)).await.unwrap();
    assert_eq!(unrecorded(10).await, [first]);
    let live = store.load_active(at(2)).await.unwrap();
    assert_eq!(live.iter().map(|live| &*live.session.id).collect::<Vec<_>>(), ["s-1", "s-3"]);
    assert!(sql(data.path(), "UPDATE sessions SET end_recorded_at = NULL").await.is_err());
}

#[tokio::test]
async fn ids_and_hashes_are_unique_and_an_expiry_lies_ahead() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let new = session("s-1", 0, 60);
    store.open_session(&new, &hash("s-1")).await.unwrap();
    assert_snapshot!(
        store.open_session(&new, &hash("s-2")).await.unwrap_err(),
        @"session `s-1` exists already: open another"
    );
    let same_hash = Session { id: "s-2".to_owned(), ..new };
    assert!(
        matches!(store.open_session(&same_hash, &hash("s-1")).await, Err(Error::Exists(id)) if id == "s-2")
    );
    assert!(matches!(store.open_session(&session("s-3", 5, 5), &hash("s-3")).await, Err(Error::Sql(_))));
}

#[tokio::test]
async fn what_happened_cannot_be_rewritten() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    store.open_session(&session("s-1", 0, 60), &hash("s-1")).await.unwrap();
    store.revoke_session("s-1", "ada", "done", at(5)).await.unwrap();
    for statement in [
        "UPDATE sessions SET revoked_at = NULL, revoked_by = NULL, revoked_why = NULL",
        "UPDATE sessions SET expires_at = expires_at + 1",
        "UPDATE sessions SET agent = 'other'",
        "DELETE FROM sessions",
    ] {
        assert!(sql(data.path(), statement).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn every_file_is_the_owners_alone_and_is_taken_back() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("new");
    let modes = |data: &Path| {
        let files = fs::read_dir(data).unwrap().map(|file| file.unwrap());
        let mut modes: Vec<_> = files
            .map(|f| {
                (f.file_name().into_string().unwrap(), f.metadata().unwrap().permissions().mode() & 0o777)
            })
            .collect();
        modes.sort();
        modes
    };
    let store = Store::open(&data).await.unwrap();
    store.open_session(&session("s-1", 0, 60), &hash("s-1")).await.unwrap();
    let expected = ["state.lock", "state.sqlite", "state.sqlite-shm", "state.sqlite-wal"];
    assert_eq!(modes(&data), expected.map(|name| (name.to_owned(), 0o600)));
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    store.close().await;

    fs::set_permissions(data.join("state.sqlite"), Permissions::from_mode(0o660)).unwrap();
    let store = Store::open(&data).await.unwrap();
    assert!(modes(&data).iter().all(|(_, mode)| *mode == 0o600));
    store.close().await;
}

#[tokio::test]
async fn a_second_writer_is_refused_until_the_first_is_gone() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    assert_snapshot!(
        refusal(data.path()).await,
        @"data folder `DATA` is in use by another process: stop it, or name another data folder"
    );
    store.close().await;
    Store::open(data.path()).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    let data = TempDir::new().unwrap();
    Store::open(data.path()).await.unwrap().close().await;
    sql(data.path(), "PRAGMA user_version = 99").await.unwrap();
    let before = fs::read(data.path().join("state.sqlite")).unwrap();
    assert_snapshot!(
        refusal(data.path()).await,
        @"`DATA/state.sqlite` has schema 99, but this release knows up to 10: run the newer release, or restore the copy from before the upgrade"
    );
    assert_eq!(fs::read(data.path().join("state.sqlite")).unwrap(), before);
}

#[tokio::test]
async fn what_is_not_ours_is_refused() {
    let data = TempDir::new().unwrap();
    sql(data.path(), "CREATE TABLE photos (id INTEGER)").await.unwrap();
    let before = fs::read(data.path().join("state.sqlite")).unwrap();
    assert_snapshot!(
        refusal(data.path()).await,
        @"`DATA/state.sqlite` belongs to another program (application id 0): name another data folder"
    );
    assert_eq!(fs::read(data.path().join("state.sqlite")).unwrap(), before);

    let link = TempDir::new().unwrap();
    symlink("/nowhere", link.path().join("state.sqlite")).unwrap();
    assert_snapshot!(
        refusal(link.path()).await,
        @"`DATA/state.sqlite` is not a regular file: move it away, or name another data folder"
    );

    let open = TempDir::new().unwrap();
    fs::set_permissions(open.path(), Permissions::from_mode(0o777)).unwrap();
    assert_snapshot!(
        refusal(open.path()).await,
        @"data folder `DATA` can be written by everyone: run `chmod o-w` on it"
    );

    let garbage = TempDir::new().unwrap();
    fs::write(garbage.path().join("state.sqlite"), "not a database, but long enough to be looked at")
        .unwrap();
    assert!(matches!(Store::open(garbage.path()).await, Err(OpenError::Sql(_))));
}

#[tokio::test]
async fn debug_shows_no_hash() {
    let live = LiveSession { session: session("s-1", 0, 60), token_hash: hash("s-1"), values_sent: 0 };
    assert!(format!("{live:?}").ends_with(", token_hash: TokenHash(..), values_sent: 0 }"), "{live:?}");
}
