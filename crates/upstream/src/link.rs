//! What every request to one API server needs: its address, our credential, a place on a connection.

use http::{
    HeaderValue, Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::{connector::Connector, credential::Credential, pool::Pool};

/// `User-Agent` of all that the gate sends.
pub(crate) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));

/// One API server as the gate reaches it.
#[derive(Debug)]
pub(crate) struct Link {
    authority: Authority,
    /// Path in front of every request, for servers that are not at the root; no trailing slash.
    prefix: String,
    pub(crate) pool: Pool,
    pub(crate) credential: Credential,
}

impl Link {
    /// `None` where the URL names no host.
    pub(crate) fn new(
        url: &Uri,
        connector: Connector,
        idle: std::time::Duration,
        credential: Credential,
    ) -> Option<Self> {
        let authority = url.authority()?.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        Some(Self { authority, prefix, pool: Pool::new(connector, idle), credential })
    }

    /// Where a path and query are at this server.
    pub(crate) fn uri(&self, target: Option<&PathAndQuery>) -> Result<Uri, http::Error> {
        let target = target.map_or("/", PathAndQuery::as_str);
        let target =
            if self.prefix.is_empty() { target.to_owned() } else { format!("{}{target}", self.prefix) };
        Uri::builder().scheme(Scheme::HTTPS).authority(self.authority.clone()).path_and_query(target).build()
    }
}
