//! What an administrator arranges in both namespaces before an attack.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{GROUPS, USER, World, made};
use crate::case::{JSON, with};

const RBAC: &str = "rbac.authorization.k8s.io";

impl World {
    /// Lets agents do this with a resource (`NAME` or `NAME/SUBRESOURCE`) in both namespaces; waits until it is in force.
    ///
    /// # Errors
    /// The API server did not take it.
    pub(crate) fn grant(&self, group: &str, resource: &str, verbs: &[&str]) -> anyhow::Result<()> {
        let name = resource.replace('/', "-");
        let object = |kind: &str, more: Value| {
            let object =
                json!({"apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {"name": name}});
            with(object, more)
        };
        let rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
        let agents = json!({"apiGroup": RBAC, "kind": "Group", "name": GROUPS[0]});
        let role = json!({"apiGroup": RBAC, "kind": "Role", "name": name});
        let roles = format!("/apis/{RBAC}/v1/namespaces/NS");
        self.make(&format!("{roles}/roles"), &object("Role", json!({"rules": [rule]})))?;
        let binding = object("RoleBinding", json!({"roleRef": role, "subjects": [agents]}));
        self.make(&format!("{roles}/rolebindings"), &binding)?;
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        for (namespace, verb) in
            self.namespaces.iter().flat_map(|name| verbs.iter().map(move |verb| (name, verb)))
        {
            let asked = json!({"namespace": namespace, "verb": verb, "group": group, "resource": resource, "subresource": subresource});
            let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": USER, "groups": GROUPS, "resourceAttributes": asked}});
            let line = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews";
            self.until(line, &[JSON], &review.to_string(), |answer| {
                answer.body.contains(r#""allowed":true"#)
            })?;
        }
        Ok(())
    }

    /// An admission policy of the API server's own (`Validating` or `Mutating`), bound to both namespaces. Not in force yet.
    ///
    /// # Errors
    /// The API server did not take it.
    pub(crate) fn admission(
        &self,
        way: &str,
        name: &str,
        policy: &Value,
        binding: &Value,
    ) -> anyhow::Result<()> {
        let places = json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": self.namespaces}]});
        let mut binding = binding.clone();
        binding["policyName"] = json!(name);
        binding["matchResources"] = json!({"namespaceSelector": places});
        for (resource, kind, spec) in [
            ("admissionpolicies", "AdmissionPolicy", policy),
            ("admissionpolicybindings", "AdmissionPolicyBinding", &binding),
        ] {
            let (resource, kind) = (format!("{}{resource}", way.to_lowercase()), format!("{way}{kind}"));
            let object = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
            let line = format!("POST /apis/admissionregistration.k8s.io/v1/{resource}");
            made(&self.direct.ask(&line, &[JSON], &object.to_string())?)?;
        }
        Ok(())
    }

    /// Defines a kind, whose objects can be made when this returns.
    ///
    /// # Errors
    /// The API server did not take it.
    pub(crate) fn define(&self, definition: &Value) -> anyhow::Result<()> {
        let line = "POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        made(&self.direct.ask(line, &[JSON], &definition.to_string())?)?;
        let part = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (group, plural) = (part("/spec/group"), part("/spec/names/plural"));
        let version = part("/spec/versions/0/name");
        ensure!(!group.is_empty() && !plural.is_empty() && !version.is_empty(), "{definition}");
        let list = format!("GET /apis/{group}/{version}/{plural}");
        self.until(&list, &[], "", |answer| answer.status == 200).map(drop)
    }

    /// Waits until a pod is in this phase, in both namespaces.
    ///
    /// # Errors
    /// It did not come so far.
    pub(crate) fn wait(&self, pod: &str, phase: &str) -> anyhow::Result<()> {
        for namespace in &self.namespaces {
            self.wait_in(
                namespace,
                &format!("jsonpath={{.status.phase}}={phase}"),
                &[&format!("pod/{pod}")],
            )?;
        }
        Ok(())
    }

    /// Waits until something holds of all these objects, in the words of `kubectl wait --for`.
    ///
    /// # Errors
    /// It did not come so far.
    pub(crate) fn wait_in(&self, namespace: &str, what: &str, objects: &[&str]) -> anyhow::Result<()> {
        let what = format!("--for={what}");
        let arguments = [&["-n", namespace, "wait", &what, "--timeout=60s"], objects].concat();
        self.lab.cluster.must(&arguments).map(drop)
    }
}
