//! A message for an incoming webhook of Slack, in blocks.
//!
//! Whatever was not written by us is `plain_text`, which Slack formats in no way. It is escaped all the same (`&`, `<` and `>`, see
//! "Formatting text for app surfaces"), so that no mention and no link can be in it even where it is read as mrkdwn: `text`,
//! which notifications show.

use serde_json::{Value, json};

use super::{facts, inert, title};
use crate::Notice;

/// The body of a message. No text in it has more than 3,000 characters, the most that Slack takes.
#[must_use]
pub fn body(notice: &Notice) -> String {
    let what = inert(notice.what.as_str());
    let mut blocks = vec![
        json!({"type": "header", "text": plain(title(notice.event))}),
        json!({"type": "section", "text": plain(&what)}),
    ];
    let facts = facts(notice).into_iter();
    blocks.extend(
        facts.map(|(label, text)| json!({"type": "section", "text": plain(&format!("{label}: {text}"))})),
    );
    if let Some(console) = &notice.console {
        let link = format!("<{}>", escaped(console.as_str()));
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": link, "verbatim": true}}));
    }
    json!({
        "text": escaped(&format!("{}: {what}", title(notice.event))),
        "blocks": blocks,
        "mrkdwn": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
    .to_string()
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": escaped(text), "emoji": false})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
