//! The API server's own reading of a request line, as close to it as Rust allows.
//!
//! Source: `RequestInfoFactory.NewRequestInfo` in k8s.io/apiserver/pkg/endpoints/request/requestinfo.go (v0.37).
//! It takes anything, as the server does; what the gate takes is decided by [`crate::Head::parse`].

use crate::{field_selector::required_name, label_selector::is_label_selector};

/// What the server makes of a request line. Fields are empty where the server leaves them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of the same name in Kubernetes' RequestInfo")]
pub struct RequestInfo {
    pub is_resource_request: bool,
    pub path: String,
    pub verb: String,
    pub api_prefix: String,
    pub api_group: String,
    pub api_version: String,
    pub namespace: String,
    pub resource: String,
    pub subresource: String,
    pub name: String,
    pub parts: Vec<String>,
    pub field_selector: String,
    pub label_selector: String,
}

/// A special verb with nothing behind it, which the server cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unable to determine kind and namespace from url")]
pub struct Undetermined;

/// Reads a method, a decoded path and decoded query pairs as the server does.
///
/// # Errors
/// As the server's: a special verb without a resource.
pub fn request_info(
    method: &str,
    path: &str,
    query: &[(String, String)],
) -> Result<RequestInfo, Undetermined> {
    let mut info =
        RequestInfo { path: path.to_owned(), verb: method.to_lowercase(), ..RequestInfo::default() };
    let trimmed = path.trim_matches('/');
    let all: Vec<&str> = if trimmed.is_empty() { Vec::new() } else { trimmed.split('/').collect() };
    let (["api", rest @ ..] | ["apis", rest @ ..]) = all.as_slice() else { return Ok(info) };
    if all.len() < 3 {
        return Ok(info);
    }
    info.api_prefix = all.first().copied().unwrap_or_default().to_owned();
    let mut parts = rest;
    if info.api_prefix == "apis" {
        if parts.len() < 3 {
            return Ok(info);
        }
        if let [group, rest @ ..] = parts {
            (*group).clone_into(&mut info.api_group);
            parts = rest;
        }
    }
    info.is_resource_request = true;
    if let [version, rest @ ..] = parts {
        (*version).clone_into(&mut info.api_version);
        parts = rest;
    }
    let mut by_prefix = false;
    match parts {
        [special @ ("proxy" | "watch"), rest @ ..] => {
            if rest.is_empty() {
                return Err(Undetermined);
            }
            (*special).clone_into(&mut info.verb);
            parts = rest;
            by_prefix = true;
        }
        _ => method_verb(method).clone_into(&mut info.verb),
    }
    if let ["namespaces", namespace, rest @ ..] = parts {
        (*namespace).clone_into(&mut info.namespace);
        // A known subresource of a namespace, or else a resource in it.
        if let [next, ..] = rest
            && !matches!(*next, "status" | "finalize")
        {
            parts = rest;
        }
    }
    info.parts = parts.iter().map(|part| (*part).to_owned()).collect();
    let part = |index: usize| info.parts.get(index).cloned().unwrap_or_default();
    let (resource, name, subresource) = (part(0), part(1), part(2));
    info.resource = resource;
    info.name = name;
    if info.verb != "proxy" {
        info.subresource = subresource;
    }
    if info.name.is_empty() && info.verb == "get" {
        collection(&mut info, query);
    }
    if info.name.is_empty() && info.verb == "delete" {
        info.verb = "deletecollection".to_owned();
    }
    if !by_prefix && matches!(info.verb.as_str(), "list" | "watch" | "deletecollection") {
        info.field_selector = first(query, "fieldSelector").unwrap_or_default().to_owned();
        info.label_selector = first(query, "labelSelector").unwrap_or_default().to_owned();
    }
    Ok(info)
}

fn method_verb(method: &str) -> &'static str {
    match method {
        "POST" => "create",
        "GET" | "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

/// A get without a name: list or watch, and the name that a field selector requires.
fn collection(info: &mut RequestInfo, query: &[(String, String)]) {
    let watch =
        first(query, "watch").is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"));
    if watch { "watch" } else { "list" }.clone_into(&mut info.verb);
    // Options that cannot be decoded lose the name, but not the watch.
    if !decodes(query) {
        return;
    }
    let required = first(query, "fieldSelector").map(required_name);
    if let Some(Ok(Some(name))) = required
        && is_path_segment_name(&name)
    {
        info.name = name;
    }
}

/// Whether `ListOptions` can be decoded: integers and selectors can fail, nothing else.
fn decodes(query: &[(String, String)]) -> bool {
    let integer = |name| first(query, name).is_none_or(|value| value.parse::<i64>().is_ok());
    integer("limit")
        && integer("timeoutSeconds")
        && first(query, "labelSelector").is_none_or(is_label_selector)
        && first(query, "fieldSelector").is_none_or(|selector| required_name(selector).is_ok())
}

/// k8s.io/apimachinery/pkg/api/validate/content `IsPathSegmentName`, except for its empty-name case, where no name is
/// what we are left with anyway.
fn is_path_segment_name(name: &str) -> bool {
    name != "." && name != ".." && !name.contains(['/', '%'])
}

fn first<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
