//! What we are to the provider, and how we prove it (RFC 6749, section 2.3).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use form_urlencoded::Serializer;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::{Failure, discovery::Metadata};

/// A client as the provider registered it; without a secret it is a public one.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<Zeroizing<String>>,
}

impl Client {
    /// Proves to the provider who we are: by a header, or in the form.
    pub(crate) fn authenticate(
        &self,
        metadata: &Metadata,
        form: &mut Serializer<'_, String>,
    ) -> Result<Option<HeaderValue>, Failure> {
        match &self.secret {
            None => {
                form.append_pair("client_id", &self.id);
                Ok(None)
            }
            Some(secret) if metadata.basic => Ok(basic(&self.id, secret)),
            Some(secret) if metadata.post => {
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret);
                Ok(None)
            }
            Some(_) => Err(Failure::NoMethod),
        }
    }
}

/// Both are encoded as in a form first, whatever other uses of the scheme do.
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let both = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(&*both))).ok()?;
    header.set_sensitive(true);
    Some(header)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_are_encoded_before_they_are_joined() {
        let header = basic("a:b", "p%s +ü").unwrap();
        assert!(header.is_sensitive());
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"a%3Ab:p%25s+%2B%C3%BC");
    }

    #[test]
    fn a_secret_does_not_show() {
        let client = Client { id: "console".to_owned(), secret: Some("hush".to_owned().into()) };
        assert_eq!(format!("{client:?}"), r#"Client { id: "console", .. }"#);
    }
}
