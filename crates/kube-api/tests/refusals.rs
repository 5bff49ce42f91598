//! Every refusal, as a client is told.
#![expect(clippy::unwrap_used, reason = "a malformed line of the table is a failed test")]

use std::collections::BTreeSet;

use http::{Request, Version, request::Builder};
use kube_api::{Head, MAX_BODY_BYTES, MAX_BODY_VALUES, Refusal};

fn request(method: &str, target: &str) -> Builder {
    Request::builder().method(method).uri(target)
}

/// What becomes of a request with this body.
fn refused(request: Builder, body: &[u8]) -> Refusal {
    let parts = request.body(()).unwrap().into_parts().0;
    Head::parse(&parts).and_then(|head| head.with_body(body)).unwrap_err()
}

const POD: &str = "/api/v1/namespaces/shop/pods/web-0";
const PODS: &str = "/api/v1/namespaces/shop/pods";

fn heads() -> Vec<Builder> {
    let mut requests: Vec<Builder> = [
        ("QUERY", PODS),
        ("CONNECT", PODS),
        ("POST", "/version"),
        ("OPTIONS", "*"),
        ("GET", "http://cluster/api/v1/pods"),
        ("GET", "/api/v1/namespaces/shop%2Fpods"),
        ("GET", "/api/v1/namespaces//pods"),
        ("GET", "/api/v1/pods/"),
        ("GET", "/apis/apps/v1/namespaces/shop"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log/more"),
        ("GET", "/api/v1/watch/namespaces/shop/pods"),
        ("GET", "/apis/apps/v1/watch"),
        ("GET", "/api/v1/proxy/namespaces/shop/pods/web-0"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/checkpoint"),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/web/log"),
        ("GET", "/api/v1/pods?watch=true;limit=5"),
        ("GET", "/api/v1/pods?resourceversion=5"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0?watch=true"),
        ("GET", "/version?x=%22"),
        ("GET", "/api/v1/pods?watch=true&watch=false"),
        ("GET", "/api/v1/pods?watch="),
        ("GET", "/api/v1/pods?watch=yes"),
        ("GET", "/api/v1/pods?limit=-1"),
        ("GET", "/api/v1/pods?resourceVersion=x"),
        ("GET", "/api/v1/pods?resourceVersionMatch=exact"),
        ("GET", "/api/v1/pods?timeout=soon"),
        ("GET", "/api/v1/pods?fieldSelector=metadata.name"),
        ("DELETE", "/api/v1/namespaces/shop/pods?fieldSelector=!="),
        ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Da%20b"),
        ("GET", "/api/v1/pods?labelSelector=a%20in%20b"),
        ("DELETE", "/api/v1/namespaces/shop/pods?labelSelector=%20"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log?sinceTime=yesterday"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log?limitBytes=0"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log?insecureSkipTLSVerifyBackend=true"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/portforward?ports=0"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/portforward?ports=80,"),
        ("POST", "/api/v1/namespaces/shop/pods?dryRun=all"),
        ("POST", "/api/v1/namespaces/shop/pods?dryRun=All&dryRun=All"),
        (
            "DELETE",
            "/api/v1/namespaces/shop/pods/web-0?ignoreStoreReadErrorWithClusterBreakingPotential=true",
        ),
        ("DELETE", "/api/v1/namespaces/shop/pods?watch=true"),
        ("DELETE", "/api/v1/namespaces/shop/pods?resourceVersion=1"),
        ("PATCH", POD),
        ("GET", "/apis/apps/v1/proxy"),
        ("GET", "/api/v1/namespaces/shop/pods/%70ods"),
        ("GET", "/healthz?verbose=no"),
        ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Da%0A"),
        ("POST", "/api/v1/namespaces/shop/pods?fieldManager=a%00b"),
        ("POST", "/api/v1/namespaces/shop/pods?fieldManager=hunter2%0A"),
        ("GET", "/api/v1/namespaces/shop/pods/web-0/log?limitBytes=hunter2%0A"),
    ]
    .into_iter()
    .map(|(method, target)| request(method, target))
    .collect();
    requests.extend([
        request("GET", PODS).version(Version::HTTP_10),
        request("GET", PODS).header("impersonate-user", "root"),
        request("GET", PODS).header("upgrade", "websocket").header("connection", "upgrade"),
        request("GET", PODS).header("accept", "application/vnd.kubernetes.protobuf"),
        request("POST", PODS).header("content-type", "application/cbor"),
        request("POST", PODS).header("content-encoding", "gzip"),
        request("POST", PODS).header("content-encoding", "identity").header("content-encoding", "gzip"),
        request("POST", PODS)
            .header("content-type", "application/json")
            .header("content-type", "application/yaml"),
        request("PATCH", POD).header("content-type", "application/apply-patch+cbor"),
    ]);
    requests
}

fn bodies() -> Vec<(Builder, Vec<u8>)> {
    let json_patch = || request("PATCH", POD).header("content-type", "application/json-patch+json");
    let yaml = || request("POST", PODS).header("content-type", "application/yaml");
    let text = |request: Builder, body: &str| (request, body.as_bytes().to_vec());
    vec![
        text(request("GET", PODS), "{}"),
        text(request("POST", PODS), ""),
        (request("POST", PODS), vec![b' '; MAX_BODY_BYTES + 1]),
        text(request("POST", PODS), &format!(r#"{{"a":[{}0]}}"#, "[],".repeat(MAX_BODY_VALUES))),
        text(request("POST", PODS), r#"{"kind":"Pod","kind":"Node"}"#),
        text(request("POST", PODS), "[]"),
        text(yaml(), "kind: &a Pod"),
        text(json_patch(), r#"{"op":"add"}"#),
        text(json_patch(), r#"[{"op":"copy","path":"/a"}]"#),
        text(request("DELETE", POD).header("content-type", "text/plain"), "x"),
        text(
            request("DELETE", &format!("{POD}?dryRun=All")),
            r#"{"kind":"DeleteOptions","apiVersion":"v1"}"#,
        ),
        text(request("DELETE", POD), r#"{"kind":"Pod"}"#),
        text(request("DELETE", POD), r#"{"ignoreStoreReadErrorWithClusterBreakingPotential":true}"#),
        text(request("DELETE", POD), r#"{"dryRun":["Some"]}"#),
        text(request("DELETE", POD), r#"{"gracePeriodSeconds":"0"}"#),
        text(request("DELETE", POD), r#"{"propagationPolicy":"foreground"}"#),
        text(request("DELETE", POD), r#"{"orphanDependents":1}"#),
        text(request("DELETE", POD), r#"{"preconditions":{"name":"x"}}"#),
        text(request("DELETE", POD), r#"{"apiVersion":1}"#),
        text(
            request("POST", PODS),
            &format!(r#"{{"kind":"Pod","metadata":{{"name":"{}"}}}}"#, "a".repeat(254)),
        ),
        text(request("POST", PODS), &format!(r#"{{"metadata":{{"generateName":"{}"}}}}"#, "a".repeat(254))),
    ]
}

#[test]
fn every_refusal_names_the_part_and_the_remedy() {
    let mut told = Vec::new();
    let mut kinds = BTreeSet::new();
    let all = heads().into_iter().map(|request| (request, Vec::new())).chain(bodies());
    for (request, body) in all {
        let shown: String = String::from_utf8_lossy(&body).trim().chars().take(60).collect();
        let headers = request.headers_ref().unwrap().iter();
        let headers: String =
            headers.map(|(name, value)| format!("[{name}: {}] ", value.to_str().unwrap())).collect();
        let line =
            format!("{} {} {headers}{shown}", request.method_ref().unwrap(), request.uri_ref().unwrap());
        let refusal = refused(request, &body);
        let debugged = format!("{refusal:?}");
        kinds.insert(debugged.split([' ', '{']).next().unwrap().to_owned());
        let status = refusal.status();
        let (code, reason) = (status.code().as_u16(), status.reason());
        told.push(format!("{}\n    {code} {reason}: {}", line.trim_end(), status.message()));
    }
    insta::assert_snapshot!(told.join("\n"));
    // The whole enum, so that none is left without a snapshot.
    assert_eq!(kinds.len(), 21, "{kinds:?}");
}
