//! How far a deletion of a collection came, in words.

use http::StatusCode;
use kube_api::{Request, Status};

/// Most names that are told of those that were not deleted.
const MOST_NAMED: usize = 10;

/// What became of one object.
#[derive(Debug)]
pub(super) enum One {
    Deleted,
    /// It was not there any more.
    Gone,
    /// It has changed since humans were shown it, or another has its name.
    Changed,
    /// The API server said no.
    Refused(StatusCode),
    /// What it did is not known.
    Unknown {
        code: StatusCode,
        why: String,
    },
    /// Nothing was sent.
    Unsent {
        code: StatusCode,
        why: &'static str,
    },
}

/// What became of all of them.
#[derive(Debug)]
pub(super) struct Tally {
    kind: (String, String),
    all: usize,
    deleted: usize,
    gone: Vec<String>,
    changed: Vec<String>,
    /// What ended it before its time, and of which object.
    over: Option<(String, One)>,
}

impl Tally {
    pub(super) fn new(request: &Request, all: usize) -> Self {
        let kind = request.resource().map(|it| (it.group().to_owned(), it.resource().to_owned()));
        let (deleted, gone, changed) = (0, Vec::new(), Vec::new());
        Self { kind: kind.unwrap_or_default(), all, deleted, gone, changed, over: None }
    }

    pub(super) fn count(&mut self, name: String, one: One) {
        match one {
            One::Deleted => self.deleted += 1,
            One::Gone => self.gone.push(name),
            One::Changed => self.changed.push(name),
            over @ (One::Refused(_) | One::Unknown { .. } | One::Unsent { .. }) => {
                self.over = Some((name, over));
            }
        }
    }

    /// Whether no more are deleted.
    pub(super) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// What the client is told: that it is done where nothing of what was approved is left.
    pub(super) fn status(&self) -> Status {
        let message = self.words();
        let (group, kind) = &self.kind;
        let status = match &self.over {
            Some((_, One::Refused(code) | One::Unknown { code, .. } | One::Unsent { code, .. })) => {
                Status::failure(*code, reason(*code), message)
            }
            _ if !self.changed.is_empty() => Status::failure(StatusCode::CONFLICT, "Conflict", message),
            _ => Status::success(message),
        };
        status.with_details("", group, kind)
    }

    fn words(&self) -> String {
        if self.all == 0 {
            return "portcullis: nothing is there that this would delete, so nobody was asked".to_owned();
        }
        let mut parts = vec![format!(
            "portcullis: deleted {} of the {} objects that were approved",
            self.deleted, self.all
        )];
        if !self.gone.is_empty() {
            parts.push(format!("{} gone already: {}", self.gone.len(), names(&self.gone)));
        }
        if !self.changed.is_empty() {
            let count = self.changed.len();
            let names = names(&self.changed);
            parts.push(format!("{count} changed since humans were asked, and left alone: {names}"));
        }
        if let Some((name, over)) = &self.over {
            parts.push(match over {
                One::Unknown { why, .. } => format!("of \"{name}\" it is not known, since {why}"),
                One::Unsent { why, .. } => format!("\"{name}\" was not tried, since {why}"),
                One::Refused(code) => format!("the API server answered {} for \"{name}\"", code.as_u16()),
                One::Deleted | One::Gone | One::Changed => String::new(),
            });
            let tried = self.deleted + self.gone.len() + self.changed.len() + 1;
            let untried = self.all.saturating_sub(tried);
            if untried > 0 {
                parts.push(format!("{untried} after it not tried"));
            }
        }
        let text = parts.join("; ");
        let done = self.changed.is_empty() && self.over.is_none();
        if done {
            text
        } else {
            format!("{text}. Next: look what is left, and send it again to ask about that")
        }
    }
}

fn names(all: &[String]) -> String {
    let named: Vec<String> = all.iter().take(MOST_NAMED).map(|name| format!("\"{name}\"")).collect();
    let more = all.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

fn reason(code: StatusCode) -> &'static str {
    match code {
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::UNPROCESSABLE_ENTITY => "Invalid",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailable",
        StatusCode::GATEWAY_TIMEOUT => "Timeout",
        _ => "InternalError",
    }
}

#[cfg(test)]
mod tests {
    use kube_api::Head;

    use super::*;

    fn told(all: usize, each: Vec<One>) -> String {
        let line = http::Request::builder().method("DELETE").uri("/api/v1/namespaces/shop/pods");
        let head = Head::parse(&line.body(()).unwrap().into_parts().0).unwrap();
        let mut tally = Tally::new(&head.with_body(b"").unwrap(), all);
        for (at, one) in each.into_iter().enumerate() {
            tally.count(format!("p{at}"), one);
        }
        let status = tally.status();
        format!("{} {}: {}", status.code().as_u16(), status.reason(), status.message())
    }

    #[test]
    fn what_became_of_each_is_told() {
        use One::{Changed, Deleted, Gone, Refused};
        let why = || "the API server did not answer in time".to_owned();
        let table = [
            told(0, vec![]),
            told(2, vec![Deleted, Deleted]),
            told(2, vec![Deleted, Gone]),
            told(3, vec![Deleted, Gone, Changed]),
            told(12, (0..12).map(|_| Changed).collect()),
            told(5, vec![Deleted, Changed, Refused(StatusCode::FORBIDDEN)]),
            told(5, vec![Deleted, One::Unknown { code: StatusCode::GATEWAY_TIMEOUT, why: why() }]),
            told(1, vec![One::Unsent { code: StatusCode::SERVICE_UNAVAILABLE, why: "the gate is stopping" }]),
        ];
        insta::assert_snapshot!(table.join("\n"));
    }
}
