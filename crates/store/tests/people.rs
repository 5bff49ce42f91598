//! Passkeys, and the names that people were ever known by.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use approval::{Level, testing::signed};
use jiff::Timestamp;
use store::{Passkey, Store};
use tempfile::TempDir;

fn passkey(subject: &str, name: &str) -> Passkey {
    Passkey {
        subject: subject.into(),
        name: name.into(),
        origin: "https://console.example.com".into(),
        credential: signed(name, &approval::testing::bound()).passkey,
        enrolled_by: Level::Provider,
        enrolled_at: Timestamp::from_second(1_800_000_000).unwrap(),
        sign_count: 0,
        used_at: None,
    }
}

#[tokio::test]
async fn a_passkey_is_enrolled_once_and_is_of_one_human() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let (desk, phone) = (passkey("grace", "desk"), passkey("grace", "phone"));
    assert!(store.enrol_passkey(&desk).await.unwrap());
    assert!(store.enrol_passkey(&phone).await.unwrap());
    // Neither again, nor for somebody else.
    for taken in [desk.clone(), Passkey { subject: "mallory".into(), ..desk.clone() }] {
        assert!(!store.enrol_passkey(&taken).await.unwrap());
    }
    assert_eq!(store.passkeys_of("grace").await.unwrap().len(), 2);
    assert_eq!(store.passkey(&desk.credential.id).await.unwrap(), Some(desk.clone()));
    assert!(!store.remove_passkey("mallory", &desk.credential.id).await.unwrap());
    assert!(store.remove_passkey("grace", &desk.credential.id).await.unwrap());
    assert_eq!(store.passkeys_of("grace").await.unwrap(), [phone]);
    assert_eq!(store.passkey(&desk.credential.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_count_that_does_not_go_up_is_a_copys() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let desk = passkey("grace", "desk");
    store.enrol_passkey(&desk).await.unwrap();
    let now = Timestamp::from_second(1_800_000_060).unwrap();
    let used = async |count| store.passkey_used(&desk.credential.id, count, now).await.unwrap();
    let mut taken = Vec::new();
    for count in [0, 0, 3, 3, 2, 0, 4] {
        taken.push(used(count).await);
    }
    // One that does not count tells 0 each time; one that has counted does so no more.
    assert_eq!(taken, [true, true, true, false, false, false, true]);
    let found = store.passkey(&desk.credential.id).await.unwrap().unwrap();
    assert_eq!((found.sign_count, found.used_at), (4, Some(now)));
}

#[tokio::test]
async fn whoever_changes_their_name_keeps_the_old_one() {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    let remember = async |person: &str, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        store.remember_names(person, &names).await.unwrap()
    };
    assert_eq!(remember("i#1", &["ada@example.com"]).await, ["ada@example.com"]);
    assert_eq!(
        remember("i#1", &["al@example.com", "al@example.com"]).await,
        ["ada@example.com", "al@example.com"]
    );
    assert_eq!(remember("i#2", &["eve@example.com"]).await, ["eve@example.com"]);
    // However many somebody makes up, the first are kept.
    for number in 0..300 {
        remember("i#1", &[&format!("{number}@example.com")]).await;
    }
    let known = remember("i#1", &[]).await;
    assert_eq!(known.len(), 200);
    assert!(known.contains(&"ada@example.com".to_owned()));
}
