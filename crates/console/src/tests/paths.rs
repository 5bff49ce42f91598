//! Addresses that are not of a page.

use super::bench::{Bench, SESSION, ask, grace};

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let visitor = bench.sign_in(&grace()).await;
    let mut told = Vec::new();
    for path in [
        "/nothing",
        "/approvals/a-2",
        "/approvals/A-1",
        "/approvals/a-1/",
        "/approvals//a-1",
        "/approvals/..%2fa-1",
        "/approvals/a-1%00",
        "/approvals/%3Cb%3E",
        "/approvals/%ff",
        "/approvals/a-2/state",
        "/sessions/s-1",
        "/sessions/s-aaaaaaaaaaaaaaaa",
        "/sessions/%27%20OR%201=1",
        "/assets/0/console.js",
        "/assets/0/..%2f..%2fCargo.toml",
        "/?page=x",
        "/?page=-1",
        "/?page=99999999999999999999999",
        "/refusals?before=x",
        "/sessions?all=maybe",
    ] {
        told.push(format!("{path} {}", visitor.get(path).await.told()));
    }
    for path in ["/approvals/a-2/approve", "/sessions/s-1/revoke", "/sessions/s-aaaaaaaaaaaaaaaa/freeze"] {
        told.push(format!("{path} {}", visitor.press(path, "&why=odd").await.told()));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn pages_beyond_the_last_are_empty() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let visitor = bench.sign_in(&grace()).await;
    for path in [
        "/?page=1",
        "/?page=18446744073709551615",
        "/refusals?before=0",
        "/refusals?before=18446744073709551615",
        &*format!("/sessions/{SESSION}?before=18446744073709551615"),
        "/sessions?all=true",
    ] {
        assert_eq!(visitor.get(path).await.status, 200, "{path}");
    }
}
