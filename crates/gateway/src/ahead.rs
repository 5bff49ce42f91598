//! Asking humans ahead of calls, at paths of the gate's own: for access to a scope, and about several changes at once. What goes over
//! them is in [`approval::WantedAccess`] and its neighbours.
//!
//! Nothing is sent by it but looks and dry runs. What humans approve is used by the calls that follow, which are judged like any other
//! (`hold`).

mod access;
mod changes;

use approval::{ACCESS_PATH, APPROVALS_PATH, Answer, Approval, Asked, CHANGES_PATH, Demand, State, Subject};
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;
use identity::Reason;
use inbox::{Error, Inbox};
use kube_api::{Request, Status};
use ledger::leaf::{Cause, Purpose};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::{
    call::Call,
    hold::{Over, Stopped},
    look::Stop,
    metrics::Ended,
    parse::{Why, read_within},
    record,
    refuse::Refused,
    reply::Reply,
};

const ROOT: &str = "/portcullis";

/// What a yes is bound to has to fit into a leaf, beside what else stands there: in bytes of JSON.
const MOST_BOUND: usize = 40 << 10;

/// Whether a path is one of the gate's own, which no API server has.
pub(crate) fn is_own(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why nobody was asked, and about which request, if it was one.
type Unasked = Box<(Option<Request>, Stop)>;

/// What is asked ahead.
struct Ahead<'a> {
    subject: Subject,
    /// For how many seconds a yes can be used.
    use_seconds: u32,
    demands: Vec<Demand>,
    /// What the same is found by when it is asked again.
    key: &'a str,
    /// What would be done, in words; it may hold what must not be told.
    act: &'a str,
    shown: &'a str,
}

impl Call {
    /// Serves a path of the gate's own.
    pub(crate) async fn ahead(self, request: http::Request<Incoming>) -> Result<Response<Reply>, Refused> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        match self.answer_ahead(request).await {
            Ok((code, answer)) => {
                let json = serde_json::to_vec(&answer).map_err(|_unwritable| Refused::Internal)?;
                if self.gate().rejections().tells_answer_alone(self.caller().session()) {
                    let (line, known) = ((method.as_str(), path.as_str()), self.known());
                    let event = record::answered_own(self.id(), self.actor(), line, &known, code.as_u16());
                    self.record(event, Ended::Completed).await?;
                } else {
                    self.ended(Ended::Completed, 0);
                }
                Ok(Reply::own(code, json.into(), self.id().as_str(), self.slot()))
            }
            Err(unasked) => match *unasked {
                (Some(request), stop) => self.stop(&request, stop).await,
                (None, Stop::Unrecorded) => {
                    self.ended(Ended::Unrecorded, 0);
                    Err(Refused::Unrecorded)
                }
                (None, Stop::Refused { refused, cause, .. }) => {
                    let event = self.told(&refused.status()).unparsed(cause, None, method.as_str(), &path);
                    self.refuse(Ended::Refused, refused, event).await
                }
            },
        }
    }

    async fn answer_ahead(&self, request: http::Request<Incoming>) -> Result<(StatusCode, Answer), Unasked> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let waits = request.uri().query() == Some("wait=true");
        match (method, path.as_str()) {
            (Method::POST, ACCESS_PATH) => {
                let (wanted, key) = self.wanted(request).await?;
                Ok((StatusCode::CREATED, self.ask_for_access(wanted, &key).await?))
            }
            (Method::POST, CHANGES_PATH) => {
                let (wanted, key) = self.wanted(request).await?;
                Ok((StatusCode::CREATED, self.ask_about_changes(wanted, &key).await?))
            }
            (Method::GET, path) if path.starts_with(APPROVALS_PATH) => {
                let id = path.strip_prefix(APPROVALS_PATH).unwrap_or_default();
                Ok((StatusCode::OK, self.approval_stands(id, waits).await?))
            }
            _ => {
                let words = format!(
                    "POST {ACCESS_PATH}, POST {CHANGES_PATH} and GET {APPROVALS_PATH}ID are all there is here"
                );
                Err(said(StatusCode::NOT_FOUND, "NotFound", Cause::Unsupported, &words))
            }
        }
    }

    /// What a body says, and what the same is found by: a keyed digest.
    async fn wanted<T: DeserializeOwned>(
        &self,
        request: http::Request<Incoming>,
    ) -> Result<(T, String), Unasked> {
        let (limits, mut bytes) = (self.gate().limits(), Vec::new());
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let read = read_within(body, limits.body_bytes, limits, self.caller().ended(), &mut bytes).await;
        let frozen = self.hold_unparsed_against_known_values(path, &bytes).await;
        frozen.map_err(|refused| unasked(Stop::unseen(refused)))?;
        read.map_err(unread)?;
        let wanted = serde_json::from_slice(&bytes).map_err(|error| {
            // What stands there may be secret.
            let (line, column) = (error.line(), error.column());
            let words = format!("the body is not the JSON that this takes: line {line}, column {column}");
            said(StatusCode::BAD_REQUEST, "BadRequest", Cause::Malformed, &words)
        })?;
        let key = [path.as_bytes(), b"\n", &bytes].concat();
        Ok((wanted, self.gate().ledger().keyed_digest(Purpose::Asked, &key)))
    }

    /// Asks, unless the same was asked and is open.
    async fn ask_ahead(&self, ahead: Ahead<'_>) -> Result<Approval, Unasked> {
        let inbox = self.gate().inbox();
        let session = self.caller().session().as_str();
        let Ahead { subject, use_seconds, demands, key, act, shown } = ahead;
        let size = serde_json::to_vec(&subject).map_or(usize::MAX, |json| json.len());
        if size > MOST_BOUND {
            return Err(invalid("that is too much to be decided at once; ask for less"));
        }
        let (id, now) = (Inbox::new_id(), inbox.now());
        let before = inbox.open_for(session, key).await.map_err(|error| self.unasked_by(&error))?;
        if let Some(before) = before {
            let Some(why) = self.changed_ahead(&before, &subject) else { return Ok(before) };
            self.supersede(&before, &id, why).await.map_err(|error| self.unasked_by(&error))?;
        }
        let decide_by = self.decide_by(now).map_err(unasked)?;
        let bound = self.bound_to(subject, self.policy().bundle().digest().as_str(), decide_by);
        let asked = Asked { id, at: now, decide_by, use_seconds, bound, demands };
        let asking = inbox::Request {
            asked,
            key,
            shown,
            act: &self.told_text(act),
            reason: &self.told_text(self.caller().reason().as_str()),
            call: self.id().clone(),
            actor: self.actor().clone(),
            judged: None,
        };
        let approval = inbox.ask(asking).await.map_err(|error| self.unasked_by(&error))?;
        let id = &approval.asked().id;
        tracing::info!(call = %self.id(), approval = id, "humans are asked ahead");
        if self.session_over() {
            // It ended meanwhile, and what it asked for before was withdrawn by that.
            self.withdraw(id, "the session has ended, or is frozen").await;
            return Err(unasked(Stop::unseen(self.over())));
        }
        Ok(approval)
    }

    /// What has changed since the same was asked, if anything.
    fn changed_ahead(&self, before: &Approval, subject: &Subject) -> Option<&'static str> {
        let bound = &before.asked().bound;
        if bound.policy != self.policy().bundle().digest().as_str() {
            return Some("the policy has changed");
        }
        (bound.subject != *subject).then_some("the objects have changed")
    }

    /// Where an approval of this session stands; with `waits`, once it is pending no longer, or after the hold time.
    async fn approval_stands(&self, id: &str, waits: bool) -> Result<Answer, Unasked> {
        let inbox = self.gate().inbox();
        let mut steps = inbox.watch(id);
        let until = Instant::now() + self.gate().holding().hold;
        loop {
            let approval = match inbox.get(id).await {
                Ok(stored) => stored.approval,
                Err(Error::Unknown(_)) => return Err(no_such()),
                Err(error) => return Err(self.unasked_by(&error)),
            };
            if approval.asked().bound.session != self.caller().session().as_str() {
                return Err(no_such());
            }
            if !waits || *approval.state() != State::Pending {
                return Ok(self.answer(&approval, Vec::new()));
            }
            match self.next_step(&mut steps, until).await {
                None => {}
                Some(Over::Later) => return Ok(self.answer(&approval, Vec::new())),
                Some(Over::Ended(ending)) => return Err(unasked(Stop::unseen(Refused::Cut(ending)))),
            }
        }
    }

    fn answer(&self, approval: &Approval, allowed: Vec<String>) -> Answer {
        let asked = approval.asked();
        let pending = *approval.state() == State::Pending;
        Answer {
            approval: Some(asked.id.clone()),
            state: approval.state().into(),
            how: approval.state().told(),
            needs: if pending { approval.needs() } else { String::new() },
            until: approval.deadline(),
            page: self.page_of(&asked.id),
            asked: asked.bound.lines(),
            allowed,
        }
    }

    /// A text of the agent's, as it may be told to humans and to the ledger.
    fn told_text(&self, text: &str) -> String {
        upstream::text::<512>(text, &self.known()).to_string()
    }

    /// Whether a name of the agent's may be told: not if it holds a value of a Secret.
    fn is_tellable(&self, name: &str) -> bool {
        self.known().count_in(name.as_bytes()) == 0
    }

    fn unasked_by(&self, error: &Error) -> Unasked {
        match error {
            Error::TooMany { .. } | Error::TooManyInAll { .. } => {
                let words = format!("humans are not asked: {error}");
                said(StatusCode::FORBIDDEN, "Forbidden", Cause::Limit, &words)
            }
            Error::Refused(refusal) => {
                let words = format!("humans cannot be asked that: {refusal}");
                said(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", Cause::Malformed, &words)
            }
            Error::Unrecorded(_) | Error::Store(_) => {
                tracing::error!(call = %self.id(), %error, "humans could not be asked");
                unasked(Stop::Unrecorded)
            }
            Error::Unknown(_) | Error::Busy => {
                tracing::error!(call = %self.id(), %error, "humans could not be asked");
                unasked(Stop::unseen(Refused::Internal))
            }
        }
    }
}

fn unasked(stop: Stop) -> Unasked {
    Box::new((None, stop))
}

fn unasked_about(stopped: Stopped) -> Unasked {
    let (request, stop) = *stopped;
    Box::new((Some(request), stop))
}

fn unread(why: Why) -> Unasked {
    let cause = why.cause();
    unasked(Stop::Refused { refused: Refused::from(why), cause, decision: None })
}

fn no_such() -> Unasked {
    said(StatusCode::NOT_FOUND, "NotFound", Cause::Malformed, "this session has no such approval")
}

/// It is refused in these words.
fn said(code: StatusCode, reason: &str, cause: Cause, words: &str) -> Unasked {
    let status = Status::failure(code, reason, format!("portcullis: {words}"));
    unasked(Stop::Refused { refused: Refused::Unparsed(Box::new(status)), cause, decision: None })
}

/// What people are to read.
fn spoken(what: &str, text: &str) -> Result<String, Unasked> {
    let text = Reason::parse(text.trim()).map_err(|error| invalid(&format!("the {what}: {error}")))?;
    Ok(text.as_str().to_owned())
}

/// It cannot be asked as it is.
fn invalid(words: &str) -> Unasked {
    said(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", Cause::Malformed, words)
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn the_gates_own_paths_are_those_below_its_name() {
        for (path, own) in [
            ("/portcullis", true),
            ("/portcullis/", true),
            ("/portcullis/v1/access", true),
            ("/portcullisx/v1/access", false),
            ("/api/v1/portcullis", false),
            ("/Portcullis/v1/access", false),
        ] {
            assert_eq!(is_own(path), own, "{path}");
        }
    }
}
