//! An HTTP/1.1 answer without its framing, so that a value which two chunks share is seen as one.

use std::{fmt, io::Read};

use anyhow::{Context, bail, ensure};
use flate2::read::MultiGzDecoder;
use httparse::{EMPTY_HEADER, Response, Status};

use crate::contains_canary;

/// An HTTP/1.1 answer.
#[derive(Default)]
pub struct Answer {
    /// 0 when the connection ended without an answer.
    pub status: u16,
    /// Status line and headers, as they came.
    pub head: String,
    /// The body without chunk framing and compression, as far as it came.
    pub body: String,
    /// Whether the body came to its end: all of its declared length, or the last chunk.
    pub whole: bool,
    /// Everything as it came, framing included.
    came: Vec<u8>,
    /// The body's bytes: `body` has others in place of what is no text.
    bytes: Vec<u8>,
}

impl Answer {
    /// Reads everything that came over a connection.
    ///
    /// # Errors
    /// It is no HTTP/1.1 answer, has more than one body's length, bytes after its end, or a body in an encoding that
    /// could hide a value from whoever looks for it.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let mut headers = [EMPTY_HEADER; 64];
        let mut response = Response::new(&mut headers);
        let Status::Complete(length) = response.parse(bytes).context("not an HTTP answer")? else {
            bail!("the head broke off: {}", String::from_utf8_lossy(bytes));
        };
        let (head, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        let value = |name: &str| {
            let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.map(|header| String::from_utf8_lossy(header.value).into_owned())
        };
        let encoding = value("content-encoding");
        ensure!(
            matches!(encoding.as_deref(), None | Some("gzip")),
            "a body in `{encoding:?}` is not looked into"
        );
        let (body, whole) = match (value("transfer-encoding").as_deref(), value("content-length")) {
            (Some("chunked"), None) => dechunked(rest)?,
            (None, Some(length)) => {
                let length: usize = length.parse()?;
                ensure!(rest.len() <= length, "bytes after the end of the body");
                (rest.to_vec(), rest.len() == length)
            }
            // Ends with the connection.
            (None, None) => (rest.to_vec(), true),
            (framing, length) => bail!("framed by `{framing:?}` and a length of `{length:?}`"),
        };
        let body = if encoding.is_some() && whole { unzipped(&body)? } else { body };
        Ok(Self {
            status: response.code.unwrap_or_default(),
            head: String::from_utf8_lossy(head).into_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
            whole,
            came: bytes.to_vec(),
            bytes: body,
        })
    }

    /// Whether there is a canary in head, framing or body.
    #[must_use]
    pub fn leaks(&self) -> bool {
        contains_canary(&self.came) || contains_canary(&self.bytes)
    }

    /// Whether head, framing or body hold this text.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        [&self.came, &self.bytes].iter().any(|bytes| memchr::memmem::find(bytes, text.as_bytes()).is_some())
    }

    /// A header's value, when there is exactly one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        values.next().filter(|_value| values.next().is_none())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, head, body, whole, came: _, bytes: _ } = self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("head", head)
            .field("body", body)
            .field("whole", whole)
            .finish()
    }
}

/// Every member of it.
fn unzipped(body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    MultiGzDecoder::new(body).read_to_end(&mut content).context("not gzip")?;
    Ok(content)
}

/// What the chunks hold (RFC 9112, section 7.1), and whether the last one came.
fn dechunked(mut rest: &[u8]) -> anyhow::Result<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let Status::Complete((at, size)) = httparse::parse_chunk_size(rest).ok().context("no chunk size")?
        else {
            return Ok((body, false));
        };
        rest = rest.get(at..).unwrap_or_default();
        if size == 0 {
            ensure!(rest == b"\r\n", "a trailer, or bytes after the last chunk");
            return Ok((body, true));
        }
        let size = usize::try_from(size)?;
        let Some((chunk, after)) = rest.split_at_checked(size) else {
            body.extend_from_slice(rest);
            return Ok((body, false));
        };
        body.extend_from_slice(chunk);
        if after.len() < 2 {
            return Ok((body, false));
        }
        rest = after.strip_prefix(b"\r\n").context("a chunk is longer than it says")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CANARY, gzip};

    const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[test]
    fn a_value_that_two_chunks_share_is_seen_as_one() {
        let answer = Answer::parse(format!("{HEAD}3\r\nsec\r\n3\r\nret\r\n0\r\n\r\n").as_bytes()).unwrap();
        assert_eq!((answer.status, answer.body.as_str(), answer.whole), (200, "secret", true));
    }

    #[test]
    fn a_body_that_breaks_off_is_told_from_a_whole_one() {
        for cut in ["3\r\nse", "3\r\nsec", "3\r\nsec\r\n", "3\r\nsec\r\n0"] {
            let answer = Answer::parse(format!("{HEAD}{cut}").as_bytes()).unwrap();
            assert!(!answer.whole && answer.body.starts_with("se"), "{cut:?}: {answer:?}");
        }
        let answer = Answer::parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").unwrap();
        assert!(!answer.whole);
        assert_eq!(Answer::parse(b"").unwrap().status, 0);
    }

    #[test]
    fn a_value_is_found_in_what_is_no_text_and_in_the_framing() {
        let packed = [b"\xff\xfe", &gzip(CANARY)[..]].concat();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", packed.len());
        let answer = Answer::parse(&[head.as_bytes(), &packed].concat()).unwrap();
        assert!(answer.leaks() && !contains_canary(answer.body.as_bytes()));
        let answer = Answer::parse(format!("{HEAD}1;x={CANARY}\r\na\r\n0\r\n\r\n").as_bytes()).unwrap();
        assert!(answer.leaks() && answer.body == "a");
        let parts = CANARY.split_at(5);
        let chunks = format!("5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", parts.0, parts.1.len(), parts.1);
        assert!(Answer::parse(format!("{HEAD}{chunks}").as_bytes()).unwrap().leaks());
        assert!(!Answer::parse(format!("{HEAD}1\r\na\r\n0\r\n\r\n").as_bytes()).unwrap().leaks());
    }

    #[test]
    fn what_could_hide_a_value_is_an_error() {
        let encoded = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n";
        let after = format!("{HEAD}0\r\n\r\nmore");
        let longer = format!("{HEAD}1\r\nsecret\r\n0\r\n\r\n");
        for bytes in [encoded, &after, &longer] {
            assert!(Answer::parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
