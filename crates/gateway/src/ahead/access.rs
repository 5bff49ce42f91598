//! Access to a scope, for a time.

use approval::{Access, Answer, BreakGlass, Scope, Subject, WantedAccess};
use http::StatusCode;
use ledger::leaf::Cause;

use super::{Ahead, Unasked, invalid, said, spoken};
use crate::{call::Call, limits::AccessRules};

/// More scopes at once are nothing that a human can judge.
const MOST_SCOPES: usize = 8;

impl Call {
    pub(super) async fn ask_for_access(&self, wanted: WantedAccess, key: &str) -> Result<Answer, Unasked> {
        let WantedAccess { reason, scopes, seconds, incident } = wanted;
        let (AccessRules { demand, most_seconds }, break_glass) = self.giving(incident)?;
        let reason = spoken("reason", &reason)?;
        let scopes = understood(&scopes)?;
        if seconds == 0 || seconds > most_seconds {
            let most = approval::time(most_seconds);
            return Err(invalid(&format!("access lasts from 1 s to {most}; ask for that")));
        }
        let access = Access { break_glass, reason: self.told_text(&reason), scopes, seconds };
        let scopes: Vec<String> = access.scopes.iter().map(ToString::to_string).collect();
        let (time, scopes) = (access.time(), scopes.join("; "));
        if !self.is_tellable(&scopes) {
            return Err(invalid("a scope holds a value of a Secret; name something else"));
        }
        let does = match &access.break_glass {
            Some(glass) => format!("break the glass for {}: have", glass.incident),
            None => "have".to_owned(),
        };
        let act = format!("{does} access for {time} in cluster {:?}: {scopes}", self.cluster());
        let approval = self.ask_ahead(Ahead {
            subject: Subject::Access(access),
            use_seconds: seconds,
            demands: vec![demand],
            key,
            act: &act,
            shown: "[]",
        });
        Ok(self.answer(&approval.await?, Vec::new()))
    }

    /// Who gives access, and whether it breaks the glass.
    fn giving(&self, incident: Option<String>) -> Result<(AccessRules, Option<BreakGlass>), Unasked> {
        let holding = self.gate().holding();
        let off = |what: &str, section: &str| {
            let words = format!(
                "{what} is off here: the configuration has no `approvals.{section}`; ask the gate's operator"
            );
            said(StatusCode::FORBIDDEN, "Forbidden", Cause::Unsupported, &words)
        };
        let Some(incident) = incident else {
            let giving = holding.access.clone();
            return giving.map(|giving| (giving, None)).ok_or_else(|| off("access for a time", "access"));
        };
        let breaking = holding.break_glass.clone().ok_or_else(|| off("breaking the glass", "break_glass"))?;
        let incident = self.told_text(&spoken("incident", &incident)?);
        Ok((breaking.access, Some(BreakGlass { incident, reviewers: breaking.reviewers })))
    }
}

fn understood(scopes: &[String]) -> Result<Vec<Scope>, Unasked> {
    if scopes.is_empty() || scopes.len() > MOST_SCOPES {
        return Err(invalid(&format!("name from 1 to {MOST_SCOPES} scopes")));
    }
    scopes
        .iter()
        .map(|scope| scope.parse().map_err(|bad: approval::BadScope| invalid(&bad.to_string())))
        .collect()
}
