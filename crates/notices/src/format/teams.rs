//! An Adaptive Card 1.4 in the message that a Workflows webhook of Microsoft Teams takes.
//!
//! Whatever was not written by us is a `TextRun`, which has no Markdown, unlike a `TextBlock` or a `Fact`. Mentions would have to be
//! declared beside the text, and are not.

use serde_json::{Value, json};

use super::{facts, inert, title};
use crate::{Event, Notice};

/// The body of a message.
#[must_use]
pub fn body(notice: &Notice) -> String {
    let colour = if notice.event == Event::BreakGlass { "attention" } else { "default" };
    let heading = json!({
        "type": "TextBlock", "text": title(notice.event), "size": "large", "weight": "bolder", "color": colour, "wrap": true,
    });
    let what = json!({"type": "RichTextBlock", "inlines": [run(&inert(notice.what.as_str()))]});
    let facts = facts(notice).into_iter().map(|(label, text)| {
        let label = json!({"type": "TextRun", "text": format!("{label}: "), "weight": "bolder"});
        json!({"type": "RichTextBlock", "spacing": "small", "inlines": [label, run(&text)]})
    });
    let console = notice
        .console
        .as_ref()
        .map(|console| json!({"type": "Action.OpenUrl", "title": "Open the console", "url": console}));
    let body: Vec<_> = [heading, what].into_iter().chain(facts).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": Vec::from_iter(console),
                "msteams": {"width": "Full"},
            },
        }],
    })
    .to_string()
}

/// Text as it is. Two braces would begin a function that a card computes, as `{{DATE(…)}}`.
fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": text.replace("{{", "{ {")})
}
