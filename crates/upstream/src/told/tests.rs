use super::*;

fn told(method: &str, target: &str, body: &str) -> leaf::Request {
    let head = http::Request::builder().method(method).uri(target).header("content-type", "application/json");
    let (head, ()) = head.body(()).unwrap().into_parts();
    let head = kube_api::Head::parse(&head).unwrap();
    request("dev", &head.with_body(body.as_bytes()).unwrap())
}

fn hidden_in(request: &leaf::Request) -> Vec<(String, u64)> {
    let told = |hidden: &HiddenParameter| (hidden.name.to_string(), hidden.value.bytes());
    request.hidden.items().iter().map(told).collect()
}

#[test]
fn values_of_free_text_are_not_in_the_path() {
    let target = "/api/v1/namespaces/shop/pods/web/exec?container=app&command=mysql&command=-phunter2&command=*&tty=true";
    let request = told("POST", target, "");
    insta::assert_snapshot!(request.path, @"/api/v1/namespaces/shop/pods/web/exec?container=app&command=*&command=*&command=*&tty=true");
    let command = |bytes| ("command".to_owned(), bytes);
    assert_eq!(hidden_in(&request), [command(5), command(9), command(1)]);
    assert!(!format!("{request:?}").contains("hunter2"));
    // What selects is told; what is no container's name, and what only the server can read, is not.
    let request = told("GET", "/api/v1/pods?labelSelector=app%3Dweb&limit=5&continue=abc", "");
    insta::assert_snapshot!(request.path, @"/api/v1/pods?labelSelector=app%3Dweb&limit=5&continue=*");
    assert_eq!(hidden_in(&request), [("continue".to_owned(), 3)]);
    let request = told("GET", "/api/v1/namespaces/shop/pods/web/log?container=Not+a+name", "");
    insta::assert_snapshot!(request.path, @"/api/v1/namespaces/shop/pods/web/log?container=*");
    let request = told("GET", "/api/v1/namespaces/shop/pods/web", "");
    assert_eq!((request.path.as_str(), request.hidden.total()), ("/api/v1/namespaces/shop/pods/web", 0));
}

/// Whether there are objects with a field of that value is a guess at it.
#[test]
fn a_selector_by_a_field_that_is_not_known_is_not_told() {
    let path = |selector: &str| {
        let selector = selector.replace('=', "%3D").replace(',', "%2C").replace('\\', "%5C");
        told("GET", &format!("/api/v1/namespaces/shop/secrets?fieldSelector={selector}"), "").path.to_string()
    };
    for selector in [
        "metadata.name=web",
        "type=Opaque,metadata.namespace!=shop",
        "status.phase==Running",
        "involvedObject.name=a",
    ] {
        assert!(path(selector).contains("fieldSelector=") && !path(selector).contains('*'), "{selector}");
    }
    for selector in [
        "data.password=hunter2",
        "type=Opaque,spec.token=hunter2",
        "metadata.name=a\\,hunter2",
        "types=hunter2",
    ] {
        assert!(path(selector).ends_with("?fieldSelector=*"), "{selector}: {}", path(selector));
    }
}

#[test]
fn an_object_that_is_created_is_named() {
    let create = |metadata: &str| {
        let body = format!(r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{metadata}}}"#);
        let request = told("POST", "/api/v1/namespaces/shop/configmaps", &body);
        (request.name.map(|name| name.to_string()), request.generate_name.map(|name| name.to_string()))
    };
    assert_eq!(create(r#"{"name":"settings"}"#), (Some("settings".to_owned()), None));
    assert_eq!(create(r#"{"generateName":"settings-"}"#), (None, Some("settings-".to_owned())));
    let longest = "a".repeat(253);
    assert_eq!(create(&format!(r#"{{"name":"{longest}"}}"#)), (Some(longest), None));
}
