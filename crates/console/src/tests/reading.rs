//! Pages over recordings that cannot be read, that have nothing new, and that have a call's object before and after.

use std::fs;

use ledger::leaf::Event;
use recording::record::What;

use super::bench::{Bench, SESSION, grace};
use super::replay::{PAGE, TERMINAL, called, intent, outcome, whole};

/// Its tombstone is none: nothing can be read of this session.
fn garble(bench: &Bench, session: &str) {
    let folder = bench.recordings().join(session);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("erased.json"), "{").unwrap();
}

#[tokio::test]
async fn what_stops_a_session_is_there_whatever_can_be_read() {
    let bench = whole().await;
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    garble(&bench, SESSION);
    for (path, status) in [(PAGE, 200), (TERMINAL, 503)] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, status, "{path}");
        let buttons = [page.attributes("action"), page.attributes("formaction")].concat();
        for button in ["freeze", "revoke"] {
            assert!(buttons.contains(&format!("{PAGE}/{button}")), "{path} {buttons:?}");
        }
        let main = page.main();
        assert!(main.contains("The recording cannot be read."), "{path} {main}");
        // The ledger tells the rest.
        assert!(main.contains("/namespaces/shop/deployments/web"), "{path} {main}");
    }
}

#[tokio::test]
async fn a_recording_that_cannot_be_read_hides_nothing_in_the_others() {
    let bench = whole().await;
    bench.open_session("s-aaaaaaaaaaaaaaaa", "another").await;
    garble(&bench, "s-aaaaaaaaaaaaaaaa");
    let visitor = bench.sign_in(&grace()).await;
    bench.close_ledger().await;
    let found = visitor.get("/search?text=readme").await;
    assert_eq!(found.status, 200);
    let main = found.main();
    assert!(main.contains("README") && main.contains("Looked at 1 of 2 sessions"), "{main}");
    assert!(main.contains("of a session, the recording could not be read"), "{main}");
}

#[tokio::test]
async fn an_open_page_is_given_a_timeline_when_something_has_happened() {
    let bench = Bench::new().await;
    let visitor = bench.sign_in(&grace()).await;
    let segments = bench.script(SESSION).at(0, What::Began {}).at(10, called("c-1")).stopped();
    bench.record(intent("c-1", "patch", "/api/v1/namespaces/shop", None)).await;
    bench.catch_up().await;
    let mut seen = visitor.get(PAGE).await.between("name=\"seen\" value=\"", "\"").unwrap().to_owned();
    let asks = async |seen: &str| {
        let page = visitor.htmx(&format!("{PAGE}/timeline?seen={seen}")).await;
        let next = page.between("name=\"seen\" value=\"", "\"").map(str::to_owned);
        (page.status.as_u16(), next)
    };
    let segment = &segments[..1];
    let other = |event: Event| match event {
        Event::Intent(mut intent) => {
            intent.actor.session = ledger::leaf::Id::new("s-aaaaaaaaaaaaaaaa").unwrap();
            Event::Intent(intent)
        }
        other => other,
    };
    assert_eq!(asks(&seen).await, (204, None));
    bench.record(other(intent("c-9", "patch", "/api/v1/namespaces/shop", None))).await;
    bench.catch_up().await;
    assert_eq!(asks(&seen).await, (204, None), "it was another session");
    for what in ["an end", "a call", "a segment", "a minute"] {
        match what {
            "an end" => bench.record(outcome("c-1", None)).await,
            "a call" => bench.record(intent("c-2", "patch", "/api/v1/namespaces/shop", None)).await,
            "a segment" => bench.tell(segment).await,
            _ => bench.pass(1),
        }
        bench.catch_up().await;
        let (status, next) = asks(&seen).await;
        assert_eq!(status, 200, "{what}");
        seen = next.unwrap();
        assert_eq!(asks(&seen).await, (204, None), "{what}");
    }
    // Of what could not be read, nothing is taken as seen.
    garble(&bench, SESSION);
    bench.pass(1);
    assert_eq!(asks(&seen).await, (200, Some(String::new())));
    assert_eq!(asks("").await, (200, Some(String::new())));
}
