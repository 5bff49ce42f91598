//! Which addresses people, their secrets and the gate are sent to.

use std::net::IpAddr;

use reqwest::Url;

/// Why an address will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// No absolute URL with a host.
    #[error("is no URL: it looks like `https://login.example.com`")]
    NoUrl,
    /// Others could read along.
    #[error("must begin with `https://`: plain `http://` is for this machine alone")]
    Plain,
    /// `https://user:password@…`.
    #[error("holds a user name or a password: take it out")]
    Credentials,
    /// `https://…#…`.
    #[error("has a fragment: take out what follows `#`")]
    Fragment,
}

/// The URL, if it is `https`, or `http` on loopback.
pub(crate) fn checked(text: &str) -> Result<Url, AddressProblem> {
    let url = Url::parse(text).map_err(|_| AddressProblem::NoUrl)?;
    let host = url.host_str().ok_or(AddressProblem::NoUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressProblem::Credentials);
    }
    if url.fragment().is_some() {
        return Err(AddressProblem::Fragment);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(host) => Ok(url),
        _ => Err(AddressProblem::Plain),
    }
}

/// `host` as a URL has it: addresses in canonical form, those of IPv6 in brackets.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        for good in [
            "https://login.example.com/tenant?a=b",
            "http://localhost:8080/x",
            "http://127.9.9.9",
            "http://0x7f.1/",
            "http://[::1]:1/",
        ] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for (bad, problem) in [
            ("", AddressProblem::NoUrl),
            ("login.example.com", AddressProblem::NoUrl),
            ("data:text/plain,x", AddressProblem::NoUrl),
            ("http://login.example.com", AddressProblem::Plain),
            ("http://localhost.example.com", AddressProblem::Plain),
            ("http://127.0.0.1.example.com", AddressProblem::Plain),
            ("ftp://localhost", AddressProblem::Plain),
            ("https://me@login.example.com", AddressProblem::Credentials),
            ("http://localhost:pw@login.example.com", AddressProblem::Credentials),
            ("https://login.example.com/#x", AddressProblem::Fragment),
        ] {
            assert_eq!(checked(bad), Err(problem), "{bad}");
        }
    }
}
