//! Mouse and keys.

use std::time::Duration;

use crate::{Resource, Site, with_browser, with_page};

const SITE: &[Resource] = &[
    (
        "/",
        "",
        "<!doctype html><title>Input</title>
<style>.far { margin-top: 3000px } .cover { position: fixed; inset: auto 0 0 0; height: 40px }</style>
<form action=/sent><input name=reason value=draft><button>Send</button></form>
<button id=gone style='display: none'>gone</button>
<button id=off disabled>off</button>
<button class=twin>a</button> <button class=twin>b</button>
<div style='position: relative'><button id=under>under</button>
  <i style='position: absolute; inset: 0'>over</i></div>
<label><input type=checkbox id=box style='pointer-events: none'> <span>box</span></label>
<button id=far class=far>far</button> <a id=link href=/next>next</a>
<script>
  const log = [];
  for (const name of ['pointerdown', 'click', 'keydown', 'keyup', 'input'])
    addEventListener(name, e => log.push([e.type, e.key ?? e.target.id, e.isTrusted].join(' ')), true);
</script>",
    ),
    ("/next", "", "<title>Next</title>arrived"),
    ("/sent?reason=why+not%3F+%E2%9C%93", "", "<title>Sent</title>sent"),
];

#[test]
fn a_click_is_a_real_one_wherever_the_element_is() {
    with_page("a_click_is_a_real_one_wherever_the_element_is", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        page.click("#far").unwrap();
        assert_eq!(page.eval("log.splice(0).join()").unwrap(), "pointerdown far true,click far true");
        assert!(page.eval("scrollY").unwrap().as_f64().unwrap() > 1000.0);
        page.click("#box").unwrap();
        assert_eq!(page.eval("box.checked").unwrap(), true);
        // Comes only later, and is waited for.
        page.eval("setTimeout(() => off.disabled = false, 50)").unwrap();
        page.click("#off").unwrap();
        page.click("#link").unwrap();
        page.wait_for("document.title === 'Next'").unwrap();
        assert_eq!(page.url().unwrap(), site.url("/next"));
    })
    .unwrap();
}

#[test]
fn what_nobody_could_click_is_not_clicked() {
    with_browser("what_nobody_could_click_is_not_clicked", |browser| {
        let site = Site::start(SITE).unwrap();
        let page = browser.page().unwrap();
        page.goto(&site.url("/")).unwrap();
        let page = page.patience(Duration::from_millis(300));
        let refused = ["#nowhere", ".twin", "#gone", "#off", "#under", "[["].map(|selector| {
            let error = format!("{:#}", page.click(selector).unwrap_err());
            error.lines().next().unwrap().replace(&site.url(""), "http://SITE")
        });
        insta::assert_snapshot!(refused.join("\n"));
        assert_eq!(page.eval("log.length").unwrap(), 0);
    })
    .unwrap();
}

#[test]
fn keys_reach_the_page_as_keys() {
    with_page("keys_reach_the_page_as_keys", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        let pressed = |key| {
            page.press(key).unwrap();
            page.eval("log.splice(0).join()").unwrap()
        };
        assert_eq!(pressed("j"), "keydown j true,keyup j true");
        assert_eq!(pressed("Tab"), "keydown Tab true,keyup Tab true");
        assert_eq!(page.eval("document.activeElement.name").unwrap(), "reason");
        assert_eq!(pressed("a"), "keydown a true,input  true,keyup a true");
        assert_eq!(pressed("Control+a"), "keydown a true,keyup a true");
        assert_eq!(page.eval("document.activeElement.value").unwrap(), "a");
        assert!(page.press("Hyper+x").is_err());
    })
    .unwrap();
}

#[test]
fn text_takes_the_place_of_what_was_there_and_enter_sends_it() {
    with_page("text_takes_the_place_of_what_was_there_and_enter_sends_it", SITE, |page, site| {
        page.goto(&site.url("/")).unwrap();
        page.type_text("[name=reason]", "why not? ✓").unwrap();
        assert_eq!(page.eval("document.forms[0].reason.value").unwrap(), "why not? ✓");
        page.press("Enter").unwrap();
        page.wait_for("document.title === 'Sent'").unwrap();
    })
    .unwrap();
}
