//! Who is let in, for how long, and where they get to.

use approval::testing::human;
use ledger::leaf::Event;

use super::bench::{Bench, ask, grace, linus};

#[tokio::test]
async fn a_link_signs_in_once_and_looking_at_it_does_not_use_it_up() {
    let bench = Bench::new().await;
    let mut browser = bench.browser();
    let link = bench.link(&grace());
    for method in ["GET", "GET", "HEAD"] {
        let seen = browser.with(method, &link, "purpose", "preview").await;
        assert_eq!((seen.status.as_u16(), seen.cookie()), (200, ""));
    }
    insta::assert_snapshot!("link", browser.get(&link).await.text());
    let elsewhere = browser.post_from(Some("http://evil.example"), &link, "").await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.cookie()), (403, ""));
    let entered = browser.post(&link, "").await;
    insta::assert_snapshot!(
        format!("{} to {}: {}", entered.status.as_u16(), entered.location(), cut(entered.cookie())),
        @"303 to /: portcullis=…; HttpOnly; SameSite=Lax; Path=/"
    );
    let again = [browser.get(&link).await, browser.post(&link, "").await];
    for seen in &again {
        assert_eq!(seen.cookie(), "");
    }
    insta::assert_snapshot!("used_up", again.map(|seen| seen.told()).join("\n"));
    browser.cookie = entered.cookie().split(';').next().unwrap().to_owned();
    assert_eq!(browser.get("/").await.status, 200);
    bench.close_ledger().await;
    let signed_in = |event: &Event| matches!(event, Event::SignedIn(signed_in) if signed_in.human == grace());
    assert_eq!(bench.recorded().iter().filter(|event| signed_in(event)).count(), 1);
}

/// A cookie without its secret.
fn cut(cookie: &str) -> String {
    let (name, rest) = cookie.split_once('=').unwrap_or_default();
    format!("{name}=…;{}", rest.split_once(';').unwrap_or_default().1)
}

#[tokio::test]
async fn a_link_that_is_old_or_made_up_signs_nobody_in() {
    let bench = Bench::new().await;
    let browser = bench.browser();
    let link = bench.link(&grace());
    bench.pass(5);
    let made_up = ["/sign-in/%00", "/sign-in/x", "/sign-in/..%2f..%2f", "/sign-in/%3Cscript%3E"];
    for path in [&*link].into_iter().chain(made_up) {
        for seen in [browser.get(path).await, browser.post(path, "").await] {
            assert_eq!((seen.status.as_u16(), seen.cookie()), (404, ""), "{path}");
        }
    }
    bench.close_ledger().await;
    assert!(!bench.recorded().iter().any(|event| matches!(event, Event::SignedIn(_))));
}

#[tokio::test]
async fn over_tls_the_cookie_is_for_this_host_alone() {
    let bench = Bench::at("https://console.example.com").await;
    let mut browser = bench.browser();
    let entered = browser.post(&bench.link(&grace()), "").await;
    insta::assert_snapshot!(cut(entered.cookie()), @"__Host-portcullis=…; HttpOnly; SameSite=Lax; Secure; Path=/");
    browser.cookie = entered.cookie().split(';').next().unwrap().to_owned();
    let left = browser.press("/sign-out", "").await;
    insta::assert_snapshot!(cut(left.cookie()), @"__Host-portcullis=…; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0");
    // As a site beside it could set it.
    browser.cookie = browser.cookie.replace("__Host-", "");
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn only_a_cookie_that_is_good_and_alone_is_believed() {
    let bench = Bench::new().await;
    let mut browser = bench.sign_in(&grace()).await;
    let (good, other) = (browser.cookie.clone(), bench.sign_in(&linus()).await.cookie);
    for (cookie, status) in [
        (good.clone(), 200),
        (format!("theme=dark; {good}"), 200),
        (format!("{good}; {good}"), 303),
        (format!("{good}; {other}"), 303),
        (format!("portcullis=x; {good}"), 303),
        (format!("{good}x"), 303),
        (good.replace("portcullis", "Portcullis"), 303),
        (good.replace("portcullis", "__Host-portcullis"), 303),
        ("portcullis=".into(), 303),
        ("portcullis".into(), 303),
    ] {
        browser.cookie = cookie;
        assert_eq!(browser.get("/").await.status, status, "{}", browser.cookie);
    }
    browser.cookie = good.clone();
    let split = browser.with("GET", "/", "cookie", &other).await;
    assert_eq!(split.status, 303, "in two headers");
    // Used within each hour, it lasts; left alone, it ends.
    for _use in 0..3 {
        bench.pass(59);
        assert_eq!(browser.get("/").await.status, 200);
    }
    bench.pass(60);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn whoever_signs_out_is_out_and_others_stay() {
    let bench = Bench::new().await;
    let (visitor, other) = (bench.sign_in(&grace()).await, bench.sign_in(&grace()).await);
    let form = visitor.form().await;
    let left = visitor.press("/sign-out", "").await;
    insta::assert_snapshot!(format!("{} to {}: {}", left.status.as_u16(), left.location(), left.cookie()), @"303 to /sign-in: portcullis=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    assert_eq!(visitor.get("/").await.status, 303);
    assert_eq!(visitor.post("/sign-out", &format!("form={form}")).await.location(), "/sign-in?to=%2F");
    assert_eq!(other.get("/").await.status, 200);
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_asked_to_and_comes_back() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let (nobody, visitor) = (bench.browser(), bench.sign_in(&grace()).await);
    for path in ["/", "/approvals/a-1", "/sessions?all=true", "/live?approval=a-1", "/policy", "/ledger"] {
        let sent = nobody.get(path).await;
        assert_eq!((sent.status.as_u16(), &*sent.html), (303, ""), "{path}");
        assert_eq!(nobody.get(sent.location()).await.status, 200);
        assert_eq!(visitor.get(sent.location()).await.location(), path);
        let part = nobody.htmx(path).await;
        assert_eq!((part.header("hx-refresh"), &*part.html), ("true", ""), "{path}");
    }
    for to in ["//evil.example", "/%5Cevil.example", "https:%2F%2Fevil.example", "%2F%09/evil.example", "x"] {
        assert_eq!(visitor.get(&format!("/sign-in?to={to}")).await.location(), "/", "{to}");
    }
}

#[tokio::test]
async fn what_is_sent_without_a_sign_in_is_not_done() {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    let form = bench.sign_in(&grace()).await.form().await;
    let sent = bench.browser().post("/approvals/a-1/approve", &format!("form={form}")).await;
    assert_eq!((sent.status.as_u16(), sent.location()), (303, "/sign-in?to=%2F"));
    let seen = bench.sign_in(&grace()).await.get("/approvals/a-1").await;
    assert!(seen.text().contains("Approve exactly this"));
}

#[tokio::test]
async fn nobody_is_signed_in_unrecorded() {
    let bench = Bench::new().await;
    let browser = bench.browser();
    let link = bench.link(&human("<b>grace</b>", &[]));
    bench.close_ledger().await;
    let entered = browser.post(&link, "").await;
    assert_eq!(entered.cookie(), "");
    insta::assert_snapshot!(entered.told(), @"503: Service Unavailable | The ledger takes no entries, and nobody is let in unrecorded. Ask who runs the gate. | Go to the inbox");
}
