//! Our own JSON, in the envelope that Standard Webhooks recommends. `docs/notices.md` is its reference.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Address, Decision, Id, Kind, Name, Notice, Words};

/// What a receiver may rely on: members may be added without a new version, none is removed or changed.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a> {
    version: u32,
    id: &'a Id,
    #[serde(rename = "type")]
    kind: Kind,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    by: &'a [Name],
    cluster: &'a Name,
    agent: &'a Name,
    delegator: &'a Name,
    session: &'a Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a Name>,
    what: &'a Words,
    reason: &'a Words,
    rules: &'a [Name],
    approvers: &'a [Name],
    #[serde(skip_serializing_if = "Option::is_none")]
    decide_by: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    console: Option<&'a Address>,
}

/// The body of a webhook.
///
/// # Errors
/// None that a notice could cause; `serde_json` has one.
pub fn body(notice: &Notice) -> serde_json::Result<String> {
    serde_json::to_string(&Envelope {
        version: VERSION,
        id: &notice.id,
        kind: notice.event.kind(),
        timestamp: notice.at,
        data: Data {
            decision: notice.event.decision(),
            by: &notice.by,
            cluster: &notice.cluster,
            agent: &notice.agent,
            delegator: &notice.delegator,
            session: &notice.session,
            approval: notice.approval.as_ref(),
            what: &notice.what,
            reason: &notice.reason,
            rules: &notice.rules,
            approvers: &notice.approvers,
            decide_by: notice.decide_by,
            console: notice.console.as_ref(),
        },
    })
}
