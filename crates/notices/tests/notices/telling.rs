//! What is told, how often, when and in which order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use jiff::SignedDuration;
use notices::{Channel, Event, Filter, Kind, Name, Notice, Target, Targets};
use parking_lot::Mutex;

use crate::http::{Answer, Request, Server, tls};
use crate::support::{Gate, SECRET_PATH, file, notice, target, trusting};

/// As a receiver verifies it, with the bytes behind `whsec_`.
fn verified(request: &Request) -> bool {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signed = format!("{}.{}.{}", request.id(), request.at(), request.body);
    let signature = BASE64_STANDARD.decode(request.header("webhook-signature").strip_prefix("v1,").unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    hmac::verify(&key, signed.as_bytes(), &signature.unwrap()).is_ok()
}

#[tokio::test]
async fn each_target_is_told_once_and_webhooks_are_signed() {
    let mut webhook = Server::start(|_| Answer::Status(204)).await;
    let mut chats = Server::start(|_| Answer::Status(202)).await;
    let address = |chat: &str| file(&format!("http://{}{SECRET_PATH}/{chat}\n", chats.address));
    let gate = Gate::start(vec![
        webhook.webhook("audit"),
        target("slack", Channel::Slack { address_file: address("slack") }),
        target("teams", Channel::Teams { address_file: address("teams") }),
    ])
    .await;
    gate.tell("n-1").await;
    gate.tell("n-1").await;
    gate.tell("n-2").await;
    for name in ["audit", "slack", "teams"] {
        gate.settled(name).await;
    }
    let told = webhook.rest();
    assert_eq!(told.iter().map(Request::id).collect::<Vec<_>>(), ["n-1", "n-2"]);
    assert!(told.iter().all(verified));
    assert!(!verified(&Request { body: told[0].body.replace("prod", "test"), ..told[0].clone() }));
    assert_eq!(told[0].header("content-type"), "application/json");
    let mut lines: Vec<_> = chats.rest().into_iter().map(|request| request.line).collect();
    lines.sort();
    let line = |chat: &str| format!("POST {SECRET_PATH}/{chat} HTTP/1.1");
    assert_eq!(lines, [line("slack"), line("slack"), line("teams"), line("teams")]);
}

#[tokio::test]
async fn what_was_not_taken_is_told_again_and_signed_anew() {
    let mut tries = 0;
    let script = move |_: &Request| {
        tries += 1;
        [Answer::Status(500), Answer::Close, Answer::Status(200)].into_iter().nth(tries - 1).unwrap()
    };
    let mut server = Server::start(script).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    gate.tell("n-1").await;
    gate.settled("audit").await;
    let told = server.rest();
    assert!(told.iter().all(|request| request.id() == "n-1" && verified(request)));
    let waits: Vec<_> = told.windows(2).map(|two| two[1].at() - two[0].at()).collect();
    assert_eq!(waits.len(), 2);
    // Five seconds and then ten, or by chance down to half.
    assert!((2..=5).contains(&waits[0]) && (5..=10).contains(&waits[1]), "{waits:?}");
}

#[tokio::test]
async fn who_does_not_answer_in_time_is_asked_again() {
    let mut answers = [Answer::Nothing].into_iter();
    let mut server = Server::start(move |_| answers.next().unwrap_or(Answer::Status(200))).await;
    let timeout = Duration::from_millis(50);
    let gate = Gate::start(vec![Target { timeout, ..server.webhook("audit") }]).await;
    gate.tell("n-1").await;
    gate.settled("audit").await;
    assert!(server.rest().len() > 1);
}

#[tokio::test]
async fn who_wants_it_never_is_not_asked_again() {
    let script = |request: &Request| Answer::Status(if request.id() == "n-1" { 410 } else { 200 });
    let mut server = Server::start(script).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    gate.tell("n-1").await;
    gate.tell("n-2").await;
    gate.settled("audit").await;
    assert_eq!(server.rest().iter().map(Request::id).collect::<Vec<_>>(), ["n-1", "n-2"]);
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is_but_not_for_ever() {
    for (wanted, least, most) in [("120", 120, 121), ("99999999", 3600, 3601)] {
        let mut answers = [Answer::With(429, format!("retry-after: {wanted}"))].into_iter();
        let mut server = Server::start(move |_| answers.next().unwrap_or(Answer::Status(200))).await;
        let gate = Gate::start(vec![server.webhook("audit")]).await;
        gate.tell("n-1").await;
        gate.tell("n-2").await;
        gate.settled("audit").await;
        let told = server.rest();
        assert_eq!(told.iter().map(Request::id).collect::<Vec<_>>(), ["n-1", "n-2", "n-1"]);
        assert!((least..=most).contains(&(told[1].at() - told[0].at())), "{told:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut other = Server::start(|_| Answer::Status(200)).await;
    let location = format!("location: http://{}/", other.address);
    let mut server = Server::start(move |_| Answer::With(307, location.clone())).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    gate.tell("n-1").await;
    gate.settled("audit").await;
    assert_eq!((server.rest().len(), other.rest().len()), (1, 0));
}

#[tokio::test]
async fn an_answer_without_end_ends() {
    let mut server = Server::start(|_| Answer::Endless).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    gate.tell("n-1").await;
    gate.tell("n-2").await;
    gate.settled("audit").await;
    assert_eq!(server.rest().len(), 2);
}

#[tokio::test]
async fn a_target_that_hangs_delays_nobody_else() {
    let mut hangs = Server::start(|_| Answer::Nothing).await;
    let mut works = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::start(vec![hangs.webhook("hangs"), works.webhook("works")]).await;
    gate.tell("n-1").await;
    hangs.next().await;
    gate.tell("n-2").await;
    gate.settled("works").await;
    assert_eq!((works.rest().len(), hangs.rest().len()), (2, 0));
    assert_eq!(gate.store.next_notice("hangs").await.unwrap().unwrap().id, "n-1");
    gate.stop().await;
}

#[tokio::test]
async fn a_notice_over_which_a_receiver_stumbles_keeps_none_behind_it() {
    let script = |request: &Request| if request.id() == "n-1" { Answer::Close } else { Answer::Status(200) };
    let mut server = Server::start(script).await;
    let gate = Gate::start(vec![server.webhook("audit")]).await;
    let begun = gate.time();
    for id in ["n-1", "n-2", "n-3"] {
        gate.tell(id).await;
    }
    gate.settled("audit").await;
    let told = server.rest();
    let mut order: Vec<_> = told.iter().map(|request| request.id().to_owned()).collect();
    order.dedup();
    assert_eq!(order[..3], ["n-1", "n-2", "n-3"]);
    // All that are left are tries of the first, for a day.
    assert!(order[3..].iter().all(|id| id == "n-1"), "{order:?}");
    let day = SignedDuration::from_hours(24)..SignedDuration::from_hours(25);
    assert!(day.contains(&gate.time().duration_since(begun)));
    assert!((200..2_000).contains(&told.len()), "{}", told.len());
}

#[tokio::test]
async fn a_target_that_is_down_for_a_day_is_owed_nothing_older() {
    let address = {
        // Nobody listens there any more.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let down = target("down", Channel::Slack { address_file: file(&address) });
    let gate = Gate::start(vec![down]).await;
    for n in 0..3 {
        gate.tell(&format!("n-{n}")).await;
    }
    gate.settled("down").await;
    gate.stop().await;
}

#[tokio::test]
async fn what_a_gate_could_not_tell_is_told_after_its_restart() {
    let mut hangs = Server::start(|_| Answer::Nothing).await;
    let gate = Gate::start(vec![hangs.webhook("audit"), hangs.webhook("gone")]).await;
    for id in ["n-1", "n-2"] {
        gate.tell(id).await;
    }
    hangs.next().await;
    let (data, clock) = gate.stop().await;

    let mut server = Server::start(|_| Answer::Status(200)).await;
    let gate = Gate::restart(data, clock, vec![server.webhook("audit")]).await;
    gate.tell("n-2").await;
    gate.tell("n-3").await;
    gate.settled("audit").await;
    assert_eq!(server.rest().iter().map(Request::id).collect::<Vec<_>>(), ["n-1", "n-2", "n-3"]);
    // A target that is no longer configured is owed nothing.
    gate.settled("gone").await;
}

#[tokio::test]
async fn a_target_is_told_what_it_wants() {
    let mut server = Server::start(|_| Answer::Status(200)).await;
    let kinds = vec![Kind::ApprovalAsked, Kind::BreakGlass];
    let filter = Filter { kinds, approvers: vec!["dba".into(), "grace".into()] };
    let gate = Gate::start(vec![Target { filter, ..server.webhook("dba") }]).await;
    let asks = |id: &str, of: &str| Notice { approvers: vec![Name::from(of)], ..notice(id) };
    let about_no_rule = |id: &str, event| Notice { event, approvers: Vec::new(), ..notice(id) };
    for one in [
        asks("others", "sre"),
        asks("ours", "dba"),
        about_no_rule("glass", Event::BreakGlass),
        about_no_rule("frozen", Event::SessionFrozen),
    ] {
        gate.outbox.add(&one).await.unwrap();
    }
    gate.settled("dba").await;
    assert_eq!(server.rest().iter().map(Request::id).collect::<Vec<_>>(), ["ours", "glass"]);
}

#[tokio::test]
async fn tls_is_to_who_is_trusted() {
    let (acceptor, ca) = tls();
    let mut server = Server::with_tls(acceptor).await;
    let address = format!("https://{}/", server.address);
    let slack = |name| target(name, Channel::Slack { address_file: file(&address) });
    let (_, stranger) = tls();
    let gate =
        Gate::start(vec![trusting(&ca, slack("trusts")), trusting(&stranger, slack("does-not"))]).await;
    gate.tell("n-1").await;
    gate.settled("trusts").await;
    gate.settled("does-not").await;
    assert_eq!(server.rest().len(), 1);
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_or_in_debug() {
    let log = Log::default();
    let writer = {
        let log = log.clone();
        move || log.clone()
    };
    // For all tests: one that is only for this thread misses what another thread came upon first.
    let subscriber = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
    subscriber.with_max_level(tracing::Level::DEBUG).init();

    let mut answers =
        [Answer::Status(500), Answer::Close, Answer::With(302, format!("location: {SECRET_PATH}"))]
            .into_iter();
    let mut server = Server::start(move |_| answers.next().unwrap_or(Answer::Status(404))).await;
    let targets = || vec![server.webhook("secretive")];
    let debug = format!("{:?}", Targets::open(targets()).unwrap());
    let gate = Gate::start(targets()).await;
    gate.tell("n-1").await;
    gate.tell("n-2").await;
    gate.settled("secretive").await;
    assert_eq!(server.rest().len(), 4);
    let logged = String::from_utf8(log.0.lock().clone()).unwrap();
    for said in [
        "it answered 500",
        "it did not answer",
        "it answered 302: redirects are not followed",
        "it answered 404",
        "to=\"secretive\"",
    ] {
        assert!(logged.contains(said), "{said}: {logged}");
    }
    let ours = logged.lines().filter(|line| line.contains("secretive")).chain(debug.lines());
    for line in ours {
        for secret in ["SECRET/", "MfKQ9r8", &format!(":{}", server.address.port())] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    // Nor by anything else in any test.
    assert!(!logged.contains("SECRET/") && !logged.contains("MfKQ9r8"), "{logged}");
}
