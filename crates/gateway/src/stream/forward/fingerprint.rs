//! What a connection carries, by what its client says first: the line of an HTTP request, the name that TLS is asked for. Of what
//! follows nothing is looked at.

use std::fmt;

use mask::KnownValues;
use tokio_rustls::rustls::server::Acceptor;

/// More is not looked at; a hello of TLS is rarely longer than 2 KiB.
const MOST: usize = 16 << 10;
/// Nor is a longer line.
const LONGEST_LINE: usize = 2 << 10;
/// The first byte of a record of TLS that is part of a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// What a client says first that knows that HTTP/2 is spoken (RFC 9113 section 3.4), up to its end of line.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// What is known so far.
pub(super) enum Fingerprint {
    /// Not enough has come.
    Open(Box<Beginning>),
    /// This is it.
    Known(String),
}

/// What came first.
#[derive(Default)]
pub(super) struct Beginning {
    bytes: Vec<u8>,
    hello: Acceptor,
}

impl Fingerprint {
    /// Looks at what comes next from the client. Values of Secrets in it are not told.
    pub(super) fn push(&mut self, bytes: &[u8], known: &KnownValues) {
        let Self::Open(beginning) = self else { return };
        let Some(found) = beginning.push(bytes) else { return };
        *self = Self::Known(upstream::text::<1024>(&found, known).to_string());
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::Open(Box::default())
    }
}

impl Beginning {
    fn push(&mut self, bytes: &[u8]) -> Option<String> {
        let room = MOST.saturating_sub(self.bytes.len()).min(bytes.len());
        let new = bytes.get(..room).unwrap_or_default();
        self.bytes.extend_from_slice(new);
        let found = if self.bytes.first() == Some(&HANDSHAKE) { self.tls(new) } else { self.http() };
        match found {
            Ok(found) => found,
            Err(Unknown) => Some(UNKNOWN.to_owned()),
        }
    }

    fn tls(&mut self, mut new: &[u8]) -> Result<Option<String>, Unknown> {
        while !new.is_empty() {
            if self.hello.read_tls(&mut new).map_err(|_| Unknown)? == 0 {
                return Err(Unknown);
            }
        }
        match self.hello.accept() {
            Ok(Some(accepted)) => Ok(Some(match accepted.client_hello().server_name() {
                Some(name) => format!("TLS for {name}"),
                None => "TLS".to_owned(),
            })),
            Ok(None) if self.bytes.len() < MOST => Ok(None),
            Ok(None) | Err(_) => Err(Unknown),
        }
    }

    fn http(&self) -> Result<Option<String>, Unknown> {
        let end = self.bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n');
        let Some(end) = end else {
            let may_be = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r');
            let goes_on = self.bytes.len() < LONGEST_LINE && self.bytes.iter().all(may_be);
            return if goes_on { Ok(None) } else { Err(Unknown) };
        };
        let line = self.bytes.get(..end).unwrap_or_default().trim_ascii_end();
        if line == PREFACE {
            return Ok(Some("HTTP/2".to_owned()));
        }
        request_line(line).map(Some).ok_or(Unknown)
    }
}

/// Method, path and version, without the query, in which secrets may be.
fn request_line(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let mut parts = line.split(' ');
    let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
    let is_request = parts.next().is_none()
        && !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
        && version.starts_with("HTTP/1.");
    let path = target.split(['?', '#']).next().unwrap_or_default();
    // `http://user:password@host/`, as a proxy is asked.
    let told = if path.contains('@') { "…" } else { path };
    is_request.then(|| format!("{method} {} {}", told.escape_debug(), version.escape_debug()))
}

struct Unknown;

const UNKNOWN: &str = "an unknown protocol";

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(beginning) if beginning.bytes.is_empty() => f.write_str("nothing said"),
            Self::Open(_) => f.write_str(UNKNOWN),
            Self::Known(found) => f.write_str(found),
        }
    }
}

#[cfg(test)]
mod tests;
