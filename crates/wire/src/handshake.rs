//! What the upgrade to a WebSocket needs beside the headers of its protocol (RFC 6455 section 4).

use http::{
    HeaderMap, HeaderValue,
    header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION},
};
use tungstenite::handshake::{client::generate_key, derive_accept_key};

/// Bytes of a key: 16 in base64.
const KEY: usize = 24;

/// What a client asks with, and holds the answer against.
#[derive(Debug)]
pub struct Asked {
    accept: String,
}

/// Why there is no handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another version, or none.
    #[error("`Sec-WebSocket-Version` has to be 13, once")]
    Version,
    /// No key, or not one.
    #[error("`Sec-WebSocket-Key` has to be 16 bytes in base64, once")]
    Key,
    /// The server answered with another.
    #[error("the server's `Sec-WebSocket-Accept` does not answer the key that was sent")]
    Accept,
    /// The server uses what was not offered.
    #[error("the server uses WebSocket extensions that were not asked for")]
    Extensions,
}

/// Adds what a client asks with, by a key of its own.
#[must_use]
pub fn ask(headers: &mut HeaderMap) -> Option<Asked> {
    let key = generate_key();
    let accept = derive_accept_key(key.as_bytes());
    headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).ok()?);
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    Some(Asked { accept })
}

/// What answers a client's `headers`. Extensions that it offers are not taken.
///
/// # Errors
/// The client asked in another way.
pub fn answer(headers: &HeaderMap) -> Result<HeaderValue, Refusal> {
    let one = |name| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    if one(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::Version);
    }
    let key = one(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if key.len() != KEY || !key.ends_with(b"==") {
        return Err(Refusal::Key);
    }
    HeaderValue::from_str(&derive_accept_key(key)).map_err(|_| Refusal::Key)
}

impl Asked {
    /// Makes sure that a server answered what was asked.
    ///
    /// # Errors
    /// It did not.
    pub fn confirm(&self, answer: &HeaderMap) -> Result<(), Refusal> {
        let mut accepts = answer.get_all(SEC_WEBSOCKET_ACCEPT).iter();
        let accepted = accepts.next().is_some_and(|accept| accept.as_bytes() == self.accept.as_bytes());
        if !accepted || accepts.next().is_some() {
            return Err(Refusal::Accept);
        }
        if answer.contains_key(SEC_WEBSOCKET_EXTENSIONS) { Err(Refusal::Extensions) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_answered() {
        let mut asking = HeaderMap::new();
        let asked = ask(&mut asking).unwrap();
        let mut answering = HeaderMap::new();
        answering.insert(SEC_WEBSOCKET_ACCEPT, answer(&asking).unwrap());
        assert_eq!(asked.confirm(&answering), Ok(()));
        answering.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        assert_eq!(asked.confirm(&answering), Err(Refusal::Extensions));
        assert_eq!(asked.confirm(&HeaderMap::new()), Err(Refusal::Accept));
        let mut other = HeaderMap::new();
        other.insert(
            SEC_WEBSOCKET_ACCEPT,
            answer(&{
                let mut headers = HeaderMap::new();
                let _asked = ask(&mut headers).unwrap();
                headers
            })
            .unwrap(),
        );
        assert_eq!(asked.confirm(&other), Err(Refusal::Accept));
    }

    #[test]
    fn the_example_of_the_rfc_is_answered() {
        let headers = HeaderMap::from_iter([
            (SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        ]);
        assert_eq!(answer(&headers).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn other_handshakes_are_refused() {
        let version = (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        let key = (SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        let short = (SEC_WEBSOCKET_KEY, HeaderValue::from_static("c2hvcnQ="));
        let old = (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("8"));
        let told = |pairs: &[&(http::HeaderName, HeaderValue)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name.clone(), value.clone());
            }
            answer(&headers).unwrap_err()
        };
        assert_eq!(told(&[&key]), Refusal::Version);
        assert_eq!(told(&[&key, &old]), Refusal::Version);
        assert_eq!(told(&[&key, &version, &version]), Refusal::Version);
        assert_eq!(told(&[&version]), Refusal::Key);
        assert_eq!(told(&[&version, &short]), Refusal::Key);
        assert_eq!(told(&[&version, &key, &key]), Refusal::Key);
    }
}
