//! What has to agree between the gate and the API server.

use serde_json::Value;

use super::{Case, unescaped};
use crate::{Head, Target, Verb, request_info::request_info};

fn differ(what: &str, ours: &str, answer: &Value, field: &str) -> Result<(), String> {
    let theirs = answer.get(field).and_then(Value::as_str).unwrap_or_default();
    if ours == theirs { Ok(()) } else { Err(format!("{what} is `{ours}` here and `{theirs}` there")) }
}

/// Whether the gate and the server mean the same by a request that the gate takes.
///
/// # Errors
/// The first difference.
pub fn agrees(head: &Head, answer: &Value) -> Result<(), String> {
    if let Some(error) = answer.get("error") {
        return Err(format!("taken here, and there: {error}"));
    }
    let is_resource = answer.get("isResourceRequest") == Some(&Value::Bool(true));
    match head.target() {
        Target::Resource(resource) if is_resource => {
            // What opens a stream is a create here, though a WebSocket is opened by GET.
            let opens = crate::subresource::upgrade(resource).is_some() && answer["verb"] == "get";
            if !opens || head.verb() != Verb::Create {
                differ("verb", head.verb().as_str(), answer, "verb")?;
            }
            differ("group", resource.group(), answer, "apiGroup")?;
            differ("version", resource.version(), answer, "apiVersion")?;
            differ("resource", resource.resource(), answer, "resource")?;
            differ("subresource", resource.subresource().unwrap_or_default(), answer, "subresource")?;
            differ("namespace", resource.namespace().unwrap_or_default(), answer, "namespace")?;
            differ("name", resource.name().unwrap_or_default(), answer, "name")?;
            differ(
                "field selector",
                head.options().get("fieldSelector").unwrap_or_default(),
                answer,
                "fieldSelector",
            )?;
            differ(
                "label selector",
                head.options().get("labelSelector").unwrap_or_default(),
                answer,
                "labelSelector",
            )
        }
        Target::NonResource(other) if !is_resource => {
            differ("verb", &head.method().as_str().to_lowercase(), answer, "verb")?;
            differ("path", &unescaped(other.path()).unwrap_or_default(), answer, "path")
        }
        Target::Resource(_) => Err("a resource here and none there".to_owned()),
        Target::NonResource(_) => Err("no resource here and one there".to_owned()),
    }
}

/// Whether our port of the server's reading gives what the server gives, for any line that the server's HTTP library reads.
///
/// # Errors
/// The first difference.
pub fn port_agrees(case: &Case, answer: &Value) -> Result<(), String> {
    let Some((path, pairs)) = case.decoded() else { return Ok(()) };
    let undetermined =
        answer.get("error").and_then(Value::as_str).map(|error| error.contains("unable to determine"));
    let info = match (request_info(&case.method, &path, &pairs), undetermined) {
        // Not a request at all, there.
        (_, Some(false)) | (Err(_), Some(true)) => return Ok(()),
        (Ok(_), Some(true)) => return Err("determined here and not there".to_owned()),
        (Err(_), None) => return Err("undetermined here and not there".to_owned()),
        (Ok(info), None) => info,
    };
    let is_resource = answer.get("isResourceRequest") == Some(&Value::Bool(true));
    if info.is_resource_request != is_resource {
        return Err(format!("isResourceRequest is {} here", info.is_resource_request));
    }
    for (what, ours) in [
        ("path", &info.path),
        ("verb", &info.verb),
        ("apiPrefix", &info.api_prefix),
        ("apiGroup", &info.api_group),
        ("apiVersion", &info.api_version),
        ("namespace", &info.namespace),
        ("resource", &info.resource),
        ("subresource", &info.subresource),
        ("name", &info.name),
        ("fieldSelector", &info.field_selector),
        ("labelSelector", &info.label_selector),
    ] {
        differ(what, ours, answer, what)?;
    }
    let parts: Vec<&str> = answer
        .get("parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if info.parts == parts {
        Ok(())
    } else {
        Err(format!("parts are {:?} here and {parts:?} there", info.parts))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({
            "isResourceRequest": true, "path": "/apis/apps/v1/namespaces/shop/deployments", "verb": "list",
            "apiPrefix": "apis", "apiGroup": "apps", "apiVersion": "v1", "namespace": "shop", "resource": "deployments",
            "subresource": "", "name": "web", "parts": ["deployments"],
            "fieldSelector": "metadata.name=web", "labelSelector": "a=b",
        })
    }

    #[test]
    fn every_difference_is_found() {
        let url =
            "/apis/apps/v1/namespaces/shop/deployments?fieldSelector=metadata.name%3Dweb&labelSelector=a=b";
        let case = Case { method: "GET".to_owned(), url: url.to_owned() };
        let head = case.head().unwrap().unwrap();
        assert_eq!(agrees(&head, &answer()), Ok(()));
        assert_eq!(port_agrees(&case, &answer()), Ok(()));
        for field in answer().as_object().unwrap().keys() {
            let mut other = answer();
            other[field] = json!("other");
            assert!(port_agrees(&case, &other).is_err(), "{field}");
            // The gate's own value has neither of these three.
            let judged = !["path", "apiPrefix", "parts"].contains(&field.as_str());
            assert_eq!(agrees(&head, &other).is_err(), judged, "{field}");
        }
        let refused = json!({"error": "unable to determine kind and namespace from url"});
        assert!(agrees(&head, &refused).is_err());
        assert!(port_agrees(&case, &refused).is_err());
    }
}
