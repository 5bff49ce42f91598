//! The policy in force, and those before it.

use askama::Template;
use axum::{extract::State, response::Response};
use chronicle::Happening;

use super::{Frame, Part, When, failed, render};
use crate::{Console, signin::Visitor};

const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "policy.html")]
struct Page {
    frame: Frame,
    digest: String,
    rules: usize,
    /// Fixed denials that are lifted: cluster, name, cost.
    lifted: Vec<(String, String, String)>,
    files: Vec<File>,
    history: Vec<(When, String)>,
}

struct File {
    name: String,
    lines: Vec<String>,
}

/// `GET /policy`
pub(crate) async fn get(State(console): State<Console>, visitor: Visitor) -> Response {
    let page = chronicle::Page::newest(MOST);
    let (loaded, started) = match (
        console.chronicle().happenings("policy_loaded", page).await,
        console.chronicle().happenings("start", page).await,
    ) {
        (Ok(loaded), Ok(started)) => (loaded, started),
        (Err(error), _) | (_, Err(error)) => return failed(&error),
    };
    let judge = console.parts().policy.judge();
    let bundle = judge.bundle();
    let lifted = judge.settings().lifted().map(|(cluster, denial)| {
        let cost = denial.cost().unwrap_or_else(|| denial.reason());
        (cluster.to_owned(), denial.id().to_owned(), cost.to_owned())
    });
    let files = bundle.sources().iter().map(|source| File {
        name: source.name.clone(),
        lines: source.text.lines().map(str::to_owned).collect(),
    });
    render(&Page {
        frame: Frame::of(&visitor, Part::Policy),
        digest: bundle.digest().as_str().to_owned(),
        rules: bundle.rule_count(),
        lifted: lifted.collect(),
        files: files.collect(),
        history: history(loaded, started),
    })
}

/// When which policy came into force, newest first.
fn history(loaded: Vec<Happening>, started: Vec<Happening>) -> Vec<(When, String)> {
    let mut all: Vec<Happening> = loaded.into_iter().chain(started).collect();
    all.sort_by_key(|happening| std::cmp::Reverse(happening.leaf));
    let told = |Happening { time, kind, told, .. }: Happening| {
        let told = if kind == "start" { format!("the gate started: {told}") } else { told };
        (time.into(), told)
    };
    all.into_iter().map(told).collect()
}
