//! Tokens: who is calling, and what is said of a wrong one.
#![expect(clippy::string_slice, reason = "tokens are ASCII")]

use std::fs;
use std::path::Path;

use identity::{Rejected, Which};
use insta::assert_snapshot;
use tempfile::TempDir;

use crate::support::{id, opening, revoke, sessions, start};

#[tokio::test]
async fn a_token_tells_who_is_calling() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let caller = sessions.identify(opened.token.reveal(), start()).unwrap();
    assert_snapshot!(
        format!("{caller:?}"),
        @r#"Caller { agent: "claude", groups: ["developers", "bots"], delegator: "ada@example.com", session: "s-aaaaaaaaaaaacaaa", cluster: "prod", expires_at: 2030-01-01T01:00:00.123456Z, ended: None, .. }"#
    );
    assert_eq!(caller.reason().as_str(), "roll out 1.4");
    assert_eq!(sessions.live(), 1);
    let listed = sessions.list(Which::Active, 10).await.unwrap();
    assert_eq!(listed, [opened.session]);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let (one, other) = (sessions.open(opening()).await.unwrap(), sessions.open(opening()).await.unwrap());
    let good = one.token.reveal();
    let revoked = sessions.open(opening()).await.unwrap();
    revoke(&sessions, &id(&revoked)).await;

    let secret_of_other = format!("{}{}", &good[..23], &other.token.reveal()[23..]);
    // The last of 43 characters carries two bits that are always zero: another text for the same bytes.
    let alias = format!("{}{}", &good[..65], char::from(good.as_bytes()[65] + 1));
    let mut bad = vec![
        (secret_of_other, Rejected::WrongSecret),
        (good.replace("_s-a", "_s-b"), Rejected::Unknown),
        (revoked.token.reveal().to_owned(), Rejected::Unknown),
        (alias, Rejected::Malformed),
        (format!("{good}="), Rejected::Malformed),
        (format!(" {good}"), Rejected::Malformed),
        (format!("{good}\n"), Rejected::Malformed),
        (good.to_uppercase(), Rejected::Malformed),
        (good.replace("pct_", ""), Rejected::Malformed),
        (good.replacen('A', "é", 2), Rejected::Malformed),
        ("A".repeat(1 << 20), Rejected::Malformed),
    ];
    bad.extend((0..good.len()).map(|length| (good[..length].to_owned(), Rejected::Malformed)));

    for (token, why) in bad {
        let error = sessions.identify(&token, start()).unwrap_err();
        assert_eq!(error.rejected(), why, "{token}");
        assert_eq!(
            error.to_string(),
            "no valid session token: open a session with `portcullis session open`"
        );
        assert_eq!(format!("{error:?}"), "Unauthenticated");
    }
    assert!(sessions.identify(good, start()).is_ok());
}

#[tokio::test]
async fn a_token_is_never_shown_again_nor_stored() {
    let data = TempDir::new().unwrap();
    let sessions = sessions(&data).await;
    let opened = sessions.open(opening()).await.unwrap();
    let token = opened.token.reveal().to_owned();
    let secret = &token[23..];
    assert_snapshot!(token, @"pct_s-aaaaaaaaaaaacaaa_AAAAAAAAAAIAAAAAAAAAAgAAAAAAAAACAAAAAAAAAAI");

    let caller = sessions.identify(&token, start()).unwrap();
    let shown = format!("{opened:?} {sessions:?} {caller:?}");
    assert!(!shown.contains(secret), "{shown}");
    assert!(shown.contains("Token(..)"));

    // What the counter gave for the secret, and what is kept of it.
    let raw: Vec<u8> = 2_u64.to_be_bytes().repeat(4);
    let kept = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &raw);
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    let mut hash_seen = false;
    let check = |file: &Path, hash_seen: &mut bool| {
        let bytes = fs::read(file).unwrap();
        assert!(!holds(&bytes, secret.as_bytes()), "{}", file.display());
        assert!(!holds(&bytes, &raw), "{}", file.display());
        *hash_seen |= holds(&bytes, kept.as_ref());
    };
    for file in fs::read_dir(data.path()).unwrap() {
        check(&file.unwrap().path(), &mut hash_seen);
    }
    assert!(hash_seen, "looked in the wrong place");
}
