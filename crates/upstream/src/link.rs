//! What every request to one API server needs: its address, our credential, a place on a connection.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri, Version,
    header::{AUTHORIZATION, USER_AGENT},
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body_util::Full;

use crate::{
    connector::Connector,
    credential::{Credential, PluginError},
    pool::{Pool, RequestBody},
};

/// `User-Agent` of all that the gate sends.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("portcullis/", env!("CARGO_PKG_VERSION")));

/// One API server as the gate reaches it.
#[derive(Debug)]
pub(crate) struct Link {
    authority: Authority,
    /// Path in front of every request, for servers that are not at the root; no trailing slash.
    prefix: String,
    pub(crate) pool: Pool,
    credential: Credential,
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum Unmade {
    /// The plugin gave no credential.
    Credential(PluginError),
    /// The target and the server's address make no URI.
    Target(http::Error),
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

    /// The HTTP/2 request with these headers, the gate's `User-Agent` and its credential, and nothing else. Runs the plugin
    /// that gives the credential, if need be.
    ///
    /// # Errors
    /// [`Unmade`].
    pub(crate) async fn request(
        &self,
        method: Method,
        target: Option<&PathAndQuery>,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Result<Request<RequestBody>, Unmade> {
        headers.insert(USER_AGENT, AGENT);
        if let Some(authorization) = self.credential.authorization().await.map_err(Unmade::Credential)? {
            headers.insert(AUTHORIZATION, authorization);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(target).map_err(Unmade::Target)?;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Where a path and query are at this server.
    fn uri(&self, target: Option<&PathAndQuery>) -> Result<Uri, http::Error> {
        let target = target.map_or("/", PathAndQuery::as_str);
        let target =
            if self.prefix.is_empty() { target.to_owned() } else { format!("{}{target}", self.prefix) };
        Uri::builder().scheme(Scheme::HTTPS).authority(self.authority.clone()).path_and_query(target).build()
    }
}
