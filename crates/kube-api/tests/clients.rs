//! What clients send is taken, and written out canonically.
#![expect(clippy::unwrap_used, reason = "a request that is not taken is a failed test")]

use http::{Request, Version};
use kube_api::{Head, Target};

/// kubectl 1.37, client-go, helm, the Python client and the Node client, by method and request target.
const SENT: &[&str] = &[
    // kubectl: discovery, version, OpenAPI, health
    "GET /api?timeout=32s",
    "GET /apis?timeout=1m0s",
    "GET /apis/apps/v1?timeout=32s",
    "GET /api/v1?timeout=32s",
    "GET /version?timeout=32s",
    "GET /openapi/v2?timeout=32s",
    "GET /openapi/v3?timeout=32s",
    "GET /openapi/v3/apis/apps/v1?hash=4D3C&timeout=32s",
    "GET /readyz?verbose",
    "GET /livez/poststarthook/start-apiextensions-informers?timeout=32s",
    // kubectl: get, describe, watch, rollout status, events, wait
    "GET /api/v1/namespaces/shop/pods?limit=500",
    "GET /api/v1/pods?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ%3D%3D&limit=500",
    "GET /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb%2Ctier+in+%28front%2Cback%29&limit=500",
    "GET /apis/apps/v1/namespaces/shop/deployments/web",
    "GET /apis/apps/v1/namespaces/shop/deployments?fieldSelector=metadata.name%3Dweb&limit=500&resourceVersion=0",
    "GET /apis/apps/v1/namespaces/shop/deployments?allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb&resourceVersion=412&timeoutSeconds=503&watch=true",
    "GET /api/v1/namespaces/shop/pods?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=300&watch=true",
    "GET /api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dweb-0%2CinvolvedObject.namespace%3Dshop&limit=500",
    "GET /api/v1/namespaces/shop/pods?includeObject=Object&limit=500",
    // kubectl: logs, exec, attach, port-forward, cp
    "GET /api/v1/namespaces/shop/pods/web-0/log?container=app&follow=true&sinceSeconds=3600&tailLines=20&timestamps=true",
    "GET /api/v1/namespaces/shop/pods/web-0/log?container=app&previous=true&sinceTime=2026-01-31T12%3A00%3A00Z",
    "GET /api/v1/namespaces/shop/pods/web-0/exec?command=sh&command=-c&command=ls+-l+%2F&container=app&stdin=true&stdout=true&tty=true",
    "POST /api/v1/namespaces/shop/pods/web-0/exec?command=sh&command=-c&command=echo+a%0Aecho+b&stdout=true",
    "POST /api/v1/namespaces/shop/pods/web-0/attach?container=app&stderr=true&stdout=true",
    "POST /api/v1/namespaces/shop/pods/web-0/portforward",
    "GET /api/v1/namespaces/shop/pods/web-0/portforward?ports=8080&ports=9090",
    "GET /api/v1/namespaces/shop/pods/web-0/portforward?ports=8080%2C9090",
    // kubectl: create, apply, patch, scale, delete, drain, debug, create token, certificate
    "POST /api/v1/namespaces/shop/configmaps?fieldManager=kubectl-client-side-apply&fieldValidation=Strict",
    "PATCH /apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=kubectl&fieldValidation=Strict&force=true",
    "PATCH /apis/apps/v1/namespaces/shop/deployments/web/scale?fieldManager=kubectl-scale",
    "PUT /apis/apps/v1/namespaces/shop/deployments/web/status?fieldManager=kubectl-edit&fieldValidation=Strict",
    "DELETE /apis/apps/v1/namespaces/shop/deployments/web",
    "DELETE /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb",
    "POST /api/v1/namespaces/shop/pods/web-0/eviction",
    "PATCH /api/v1/namespaces/shop/pods/web-0/ephemeralcontainers",
    "POST /api/v1/namespaces/shop/serviceaccounts/ci/token",
    "PUT /apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval",
    "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "GET /api/v1/namespaces/shop",
    "PUT /api/v1/namespaces/shop/finalize",
    "GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
    "GET /apis/example.com/v1beta1/widgets/x/status",
    "GET /api/v1/namespaces/shop/services/web/proxy/metrics/cadvisor",
    // helm
    "GET /api/v1/namespaces/shop/secrets?labelSelector=name%3Dweb%2Cowner%3Dhelm%2Cstatus%3Ddeployed",
    "POST /api/v1/namespaces/shop/secrets?fieldManager=helm",
    "DELETE /api/v1/namespaces/shop/services/web?propagationPolicy=Background",
    // the Python client
    "GET /api/v1/namespaces/shop/pods?pretty=True&watch=True&timeoutSeconds=60",
    "GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    "DELETE /api/v1/namespaces/shop/pods/web-0?gracePeriodSeconds=0&orphanDependents=False",
    // the Node client
    "GET /api/v1/namespaces/shop/pods?watch=true&fieldSelector=metadata.name%3Da%2Cmetadata.name%3Db",
    "HEAD /api/v1/namespaces/shop/pods",
];

/// The line, what it is read as, and its canonical form where that is another.
fn read(line: &str) -> String {
    let (method, target) = line.split_once(' ').unwrap();
    let request = Request::builder().method(method).uri(target).version(Version::HTTP_2);
    let patch = if method == "PATCH" { "application/strategic-merge-patch+json" } else { "application/json" };
    let parts = request.header("content-type", patch).body(()).unwrap().into_parts().0;
    let head = Head::parse(&parts).unwrap();
    let what = match head.target() {
        Target::Resource(resource) => resource.to_string(),
        Target::NonResource(other) => format!("{:?}", other.class()),
    };
    let canonical = head.path_and_query();
    let rewritten = if canonical == target { "" } else { canonical.as_str() };
    format!("{line}\n    {} {what} {rewritten}", head.verb()).trim_end().to_owned()
}

#[test]
fn what_clients_send_is_taken() {
    let told: Vec<String> = SENT.iter().map(|line| read(line)).collect();
    insta::assert_snapshot!(told.join("\n"));
}
