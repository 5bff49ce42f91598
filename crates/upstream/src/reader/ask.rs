//! Asking for Secrets: the two questions there are, and their answers as they come.

use std::pin::Pin;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE},
    uri::PathAndQuery,
};
use http_body::Body;
use hyper::body::Incoming;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::Problem;
use crate::{
    impersonation::{self, SECRET_READER_USER},
    link::{Link, Unmade},
    pool::{Held, RequestBody},
};

/// What can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// `None`: in all namespaces.
    pub(super) namespace: Option<&'a str>,
    /// Field selector; empty for none.
    pub(super) selector: &'a str,
    pub(super) what: What<'a>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// A page of the Secrets there are, from the beginning or from where the last page ended.
    List { limit: u32, from: Option<&'a str> },
    /// What changes after a version, for so many seconds.
    Watch { version: &'a str, seconds: u64 },
}

/// An answer that has begun.
pub(super) struct Coming {
    incoming: Incoming,
    _held: Held,
}

impl Question<'_> {
    fn target(&self) -> Result<PathAndQuery, Problem> {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let mut target = match self.namespace {
            Some(namespace) => format!("/api/v1/namespaces/{}/secrets?", encoded(namespace)),
            None => "/api/v1/secrets?".to_owned(),
        };
        match self.what {
            What::List { limit, from } => {
                target.push_str(&format!("limit={limit}"));
                if let Some(from) = from {
                    target.push_str(&format!("&continue={}", encoded(from)));
                }
            }
            What::Watch { version, seconds } => target.push_str(&format!(
                "watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
                encoded(version)
            )),
        }
        if !self.selector.is_empty() {
            target.push_str(&format!("&fieldSelector={}", encoded(self.selector)));
        }
        target.parse().map_err(|_error| Problem::Request)
    }
}

/// Asks, as [`SECRET_READER_USER`]. The caller bounds the time.
pub(super) async fn ask(link: &Link, question: Question<'_>) -> Result<Coming, Problem> {
    let mut request = request(link, question).await?;
    // What a closing connection hands back unsent may take another; two more tries are plenty.
    for _try in 0..3 {
        let mut place = link.pool.place().await.map_err(|error| Problem::Connect(error.to_string()))?;
        match place.sender.try_send_request(request).await {
            Ok(response) => return answer(response, place.held),
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(Problem::Broken),
            },
        }
    }
    Err(Problem::Broken)
}

/// Built from empty.
async fn request(link: &Link, question: Question<'_>) -> Result<Request<RequestBody>, Problem> {
    let headers = [
        (ACCEPT, HeaderValue::from_static("application/json")),
        (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
        (impersonation::USER, HeaderValue::from_static(SECRET_READER_USER)),
    ];
    let target = question.target()?;
    let made = link.request(Method::GET, Some(&target), headers.into_iter().collect(), Bytes::new()).await;
    made.map_err(|unmade| match unmade {
        Unmade::Credential(error) => {
            tracing::warn!(%error, "the gate's credential could not be read");
            Problem::Credential
        }
        Unmade::Target(_error) => Problem::Request,
    })
}

fn answer(response: Response<Incoming>, held: Held) -> Result<Coming, Problem> {
    let (head, incoming) = response.into_parts();
    match head.status {
        StatusCode::OK => {}
        StatusCode::FORBIDDEN => return Err(Problem::Forbidden),
        StatusCode::GONE => return Err(Problem::Expired),
        other => return Err(Problem::Status(other)),
    }
    let media = head.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let media = media.split(|byte| *byte == b';').next().unwrap_or_default();
    if !media.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Err(Problem::NotUnderstood("it is not JSON"));
    }
    if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::NotUnderstood("it is compressed, although `identity` was asked for"));
    }
    Ok(Coming { incoming, _held: held })
}

impl Coming {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut self.incoming).poll_frame(cx)).await;
            match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    Err(_trailers) => {}
                },
                Some(Err(_error)) => return Err(Problem::Broken),
                // A reset that says `NO_ERROR` is no end, though hyper takes it for one (RFC 9113 section 8.1).
                None if !self.incoming.is_end_stream() => return Err(Problem::Broken),
                None => return Ok(None),
            }
        }
    }

    /// All of it, if it is no more than `most` bytes.
    ///
    /// # Errors
    /// [`Problem::TooLarge`] beyond.
    pub(super) async fn whole(mut self, most: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let (mut pieces, mut length) = (Vec::new(), 0_usize);
        while let Some(piece) = self.next().await? {
            length += piece.len();
            if length > most {
                return Err(Problem::TooLarge { bytes: most });
            }
            pieces.push(piece);
        }
        let mut whole = Zeroizing::new(Vec::with_capacity(length));
        pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_secrets_can_be_asked_for() {
        let list = |namespace, selector, from| Question {
            namespace,
            selector,
            what: What::List { limit: 500, from },
        };
        let watch = What::Watch { version: "1&watch=false", seconds: 240 };
        let questions = [
            list(None, "", None),
            list(Some("shop"), "type!=helm.sh/release.v1,type!=b", Some("eyJ2&x=../+")),
            list(Some("../../pods?x=#"), "", None),
            Question { namespace: None, selector: "", what: watch },
        ];
        let told = questions.map(|question| question.target().unwrap().to_string());
        insta::assert_snapshot!(told.join("\n"));
    }
}
