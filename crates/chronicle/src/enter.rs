//! Leaves, entered by what people look for.

use ledger::leaf::{Actor, Event, Leaf, Outcome, Refusal, Request};
use ledger::reader::Stored;
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::{Error, story};

type Work<'a> = Transaction<'a, Sqlite>;

/// What is entered of a call when it is first told of.
struct Call<'a> {
    call: &'a str,
    actor: Option<&'a Actor>,
    request: Option<&'a Request>,
    asked: String,
    state: &'static str,
    rules: String,
    status: Option<u16>,
    message: Option<&'a str>,
    approval: Option<&'a str>,
    look: bool,
}

/// Enters leaves that follow each other, all of them or none.
pub(crate) async fn leaves(pool: &SqlitePool, leaves: &[Stored]) -> Result<(), Error> {
    let mut work = pool.begin().await?;
    for Stored { index, json } in leaves {
        let leaf = Leaf::parse(json).map_err(|error| Error::Leaf { index: *index, error })?;
        let number = i64::try_from(*index).unwrap_or(i64::MAX);
        enter(&mut work, number, leaf.time.as_microsecond(), &leaf.event).await?;
    }
    sqlx::query("UPDATE read SET leaves = leaves + ?")
        .bind(i64::try_from(leaves.len()).unwrap_or(i64::MAX))
        .execute(&mut *work)
        .await?;
    Ok(work.commit().await?)
}

async fn enter(work: &mut Work<'_>, leaf: i64, time: i64, event: &Event) -> Result<(), sqlx::Error> {
    match event {
        Event::Intent(intent) => {
            let call = Call {
                call: intent.call.as_str(),
                actor: Some(&intent.actor),
                request: Some(&intent.request),
                asked: story::request(&intent.request),
                state: "open",
                rules: story::rules(&intent.decision),
                status: None,
                message: None,
                approval: intent.approval.as_ref().map(ledger::leaf::Id::as_str),
                look: intent.looks_for.is_some(),
            };
            call.enter(work, leaf, time).await
        }
        Event::Answered(answered) => {
            let call = Call {
                call: answered.call.as_str(),
                actor: Some(&answered.actor),
                request: answered.request.as_ref(),
                asked: story::typed(answered.request.as_ref(), answered.raw.as_ref()),
                state: "answered",
                rules: String::new(),
                status: answered.status,
                message: None,
                approval: None,
                look: false,
            };
            call.enter(work, leaf, time).await
        }
        Event::Refusal(refusal) => Call::refused(refusal).enter(work, leaf, time).await,
        Event::Outcome(outcome) => ended(work, outcome).await,
        other => happened(work, leaf, time, other).await,
    }
}

impl<'a> Call<'a> {
    fn refused(refusal: &'a Refusal) -> Self {
        let asked = story::typed(refusal.request.as_ref(), refusal.raw.as_ref());
        Self {
            call: refusal.call.as_str(),
            actor: refusal.actor.as_ref(),
            request: refusal.request.as_ref(),
            asked,
            state: "refused",
            rules: refusal.decision.as_ref().map_or_else(String::new, story::rules),
            status: Some(refusal.status),
            message: Some(refusal.message.as_str()),
            approval: None,
            look: false,
        }
    }

    async fn enter(self, work: &mut Work<'_>, leaf: i64, time: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO calls (leaf, call, time, session, agent, delegator, cluster, asked, state, rules, status, message, approval, look)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(leaf)
        .bind(self.call)
        .bind(time)
        .bind(self.actor.map(|actor| actor.session.as_str()))
        .bind(self.actor.map(|actor| actor.agent.as_str()))
        .bind(self.actor.map(|actor| actor.delegator.as_str()))
        .bind(self.request.map(|request| request.cluster.as_str()))
        .bind(self.asked)
        .bind(self.state)
        .bind(self.rules)
        .bind(self.status)
        .bind(self.message)
        .bind(self.approval)
        .bind(self.look)
        .execute(&mut **work)
        .await?;
        Ok(())
    }
}

async fn ended(work: &mut Work<'_>, outcome: &Outcome) -> Result<(), sqlx::Error> {
    let state = format!("{:?}", outcome.stage).to_lowercase();
    sqlx::query(
        "UPDATE calls SET state = ?2, status = ?3, message = ?4, duration_us = ?5, masked = ?6
         WHERE call = ?1 AND state = 'open'",
    )
    .bind(outcome.call.as_str())
    .bind(state)
    .bind(outcome.status)
    .bind(outcome.error.as_ref().map(ledger::leaf::Text::as_str))
    .bind(i64::try_from(outcome.duration_us).unwrap_or(i64::MAX))
    .bind(i64::try_from(outcome.masked).unwrap_or(i64::MAX))
    .execute(&mut **work)
    .await?;
    Ok(())
}

async fn happened(work: &mut Work<'_>, leaf: i64, time: i64, event: &Event) -> Result<(), sqlx::Error> {
    let session = match event {
        Event::SessionOpened(opened) => Some(opened.session.to_string()),
        Event::SessionRevoked(revoked) => Some(revoked.session.to_string()),
        Event::SessionExpired(expired) => Some(expired.session.to_string()),
        Event::SessionFrozen(frozen) => Some(frozen.session.to_string()),
        Event::SessionThawed(thawed) => Some(thawed.session.to_string()),
        Event::KnownValueSent(sent) => Some(sent.session.to_string()),
        Event::RecordingErased(erased) => Some(erased.session.to_string()),
        Event::Recorded(recorded) => {
            // One is told again when the gate did not know whether it was. Its happening would be one a second: it is of no session.
            sqlx::query("INSERT OR REPLACE INTO segments (session, segment, sha256) VALUES (?, ?, ?)")
                .bind(recorded.session.as_str())
                .bind(i64::try_from(recorded.segment).unwrap_or(i64::MAX))
                .bind(&recorded.sha256.0[..])
                .execute(&mut **work)
                .await?;
            None
        }
        Event::ApprovalAsked(asked) => {
            let session = asked.actor.session.to_string();
            sqlx::query("INSERT OR IGNORE INTO approvals (id, session) VALUES (?, ?)")
                .bind(&asked.asked.id)
                .bind(&session)
                .execute(&mut **work)
                .await?;
            Some(session)
        }
        Event::ApprovalStep(step) => {
            sqlx::query_scalar("SELECT session FROM approvals WHERE id = ?")
                .bind(step.approval.as_str())
                .fetch_optional(&mut **work)
                .await?
        }
        _ => None,
    };
    sqlx::query("INSERT INTO happenings (leaf, time, kind, session, told) VALUES (?, ?, ?, ?, ?)")
        .bind(leaf)
        .bind(time)
        .bind(event.kind().to_string())
        .bind(session)
        .bind(story::of(event))
        .execute(&mut **work)
        .await?;
    Ok(())
}
