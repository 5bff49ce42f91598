//! What is asked ahead of calls, and what is signed off after them.

use approval::{
    Changes, Subject,
    testing::{access, change, demand, human},
};
use ledger::leaf::Event;

use super::bench::{Ask, Bench, ask_ahead, grace, linus};

fn glass(id: &str) -> Ask<'_> {
    let subject = Subject::Access(access(&["delete pods in shop"], Some("INC-7")));
    Ask { demands: vec![demand("approvals.break_glass", &["sre"], 1)], ..ask_ahead(id, subject) }
}

#[tokio::test]
async fn several_changes_are_decided_at_once_and_each_is_shown() {
    let bench = Bench::new().await;
    let members = vec![change("a"), change("b")];
    let changes = Subject::Changes(Changes { members: members.clone(), reason: "colours".into() });
    bench.ask(ask_ahead("a-1", changes)).await.unwrap();
    let browser = bench.sign_in(&grace()).await;
    let mut told = vec![browser.get("/approvals/a-1").await.main()];
    browser.press("/approvals/a-1/approve", "&read=yes").await;
    let (call, digest) = ("c-7".to_owned(), members[1].digest().to_string());
    bench.console.inbox().step("a-1", approval::What::Consumed { call, digest }).await.unwrap();
    told.push(browser.get("/approvals/a-1").await.main());
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn access_is_given_and_taken_away_again_by_anybody() {
    let bench = Bench::new().await;
    let subject = Subject::Access(access(&["patch,delete deployments.apps named web in shop"], None));
    bench.ask(ask_ahead("a-1", subject)).await.unwrap();
    let (one, other) = (bench.sign_in(&grace()).await, bench.sign_in(&human("eve", &[])).await);
    let mut told = vec![one.get("/approvals/a-1").await.main()];
    assert!(!other.get("/approvals/a-1").await.html.contains("/end\""), "there is nothing to end");
    one.press("/approvals/a-1/approve", "&read=yes").await;
    let state = "/approvals/a-1/state";
    told.push(other.get(state).await.text());
    told.push(other.press("/approvals/a-1/end", "&why=").await.told());
    other.press("/approvals/a-1/end", "&why=enough").await;
    told.push(one.get(state).await.text());
    told.push(one.press("/approvals/a-1/end", "&why=enough").await.told().chars().take(90).collect());
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn a_broken_glass_stays_in_the_list_until_somebody_else_signs_it_off() {
    let bench = Bench::new().await;
    bench.ask(glass("a-1")).await.unwrap();
    let one = bench.sign_in(&human("grace", &["sre", "leads"])).await;
    let (other, lead) = (bench.sign_in(&linus()).await, bench.sign_in(&human("joan", &["leads"])).await);
    let first_line = |seen: super::seen::Seen| {
        format!("{} {}", seen.status.as_u16(), seen.main().lines().next().unwrap_or_default())
    };
    let mut told = vec![lead.get("/reviews").await.main()];
    one.press("/approvals/a-1/approve", "&read=yes").await;
    told.push(lead.get("/reviews").await.main());
    told.push(first_line(lead.press("/approvals/a-1/review", "&why=fine").await));
    bench.pass(5);
    bench.console.inbox().expire_overdue().await.unwrap();
    told.push(lead.get("/reviews").await.main());
    for browser in [&one, &other] {
        assert!(!browser.get("/approvals/a-1").await.html.contains("/review\""));
        told.push(first_line(browser.press("/approvals/a-1/review", "&why=fine").await));
    }
    told.push(one.get("/approvals/a-1/state").await.text());
    told.push(lead.get("/approvals/a-1/state").await.text());
    let signed = lead.press("/approvals/a-1/review", "&why=it+had+to+be").await;
    assert_eq!(signed.status, 303);
    told.push(one.get("/approvals/a-1/state").await.text());
    told.push(lead.get("/reviews").await.main());
    insta::assert_snapshot!(told.join("\n\n"));
    bench.close_ledger().await;
    let steps = bench.recorded().iter().filter(|event| matches!(event, Event::ApprovalStep(_))).count();
    assert_eq!(steps, 3);
}
