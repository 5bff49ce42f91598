use super::*;

fn asked(method: &str, target: &str, body: &str) -> Request {
    let head = http::Request::builder().method(method).uri(target).header("content-type", "application/json");
    let (head, ()) = head.body(()).unwrap().into_parts();
    let head = kube_api::Head::parse(&head).unwrap();
    head.with_body(body.as_bytes()).unwrap()
}

fn told(method: &str, target: &str, body: &str) -> leaf::Request {
    request("dev", &asked(method, target, body), &KnownValues::none())
}

/// As if `hunter2` were a value of a Secret.
fn withheld(method: &str, target: &str, body: &str) -> leaf::Request {
    super::told("dev", &asked(method, target, body), &|text| text.contains("hunter2"))
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

#[test]
fn a_value_of_a_secret_is_told_nowhere() {
    for (method, target, body, path, hidden) in [
        (
            "GET",
            "/api/v1/namespaces/shop/secrets?labelSelector=x%3Dhunter2&limit=5",
            "",
            "/api/v1/namespaces/shop/secrets?labelSelector=*&limit=5",
            vec![("labelSelector", 9)],
        ),
        (
            "GET",
            "/api/v1/namespaces/shop/secrets?fieldSelector=metadata.name%3Dhunter2",
            "",
            "/api/v1/namespaces/shop/secrets?fieldSelector=*",
            vec![("fieldSelector", 21)],
        ),
        (
            "GET",
            "/api/v1/namespaces/hunter2/pods/web/log?container=hunter2",
            "",
            "*?container=*",
            vec![("path", 39), ("container", 7)],
        ),
        ("GET", "/api/v1/namespaces/a/pods/x-hunter2", "", "*", vec![("path", 35)]),
        ("GET", "/apis/hunter2.example.com/v1/widgets", "", "*", vec![("path", 36)]),
        ("GET", "/healthz/hunter2", "", "*", vec![("path", 16)]),
        (
            "POST",
            "/api/v1/namespaces/a/configmaps",
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"hunter2"}}"#,
            "/api/v1/namespaces/a/configmaps",
            vec![],
        ),
        (
            "POST",
            "/api/v1/namespaces/a/configmaps",
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"generateName":"hunter2-"}}"#,
            "/api/v1/namespaces/a/configmaps",
            vec![],
        ),
    ] {
        let request = withheld(method, target, body);
        assert_eq!(request.path.as_str(), path);
        let hidden: Vec<_> = hidden.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        assert_eq!(hidden_in(&request), hidden, "{target}");
        assert!(!format!("{request:?}").contains("hunter2"), "{request:?}");
    }
    assert_eq!(shown::<64>("pods \"hunter2\" is forbidden", &|text| text.contains("hunter2")).as_str(), "*");
}
