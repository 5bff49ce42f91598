//! What sessions did and were shown: the timeline, streams, calls, and what is wrong with a recording.

use std::fs;

use http::StatusCode;
use ledger::leaf::{
    Actor, Event, Id, Impersonated, Intent, Outcome, RecordingErased, Stage, Streamed, Verdict,
};
use ledger::testing as leaves;
use recording::record::{Answered, Called, Channel, Kind, Opened, Payload, What};
use recording::{Segment, testing::Script};

use super::bench::{Bench, SESSION, ask, grace};
use super::seen::Seen;

pub(super) const PAGE: &str = "/sessions/s-2g4kq7nd5wvx3jhc";
pub(super) const TERMINAL: &str = "/sessions/s-2g4kq7nd5wvx3jhc/streams/1";
const LOG: &str = "/sessions/s-2g4kq7nd5wvx3jhc/streams/2";

pub(super) fn intent(call: &str, verb: &str, path: &str, approval: Option<&str>) -> Event {
    let actor = Actor { session: Id::new(SESSION).unwrap(), ..leaves::actor() };
    Event::Intent(Box::new(Intent {
        call: Id::new(call).unwrap(),
        actor,
        request: leaves::request(verb, path),
        decision: leaves::decision(Verdict::Allow),
        impersonated: Impersonated {
            user: "u".into(),
            groups: std::iter::empty::<&str>().map(Into::into).collect(),
        },
        audit_id: Id::new("audit").unwrap(),
        looks_for: None,
        through: None,
        approval: approval.map(|id| Id::new(id).unwrap()),
        demands: vec![],
        part: None,
    }))
}

pub(super) fn outcome(call: &str, stream: Option<u32>) -> Event {
    Event::Outcome(Outcome {
        call: Id::new(call).unwrap(),
        stage: Stage::Completed,
        status: Some(200),
        delivered: 5,
        masked: 0,
        duration_us: 12_500,
        error: None,
        again_as: None,
        stream: stream.map(|number| Streamed { number, received: 3, exit: Some(0) }),
    })
}

pub(super) fn opened(stream: u32, call: &str, tty: bool, argv: &[&str]) -> What {
    What::Opened(Opened {
        stream,
        call: call.into(),
        kind: Kind::Exec,
        namespace: "shop".into(),
        pod: "web-1".into(),
        container: Some("app".into()),
        argv: argv.iter().collect(),
        tty,
    })
}

pub(super) fn bytes(stream: u32, channel: Channel, text: &str) -> What {
    What::Bytes { stream, channel, bytes: Payload(text.as_bytes().to_vec().into()) }
}

pub(super) fn called(call: &str) -> What {
    What::Called(Called { call: call.into(), act: "patch deployments.apps web -n shop".into(), body: None })
}

pub(super) fn answered(call: &str) -> What {
    let media = Some("application/json".into());
    What::Answered(Answered { call: call.into(), status: 200, media, body: None })
}

/// A terminal and a command without one, with the bodies of a call before them: five segments.
fn taped(script: Script) -> Vec<Segment> {
    use Channel::{Stderr, Stdin, Stdout};
    let closed = |stream, how: &str| What::Closed { stream, how: how.into() };
    let script = script
        .at(0, What::Began {})
        .with_body(100, called("c-1"), br#"{"spec":{"replicas":5}}"#)
        .with_body(
            150,
            answered("c-1"),
            br#"{"kind":"Deployment","password":"<masked>","script":"</code><b>"}"#,
        )
        .sealed()
        .at(1_000, opened(1, "c-2", true, &["sh", "-c", "ls"]))
        .at(1_001, What::Resized { stream: 1, width: 120, height: 40 })
        .at(1_500, bytes(1, Stdout, "$ "))
        .at(2_000, bytes(1, Stdin, "ls\r"))
        .at(2_100, bytes(1, Stdout, "ls\r\nREADME \x1b[31mred\x1b[0m <b>bold</b>\r\n"))
        .sealed()
        .at(13_500, bytes(1, Stdout, "10%\r20% of the Readme\x1b]0;title\x07\r\n"))
        .sealed()
        .at(14_000, closed(1, "exit status 0"))
        .at(15_000, opened(2, "c-3", false, &["cat"]))
        .at(15_100, bytes(2, Stdout, "one\ntwo\n"))
        .at(15_250, bytes(2, Stderr, "no such file\n"));
    script.sealed().at(16_000, closed(2, "exit status 1")).stopped()
}

/// What the ledger has of it.
async fn bench() -> (Bench, Vec<Segment>) {
    bench_with(|bench| bench.script(SESSION)).await
}

async fn bench_with(script: impl FnOnce(&Bench) -> Script) -> (Bench, Vec<Segment>) {
    let bench = Bench::new().await;
    bench.ask(ask("a-1")).await.unwrap();
    for event in [
        intent("c-1", "patch", "/apis/apps/v1/namespaces/shop/deployments/web", Some("a-1")),
        outcome("c-1", None),
        intent("c-2", "create", "/api/v1/namespaces/shop/pods/web-1/exec", None),
        outcome("c-2", Some(1)),
        intent("c-3", "create", "/api/v1/namespaces/shop/pods/web-1/exec", None),
    ] {
        bench.record(event).await;
    }
    let segments = taped(script(&bench));
    (bench, segments)
}

/// With its segments in the ledger.
pub(super) async fn whole() -> Bench {
    let (bench, segments) = bench().await;
    bench.tell(&segments).await;
    bench
}

#[tokio::test]
async fn a_session_is_one_timeline() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    insta::assert_snapshot!(visitor.get(PAGE).await.main());
    // For a page that is open, the same.
    let part = visitor.htmx(&format!("{PAGE}/timeline")).await;
    assert!(visitor.get(PAGE).await.main().ends_with(&part.text()));
}

#[tokio::test]
async fn what_is_encrypted_says_who_can_read_it_and_the_ledger_tells_the_rest() {
    let (bench, segments) = bench_with(|bench| bench.encrypted_script(SESSION)).await;
    bench.tell(&segments).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    insta::assert_snapshot!(visitor.get(PAGE).await.main());
    let mut told = Vec::new();
    for page in ["/streams/1", "/streams/1/text", "/streams/1/cast", "/calls/c-1", "/undo"] {
        told.push(format!("{page}\n{}", visitor.get(&format!("{PAGE}{page}")).await.told()));
    }
    told.push(visitor.get("/search?text=readme").await.told());
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn each_page_of_a_long_session_has_the_streams_of_its_time() {
    let bench = Bench::new().await;
    let script = bench.script(SESSION).at(0, What::Began {});
    for half in 0..2 {
        for number in 0..50 {
            let call = format!("c-{half}-{number}");
            bench.record(intent(&call, "get", "/api/v1/namespaces", None)).await;
        }
        bench.pass(10);
    }
    let closed = |stream| What::Closed { stream, how: "exit status 0".into() };
    let script = script.at(1_000, opened(1, "c-0-39", true, &["early"])).sealed();
    let script = script.at(601_000, opened(2, "c-1-39", true, &["late"])).at(602_000, closed(2));
    // One that goes on while the other does.
    bench.tell(&script.at(603_000, closed(1)).stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let newest = visitor.get(PAGE).await;
    let older = newest.attributes("href").into_iter().find(|link| link.contains("?before=")).unwrap();
    let older = visitor.get(&older).await;
    let told = |seen: &Seen| {
        let main = seen.main();
        let lines = main.lines().filter(|line| line.contains("web-1 (app)") || line.contains("recording"));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(format!("{}\n\n{}", told(&newest), told(&older)));
    // The newest follow by themselves, and no others.
    assert_eq!((newest.attributes("hx-get").len(), older.attributes("hx-get").len()), (1, 0));
}

#[tokio::test]
async fn a_call_is_shown_with_what_was_sent_and_shown() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    insta::assert_snapshot!(visitor.get(&format!("{PAGE}/calls/c-1")).await.main());
}

#[tokio::test]
async fn a_stream_is_played_read_and_searched() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let mut told = Vec::new();
    for path in [
        format!("{TERMINAL}?q=readme"),
        format!("{TERMINAL}?q=password"),
        format!("{TERMINAL}?q=a%0Ab"),
        format!("{TERMINAL}/text"),
        format!("{TERMINAL}/text?from=5"),
        format!("{TERMINAL}/text?skip=99"),
        format!("{LOG}?q=no+such"),
        format!("{LOG}/text"),
    ] {
        let seen = visitor.get(&path).await;
        assert_eq!(seen.status, 200, "{path}");
        let links: Vec<_> = seen.attributes("href").into_iter().filter(|link| link.contains("#t=")).collect();
        told.push(format!("== {path}\n{}\n{}", seen.main(), links.join(" ")));
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test]
async fn the_player_is_given_a_screen_and_nothing_else() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let terminal = visitor.get(&format!("{TERMINAL}/cast")).await;
    assert_eq!(terminal.header("content-type"), "application/x-asciicast");
    let log = visitor.get(&format!("{LOG}/cast")).await;
    insta::assert_snapshot!(format!("{}\n{}", terminal.html, log.html));
}

#[tokio::test]
async fn a_long_cast_is_sent_as_it_is_read() {
    let bench = Bench::new().await;
    let mut script = bench.script(SESSION).at(0, What::Began {}).at(1, opened(1, "c-1", true, &[]));
    let line = "x".repeat(1_000);
    for number in 0..5_000 {
        script = script.at(number, bytes(1, Channel::Stdout, &line));
        if number % 500 == 0 {
            script = script.sealed();
        }
    }
    bench.tell(&script.stopped()).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let cast = visitor.get(&format!("{TERMINAL}/cast")).await;
    assert_eq!(cast.html.lines().count(), 5_001);
    assert!(cast.html.ends_with(&format!("\"{line}\"]\n")));
    // Nobody who goes away keeps a reader's place.
    for _ in 0..20 {
        drop(visitor.open(&format!("{TERMINAL}/cast")).await);
    }
    assert_eq!(visitor.get(TERMINAL).await.status, 200);
    // Text has pages.
    let first = visitor.get(&format!("{TERMINAL}/text")).await;
    assert!(first.html.contains("skip=500"), "{}", first.main());
}

#[tokio::test]
async fn only_the_page_with_the_player_may_run_it() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let policy = async |path: &str| visitor.get(path).await.header("content-security-policy").to_owned();
    let usual = policy("/").await;
    let with_player = policy(TERMINAL).await;
    assert_eq!(with_player, usual.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"));
    for path in [
        PAGE,
        &format!("{TERMINAL}/text"),
        &format!("{TERMINAL}/cast"),
        "/search",
        &format!("{PAGE}/calls/c-1"),
    ] {
        assert_eq!(policy(path).await, usual, "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_recording_is_said() {
    let mut told = Vec::new();
    let segment = |bench: &Bench, number: u64| bench.recordings().join(format!("{SESSION}/{number:08}.seg"));
    type Wrong<'a> = &'a dyn Fn(&Bench);
    let cases: [(&str, usize, i64, Wrong<'_>); 8] = [
        ("removed", 5, 0, &|bench| fs::remove_file(segment(bench, 3)).unwrap()),
        ("the last removed", 5, 0, &|bench| fs::remove_file(segment(bench, 5)).unwrap()),
        ("changed", 5, 0, &|bench| fs::write(segment(bench, 3), "x").unwrap()),
        ("in its place another", 5, 0, &|bench| {
            fs::copy(segment(bench, 2), segment(bench, 3)).unwrap();
        }),
        ("not in the ledger yet", 4, 0, &|_| {}),
        ("never in the ledger", 4, 5, &|_| {}),
        ("half written", 5, 5, &|bench| fs::write(segment(bench, 6).with_extension("seg.tmp"), "").unwrap()),
        ("gone", 5, 0, &|bench| fs::remove_dir_all(bench.recordings()).unwrap()),
    ];
    for (what, recorded, minutes, change) in cases {
        let (bench, segments) = bench().await;
        bench.tell(&segments[..recorded]).await;
        change(&bench);
        bench.pass(minutes);
        let visitor = bench.sign_in(&grace()).await;
        bench.close_ledger().await;
        let page = visitor.get(PAGE).await;
        assert_eq!(page.status, 200);
        let rows = page.main();
        let lines = rows
            .lines()
            .filter(|line| line.contains("egment") || line.contains("gone") || line.contains("web-1 (app)"));
        told.push(format!("{what}\n  {}", lines.collect::<Vec<_>>().join("\n  ")));
        told.push(format!(
            "  => {}",
            visitor.get(&format!("{TERMINAL}/text")).await.main().replace('\n', " | ")
        ));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_killed_gate_leaves_a_gap_that_is_shown() {
    let bench = Bench::new().await;
    let script = bench.script(SESSION).at(0, What::Began {}).at(10, opened(1, "c-1", true, &["sh"]));
    let script = script.at(20, bytes(1, Channel::Stdout, "half")).sealed();
    drop(script.at(30, bytes(1, Channel::Stdout, "lost")).killed());
    let segments = bench.script(SESSION).at(60_000, What::Interrupted { torn: true }).sealed().killed();
    bench.tell(&segments).await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let page = visitor.get(PAGE).await.main();
    let page = page.split_once("newest first\n").unwrap().1;
    insta::assert_snapshot!(format!("{page}\n\n{}", visitor.get(&format!("{TERMINAL}/cast")).await.html));
}

#[tokio::test]
async fn what_was_erased_is_said_to_be() {
    let (bench, segments) = bench().await;
    bench.tell(&segments).await;
    let erased = RecordingErased {
        session: Id::new(SESSION).unwrap(),
        why: "kept for a day".into(),
        segments: 5,
        last: None,
        sha256: None,
    };
    bench.record(Event::RecordingErased(erased)).await;
    let folder = bench.recordings().join(SESSION);
    for number in 1..=5 {
        fs::remove_file(folder.join(format!("{number:08}.seg"))).unwrap();
    }
    let tombstone = serde_json::json!({
        "session": SESSION, "at": "2027-01-16T08:00:00Z", "why": "kept for a day", "segments": 5, "bytes": 1,
        "last": 5, "sha256": segments[4].sha256.to_string(),
    });
    fs::write(folder.join("erased.json"), tombstone.to_string()).unwrap();
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let page = visitor.get(PAGE).await.main();
    let lines: Vec<_> = page.lines().filter(|line| line.contains("erased")).collect();
    let stream = visitor.get(TERMINAL).await;
    assert_eq!(stream.status, StatusCode::NOT_FOUND);
    insta::assert_snapshot!(format!("{}\n{}", lines.join("\n"), stream.told()));
}

#[tokio::test]
async fn what_is_not_there_is_not_read() {
    let bench = whole().await;
    // Beside the recordings, a folder that is none of a session.
    fs::create_dir_all(bench.recordings().join("other")).unwrap();
    let (visitor, nobody) = (bench.sign_in(&grace()).await, bench.browser());
    bench.close_ledger().await;
    let mut told = Vec::new();
    for path in [
        "/sessions/other/streams/1",
        "/sessions/..%2f..%2fledger/streams/1/cast",
        "/sessions/..%2frecordings/timeline",
        &format!("{PAGE}/streams/9"),
        &format!("{PAGE}/streams/9/cast"),
        &format!("{PAGE}/streams/9/text"),
        &format!("{PAGE}/streams/-1"),
        &format!("{PAGE}/streams/4294967296/cast"),
        &format!("{PAGE}/streams/..%2f1/cast"),
        &format!("{PAGE}/streams/1/cast/"),
        &format!("{PAGE}/calls/c-9"),
        &format!("{PAGE}/calls/..%2fc-1"),
        &format!("{TERMINAL}/text?from=-1&skip=x"),
        "/sessions/s-aaaaaaaaaaaaaaaa/streams/1",
    ] {
        told.push(format!("{path} {}", visitor.get(path).await.told()));
    }
    for path in [
        TERMINAL,
        &format!("{TERMINAL}/cast"),
        &format!("{TERMINAL}/text"),
        "/search?text=readme",
        &format!("{PAGE}/calls/c-1"),
    ] {
        let seen = nobody.get(path).await;
        assert!(seen.location().starts_with("/sign-in"), "{path} {}", seen.status);
    }
    for odd in ["NaN", "inf", "-1", "1e300"] {
        assert_eq!(visitor.get(&format!("{TERMINAL}/text?from={odd}")).await.status, 200, "{odd}");
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn sessions_are_searched_by_who_what_and_what_was_on_a_screen() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let mut told = Vec::new();
    for query in [
        "",
        "?text=README",
        "?text=readme&agent=nobody",
        "?text=readme&human=ada",
        "?text=readme&human=nobody",
        "?text=password",
        "?text=a%0Ab",
        "?verb=patch",
        "?object=pods%2Fexec&human=ada",
        "?object=deployments&human=ada",
        "?object=deployments&human=nobody",
        "?object=%3Cb%3E",
        "?agent=claude&before=1",
    ] {
        let seen = visitor.get(&format!("/search{query}")).await;
        assert_eq!(seen.status, 200, "{query}");
        let main = seen.main();
        let found = main.split_once("Text on a screen\n").unwrap().1;
        told.push(format!("== {query}\n{}", found.trim_start_matches("Search\n")));
    }
    insta::assert_snapshot!(told.join("\n\n"));
}
