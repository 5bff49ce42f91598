use serde_json::json;

use super::*;

fn everything() -> Scope {
    Scope {
        namespaces: vec!["*".parse().unwrap()],
        except_types: vec!["helm.sh/release.v1".parse().unwrap()],
    }
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().map(Value::text).collect()
}

fn page(items: &serde_json::Value) -> Result<Page, Problem> {
    let list = json!({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
    Page::parse(list.to_string().as_bytes(), &everything())
}

#[test]
fn a_page_is_read() {
    let items = json!([
        {"metadata": {"name": "a", "namespace": "n"}, "type": "Opaque", "data": {"x": "b25l", "y": "dHdv", "z": "", "n": null}},
        {"metadata": {"name": "h", "namespace": "n"}, "type": "helm.sh/release.v1", "data": {"release": "b25l"}},
        {"metadata": {"name": "b", "namespace": "n"}},
    ]);
    let page = page(&items).unwrap();
    let read: Vec<_> =
        page.secrets.iter().map(|(name, values)| (name.name.as_str(), texts(values))).collect();
    assert_eq!(read, [("a", vec!["one".to_owned(), "two".to_owned()]), ("b", vec![])]);
    assert_eq!((page.version.as_str(), page.next), ("7", None));
    assert!(!format!("{:?}", page.secrets).contains("one"));
}

#[test]
fn a_value_that_is_no_base64_is_known_as_it_stands_and_counted() {
    let items =
        json!([{"metadata": {"name": "a", "namespace": "n"}, "data": {"bad": "%%%", "good": "b25l"}}]);
    let page = page(&items).unwrap();
    let values = &page.secrets[0].1;
    assert_eq!(texts(values), ["%%%", "one"]);
    assert_eq!(values.iter().map(Value::is_undecoded).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn what_is_no_list_of_secrets_is_refused_without_quoting_it() {
    let list = |kind: &str, version: &str, items: &str| {
        format!(
            r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}},"items":{items}}}"#
        )
    };
    let texts = [
        String::new(),
        "CANARY".to_owned(),
        r#"{"kind":"CANARY"}"#.to_owned(),
        "[".repeat(100_000),
        list("PodList", "1", "[]"),
        list("SecretList", "", "[]"),
        list("SecretList", "0", "[]"),
        list("SecretList", "1", r#"[{"metadata":{"name":"CANARY"}}]"#),
        list("SecretList", "1", r#"[{"kind":"Pod","metadata":{"name":"a","namespace":"n"}}]"#),
        list("SecretList", "1", r#"[{"metadata":{"name":"a","namespace":"n"},"data":{"x":{"y":"CANARY"}}}]"#),
        list("SecretList", "1", r#"[{"metadata":{"name":"a","namespace":"n"},"data":"CANARY"}]"#),
        list("SecretList", "1", r#""CANARY""#),
    ];
    let told = texts.map(|text| Page::parse(text.as_bytes(), &everything()).unwrap_err().to_string());
    assert!(!told.join("").contains("CANARY"));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn events_are_read_and_others_refused() {
    let secret = |kind: &str| {
        json!({"kind": kind, "apiVersion": "v1", "metadata": {"name": "a", "namespace": "n", "resourceVersion": "9"},
               "data": {"x": "b25l"}})
    };
    let event = |kind: &str, object: serde_json::Value| {
        Event::parse(json!({"type": kind, "object": object}).to_string().as_bytes(), &everything())
    };
    let bookmark = json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"resourceVersion": "10"}});
    let status = |code: u16| json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "code": code, "message": "CANARY"});
    let told = [
        event("ADDED", secret("Secret")),
        event("MODIFIED", secret("Secret")),
        event("DELETED", secret("Secret")),
        event("BOOKMARK", bookmark.clone()),
        event("ADDED", bookmark),
        event("ADDED", secret("Pod")),
        event("CANARY", secret("Secret")),
        event("ERROR", status(410)),
        event("ERROR", status(500)),
        event("ERROR", json!({"message": "CANARY"})),
    ];
    let told = told.map(|read| match read {
        Ok((event, version)) => format!("{version} {event:?}"),
        Err(problem) => problem.to_string(),
    });
    assert!(!told.join("").contains("CANARY") && !told.join("").contains("b25l"));
    insta::assert_snapshot!(told.join("\n"));
}
