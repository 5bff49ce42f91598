//! What a rebuilt failure tells, and what it does not.

use serde_json::json;

use super::*;

fn secret(name: Option<&str>) -> Kind {
    Kind::Secrets { watch: false, name: name.map(str::to_owned) }
}

fn rebuilt(code: u16, body: &str, kind: &Kind) -> String {
    let status = Failure::read(StatusCode::from_u16(code).unwrap(), Some(body.as_bytes())).to_status(kind);
    let status = String::from_utf8(status.into()).unwrap();
    assert!(!status.contains("CANARY"));
    status
}

#[test]
fn not_found_reads_as_ever() {
    let body = r#"{"kind":"Status","reason":"NotFound","message":"secrets \"CANARY\" not found","details":{"name":"CANARY"},"code":404}"#;
    insta::assert_snapshot!(rebuilt(404, body, &secret(Some("db"))), @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"secrets \"db\" not found","reason":"NotFound","details":{"name":"db","kind":"secrets"},"code":404}"#);
}

#[test]
fn an_invalid_value_is_not_quoted() {
    let body = r#"{
        "reason": "Invalid", "code": 200, "message": "Secret \"CANARY\" is invalid: metadata.labels: Invalid value: \"CANARY\"",
        "details": {"name": "CANARY", "group": "CANARY", "kind": "CANARY", "uid": "CANARY", "retryAfterSeconds": 3, "causes": [
            {"reason": "FieldValueInvalid", "message": "Invalid value: \"CANARY\"", "field": "metadata.labels"},
            {"reason": "FieldValueInvalid", "message": "CANARY", "field": "data[tls.crt]"},
            {"reason": "FieldManagerConflict", "field": ".metadata.finalizers[=\"CANARY\"]"},
            {"reason": "FieldManagerConflict", "field": "CANARY is no field"},
            {"reason": "CANARY", "field": "x"}
        ]}}"#;
    insta::assert_snapshot!(rebuilt(422, body, &secret(Some("db"))), @r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"portcullis: the API server answered 422 Invalid; its message is withheld because it can quote a Secret's values; look at metadata.labels, data[tls.crt], .metadata.finalizers[]","reason":"Invalid","details":{"name":"db","kind":"secrets","causes":[{"reason":"FieldValueInvalid","message":"the API server's words are withheld","field":"metadata.labels"},{"reason":"FieldValueInvalid","message":"the API server's words are withheld","field":"data[tls.crt]"},{"reason":"FieldManagerConflict","message":"the API server's words are withheld","field":".metadata.finalizers[]"},{"reason":"FieldManagerConflict","message":"the API server's words are withheld"}],"retryAfterSeconds":3},"code":422}"#);
}

#[test]
fn known_failures_read_as_ever() {
    let message = |code, reason: &str, name| {
        let told = rebuilt(code, &format!(r#"{{"reason":"{reason}","message":"CANARY"}}"#), &secret(name));
        serde_json::from_str::<Value>(&told).unwrap()["message"].as_str().unwrap().to_owned()
    };
    let told = [
        message(409, "AlreadyExists", Some("db")),
        message(409, "Conflict", Some("db")),
        message(404, "NotFound", None),
        message(403, "Forbidden", Some("db")),
        message(500, "CANARY", Some("db")),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    secrets "db" already exists
    Operation cannot be fulfilled on secrets "db": the object has been modified; please apply your changes to the latest version and try again
    portcullis: the API server answered 404 NotFound; its message is withheld because it can quote a Secret's values
    portcullis: the API server answered 403 Forbidden; its message is withheld because it can quote a Secret's values
    portcullis: the API server answered 500 InternalError; its message is withheld because it can quote a Secret's values
    "#);
}

#[test]
fn bodies_that_are_no_status() {
    for body in [
        "",
        "CANARY",
        "[]",
        "null",
        r#"{"reason":{"CANARY":1},"details":"CANARY"}"#,
        r#"{"details":{"causes":"CANARY"}}"#,
    ] {
        let status: Value = serde_json::from_str(&rebuilt(503, body, &secret(None))).unwrap();
        assert_eq!(status["reason"], "ServiceUnavailable", "{body}");
        assert_eq!(status["details"], json!({"kind": "secrets"}), "{body}");
    }
}

#[test]
fn fields_are_names() {
    for (path, safe) in [
        ("metadata.labels", Some("metadata.labels")),
        (".data.password", Some(".data.password")),
        ("data[tls.crt]", Some("data[tls.crt]")),
        ("data[a b]", Some("data[]")),
        ("stringData[a]", Some("stringData[a]")),
        ("metadata.ownerReferences[0].name", Some("metadata.ownerReferences[].name")),
        (".metadata.finalizers[=\"x\"]", Some(".metadata.finalizers[]")),
        ("metadata.data[x]", Some("metadata.data[]")),
        ("x[", None),
        ("x]", None),
        ("a b", None),
        ("ключ", None),
    ] {
        assert_eq!(safe_field(path).as_deref(), safe, "{path}");
    }
    assert_eq!(safe_field(&"a".repeat(257)), None);
}
