//! A mail in plain text.

use std::fmt::Write as _;
use std::time::SystemTime;

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Mailbox, Mailboxes};

use super::{facts, inert, title};
use crate::Notice;

/// How much of a subject is about the act, in characters.
const SUBJECT: usize = 120;

/// The mail: dated when it happened, and the same mail (`Message-ID`) however often it is sent.
///
/// # Errors
/// Nobody is to get it.
pub fn message(notice: &Notice, from: &Mailbox, to: &Mailboxes) -> Result<Message, lettre::error::Error> {
    let auto_submitted =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let builder = Message::builder()
        .from(from.clone())
        .subject(subject(notice))
        .date(SystemTime::from(notice.at))
        .message_id(Some(format!("<{}@{}>", notice.id, from.email.domain())))
        .raw_header(auto_submitted)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    to.iter().cloned().fold(builder, lettre::message::MessageBuilder::to).body(text(notice))
}

fn subject(notice: &Notice) -> String {
    let what = inert(notice.what.as_str());
    let cut = what.char_indices().nth(SUBJECT).and_then(|(at, _)| what.get(..at));
    let what = cut.map_or_else(|| what.clone(), |kept| format!("{kept}…"));
    // An encoded word (RFC 2047) would be decoded to what cannot be seen.
    format!("[portcullis] {}: {}", title(notice.event), what.replace("=?", "= ?"))
}

fn text(notice: &Notice) -> String {
    let mut text = format!("{}\n\n    {}\n\n", title(notice.event), inert(notice.what.as_str()));
    for (label, fact) in facts(notice) {
        let _infallible = writeln!(text, "{label}: {fact}");
    }
    if let Some(console) = &notice.console {
        let _infallible = writeln!(text, "\n{}", console.as_str());
    }
    text.push_str("\nThis mail decides nothing, and neither does an answer to it: sign in to the console.\n");
    text
}
