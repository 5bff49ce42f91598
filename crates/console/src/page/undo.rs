//! What a session changed, and putting it back.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use http::StatusCode;
use serde::Deserialize;
use store::State as Standing;
use undo::{History, Plan};

use super::{Frame, Part, diff::Diff, failed, problem, render, render_as};
use crate::{
    Console,
    posted::Posted,
    replay::Opened,
    signin::Visitor,
    undoing::{Done, Over, Progress, Stage, Turn, Wanted},
};

/// It writes to clusters, which those who only look may not.
const NOT_YOURS: &str =
    "Only who is named under `approvers` in the gate's configuration undoes sessions here.";
/// Steps that a page shows, and lines of each.
const STEPS: usize = 200;
const LINES: usize = 1_000;
/// Of a recording that was written a moment ago.
const TO_COME: &str =
    "The end of the session's recording is not in the ledger yet. Load this page again in a moment.";

#[derive(Template)]
#[template(path = "undo.html")]
struct Page {
    frame: Frame,
    alert: Option<String>,
    session: String,
    /// Whether the reader may undo it.
    may: bool,
    values: Values,
    /// Whether there is something that `values` decides about.
    has_values: bool,
    /// Steps that are not shown.
    more: usize,
    /// Whether the session goes on, so that it cannot be undone yet.
    is_active: bool,
    steps: Vec<Step>,
    /// What stays as it is, and why.
    left: Vec<(String, String)>,
    /// What the recording lacks.
    gaps: Vec<String>,
    streams: usize,
    /// Whether some of it cannot be undone.
    is_partial: bool,
    progress: Option<Progressed>,
}

/// What would be done with one object.
struct Step {
    title: String,
    acts: Vec<String>,
    /// The call of before which the gate kept values that are put back.
    restores: String,
    /// Whether masked values stay as they are.
    leaves_values: bool,
    diff: Diff,
}

/// What would undo a session.
struct Planned {
    plan: Plan,
    /// Whether more of the recording is to come.
    is_to_come: bool,
    /// No other plan is made while this is held.
    turn: Turn,
}

/// How far an undo came.
#[derive(Template)]
#[template(path = "undo_progress.html")]
struct Progressed {
    by: String,
    within: String,
    stage: &'static str,
    told: String,
    approval: String,
    lines: Vec<String>,
    is_over: bool,
    session: String,
}

/// What becomes of masked values that the gate kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Values {
    #[default]
    Restored,
    /// They stay as they are now: what can be undone of a session without the key to what was kept.
    Left,
}

/// What the address says.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    values: Values,
}

/// What the button says.
#[derive(Debug, Deserialize)]
pub(crate) struct Button {
    #[serde(default)]
    partly: Option<String>,
    #[serde(default)]
    values: Values,
}

/// `GET /sessions/{id}/undo`
pub(crate) async fn get(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(Which { values }): Query<Which>,
) -> Response {
    console.undo_page(&visitor, &id, values, None).await
}

/// `GET /sessions/{id}/undo/progress`: for a page that is open.
pub(crate) async fn progress(
    State(console): State<Console>,
    _visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match console.undoings().of(&id) {
        Some(progress) => render(&Progressed::of(&id, progress)),
        None => problem(StatusCode::NOT_FOUND, "Nobody undoes that session."),
    }
}

/// `POST /sessions/{id}/undo`
pub(crate) async fn post(
    State(console): State<Console>,
    Path(id): Path<String>,
    Posted { visitor, form }: Posted<Button>,
) -> Response {
    let (session, by) = match (console.session(&id).await, Console::operator(&visitor)) {
        (Ok(found), Ok(by)) => (found, by),
        (Err(response), _) | (_, Err(response)) => return *response,
    };
    let (id, session) = session;
    let Button { partly, values } = form;
    let refused = |status, told: &str| {
        let told = Some((status, told.to_owned()));
        let (console, visitor, id) = (&console, &visitor, id.as_str());
        async move { console.undo_page(visitor, id, values, told).await }
    };
    if !console.may_undo(&visitor) {
        return refused(StatusCode::FORBIDDEN, NOT_YOURS).await;
    }
    if session.state(console.now()) == Standing::Active {
        return refused(StatusCode::CONFLICT, "The session goes on: freeze or revoke it first.").await;
    }
    let Planned { plan, is_to_come, turn } = match console.plan(&id, values).await {
        Ok(planned) => planned,
        Err(response) => return *response,
    };
    // A page that says why not takes one of its own.
    drop(turn);
    if is_to_come {
        drop(plan);
        return refused(StatusCode::SERVICE_UNAVAILABLE, TO_COME).await;
    }
    match console.undo(Wanted { session, plan, by, partly: partly.is_some() }) {
        Ok(()) => Redirect::to(&address(&id, values)).into_response(),
        Err(told) => refused(StatusCode::CONFLICT, told).await,
    }
}

/// Where the page is.
fn address(id: &identity::SessionId, values: Values) -> String {
    match values {
        Values::Restored => format!("/sessions/{id}/undo"),
        Values::Left => format!("/sessions/{id}/undo?values=left"),
    }
}

impl Console {
    fn may_undo(&self, visitor: &Visitor) -> bool {
        visitor.human.is_among(&self.parts().undoers)
    }

    /// What would undo the session, as its recording tells.
    async fn plan(&self, id: &identity::SessionId, values: Values) -> Result<Planned, Box<Response>> {
        self.in_turn(id, move |opened, turn| match opened.settled() {
            Some((recording, _)) => {
                let history = History::of(&recording);
                let mut plan = Plan::of(match values {
                    Values::Restored => history,
                    Values::Left => history.without_values(),
                });
                if plan.encrypted {
                    let session = recording.session();
                    plan.gaps.push(format!("This page cannot read it: `portcullis undo {session} --for HUMAN --identity FILE` can."));
                }
                let is_to_come = !plan.ended && opened.is_fresh();
                Planned { plan, is_to_come, turn }
            }
            None => {
                let gap = opened.missing.map(|told| told.text);
                let gaps = vec![gap.unwrap_or_else(|| "The session has no recording.".to_owned())];
                Planned { plan: Plan { gaps, ..Plan::default() }, is_to_come: false, turn }
            }
        })
        .await
    }

    /// Makes of a session's recording what takes much memory: one at a time, also if nobody waits for it any more.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        id: &identity::SessionId,
        make: impl FnOnce(Opened, Turn) -> T + Send + 'static,
    ) -> Result<T, Box<Response>> {
        let Some(turn) = self.undoings().planning().await else {
            let why = "Too many sessions are looked at to be undone. Try again in a moment.";
            return Err(Box::new(problem(StatusCode::SERVICE_UNAVAILABLE, why)));
        };
        self.read(id, move |opened| make(opened, turn)).await.map_err(|unread| Box::new(unread.page()))
    }

    async fn undo_page(
        &self,
        visitor: &Visitor,
        id: &str,
        values: Values,
        refused: Option<(StatusCode, String)>,
    ) -> Response {
        let (status, alert) = match refused {
            Some((status, alert)) => (status, Some(alert)),
            None => (StatusCode::OK, None),
        };
        let (id, session) = match self.session(id).await {
            Ok(found) => found,
            Err(response) => return *response,
        };
        let Planned { plan, turn, .. } = match self.plan(&id, values).await {
            Ok(planned) => planned,
            Err(response) => return *response,
        };
        let (frame, session_id) = (Frame::of(visitor, Part::Sessions), id.to_string());
        let is_active = session.state(self.now()) == Standing::Active;
        let may = self.may_undo(visitor);
        let progress = self.undoings().of(id.as_str()).map(|progress| Progressed::of(id.as_str(), progress));
        // Large objects take a second to compare: others are served meanwhile.
        let rendered = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let is_partial = !plan.is_whole();
            let Plan { steps, left, gaps, streams, .. } = plan;
            let has_values = values == Values::Left || steps.iter().any(|step| step.restores.is_some());
            let page = Page {
                frame,
                alert,
                session: session_id,
                is_active,
                may,
                values,
                has_values,
                more: steps.len().saturating_sub(STEPS),
                steps: steps.into_iter().take(STEPS).map(Step::from).collect(),
                left: left.into_iter().map(|left| (left.what, left.why.to_string())).collect(),
                gaps,
                streams,
                is_partial,
                progress,
            };
            render_as(status, &page)
        });
        rendered.await.unwrap_or_else(|error| failed(&error))
    }
}

impl From<undo::Step> for Step {
    fn from(step: undo::Step) -> Self {
        let (title, mut diff) = (step.to_string(), step.diff());
        if diff.lines.len() > LINES {
            diff.left_out.push(format!("{} more lines", diff.lines.len() - LINES));
            diff.lines.truncate(LINES);
        }
        let leaves_values = step.leaves_values();
        let call = step.restores.as_deref().and_then(|restores| restores.rsplit('/').next());
        let restores = call.unwrap_or_default().to_owned();
        Self { title, diff: diff.into(), acts: step.acts, restores, leaves_values }
    }
}

impl Progressed {
    fn of(session: &str, progress: Progress) -> Self {
        let Progress { by, within, stage } = progress;
        let mut told = Self {
            by,
            within: within.unwrap_or_default(),
            stage: "pending",
            told: String::new(),
            approval: String::new(),
            lines: Vec::new(),
            is_over: false,
            session: session.to_owned(),
        };
        match stage {
            Stage::Looking => told.told = "Each object is looked at.".to_owned(),
            Stage::Asked { approval, needs } => {
                told.told = format!("Humans are asked. It needs {needs}.");
                told.approval = approval;
            }
            Stage::Sending => told.told = "Each object is put back.".to_owned(),
            Stage::Over(Over { done, told: how, lines }) => {
                told.stage = match done {
                    Done::All => "completed",
                    Done::Part => "partly",
                    Done::Less => "failed",
                };
                (told.told, told.lines, told.is_over) = (how, lines, true);
            }
        }
        told
    }
}
