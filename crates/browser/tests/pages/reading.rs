//! What a page says.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};

use browser::{Extent, Viewport};
use serde_json::json;

use crate::{Resource, Site, with_browser, with_page};

const SITE: &[Resource] = &[
    (
        "/",
        "",
        "<!doctype html><title>Inbox</title>
<style>body { margin: 0 } .long { height: 3000px }</style>
<h1>Inbox</h1> <p hidden>not to be seen</p> <p>One <b>approval</b> waits</p>
<label>Reason <input name=reason></label> <button aria-label=Approve>✓</button>
<div class=long></div> <a href=/later>later</a>",
    ),
    (
        "/later",
        "",
        "<!doctype html><title>Later</title><p id=place>soon</p>
<script>fetch('/data').then(() => place.textContent = 'now')</script>",
    ),
    ("/data", "", "{}"),
    (
        "/half",
        "",
        "<p id=first>Half</p>
<script>document.write(`<script src='http://localhost:${location.hash.slice(1)}/'></` + 'script>')</script>
<p>and half</p>",
    ),
    ("/moved", "refresh: 0; url=/later\r\n", "on its way"),
];

#[test]
fn text_document_address_and_values_are_read() {
    with_page("text_document_address_and_values_are_read", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        assert_eq!(page.url().unwrap(), site.url("/"));
        let text = page.text().unwrap();
        assert!(text.starts_with("Inbox\n\nOne approval waits"), "{text}");
        assert!(!text.contains("not to be seen"), "{text}");
        assert!(page.html().unwrap().contains("<p hidden=\"\">not to be seen</p>"));
        assert_eq!(page.eval("({ a: [1, 'x'], b: null })").unwrap(), json!({ "a": [1, "x"], "b": null }));
        assert_eq!(page.eval("Promise.resolve(location.pathname)").unwrap(), "/");
        assert_eq!(page.eval("undefined").unwrap(), json!(null));
        let error = |script| page.eval(script).unwrap_err().to_string();
        assert!(
            error("nobody.there").starts_with("the script failed: ReferenceError: nobody is not defined")
        );
        assert!(error("1 +").starts_with("the script failed: SyntaxError"));
    })
    .unwrap();
}

#[test]
fn what_a_screen_reader_is_told_is_read() {
    with_page("what_a_screen_reader_is_told_is_read", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        insta::assert_snapshot!(page.accessibility().unwrap());
    })
    .unwrap();
}

#[test]
fn waiting_sees_what_comes_later_also_in_another_document() {
    with_page("waiting_sees_what_comes_later_also_in_another_document", SITE, |page, site| {
        page.goto(&site.url("/later")).unwrap();
        page.wait_for("place.textContent === 'now'").unwrap();
        page.goto(&site.url("/")).unwrap();
        page.eval("setTimeout(() => location.href = '/moved')").unwrap();
        page.wait_for("document.title === 'Later' && document.querySelector('#place').textContent === 'now'")
            .unwrap();
        assert_eq!(page.url().unwrap(), site.url("/later"));
        page.wait_for("fetch('/data').then(answer => answer.ok)").unwrap();
    })
    .unwrap();
}

#[test]
fn waiting_wants_the_whole_document() {
    with_browser("waiting_wants_the_whole_document", |browser| {
        let site = Site::start(SITE).unwrap();
        // Holds the second half back for as long as nobody answers.
        let script = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let half = site.url(&format!("/half#{}", script.local_addr().unwrap().port()));
        let page = browser.page().unwrap();
        page.goto(&site.url("/data")).unwrap();
        page.eval(&format!("setTimeout(() => location.href = '{half}')")).unwrap();
        let asked = script.accept().unwrap();
        let hasty = page.patience(Duration::from_millis(300));
        let error = hasty.wait_for("document.querySelector('#first')").unwrap_err();
        assert!(format!("{error:#}").contains("the document is still coming"), "{error:#}");
        let page = hasty.patience(Duration::from_secs(20));
        drop((asked, script));
        page.wait_for("document.querySelector('#first')").unwrap();
        assert_eq!(page.text().unwrap(), "Half\n\nand half");
    })
    .unwrap();
}

#[test]
fn going_and_loading_again_end_with_another_document() {
    with_page("going_and_loading_again_end_with_another_document", SITE, |page, site| {
        for path in ["/", "/later", "/later", "/"] {
            page.goto(&site.url(path)).unwrap();
            assert_eq!(
                page.eval("[location.pathname, document.readyState]").unwrap(),
                json!([path, "complete"])
            );
        }
        page.eval("window.here = true").unwrap();
        page.goto(&site.url("/#within")).unwrap();
        assert_eq!(page.eval("window.here").unwrap(), true);
        page.reload().unwrap();
        assert_eq!(page.eval("[location.hash, window.here ?? 'gone']").unwrap(), json!(["#within", "gone"]));
        page.goto(&site.url("/nowhere")).unwrap();
        assert_eq!(page.text().unwrap(), "nothing is here");
    })
    .unwrap();
}

#[test]
fn what_cannot_be_opened_or_does_not_come_is_told() {
    with_browser("what_cannot_be_opened_or_does_not_come_is_told", |browser| {
        let site = Site::start(SITE).unwrap();
        let page = browser.page().unwrap();
        page.goto(&site.url("/later")).unwrap();
        page.wait_for("place.textContent === 'now'").unwrap();
        let told = |outcome: anyhow::Result<()>| format!("{:#}", outcome.unwrap_err());
        let hasty = page.patience(Duration::from_millis(300));
        let waits = ["false", "nobody.there", "1 +"].map(|condition| told(hasty.wait_for(condition)));
        insta::assert_snapshot!(waits.join("\n\n").replace(&site.url(""), "http://SITE"));
        // Nothing outside of this machine has a name.
        let page = browser.page().unwrap();
        let opens = ["http://example.org/", "nothing"].map(|url| told(page.goto(url)));
        insta::assert_snapshot!(opens.join("\n"));
    })
    .unwrap();
}

#[test]
fn a_page_that_outlives_its_browser_is_told_so() {
    let Some(browser) = browser::or_skip("a_page_that_outlives_its_browser_is_told_so").unwrap() else {
        return;
    };
    let page = browser.page().unwrap();
    assert!(browser.version().unwrap().contains('/'));
    drop(browser);
    let error = page.wait_for("true").unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "waited for `true`: Chromium ended before it answered `Runtime.evaluate`"
    );
}

#[test]
fn a_picture_shows_the_window_or_the_whole_page() {
    with_page("a_picture_shows_the_window_or_the_whole_page", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let size = |viewport, extent| {
            page.viewport(viewport).unwrap();
            let path = folder.path().join("page.png");
            page.screenshot(&path, extent).unwrap();
            let png = fs::read(path).unwrap();
            assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
            let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
            (number(16), number(20))
        };
        let small = Viewport { width: 400, height: 300, scale: 1.0, mobile: false };
        assert_eq!(size(small, Extent::Window), (400, 300));
        let (width, height) = size(Viewport { scale: 2.0, ..small }, Extent::Whole);
        assert_eq!(width, 800);
        assert!(height > 6000, "{height}");
        let missing = page.screenshot(&folder.path().join("no/page.png"), Extent::Window).unwrap_err();
        assert!(missing.to_string().starts_with("could not write `"));
    })
    .unwrap();
}
