//! Notices as each kind of target wants them. Pure: the same notice is the same text.
//!
//! [`Text`](crate::Text) has nothing unseen in it; here it is made inert. Where a format has a kind of text that is shown as it is, that
//! kind is used, since no escape is needed there; the format's own escape stands where there is none.

pub mod mail;
pub mod slack;
pub mod teams;
pub mod webhook;

use crate::{Decision, Event, Name, Notice, Words};

/// How many names of a list are shown to people.
const NAMES: usize = 10;

/// What happened, in a few words of our own.
pub(crate) fn title(event: Event) -> &'static str {
    match event {
        Event::ApprovalAsked => "Approval asked",
        Event::ApprovalDecided(Decision::Approved) => "Approved",
        Event::ApprovalDecided(Decision::Refused) => "Refused",
        Event::ApprovalDecided(Decision::Expired) => "Expired without a decision or use",
        Event::ApprovalDecided(Decision::Withdrawn) => "Withdrawn",
        Event::ApprovalDecided(Decision::Superseded) => {
            "Superseded: asked again, since something has changed"
        }
        Event::BreakGlass => "URGENT: the glass was broken",
        Event::ReviewDue => "Review due",
        Event::SessionFrozen => "Session frozen",
    }
}

/// What people may want to know, in the order in which they may want to: labels of our own, and text of whomever.
pub(crate) fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let name = |name: &Name| inert(name.as_str());
    let mut facts = Vec::new();
    if !notice.by.is_empty() {
        facts.push(("By", list(&notice.by)));
    }
    facts.extend([
        ("Cluster", name(&notice.cluster)),
        ("Agent", name(&notice.agent)),
        ("On behalf of", name(&notice.delegator)),
        ("Session", name(&notice.session)),
        ("Reason, as the session gave it", inert(notice.reason.as_str())),
    ]);
    let lists = [("Rules that ask", &notice.rules), ("Who may decide", &notice.approvers)];
    facts.extend(lists.into_iter().filter(|(_, of)| !of.is_empty()).map(|(label, of)| (label, list(of))));
    if let Some(by) = notice.decide_by {
        facts.push(("Decide by", by.to_string()));
    }
    if let Some(approval) = &notice.approval {
        facts.push(("Approval", name(approval)));
    }
    facts
}

fn list(names: &[Name]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES).map(Name::as_str).collect();
    let more = names.len() - shown.len();
    let list = inert(Words::from(shown.join(", ")).as_str());
    if more == 0 { list } else { format!("{list} …({more} more)") }
}

/// Text in which nothing is a link to what reads it as plain text: the only link of a notice is the console's.
pub(crate) fn inert(text: &str) -> String {
    text.replace("://", "[:]//").replace("mailto:", "mailto[:]").replace("www.", "www[.]")
}

#[cfg(test)]
pub(crate) mod tests;
