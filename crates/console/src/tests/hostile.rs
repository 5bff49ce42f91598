//! What an agent wrote is shown as what it is, and does nothing.

mod large;
mod stage;

use insta::assert_snapshot;
use visible::{Piece, pieces, visible};

use self::stage::Stage;
use super::seen::Seen;

/// Text that would like to be something else, by what it tries.
const TEXTS: [(&str, &str); 21] = [
    ("terminal", "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}shop\u{9b}31m"),
    ("override", "\u{202e}gpj.exe\u{202c} \u{202a}x\u{202d}"),
    ("isolate", "\u{2066}shop\u{2069}\u{2067}x \u{200f}\u{61c}"),
    ("zero width", "sh\u{200b}o\u{200d}p\u{feff}\u{2060}\u{ad}"),
    ("tags", "shop\u{e0001}\u{e0064}\u{e0065}\u{e007f}"),
    ("fillers", "\u{3164}\u{ffa0}\u{115f}\u{2800}\u{fe0f}\u{1d173}"),
    ("spaces", "a\u{a0}b\u{2003}c\u{3000}d\u{85}e"),
    ("markup", "<b>shop</b><img src=x onerror=alert(1)><svg/onload=alert(1)>"),
    ("script", "<script>alert(1)</script><SCRIPT SRC=//evil.example></SCRIPT>"),
    ("ends", "</script></style></title></textarea></code></main></body><!-- --!><plaintext>"),
    ("quote", "\" onmouseover=\"alert(1)\" x=\""),
    ("apostrophe", "' autofocus onfocus='alert(1)' `x` x="),
    ("scheme", "javascript:alert(1) data:text/html,x"),
    ("homoglyphs", "раураl аdmin ｓｈｏｐ"),
    ("line breaks", "one\r\ntwo\rthree\nfour\u{2028}five\u{2029}"),
    ("nothing", "a\0b\u{fffe}\u{10ffff}"),
    ("entities", "&lt;b&gt; &#x3c;b&#x3e; &amp;amp; &NewLine; &notit;"),
    ("yaml", "- key: value\n--- !!python/object\n*alias &anchor | >- 'x' \"y\" # z"),
    ("template", "{{ frame.form }} {% include \"base.html\" %} {# x #} ${x} %s"),
    (
        "htmx",
        "<p hx-get=/approvals/a-1/approve hx-trigger=load hx-on:load=alert(1) data-hx-get=/x sse-connect=/x>",
    ),
    ("marks", "s\u{336}h\u{322}\u{337}o\u{20dd}p\u{489}\u{e33}\u{e33}\u{e33}"),
];

/// Where a browser goes, or what it runs, by an attribute.
const LEADING: [&str; 8] =
    ["href", "src", "action", "formaction", "hx-get", "hx-post", "sse-connect", "srcset"];

/// That a page has no element or attribute that the same page does not have without hostile text, leads nowhere else, and holds
/// no character that a reader would not see.
fn is_inert(harmless: &Seen, seen: &Seen, what: &str) {
    assert_eq!(seen.status, 200, "{what}");
    assert_eq!(seen.elements(), harmless.elements(), "{what}");
    for name in LEADING {
        for value in seen.attributes(name) {
            let ours = value.starts_with('#') || (value.starts_with('/') && !value.starts_with("//"));
            assert!(ours, "{what}: {name}={value}");
        }
    }
    let unseen = pieces(&seen.html).find(|piece| matches!(piece, Piece::Unseen(c) if *c != '\n'));
    assert_eq!(unseen, None, "{what}");
}

/// As it is to be read, where white space is one space.
fn read(text: &str) -> String {
    visible(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn hostile_text_is_inert_wherever_it_is_shown() {
    let harmless = Stage::with("shop").await.pages().await;
    let mut told = Vec::new();
    for (what, text) in TEXTS {
        let pages = Stage::with(text).await.pages().await;
        for ((path, seen), (_, harmless)) in pages.iter().zip(&harmless) {
            is_inert(harmless, seen, &format!("{what} at {path}"));
        }
        for (path, place) in stage::PLACES {
            let page = &pages.iter().find(|(at, _)| *at == path).unwrap().1;
            let wanted = read(&stage::at(place, text));
            let shown = page.text().replace('\n', " ");
            assert!(shown.contains(&wanted), "{what}: no {wanted} at {path}:\n{shown}");
        }
        let page = pages[2].1.main();
        let heading = page.lines().next().unwrap();
        told.push(format!("{what}: {}", heading.trim_start_matches("act:").trim_end_matches(':')));
    }
    assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_player_is_given_nothing_to_do_but_to_show() {
    let more = [
        ("clipboard", "\u{1b}]52;c;c2VjcmV0\u{7}\u{9d}52;c;c2VjcmV0\u{9c}"),
        ("link", "\u{1b}]8;;javascript:alert(1)\u{1b}\\shop\u{1b}]8;;\u{1b}\\"),
        ("title", "\u{1b}]0;shop\u{7}\u{1b}]2;shop\u{1b}\\\u{1b}[22t"),
        ("device", "\u{1b}P+q544e\u{1b}\\\u{90}q#0\u{9c}\u{1b}_Gx\u{1b}\\\u{1b}^x\u{9c}"),
        ("window", "\u{1b}[8;30000;30000t"),
    ];
    for (what, text) in TEXTS.into_iter().chain(more) {
        for cast in Stage::with(text).await.casts().await {
            assert!(cast.lines().count() > 1, "{what}");
            for line in cast.lines().skip(1) {
                let event: (f64, String, String) = serde_json::from_str(line).unwrap();
                for does in ["\u{1b}]", "\u{1b}P", "\u{1b}_", "\u{1b}^", "\u{1b}X", "\u{1b}[8;", "\u{1b}[22t"]
                {
                    assert!(!event.2.contains(does), "{what}: {line}");
                }
                let strings = ['\u{90}', '\u{98}', '\u{9b}', '\u{9d}', '\u{9e}', '\u{9f}'];
                assert!(!event.2.contains(strings), "{what}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn pages_with_hostile_text_can_be_read() {
    let text = "<b onclick='x'>\"{{ form }}\u{202e}\u{1b}[2J\r\n\u{200b}раураl&lt;</script>";
    // The others are parts of these, or another approval.
    let pages = Stage::with(text).await.pages().await.into_iter();
    for (path, seen) in
        pages.filter(|(_, seen)| seen.html.contains("<html") && !seen.html.contains("/a-2/state\""))
    {
        let name = path.trim_matches('/').replace(['/', '?', '='], "_");
        assert_snapshot!(format!("page_{}", if name.is_empty() { "inbox_page" } else { &name }), seen.main());
    }
}
