//! A request line and its headers, canonical; the body not yet read.

use http::{Method, Version, request::Parts};

use crate::{
    Request, Verb,
    accept::Accept,
    body::{Body, BodyRule, MAX_BODY_BYTES},
    content::{ContentType, Syntax},
    headers,
    options::Options,
    parameter::LIMIT_BYTES,
    path, query,
    refusal::{Refusal, quoted},
    request_info::request_info,
    restores::Restores,
    subresource::{Shape, is_known, shape, upgrade},
    target::{NonResource, Resource, Target},
};

/// What a request asks, as far as its head says.
///
/// Headers that the gate does not know are ignored: nothing is copied, so nothing of them goes upstream. Those that would
/// change the meaning of a request are refused (`headers::RULES`), so that no client is left to believe in them. A
/// fragment never arrives: [`http::Uri`] drops it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub(crate) method: Method,
    pub(crate) verb: Verb,
    pub(crate) target: Target,
    pub(crate) options: Options,
    pub(crate) accept: Accept,
    /// What a body is and what it is written in; an error is one only if a body follows.
    content: Result<(ContentType, Syntax), Refusal>,
    pub(crate) restores: Option<Restores>,
}

impl Head {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// See [`Refusal`]: everything but the errors about bodies.
    pub fn parse(parts: &Parts) -> Result<Self, Refusal> {
        check_target_form(parts)?;
        let segments = path::segments(parts.uri.path())?;
        let pairs = parts.uri.query().map_or(Ok(Vec::new()), query::pairs)?;
        let (verb, target) = read_target(&parts.method, &segments, &pairs)?;
        headers::check(&parts.headers, &target)?;
        let options = Options::parse(verb, &target, &pairs)?;
        let accept = Accept::parse(&parts.headers, &target)?;
        let content = ContentType::parse(verb, &parts.headers);
        let (method, verb) = canonical(&parts.method, verb, &target)?;
        let form = content.as_ref().ok().map(|(content, _)| *content);
        let restores = Restores::of(&parts.headers, verb, &target, &options, form)?;
        let head = Self { method, verb, target, options, accept, content, restores };
        match (&head.content, head.body_rule()) {
            (Err(refusal), BodyRule::Required { .. }) => Err(refusal.clone()),
            _ => Ok(head),
        }
    }

    /// A head of the gate's own, for requests with a body of its own in JSON or with none.
    pub(crate) fn of(method: Method, verb: Verb, target: Target, options: Options, accept: Accept) -> Self {
        let content = Ok((ContentType::Json, Syntax::Json));
        Self { method, verb, target, options, accept, content, restores: None }
    }

    /// Whether a body follows, and how large it may be.
    #[must_use]
    pub fn body_rule(&self) -> BodyRule {
        let upgrade_or_proxy = self
            .target
            .resource()
            .is_some_and(|resource| matches!(shape(resource), Shape::Upgrade | Shape::Proxy));
        let max_bytes = MAX_BODY_BYTES;
        match self.method {
            // What would go through a proxy or a stream is not read: policy decides on the head alone.
            _ if upgrade_or_proxy => BodyRule::None,
            Method::POST | Method::PUT | Method::PATCH => BodyRule::Required { max_bytes },
            Method::DELETE => BodyRule::Optional { max_bytes },
            _ => BodyRule::None,
        }
    }

    /// The whole request, with the body's bytes (empty for none).
    ///
    /// # Errors
    /// A body that is missing, superfluous, too large, or not what it says it is.
    pub fn with_body(self, bytes: &[u8]) -> Result<Request, Refusal> {
        let presence = |problem| Refusal::BodyPresence { verb: self.verb.as_str(), problem };
        let body = match (self.body_rule(), bytes) {
            (BodyRule::None | BodyRule::Optional { .. }, []) => None,
            (BodyRule::None, _) => {
                return Err(presence("has a body here, which would not be read; leave it out"));
            }
            (BodyRule::Required { .. }, []) => {
                return Err(presence("has no body; send the object or the patch"));
            }
            (BodyRule::Optional { max_bytes } | BodyRule::Required { max_bytes }, bytes) => {
                if bytes.len() > max_bytes {
                    return Err(Refusal::TooLarge { most: max_bytes });
                }
                let (content, syntax) = self.content.clone()?;
                Some(Body::parse(bytes, content, syntax)?)
            }
        };
        Request::new(self, body)
    }

    /// The method as sent.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What is done.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// What it is done to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The query's options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The canonical path and query.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let mut text = self.target.path();
        self.options.write(&mut text);
        text
    }

    /// The same as it is sent: without what is done here.
    pub(crate) fn sent_path_and_query(&self) -> String {
        let mut text = self.target.path();
        self.options.only(|name| name != LIMIT_BYTES).write(&mut text);
        text
    }
}

/// Exec, attach and port-forward are creates, by whichever method the connection is upgraded: a WebSocket needs GET, SPDY is asked for
/// by POST, and what they do is the same. Kubernetes knows no other.
fn canonical(method: &Method, verb: Verb, target: &Target) -> Result<(Method, Verb), Refusal> {
    match (target.resource().and_then(upgrade), verb) {
        (Some(_), Verb::Get | Verb::Create) => Ok((Method::POST, Verb::Create)),
        (Some(_), _) => Err(wrong_method(method, "exec, attach or port-forward", "GET or POST")),
        (None, verb) => Ok((method.clone(), verb)),
    }
}

/// Origin form only. HTTP/2 carries scheme and authority beside the path; HTTP/1.1 must not.
fn check_target_form(parts: &Parts) -> Result<(), Refusal> {
    let http2 = parts.version == Version::HTTP_2;
    if parts.uri.path() == "*" {
        return Err(Refusal::TargetForm { found: "`*` in place of a path" });
    }
    if parts.version < Version::HTTP_11 {
        return Err(Refusal::Version);
    }
    if !http2 && (parts.uri.scheme().is_some() || parts.uri.authority().is_some()) {
        return Err(Refusal::TargetForm { found: "a scheme or a host" });
    }
    if parts.uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Refusal::TargetForm { found: "user information" });
    }
    Ok(())
}

/// What the server would make of it, and that this is what it looks like.
fn read_target(
    method: &Method,
    segments: &[String],
    pairs: &[(String, String)],
) -> Result<(Verb, Target), Refusal> {
    let path = format!("/{}", segments.join("/"));
    let info = request_info(method.as_str(), &path, pairs).map_err(|_| {
        let unread =
            || Refusal::Path { problem: "no resource".to_owned(), remedy: "name one behind the version" };
        special_prefix(segments).unwrap_or_else(unread)
    })?;
    if !info.is_resource_request {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(wrong_method(method, "a path that is no resource", "GET"));
        }
        return Ok((Verb::Get, Target::NonResource(NonResource::new(segments))));
    }
    if let Some(prefix) = special_prefix(segments) {
        return Err(prefix);
    }
    let verb = Verb::parse(&info.verb)
        .ok_or_else(|| wrong_method(method, "a resource", "GET, HEAD, POST, PUT, PATCH or DELETE"))?;
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let mut parts = info.parts.into_iter().skip(1);
    let name_in_path = parts.next().is_some();
    let tail: Vec<String> = parts.skip(1).collect();
    let resource = Resource {
        group: info.api_group,
        version: info.api_version,
        resource: info.resource,
        subresource: optional(info.subresource),
        namespace: optional(info.namespace),
        name: optional(info.name),
        name_in_path,
        tail,
    };
    check_resource(&resource)?;
    check_selected_name(&resource)?;
    let target = Target::Resource(resource);
    // Two URLs that the server reads alike must not be two things to the rest of us.
    if path::segments(&target.path())? != segments {
        return Err(Refusal::Path {
            problem: "a form that the API server reads in a way it does not look like".to_owned(),
            remedy: "address the resource directly",
        });
    }
    Ok((verb, target))
}

/// A name that a field selector requires is judged like one in the path, and has to look like one.
fn check_selected_name(resource: &Resource) -> Result<(), Refusal> {
    match resource.name() {
        Some(name) if !resource.is_object() && !path::is_name(name) => Err(Refusal::ParameterValue {
            name: "fieldSelector",
            value: quoted(name),
            expected: "a name that an object can have",
        }),
        _ => Ok(()),
    }
}

fn check_resource(resource: &Resource) -> Result<(), Refusal> {
    let Some(subresource) = resource.subresource() else { return Ok(()) };
    if !is_known(resource.group(), resource.resource(), subresource) {
        return Err(Refusal::Subresource {
            resource: resource.group_resource(),
            subresource: quoted(subresource),
        });
    }
    if !resource.tail.is_empty() && shape(resource) != Shape::Proxy {
        return Err(Refusal::Path {
            problem: format!("something behind the subresource `{subresource}`"),
            remedy: "leave it out",
        });
    }
    Ok(())
}

/// `/watch/` or `/proxy/` right behind the version.
fn special_prefix(segments: &[String]) -> Option<Refusal> {
    let behind_version = if segments.first().is_some_and(|prefix| prefix == "api") { 2 } else { 3 };
    match segments.get(behind_version)?.as_str() {
        "watch" => Some(Refusal::Prefix { prefix: "watch", remedy: "`?watch=true` on the collection" }),
        "proxy" => Some(Refusal::Prefix { prefix: "proxy", remedy: "the `proxy` subresource" }),
        _ => None,
    }
}

fn wrong_method(method: &Method, target: &'static str, remedy: &'static str) -> Refusal {
    Refusal::Method { method: quoted(method.as_str()), target, remedy }
}
