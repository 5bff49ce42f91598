//! What a page's console shows.

use browser::{Message, Source};

use crate::{Resource, with_page};

const SITE: &[Resource] = &[
    (
        "/fine",
        "",
        "<!doctype html><title>Fine</title><link rel=icon href=data:,><script>console.log('fine')</script>",
    ),
    (
        "/broken",
        "content-security-policy: default-src 'self'; img-src 'self' data:\r\n",
        "<!doctype html><title>Broken</title><link rel=icon href=data:,>
<script src=/script.js></script><script>document.title = 'not run'</script><img src=/nowhere.png>",
    ),
    ("/script.js", "content-type: text/javascript\r\n", "console.error('lost', 3); nobody.there"),
];

#[test]
fn errors_exceptions_and_violations_are_seen() {
    with_page("errors_exceptions_and_violations_are_seen", SITE, |page, site| {
        page.goto(&site.url("/fine")).unwrap();
        assert_eq!(page.console_messages().unwrap(), []);
        page.goto(&site.url("/broken")).unwrap();
        // The policy is for the page's scripts, not for ours.
        page.wait_for("document.title === 'Broken'").unwrap();
        let messages = page.console_messages().unwrap();
        let says = |source, text: &str| {
            let found = |message: &&Message| message.source == source && message.text.contains(text);
            assert_eq!(messages.iter().filter(found).count(), 1, "{source:?} {text}: {messages:#?}");
        };
        says(Source::Console, "lost 3");
        says(Source::Exception, "ReferenceError: nobody is not defined");
        says(Source::Security, "Content Security Policy");
        says(Source::Network, "/nowhere.png");
        assert_eq!(messages.len(), 4, "{messages:#?}");
    })
    .unwrap();
}
