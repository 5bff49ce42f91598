//! What would be undone and what was, for people. Nothing in it moves the cursor or hides anything.

use std::fmt::Write as _;

use undo::{Left, Look, Plan, Ready, Undone};

use crate::{commands::approvals::text::changes, terminal::visible};

/// Of a plan without steps, why there are none.
pub(super) fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    if plan.left.is_empty() {
        out.push_str("the recording tells of no change that is to be undone\n");
    }
    left(&mut out, &plan.left);
    unknown(&mut out, plan);
    out
}

pub(super) fn look(plan: &Plan, look: &Look, colours: bool) -> String {
    let mut out = String::new();
    for ready in &look.ready {
        step(&mut out, ready, colours);
    }
    for what in &look.already {
        let _infallible = writeln!(out, "\nas before: {}", visible(what));
    }
    left(&mut out, &look.left);
    unknown(&mut out, plan);
    out
}

fn step(out: &mut String, ready: &Ready, colours: bool) {
    let step = &ready.step;
    let _infallible = writeln!(out, "\n{}", visible(&step.to_string()));
    for act in &step.acts {
        let _infallible = writeln!(out, "{:<10}{}", "undoes", visible(act));
    }
    if let Some(call) = &step.restores {
        let _infallible = writeln!(
            out,
            "{:<10}masked values, from what the gate kept before call {}; they are not shown",
            "puts back",
            visible(call.rsplit('/').next().unwrap_or(call))
        );
    } else if step.leaves_values() {
        let _infallible = writeln!(
            out,
            "{:<10}masked values stay as they are now; whether the session changed them is not known, and the gate kept none that are put back",
            "but"
        );
    }
    out.push('\n');
    out.push_str(&changes(&ready.diff(), colours));
}

fn left(out: &mut String, left: &[Left]) {
    for Left { what, why } in left {
        let _infallible =
            writeln!(out, "\nleft as it is: {}\n{:<10}{}", visible(what), "since", visible(&why.to_string()));
    }
}

/// What nobody can say.
fn unknown(out: &mut String, plan: &Plan) {
    for gap in &plan.gaps {
        let _infallible = writeln!(out, "\nnot known: {}", visible(gap));
    }
    if plan.streams > 0 {
        let streams =
            if plan.streams == 1 { "1 stream".to_owned() } else { format!("{} streams", plan.streams) };
        let _infallible = writeln!(
            out,
            "\nnot known: what {streams} into pods did there (exec, attach, port-forward); `portcullis sessions replay` shows what passed"
        );
    }
}

pub(super) fn undone(undone: &Undone) -> String {
    let mut out = String::new();
    if let Some(answer) = &undone.not_agreed {
        let how = if answer.how.is_empty() { String::new() } else { format!(": {}", answer.how) };
        let id = answer.approval.as_deref().unwrap_or("it");
        let _infallible = writeln!(out, "{} is {}{}", visible(id), answer.state.as_str(), visible(&how));
    }
    if undone.has_begun() {
        for sent in &undone.sent {
            let _infallible = writeln!(out, "{}", visible(&sent.to_string()));
        }
    }
    out
}
