//! Passkeys in software: enrolled, used, and refused.

use approval::{Assurance, Demand, Level};
use ledger::leaf::Event;
use passkey::testing::Authenticator;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::bench::{Ask, Bench, Browser, ORIGIN, ask, grace};
use super::seen::Seen;

/// What a page asks the browser's authenticator for.
fn options(page: &Seen) -> Value {
    let options = page.between("data-options=\"", "\"").expect("options").replace("&#34;", "\"");
    serde_json::from_str(&options).unwrap()
}

fn field(response: &[u8]) -> String {
    utf8_percent_encode(std::str::from_utf8(response).unwrap(), NON_ALPHANUMERIC).to_string()
}

async fn enrol(browser: &Browser<'_>, name: &str) -> Authenticator {
    let mut authenticator = Authenticator::new(name);
    let response = authenticator.create(&options(&browser.get("/passkeys").await), ORIGIN);
    let fields = format!("&name={name}&response={}", field(&response));
    let enrolled = browser.press("/passkeys/enrol", &fields).await;
    assert_eq!(enrolled.status, 303, "{}", enrolled.text());
    authenticator
}

async fn approve(browser: &Browser<'_>, id: &str, response: &[u8]) -> Seen {
    let fields = format!("&read=yes&signed=yes&response={}", field(response));
    browser.press(&format!("/approvals/{id}/approve"), &fields).await
}

/// What stands against what was just tried.
fn alert(seen: &Seen) -> String {
    format!("{} {}", seen.status, seen.main().lines().next().unwrap_or_default())
}

fn signed(id: &str) -> Ask<'_> {
    let mut asked = ask(id);
    asked.demands = asked
        .demands
        .into_iter()
        .map(|demand| Demand { assurance: Some(Level::Passkey), ..demand })
        .collect();
    asked
}

#[tokio::test]
async fn what_a_passkey_signed_is_approved_and_recorded_with_its_signature() {
    let bench = Bench::new().await;
    bench.ask(signed("a-1")).await.unwrap();
    let browser = bench.sign_in(&grace()).await;
    let mut key = enrol(&browser, "desk").await;
    assert!(browser.get("/passkeys").await.main().contains("desk"));
    let response = key.get(&options(&browser.get("/approvals/a-1").await), ORIGIN);
    assert_eq!(approve(&browser, "a-1", &response).await.status, 303);
    assert!(browser.get("/approvals/a-1").await.main().contains("signed by their passkey"));
    bench.close_ledger().await;
    let events = bench.recorded();
    let enrolled = events.iter().find_map(|event| match event {
        Event::PasskeyEnrolled(enrolled) => Some(enrolled),
        _ => None,
    });
    let steps: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::ApprovalStep(step) => Some(&step.step.what),
            _ => None,
        })
        .collect();
    let [approval::What::Approved { assurance: Assurance::Passkey(signed), .. }] = steps[..] else {
        panic!("{steps:?}")
    };
    assert_eq!((&signed.passkey, signed.enrolled), (&enrolled.unwrap().passkey, Level::Link));
}

#[tokio::test]
async fn nothing_less_than_a_signature_of_this_is_taken_for_one() {
    let bench = Bench::new().await;
    for id in ["a-1", "a-2"] {
        bench.ask(signed(id)).await.unwrap();
    }
    let browser = bench.sign_in(&grace()).await;
    let mut key = enrol(&browser, "desk").await;
    let mut stranger = Authenticator::new("stranger");
    let (one, two) =
        (options(&browser.get("/approvals/a-1").await), options(&browser.get("/approvals/a-2").await));
    let used = key.get(&two, ORIGIN);
    assert_eq!(approve(&browser, "a-2", &used).await.status, 303);
    let mut told = Vec::new();
    for response in
        [vec![], b"{}".to_vec(), used, key.get(&one, "http://localhost:3000"), stranger.get(&one, ORIGIN)]
    {
        told.push(alert(&approve(&browser, "a-1", &response).await));
    }
    told.push(alert(&browser.press("/approvals/a-1/approve", "&read=yes").await));
    told.push(alert(&browser.press("/approvals/a-1/approve", "&signed=yes").await));
    insta::assert_snapshot!(told.join("\n"));
    assert!(browser.get("/approvals/a-1").await.main().contains("pending"));
}

#[tokio::test]
async fn a_passkey_is_enrolled_once_soon_after_signing_in_and_by_whom_it_is_shown_to() {
    let bench = Bench::new().await;
    let browser = bench.sign_in(&grace()).await;
    let other = bench.sign_in(&grace()).await;
    let page = options(&browser.get("/passkeys").await);
    let mut key = Authenticator::new("desk");
    let response = field(&key.create(&page, ORIGIN));
    let mut told = Vec::new();
    // Another sign-in has another challenge, though it is of the same human.
    let refused = |seen: Seen| alert(&seen);
    told.push(refused(other.press("/passkeys/enrol", &format!("&name=desk&response={response}")).await));
    told.push(refused(browser.press("/passkeys/enrol", &format!("&name=&response={response}")).await));
    told.push(refused(browser.press("/passkeys/enrol", "&name=desk&response=").await));
    assert_eq!(
        browser.press("/passkeys/enrol", &format!("&name=desk&response={response}")).await.status,
        303
    );
    told.push(refused(browser.press("/passkeys/enrol", &format!("&name=desk&response={response}")).await));
    told.push(refused(browser.press("/passkeys/remove", "&id=AAAA").await));
    bench.pass(16);
    let late = browser.get("/passkeys").await;
    assert!(!late.html.contains("data-options"));
    told.push(late.main().lines().find(|line| line.starts_with("Not now")).unwrap().to_owned());
    told.push(refused(browser.press("/passkeys/enrol", &format!("&name=desk&response={response}")).await));
    insta::assert_snapshot!(told.join("\n"));
}
