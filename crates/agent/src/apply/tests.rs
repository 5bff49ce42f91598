use super::*;
use crate::manifests::Sources;

fn manifest(text: &str) -> Manifest {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    std::fs::write(&file, text).unwrap();
    Sources { files: vec![file], recursive: false }.read().unwrap().remove(0)
}

fn place() -> Place {
    Place {
        collection: "/api/v1/namespaces/shop/configmaps".into(),
        object: "/api/v1/namespaces/shop/configmaps/a".into(),
        namespace: Some("shop".into()),
        named: "configmaps \"a\" in namespace \"shop\"".into(),
    }
}

const MANIFEST: &str = "\
kind: ConfigMap
apiVersion: v1
metadata:
  name: a
  resourceVersion: '5'
  annotations: {kubectl.kubernetes.io/last-applied-configuration: old, b: c}
data: {html: \"<b> & \\u2028 \\\"é\\\"\", gone: null}
";

fn told(call: Option<WantedCall>) -> String {
    call.map_or_else(
        || "no call".to_owned(),
        |WantedCall { method, path, content_type, body, .. }| {
            format!("{method} {path}\n{content_type}\n{body}")
        },
    )
}

fn call(how: How, manifest: &Manifest, live: Option<&Value>) -> String {
    told(how.call(manifest, &place(), live.and_then(Value::as_object)).unwrap())
}

#[test]
fn what_is_absent_is_created() {
    insta::assert_snapshot!(call(How::Client, &manifest(MANIFEST), None));
    let bare = manifest("{kind: ConfigMap, apiVersion: v1, metadata: {name: a}}");
    insta::assert_snapshot!(call(How::Client, &bare, None));
}

#[test]
fn what_is_there_is_patched_and_what_was_applied_before_goes() {
    let before = "{\"data\":{\"old\":\"1\",\"html\":\"x\"},\"metadata\":{\"annotations\":{\"x\":\"y\"}}}\n";
    let mut live = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {
            "name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "5",
            "annotations": {APPLIED: before, "b": "c", "x": "y", "other": "o"},
        },
        "data": {"old": "1", "html": "x", "other": "o"},
    });
    let manifest = manifest(MANIFEST);
    insta::assert_snapshot!(call(How::Client, &manifest, Some(&live)));
    // What cannot be read tells nothing of what was applied.
    live["metadata"]["annotations"][APPLIED] = json!("masked");
    insta::assert_snapshot!(call(How::Client, &manifest, Some(&live)));
}

#[test]
fn what_is_so_already_is_no_call() {
    let manifest = manifest("{kind: ConfigMap, apiVersion: v1, metadata: {name: a}, data: {a: '1'}}");
    let created = How::Client.call(&manifest, &place(), None).unwrap().unwrap();
    let mut live: Value = serde_json::from_str(&created.body).unwrap();
    live["metadata"]["uid"] = json!("u");
    assert_eq!(call(How::Client, &manifest, Some(&live)), "no call");
}

#[test]
fn custom_kinds_have_patches_of_their_own() {
    let manifest = manifest("{kind: Widget, apiVersion: example.com/v1, metadata: {name: a}, spec: {a: 1}}");
    let live = json!({"metadata": {"name": "a", "namespace": "shop"}, "spec": {"a": 2}});
    let told = call(How::Client, &manifest, Some(&live));
    assert!(told.contains("application/merge-patch+json"), "{told}");
}

#[test]
fn the_server_finds_out_by_itself() {
    let manifest = manifest("{kind: ConfigMap, apiVersion: v1, metadata: {name: a}, data: {a: '1'}}");
    assert!(!How::Server { force: true }.looks());
    insta::assert_snapshot!(call(How::Server { force: false }, &manifest, None));
    assert!(call(How::Server { force: true }, &manifest, None).contains("&force=true"));
}

#[test]
fn json_is_as_go_writes_it() {
    let value =
        json!({"b": [1, 2.5, null, true], "a": {"z": "\u{8}\u{c}\n\t\u{1}/\\", "<": ">&"}, "é": "\u{2029}"});
    insta::assert_snapshot!(json::text(&value), @r#"{"a":{"\u003c":"\u003e\u0026","z":"\b\f\n\t\u0001/\\"},"b":[1,2.5,null,true],"é":"\u2029"}"#);
}
