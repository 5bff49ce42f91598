//! What is let through, and what every answer says.

use axum::body::Body;
use http::{Request, header};

use super::bench::{Bench, Browser, ORIGIN, SESSION, ask, grace, linus};
use super::seen::Seen;

/// What can be changed by a form, with what is in it beside the visitor's own mark.
const FORMS: [(&str, &str); 8] = [
    ("/approvals/a-1/approve", "&read=yes"),
    ("/passkeys/enrol", "&name=key&response=none"),
    ("/passkeys/remove", "&id=AAAAAAAAAAAAAAAAAAAAAA"),
    ("/approvals/a-1/refuse", "&why=no"),
    ("/sessions/s-2g4kq7nd5wvx3jhc/freeze", "&why=odd"),
    ("/sessions/s-2g4kq7nd5wvx3jhc/revoke", "&why=odd"),
    ("/sessions/s-2g4kq7nd5wvx3jhc/thaw", ""),
    ("/sign-out", ""),
];

/// That nothing came of what was tried: what waits still waits, the session goes on, the visitor is signed in.
async fn is_unchanged(browser: &Browser<'_>) {
    assert!(browser.get("/approvals/a-1").await.text().contains("\npending\nStill needs 1 of sre"));
    let session = browser.get(&format!("/sessions/{SESSION}")).await;
    assert!(session.text().contains("claude for ada@example.com active"), "{}", session.text());
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    bench
}

#[tokio::test]
async fn another_host_is_refused() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    let mut told = Vec::new();
    for host in
        ["evil.example", "localhost", "localhost:8445", "127.0.0.1:8444", "localhost:8444.evil.example", ""]
    {
        let request = Request::get("/").header(header::HOST, host).header(header::COOKIE, &visitor.cookie);
        let seen = Seen::of(bench.send(request.body(Body::empty()).unwrap()).await).await;
        told.push(format!("{host:?} {}", seen.told()));
    }
    let without = Request::get("/").header(header::COOKIE, &visitor.cookie).body(Body::empty()).unwrap();
    told.push(format!("none {}", Seen::of(bench.send(without).await).await.told()));
    // As HTTP/2 names it, and as people type it.
    for uri in ["http://localhost:8444/", "http://LOCALHOST:8444/"] {
        let named = Request::get(uri).header(header::COOKIE, &visitor.cookie).body(Body::empty()).unwrap();
        assert_eq!(bench.send(named).await.status(), 200);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    let form = visitor.form().await;
    let mut told = Vec::new();
    let origins = [
        None,
        Some("null"),
        Some("http://evil.example"),
        Some("http://localhost"),
        Some("https://localhost:8444"),
        Some("http://localhost:8444/"),
        Some("http://localhost:8444.evil.example"),
    ];
    for origin in origins {
        for (path, fields) in FORMS {
            let seen = visitor.post_from(origin, path, &format!("form={form}{fields}")).await;
            assert_eq!(seen.status, 403, "{origin:?} {path}");
            told.push(format!("{origin:?} {}", seen.told()));
        }
    }
    told.dedup();
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        told.push(format!(
            "{method} {}",
            visitor.with(method, "/approvals/a-1", "accept", "*/*").await.told()
        ));
        let ours = visitor.with(method, "/approvals/a-1/approve", "origin", ORIGIN).await;
        assert_eq!(ours.status, 405, "{method}");
    }
    is_unchanged(&visitor).await;
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_form_that_is_not_the_visitors_own_is_refused() {
    let bench = bench().await;
    let (visitor, other) = (bench.sign_in(&grace()).await, bench.sign_in(&grace()).await);
    let (own, others) = (visitor.form().await, other.form().await);
    assert_ne!(own, others);
    let mut told = Vec::new();
    let marks = [
        ("none", String::new()),
        ("empty", "form=".into()),
        ("another's", format!("form={others}")),
        ("twice", format!("form={own}&form={own}")),
        ("longer", format!("form={own}x")),
    ];
    for (what, mark) in marks {
        for (path, fields) in FORMS {
            let seen = visitor.post(path, &format!("{mark}{fields}")).await;
            assert!(seen.status.is_client_error(), "{what} {path}");
            told.push(format!("{what} {}", seen.told()));
        }
    }
    told.dedup();
    let long = format!("form={own}&why={}", "x".repeat(64 << 10));
    told.push(format!("long {}", visitor.post("/approvals/a-1/refuse", &long).await.told()));
    let json = visitor.with("POST", "/approvals/a-1/approve", "origin", ORIGIN).await;
    told.push(format!("no form {}", json.told()));
    is_unchanged(&visitor).await;
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn looking_changes_nothing() {
    let bench = bench().await;
    let visitor = bench.sign_in(&grace()).await;
    let form = visitor.form().await;
    for (path, fields) in FORMS {
        for method in ["GET", "HEAD"] {
            let path = format!("{path}?form={form}{fields}");
            assert_eq!(visitor.with(method, &path, "origin", ORIGIN).await.status, 405, "{method} {path}");
        }
    }
    is_unchanged(&visitor).await;
    let recorded = bench.console.ledger().stats().appended;
    for page in ["/", "/approvals", "/approvals/a-1", "/sessions", "/refusals", "/policy"] {
        let (whole, head) =
            (visitor.get(page).await, visitor.with("HEAD", page, "accept", "text/html").await);
        assert_eq!((whole.status.as_u16(), head.status.as_u16(), &*head.html), (200, 200, ""), "{page}");
        assert_eq!(whole.header("content-type"), head.header("content-type"));
    }
    assert_eq!(bench.console.ledger().stats().appended, recorded);
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let bench = bench().await;
    let (nobody, visitor) = (bench.browser(), bench.sign_in(&grace()).await);
    let asset = visitor.get("/").await.attributes("src")[0].clone();
    let pages = |seen: &Seen| seen.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    let first: Vec<String> = pages(&visitor.get("/").await);
    let ours: Vec<_> =
        first.iter().filter(|line| !line.starts_with("content-length")).map(String::as_str).collect();
    insta::assert_snapshot!("page", ours.join("\n").replace('"', ""));
    let security: Vec<_> =
        ours.iter().filter(|line| !line.starts_with("c") || line.contains("policy")).collect();
    assert_eq!(security.len(), 7);

    let mut answers = Vec::new();
    for path in
        ["/sign-in", "/sign-in/none", "/", "/nothing", "/assets/0/console.js", &*asset, "/sign-in?to=%2F"]
    {
        answers.push((format!("nobody {path}"), nobody.get(path).await));
    }
    for path in [
        "/approvals/a-1",
        "/approvals/none",
        "/sessions/none",
        "/?page=x",
        "/sessions?all=maybe",
        "/approvals/%ff",
        "/sign-in",
        "/approvals/a-1/approve",
        "/inbox",
        "/approvals/a-1/state",
    ] {
        answers.push((path.to_owned(), visitor.get(path).await));
    }
    answers.push(("htmx".into(), nobody.htmx("/inbox").await));
    answers.push(("no origin".into(), visitor.post_from(None, "/sign-out", "").await));
    answers.push(("no form".into(), visitor.post("/sign-out", "").await));
    answers.push(("no reason".into(), visitor.press("/approvals/a-1/refuse", "&why=").await));
    answers.push(("decided".into(), visitor.press("/approvals/a-1/refuse", "&why=no").await));
    answers.push(("again".into(), visitor.press("/approvals/a-1/approve", "&read=yes").await));
    let mut told = Vec::new();
    for (what, seen) in answers {
        for line in &security {
            let (name, value) = line.split_once(": ").unwrap();
            assert_eq!(format!("{:?}", seen.header(name)), value, "{what}");
        }
        let what = what.replace(&asset, "an asset");
        told.push(format!("{what}: {} {}", seen.status.as_u16(), seen.header("cache-control")));
    }
    // It does not end.
    let live = visitor.open("/live").await;
    for line in &security {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(format!("{:?}", live.headers()[name]), value);
    }
    told.push(format!("live: {} {:?}", live.status().as_u16(), live.headers()["cache-control"]));
    insta::assert_snapshot!("caching", told.join("\n"));
}

#[tokio::test]
async fn over_tls_browsers_are_told_to_stay_there() {
    let bench = Bench::at("https://console.example.com").await;
    let mut told = Vec::new();
    let visitor = bench.sign_in(&linus()).await;
    for seen in [visitor.get("/").await, visitor.get("/nothing").await, bench.browser().get("/").await] {
        told.push(format!("{} {}", seen.status.as_u16(), seen.header("strict-transport-security")));
    }
    insta::assert_snapshot!(told.join("\n"));
}
