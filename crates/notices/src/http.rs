//! Posting JSON to an address that may be a secret.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, StatusCode, Url, redirect};

use crate::failure::{Failure, cause};
use crate::notice::is_loopback;
use crate::targets::{Ca, Problem};

/// The longest that a target is left alone since it wants to be.
const MOST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// How much of an answer is read, so that its connection can be used again. Nothing is made of it.
const MOST_ANSWER: usize = 4 * 1024;

/// One address, and what reaches it. `Debug` does not show it.
pub(crate) struct Http {
    client: Client,
    url: Url,
}

impl Http {
    pub(crate) fn new(url: Url, ca: Option<&Ca>, timeout: Duration) -> Result<Self, Problem> {
        let mut client = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(1)
            .timeout(timeout);
        // What stays on this machine goes through nobody's proxy.
        client = if is_loopback(&url) { client.no_proxy() } else { client.https_only(true) };
        if let Some(Ca { path, pem }) = ca {
            let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(Problem::Certificates(path.clone()));
            }
            client = client.tls_certs_only(certificates);
        }
        let client = client.build().map_err(|error| Problem::Tls(why(&error)))?;
        Ok(Self { client, url })
    }

    pub(crate) async fn post(
        &self,
        body: String,
        headers: &[(&str, String)],
        now: Timestamp,
    ) -> Result<(), Failure> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let answer = request.send().await.map_err(|error| Failure::later(why(&error)))?;
        let judged = judge(&answer, now);
        drain(answer).await;
        judged
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http(…)")
    }
}

fn judge(answer: &Response, now: Timestamp) -> Result<(), Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let why = format!("it answered {}", status.as_u16());
    if status.is_redirection() {
        return Err(Failure::never(format!(
            "{why}: redirects are not followed; name the address it leads to"
        )));
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        return Err(Failure::Later { why, after: header.and_then(|value| retry_after(value, now)) });
    }
    Err(Failure::never(format!("{why}: look at its address and what it takes")))
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let wanted = match value.parse().map(Duration::from_secs) {
        Ok(seconds) => seconds,
        Err(_) => {
            let then = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
            Duration::try_from(then.duration_since(now)).ok()?
        }
    };
    Some(wanted.min(MOST_RETRY_AFTER))
}

async fn drain(mut answer: Response) {
    let mut left = MOST_ANSWER;
    while let Ok(Some(part)) = answer.chunk().await {
        let Some(rest) = left.checked_sub(part.len()) else { return };
        left = rest;
    }
}

/// What went wrong, without the address.
fn why(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "it did not answer"
    };
    cause(error).map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_target_wants_to_be_left_alone_is_bounded() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |value| retry_after(value, now).map(|after| after.as_secs());
        assert_eq!(after("0"), Some(0));
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("999999999999"), Some(3600));
        assert_eq!(after("Thu, 01 Jan 2026 00:00:30 GMT"), Some(30));
        for none in ["Wed, 31 Dec 2025 23:59:00 GMT", "-1", "soon", "", "99999999999999999999999"] {
            assert_eq!(after(none), None, "{none}");
        }
    }
}
