//! Notices on their way, on a real file.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::path::Path;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use store::{NewNotice, OwedNotice, Store};
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn add(store: &Store, id: &str, second: i64, targets: &[&str]) -> bool {
    store.add_notice(&NewNotice { id, at: at(second), notice: &id, targets }).await.unwrap()
}

async fn next(store: &Store, target: &str) -> Option<OwedNotice> {
    store.next_notice(target).await.unwrap()
}

async fn next_id(store: &Store, target: &str) -> Option<String> {
    next(store, target).await.map(|owed| owed.id)
}

#[tokio::test]
async fn each_target_is_owed_each_notice_until_it_has_it_across_restarts() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    assert!(add(&store, "n-1", 0, &["chat", "mail"]).await);
    assert!(add(&store, "n-2", 1, &["chat"]).await);
    assert!(!add(&store, "n-1", 2, &["chat", "mail", "new"]).await, "it is known");
    store.close().await;

    let store = Store::open(data.path()).await.unwrap();
    let first = next(&store, "chat").await.unwrap();
    assert_eq!((&*first.id, &*first.notice, first.added_at, first.due), ("n-1", r#""n-1""#, at(0), at(0)));
    store.notice_settled("chat", first.number).await.unwrap();
    assert_eq!(next_id(&store, "chat").await.as_deref(), Some("n-2"));
    assert_eq!(next_id(&store, "mail").await.as_deref(), Some("n-1"), "each target by itself");
    assert_eq!(next(&store, "new").await, None);
}

#[tokio::test]
async fn what_failed_comes_again_when_it_is_due() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for (id, second) in [("n-1", 0), ("n-2", 1), ("n-3", 20)] {
        add(&store, id, second, &["chat"]).await;
    }
    let first = next(&store, "chat").await.unwrap();
    store.notice_failed("chat", first.number, at(10)).await.unwrap();
    let mut order = Vec::new();
    while let Some(owed) = next(&store, "chat").await {
        store.notice_settled("chat", owed.number).await.unwrap();
        order.push((owed.id, owed.attempts, owed.due));
    }
    assert_eq!(order, [("n-2".into(), 0, at(1)), ("n-1".into(), 1, at(10)), ("n-3".into(), 0, at(20))]);
}

#[tokio::test]
async fn what_is_given_up_is_counted_and_what_nobody_is_owed_can_be_forgotten() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    for (id, second) in [("n-1", 0), ("n-2", 1), ("n-3", 2)] {
        add(&store, id, second, &["chat", "mail"]).await;
    }
    assert_eq!(store.give_up_notices("chat", at(1)).await.unwrap(), 2);
    assert_eq!(next_id(&store, "chat").await.as_deref(), Some("n-3"));
    store.forget_notices(at(1)).await.unwrap();
    assert_eq!(next_id(&store, "mail").await.as_deref(), Some("n-1"), "still owed, so not forgotten");
    assert_eq!(store.keep_notices_for(&["chat", "new"]).await.unwrap(), 3);
    assert_eq!(next(&store, "mail").await, None);
    store.forget_notices(at(1)).await.unwrap();
    assert!(!add(&store, "n-3", 3, &["mail"]).await, "not that old");
    assert!(add(&store, "n-1", 3, &["mail"]).await, "forgotten");
}

#[tokio::test]
async fn a_notice_does_not_change_on_its_way() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    add(&store, "n-1", 0, &["chat"]).await;
    store.close().await;
    assert!(sql(data.path(), "UPDATE notices SET notice = '{}'").await.is_err());
    assert!(sql(data.path(), "DELETE FROM notices").await.is_err(), "it is owed");
}

async fn sql(data: &Path, statement: &'static str) -> Result<(), sqlx::Error> {
    let url = format!("sqlite://{}", data.join("state.sqlite").display());
    let mut raw = SqliteConnection::connect(&url).await?;
    sqlx::raw_sql(statement).execute(&mut raw).await?;
    raw.close().await
}
