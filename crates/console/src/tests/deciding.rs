//! Who decides, who cannot, and what comes of it.

use approval::{
    Human,
    testing::{demand, human},
};
use ledger::leaf::Event;

use super::bench::{Ask, Bench, SESSION, ask, grace, linus};

fn steps(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::ApprovalStep(_))).count()
}

#[tokio::test]
async fn two_have_to_agree_where_two_are_asked() {
    let bench = Bench::new().await;
    bench.ask(Ask { demands: vec![demand("asks", &["sre"], 2)], ..ask("a-1") }).await.unwrap();
    let (one, other) = (bench.sign_in(&grace()).await, bench.sign_in(&linus()).await);
    // The same human at another browser, by another name.
    let alias = Human { subject: "Grace@Example.com".into(), ..grace() };
    let again = bench.sign_in(&alias).await;
    let state = "/approvals/a-1/state";
    let decided = one.press("/approvals/a-1/approve", "&read=yes").await;
    assert_eq!((decided.status.as_u16(), decided.location()), (303, "/approvals/a-1"));
    let mut told = vec![one.get(state).await.text()];
    for browser in [&one, &again] {
        let seen = browser.press("/approvals/a-1/approve", "&read=yes").await;
        told.push(format!("{} {}", seen.status.as_u16(), seen.main().lines().next().unwrap()));
    }
    told.push(other.get(state).await.text());
    other.press("/approvals/a-1/approve", "&read=yes").await;
    told.push(one.get(state).await.text());
    insta::assert_snapshot!(told.join("\n\n"));
    bench.close_ledger().await;
    assert_eq!(steps(&bench.recorded()), 2);
}

#[tokio::test]
async fn whoever_may_not_decide_is_told_why_and_has_no_buttons() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let mut told = Vec::new();
    let delegators = [
        human("ada@example.com", &["sre"]),
        human("ada", &["sre"]),
        Human {
            aliases: vec!["ＡＤＡ@example.com ".into()],
            groups: vec!["sre".into()],
            ..Human::called("1007")
        },
    ];
    for who in delegators.into_iter().chain([human("eve", &["developers"])]) {
        let browser = bench.sign_in(&who).await;
        let page = browser.get("/approvals/a-1").await;
        assert!(!page.html.contains("/approve\"") && !page.html.contains("/refuse\""));
        told.push(page.main().lines().find(|line| line.starts_with("You cannot")).unwrap().to_owned());
        assert!(!browser.get("/").await.text().contains("waits for you"));
        for (button, fields) in [("approve", "&read=yes"), ("refuse", "&why=no")] {
            let seen = browser.press(&format!("/approvals/a-1/{button}"), fields).await;
            told.push(format!("{button} {} {}", seen.status.as_u16(), seen.main().lines().next().unwrap()));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
    bench.close_ledger().await;
    assert_eq!(steps(&bench.recorded()), 0);
}

#[tokio::test]
async fn what_is_decided_or_too_late_stays_so() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    bench.ask(ask("a-2")).await.unwrap();
    let (one, other) = (bench.sign_in(&grace()).await, bench.sign_in(&linus()).await);
    one.press("/approvals/a-1/refuse", "&why=not+on+a+Friday").await;
    bench.pass(10);
    let mut told = Vec::new();
    for id in ["a-1", "a-2"] {
        let seen = other.press(&format!("/approvals/{id}/approve"), "&read=yes").await;
        told.push(format!("{} {}", seen.status.as_u16(), seen.main().lines().next().unwrap()));
    }
    told.push(other.get("/approvals/a-1/state").await.text());
    told.push(other.get("/approvals").await.main());
    for why in ["", "+", "a%0Ab", "%E2%80%AE", &"x".repeat(501)] {
        let seen = one.press("/approvals/a-2/refuse", &format!("&why={why}")).await;
        told.push(format!("{} {}", seen.status.as_u16(), seen.main().lines().next().unwrap()));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_the_ledger_does_not_take_is_not_acted_on() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    bench.ask(ask("a-2")).await.unwrap();
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let mut told = Vec::new();
    for (button, fields) in [("a-1/approve", "&read=yes"), ("a-2/refuse", "&why=no")] {
        told.push(visitor.press(&format!("/approvals/{button}"), fields).await.told());
    }
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(steps(&bench.recorded()), 0);
}

#[tokio::test]
async fn sessions_are_stopped_by_anybody_and_thawed_by_somebody_else() {
    let bench = Bench::new().await;
    let (delegator, other) =
        (bench.sign_in(&human("ada", &[])).await, bench.sign_in(&human("grace", &[])).await);
    let session = format!("/sessions/{SESSION}");
    let mut told = Vec::new();
    for (browser, button, fields) in [
        (&delegator, "freeze", "&why="),
        (&delegator, "freeze", "&why=it+is+odd"),
        (&delegator, "thaw", ""),
        (&other, "thaw", ""),
        (&other, "revoke", "&why=%3Cb%3Eenough%3C%2Fb%3E"),
        (&other, "thaw", ""),
    ] {
        let seen = browser.press(&format!("{session}/{button}"), fields).await;
        let first = browser.get(&session).await.main();
        let (seen_first, seen) = (seen.main().lines().next().map(str::to_owned), seen.status.as_u16());
        told.push(format!(
            "{button} {seen} {}\n  {}",
            seen_first.unwrap_or_default(),
            first.lines().take(3).collect::<Vec<_>>().join(" | ")
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_session_is_stopped_though_the_ledger_takes_nothing() {
    let bench = Bench::new().await;
    let visitor = bench.sign_in(&grace()).await;
    let session = format!("/sessions/{SESSION}");
    bench.close_ledger().await;
    let mut told = Vec::new();
    for (button, fields) in [("freeze", "&why=odd"), ("thaw", ""), ("revoke", "&why=odd")] {
        let seen = visitor.press(&format!("{session}/{button}"), fields).await;
        let lines: Vec<_> = seen.main().lines().take(2).map(str::to_owned).collect();
        told.push(format!("{button} {} {}", seen.status.as_u16(), lines.join(" | ")));
    }
    insta::assert_snapshot!(told.join("\n"));
}
