//! Where the console is, for browsers.

use std::fmt;

use http::{HeaderValue, Uri, uri::Scheme};

/// The console's own address: `https://console.example.com:8444`, or `http://localhost:8444` on a single machine.
///
/// Browsers name it in `Host` and `Origin`, and what names another is refused: so no other site, and no name that was pointed
/// at this machine (DNS rebinding), can use a reader's sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    origin: String,
    authority: String,
    host: String,
    secure: bool,
}

impl Address {
    /// Reads an address: a scheme, a host, perhaps a port, and nothing after it.
    ///
    /// # Errors
    /// What is wrong with it and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "`{text}` {what}; write it as `https://console.example.com:8444`, or `http://localhost:8444`"
            )
        };
        let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds a user name"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
            return Err(wrong("has something after the host"));
        }
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let host = authority.host().to_ascii_lowercase();
        if !secure && (uri.scheme() != Some(&Scheme::HTTP) || host != "localhost") {
            return Err(wrong("is neither `https://` nor on `localhost`"));
        }
        // As browsers write it: without the scheme's own port.
        let port = authority.port_u16().filter(|port| *port != if secure { 443 } else { 80 });
        let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let scheme = if secure { "https" } else { "http" };
        Ok(Self { origin: format!("{scheme}://{authority}"), authority, host, secure })
    }

    /// Scheme, host and port: what browsers name in `Origin`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The address of a page.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(crate) fn is_named_by_host(&self, host: &str) -> bool {
        host.eq_ignore_ascii_case(&self.authority)
    }

    pub(crate) fn is_named_by_origin(&self, origin: &HeaderValue) -> bool {
        origin.as_bytes() == self.origin.as_bytes()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_browsers_write_them() {
        for (written, origin) in [
            ("http://localhost:8444", "http://localhost:8444"),
            ("https://Console.example.com:443/", "https://console.example.com"),
            ("http://LOCALHOST:80", "http://localhost"),
            ("https://[::1]:8444", "https://[::1]:8444"),
        ] {
            assert_eq!(Address::parse(written).unwrap().origin(), origin);
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        let wrong = |text| Address::parse(text).unwrap_err();
        insta::assert_snapshot!(
            [
                "http://127.0.0.1:1",
                "http://gate.example.com",
                "localhost:8444",
                "https://a@b",
                "https://a/b",
                "ftp://localhost",
                "https://"
            ]
            .map(wrong)
            .join("\n")
        );
    }
}
