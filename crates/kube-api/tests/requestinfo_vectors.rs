//! Kubernetes' own test vectors for reading a request line.
//!
//! Source: requestinfo_test.go in k8s.io/apiserver/pkg/endpoints/request (v0.37): `TestGetAPIRequestInfo`,
//! `TestGetNonAPIRequestInfo` and `TestSelectorParsing`.
#![expect(clippy::unwrap_used, reason = "a malformed line of these tables is a failed test")]

use kube_api::request_info::{RequestInfo, request_info};

/// Method, URL, verb, group, version, namespace, resource, subresource, name, parts; `-` is empty.
const RESOURCES: &str = "
GET    /api/v1/namespaces                                   list    -  v1  -      namespaces  -  -    namespaces
GET    /api/v1/namespaces/other                             get     -  v1  other  namespaces  -  other  namespaces/other
GET    /api/v1/namespaces/other/pods                        list    -  v1  other  pods        -  -    pods
GET    /api/v1/namespaces/other/pods/foo                    get     -  v1  other  pods        -  foo  pods/foo
HEAD   /api/v1/namespaces/other/pods/foo                    get     -  v1  other  pods        -  foo  pods/foo
GET    /api/v1/pods                                         list    -  v1  -      pods        -  -    pods
HEAD   /api/v1/pods                                         list    -  v1  -      pods        -  -    pods
GET    /api/v1/proxy/namespaces/other/pods/foo              proxy   -  v1  other  pods        -  foo  pods/foo
GET    /api/v1/proxy/namespaces/other/pods/foo/subpath/not/a/subresource  proxy  -  v1  other  pods  -  foo  pods/foo/subpath/not/a/subresource
GET    /api/v1/watch/pods                                   watch   -  v1  -      pods        -  -    pods
GET    /api/v1/pods?watch=true                              watch   -  v1  -      pods        -  -    pods
GET    /api/v1/pods?watch=false                             list    -  v1  -      pods        -  -    pods
GET    /api/v1/watch/namespaces/other/pods                  watch   -  v1  other  pods        -  -    pods
GET    /api/v1/namespaces/other/pods?watch=1                watch   -  v1  other  pods        -  -    pods
GET    /api/v1/namespaces/other/pods?watch=0                list    -  v1  other  pods        -  -    pods
GET    /api/v1/namespaces/other/pods/foo/status             get     -  v1  other  pods        status    foo    pods/foo/status
GET    /api/v1/namespaces/other/pods/foo/proxy/subpath      get     -  v1  other  pods        proxy     foo    pods/foo/proxy/subpath
PUT    /api/v1/namespaces/other/finalize                    update  -  v1  other  namespaces  finalize  other  namespaces/other/finalize
PUT    /api/v1/namespaces/other/status                      update  -  v1  other  namespaces  status    other  namespaces/other/status
PATCH  /api/v1/namespaces/other/pods/foo                    patch   -  v1  other  pods        -  foo  pods/foo
DELETE /api/v1/namespaces/other/pods/foo                    delete  -  v1  other  pods        -  foo  pods/foo
POST   /api/v1/namespaces/other/pods                        create  -  v1  other  pods        -  -    pods
DELETE /api/v1/nodes                                        deletecollection  -  v1  -      nodes       -  -  nodes
DELETE /api/v1/namespaces                                   deletecollection  -  v1  -      namespaces  -  -  namespaces
DELETE /api/v1/namespaces/other/pods                        deletecollection  -  v1  other  pods        -  -  pods
DELETE /apis/extensions/v1/namespaces/other/pods            deletecollection  extensions  v1  other  pods  -  -  pods
POST   /apis/extensions/v1/namespaces/other/pods            create  extensions  v1       other  pods  -  -  pods
POST   /apis/extensions/v1beta3/namespaces/other/pods       create  extensions  v1beta3  other  pods  -  -  pods
";

/// Path; whether it is a resource's.
const IS_RESOURCE: &str = "
/                                             false
/api/version/                                 false
/apis/group/version/                          false
/badprefix/version/resource                   false
/apis/version/resource                        false
/api/version/resource                         true
/apis/group/version/resource/name/subresource true
/api/version/resource/name/subresource        true
/apis/batch/v1/job                            true
/apis/batch/v1/job/foo                        true
/apis/batch/v1/job/foo/scale                  true
/not-api/version/resource                     false
/apis/extensions/v1beta1                      false
/apis/extensions/v1beta1/                     false
/api/version                                  false
/api                                          false
";

/// Method, path and query below `/apis/group/version`, verb, name, field selector, label selector; `-` is empty.
const SELECTORS: &str = "
GET    /resource                                                            list   -      -                        -
GET    /resource?fieldSelector=metadata.name=name1                          list   name1  metadata.name=name1      -
GET    /resource?watch=true&fieldSelector=metadata.name=name1               watch  name1  metadata.name=name1      -
GET    /resource?fieldSelector=foo=bar&labelSelector=baz=qux                list   -      foo=bar                  baz=qux
GET    /resource?fieldSelector=metadata.name=name1,foo                      list   -      metadata.name=name1,foo  -
GET    /resource?fieldSelector=metadata.name=name1,foo&watch=true           watch  -      metadata.name=name1,foo  -
GET    /resource?fieldSelector=metadata.name=name1,foo&watch=false          list   -      metadata.name=name1,foo  -
DELETE /resource?fieldSelector=foo=bar&labelSelector=baz=qux                deletecollection  -  foo=bar           baz=qux
GET    /resource?fieldSelector=metadata.name=foo&fieldSelector=metadata.name=bar&labelSelector=foo=bar&labelSelector=foo=baz  list  foo  metadata.name=foo  foo=bar
GET    /resource/name?fieldSelector=foo=bar&labelSelector=foo=bar           get    name   -                        -
GET    /watch/resource?fieldSelector=metadata.name=foo&labelSelector=foo=bar       watch  -     -  -
GET    /watch/resource/name?fieldSelector=metadata.name=foo&labelSelector=foo=bar  watch  name  -  -
";

fn rows<const COLUMNS: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; COLUMNS]> {
    table.lines().filter(|line| !line.is_empty()).map(|line| {
        let cells: Vec<&str> =
            line.split_whitespace().map(|cell| if cell == "-" { "" } else { cell }).collect();
        cells.try_into().unwrap()
    })
}

/// None of the vectors has anything encoded.
fn read(method: &str, url: &str) -> RequestInfo {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    request_info(method, path, &pairs).unwrap()
}

#[test]
fn resources_are_read_as_upstream_does() {
    for [method, url, verb, group, version, namespace, resource, subresource, name, parts] in rows(RESOURCES)
    {
        let info = read(method, url);
        assert!(info.is_resource_request, "{url}");
        let found = [&info.verb, &info.api_group, &info.api_version, &info.namespace];
        assert_eq!(found, [verb, group, version, namespace], "{method} {url}");
        assert_eq!(
            [&info.resource, &info.subresource, &info.name],
            [resource, subresource, name],
            "{method} {url}"
        );
        assert_eq!(info.parts.join("/"), parts, "{method} {url}");
        assert_eq!(info.api_prefix, if group.is_empty() { "api" } else { "apis" }, "{method} {url}");
    }
}

#[test]
fn resources_are_told_from_other_paths_as_upstream_does() {
    for [url, is_resource] in rows(IS_RESOURCE) {
        assert_eq!(read("GET", url).is_resource_request.to_string(), is_resource, "{url}");
    }
    assert!(!read("GET", "").is_resource_request);
}

#[test]
fn selectors_are_read_as_upstream_does() {
    for [method, below, verb, name, field_selector, label_selector] in rows(SELECTORS) {
        let info = read(method, &format!("/apis/group/version{below}"));
        let found = [&info.verb, &info.name, &info.field_selector, &info.label_selector];
        assert_eq!(found, [verb, name, field_selector, label_selector], "{method} {below}");
    }
}
