//! Which kinds of objects a namespace can hold beside Kubernetes' own, as the API server tells all of them at once (`APIGroupDiscoveryList` in
//! k8s.io/api/apidiscovery/v2).

use serde_json::Value;

/// More kinds than these are not counted, and that is told.
pub(super) const MOST: usize = 100;

/// Groups in which there are figures, and no objects that go with a namespace.
const FIGURES: [&str; 3] = ["metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"];

/// A kind whose objects are in namespaces and can be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
}

/// All of them, each in its preferred version; `None` if the answer is something else.
pub(super) fn custom(discovery: &Value) -> Option<Vec<Kind>> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if text(discovery, "kind")? != "APIGroupDiscoveryList" {
        return None;
    }
    let mut kinds = Vec::new();
    for group in discovery.get("items")?.as_array()? {
        let name = text(group.get("metadata")?, "name")?;
        if policy::is_built_in_group(&name) || FIGURES.contains(&name.as_str()) {
            continue;
        }
        // A group whose server does not answer has none.
        let Some(preferred) = group.get("versions").and_then(|versions| versions.get(0)) else { continue };
        let version = text(preferred, "version")?;
        for served in preferred.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let listed = served.get("verbs").and_then(Value::as_array)?.iter().any(|verb| verb == "list");
            if listed && text(served, "scope")? == "Namespaced" {
                let resource = text(served, "resource")?;
                kinds.push(Kind { group: name.clone(), version: version.clone(), resource });
            }
        }
    }
    Some(kinds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_served_beside_kubernetes_own_is_found() {
        let served = |resource: &str, scope: &str, verbs: &[&str]| json!({"resource": resource, "scope": scope, "verbs": verbs});
        let group = |name: &str, resources: Value| json!({"metadata": {"name": name}, "versions": [{"version": "v2", "resources": resources}, {"version": "v1", "resources": []}]});
        let items = json!([
            group("apps", json!([served("deployments", "Namespaced", &["list"])])),
            group("metrics.k8s.io", json!([served("pods", "Namespaced", &["list"])])),
            group("example.com", json!([
                served("widgets", "Namespaced", &["get", "list"]),
                served("worlds", "Cluster", &["list"]),
                served("reviews", "Namespaced", &["create"]),
            ])),
            {"metadata": {"name": "gone.example.com"}, "versions": []},
        ]);
        let found = custom(&json!({"kind": "APIGroupDiscoveryList", "items": items})).unwrap();
        let (group, version, resource) = ("example.com".into(), "v2".into(), "widgets".into());
        assert_eq!(found, [Kind { group, version, resource }]);
        for other in [
            json!({}),
            json!({"kind": "APIGroupList", "items": []}),
            json!({"kind": "APIGroupDiscoveryList", "items": [{}]}),
        ] {
            assert_eq!(custom(&other), None, "{other}");
        }
    }
}
