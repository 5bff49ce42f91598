//! An approval, as a terminal shows it.

use std::fmt::Write as _;

use approval::{Diff, Line, Part, Why};

use crate::{
    admin::{ApprovalDetail, ReviewView},
    terminal::{Colour, painted, visible},
};

/// Everything an approver needs to know, for people. What agents wrote cannot move the cursor or hide anything.
pub(super) fn text(detail: &ApprovalDetail, colours: bool) -> String {
    let ApprovalDetail { approval, bound, digest, shown } = detail;
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _infallible = writeln!(out, "{name:<10}{}", visible(value));
    };
    line("approval", &approval.id);
    line("what", &approval.act);
    let how = if approval.how.is_empty() { String::new() } else { format!(": {}", approval.how) };
    line("state", &format!("{}{how}", approval.state));
    line("agent", &format!("{} for {}", approval.agent, approval.delegator));
    line("session", &format!("{}: {}", approval.session, approval.reason));
    line("asked", &format!("{:.0}", approval.asked_at));
    if let Some(deadline) = approval.deadline {
        line("until", &format!("{deadline:.0}"));
    }
    let mut told: Vec<&Why> = Vec::new();
    for why in shown.iter().flat_map(|shown| &shown.rules) {
        if !told.contains(&why) {
            line("rule", &format!("{}: {}", why.rule, why.reason));
            told.push(why);
        }
    }
    for demand in &approval.demands {
        line("needs", &demand.to_string());
    }
    for (who, when) in &approval.votes {
        line("yes", &format!("{who} at {when:.0}"));
    }
    if let Some(ReviewView { by, at, found }) = &approval.review {
        line("reviewed", &format!("by {by} at {at:.0}: {found}"));
    }
    if !approval.reviewers.is_empty() {
        line("open", &format!("has to be signed off by one of {}", approval.reviewers.join(", ")));
    }
    if let Some(call) = bound.call() {
        line("request", &format!("{} {}", call.method, call.url));
        if let Some(target) = &call.target {
            line("object", &format!("uid {} at version {}", target.uid, target.resource_version));
        }
    } else {
        line("purpose", bound.purpose());
    }
    line("digest", digest);
    for part in bound.parts(shown) {
        out.push_str(&part_of(&part, colours));
    }
    out
}

fn part_of(part: &Part, colours: bool) -> String {
    let Part { title, effects, diff } = part;
    let mut out = String::new();
    if !title.is_empty() {
        let _infallible = writeln!(out, "\n{}", visible(title));
    }
    for effect in effects {
        let _infallible = writeln!(out, "{:<10}{}", "effect", visible(effect));
    }
    if let Some(diff) = diff {
        out.push('\n');
        out.push_str(&changes(diff, colours));
    }
    out
}

pub(in crate::commands) fn changes(diff: &Diff, colours: bool) -> String {
    let Diff { lines, left_out } = diff;
    let mut out = String::new();
    for line in lines {
        let text = match line {
            Line::Same(line) => format!("  {}", visible(line)),
            Line::Added(line) => painted(&format!("+ {}", visible(line)), Colour::Good, colours),
            Line::Removed(line) => painted(&format!("- {}", visible(line)), Colour::Bad, colours),
            Line::Folded(lines) if lines.len() == 1 => "  (1 more line stays as it is)".to_owned(),
            Line::Folded(lines) => format!("  ({} more lines stay as they are)", lines.len()),
        };
        out.push_str(&text);
        out.push('\n');
    }
    if lines.is_empty() {
        out.push_str("nothing can be shown of what would change\n");
    }
    if !left_out.is_empty() {
        let _infallible =
            writeln!(out, "\nnot shown, since the API server sets it by itself: {}", left_out.join(", "));
    }
    out
}
