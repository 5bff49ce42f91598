//! Other windows, colours and habits.

use std::time::Duration;

use browser::{ColourScheme, Viewport};
use serde_json::json;

use crate::{Resource, Site, with_browser, with_page};

const SITE: &[Resource] = &[
    (
        "/",
        "",
        "<!doctype html><title>Settings</title><meta name=viewport content='width=device-width'>
<style>@media (prefers-color-scheme: dark) { body { background: black } }</style>
<p id=place>without</p> <a href=/next>next</a>
<script>document.querySelector('#place').textContent = 'with'</script>",
    ),
    ("/next", "", "<!doctype html><title>Next</title>arrived"),
];

#[test]
fn colours_follow_the_user() {
    with_page("colours_follow_the_user", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        let background = |scheme| {
            page.colour_scheme(scheme).unwrap();
            page.eval("getComputedStyle(document.body).backgroundColor").unwrap()
        };
        assert_eq!(background(ColourScheme::Dark), "rgb(0, 0, 0)");
        assert_eq!(background(ColourScheme::Light), "rgba(0, 0, 0, 0)");
    })
    .unwrap();
}

#[test]
fn a_phone_is_narrow_and_touched() {
    with_page("a_phone_is_narrow_and_touched", SITE, |page, site| {
        let seen = |viewport| {
            page.viewport(viewport).unwrap();
            page.goto(&site.url("/")).unwrap();
            page.eval("[innerWidth, innerHeight, devicePixelRatio, navigator.maxTouchPoints > 0]").unwrap()
        };
        assert_eq!(seen(Viewport::PHONE), json!([390, 844, 3, true]));
        assert_eq!(seen(Viewport::DESKTOP), json!([1280, 800, 1, false]));
    })
    .unwrap();
}

#[test]
fn a_page_without_scripts_can_be_read_clicked_and_waited_for() {
    with_page("a_page_without_scripts_can_be_read_clicked_and_waited_for", SITE, |page, site| {
        page.scripting(false).unwrap();
        page.goto(&site.url("/")).unwrap();
        assert_eq!(page.text().unwrap(), "without\n\nnext");
        page.click("a").unwrap();
        page.wait_for("document.body?.innerText === 'arrived'").unwrap();
        page.scripting(true).unwrap();
        page.goto(&site.url("/")).unwrap();
        page.wait_for("document.body.innerText.startsWith('with\\n')").unwrap();
    })
    .unwrap();
}

#[test]
fn a_promise_is_not_taken_for_true_where_it_comes_to_nothing() {
    with_browser("a_promise_is_not_taken_for_true_where_it_comes_to_nothing", |browser| {
        let page = browser.page().unwrap();
        page.scripting(false).unwrap();
        let error = page.patience(Duration::from_millis(300)).wait_for("Promise.resolve(false)").unwrap_err();
        let error = format!("{error:#}");
        assert!(error.contains(": after 300ms a promise comes to nothing without scripts;"), "{error}");
    })
    .unwrap();
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_until_it_is_ignored() {
    with_browser("a_certificate_that_nobody_vouches_for_is_refused_until_it_is_ignored", |browser| {
        let site = Site::with_tls(SITE).unwrap();
        let page = browser.page().unwrap();
        let refused = format!("{:#}", page.goto(&site.url("/")).unwrap_err());
        assert!(refused.ends_with(": net::ERR_CERT_AUTHORITY_INVALID"), "{refused}");
        page.ignore_certificate_errors(true).unwrap();
        page.goto(&site.url("/next")).unwrap();
        assert_eq!(page.text().unwrap(), "arrived");
        assert!(browser.page().unwrap().goto(&site.url("/")).is_err(), "another page still asks for more");
    })
    .unwrap();
}
