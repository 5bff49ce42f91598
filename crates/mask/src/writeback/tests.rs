//! What becomes of writes, and in which words they are refused.

#[path = "tests/beside.rs"]
mod beside;
#[path = "tests/guesses.rs"]
mod guesses;
#[path = "tests/kept.rs"]
mod kept;

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use kube_api::Head;
use serde_json::json;

use super::*;
use crate::{Catalogue, CustomPlace, Guard, KnownValues, Sealed, SecretValue, View};

const SECRET: &str = "/api/v1/namespaces/shop/secrets/db";
const WEB: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const JSON_PATCH: &str = "application/json-patch+json";
const JSON: &str = "application/json";

fn request(method: &str, target: &str, content: &str, body: &Value) -> Request {
    let parts = http::Request::builder().method(method).uri(target).header(CONTENT_TYPE, content);
    let (parts, ()) = parts.body(()).unwrap().into_parts();
    let body = if method == "GET" { String::new() } else { body.to_string() };
    Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap()
}

/// One value is known, and one place is configured.
fn guard() -> Guard {
    let known = KnownValues::none();
    let _updated = known.update([SecretValue::new(b"k3j9x0q2m5zt-known".to_vec())]);
    let place = CustomPlace { resource: "widgets.example.com".to_owned(), path: "spec.pin".to_owned() };
    Guard::new("dev", Catalogue::builtin().with(&[place]).unwrap(), known, [7; 16])
}

/// The object as a read through the gate finds it.
fn live(target: &str, object: &Value) -> Live {
    live_for("s", target, object)
}

fn live_for(session: &str, target: &str, object: &Value) -> Live {
    live_by(&guard(), session, target, object)
}

fn live_by(guard: &Guard, session: &str, target: &str, object: &Value) -> Live {
    let view = View { session: session.to_owned(), ..View::default() };
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(JSON))]);
    let read = request("GET", target, JSON, &Value::Null);
    let body = Full::new(object.to_string().into());
    let sealed = Sealed::new(guard, view, &read, StatusCode::OK, &headers, body);
    let mut kept = std::pin::pin!(sealed.keep());
    match kept.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(kept) => kept.unwrap(),
        std::task::Poll::Pending => panic!("the body is there"),
    }
}

fn secret() -> Value {
    let manifest = json!({ "kind": "Secret", "data": { "password": "T0xE" }, "metadata": { "name": "db" } });
    json!({
        "kind": "Secret", "apiVersion": "v1",
        "metadata": {
            "name": "db", "namespace": "shop", "uid": "6e0a", "resourceVersion": "41",
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": format!("{manifest}\n") },
            "managedFields": [{ "manager": "me", "operation": "Apply", "fieldsV1": { "f:data": { "f:password": {} } } }],
        },
        "data": { "password": "UkVBTA==", "user": "VVNFUg==" },
        "type": "Opaque",
    })
}

fn deployment() -> Value {
    json!({
        "kind": "Deployment", "apiVersion": "apps/v1",
        "metadata": { "name": "web", "namespace": "shop", "uid": "7e0a", "resourceVersion": "51" },
        "spec": { "template": { "spec": { "containers": [
            { "name": "web", "env": [{ "name": "MODE", "value": "production" }] },
        ] } } },
    })
}

/// What is sent in place of a write, or why it is not.
fn told(live: &Live, request: &Request) -> String {
    match live.update(request, "CALL") {
        Ok(sent) => format!(
            "{} {} {}",
            sent.method(),
            sent.path_and_query(),
            sent.body().map(|body| body.value().to_string()).unwrap_or_default()
        ),
        Err(refused) => format!("{} {refused}", refused.code().as_u16()),
    }
}

/// The Secret as shown, edited.
fn edited(live: &Live, edit: impl FnOnce(&mut Value)) -> Value {
    let mut shown = live.shown.clone();
    edit(&mut shown);
    shown
}

#[test]
fn untouched_placeholders_become_what_they_stand_for_and_what_was_changed_is_written() {
    let live = live(SECRET, &secret());
    assert!(!live.shown.to_string().contains("UkVBTA==") && !live.shown.to_string().contains("T0xE"));
    let put = |body: &Value| told(&live, &request("PUT", SECRET, JSON, body));
    let mut out = String::new();
    let mut tell = |what: &str, told: String| writeln!(out, "{what}\n  {told}").unwrap();
    tell("as shown", put(&edited(&live, |_| {})));
    tell("a label", put(&edited(&live, |shown| shown["metadata"]["labels"] = json!({ "a": "b" }))));
    tell("another value", put(&edited(&live, |shown| shown["data"]["password"] = json!("TkVX"))));
    tell(
        "a key taken away",
        put(&edited(&live, |shown| _ = shown["data"].as_object_mut().unwrap().shift_remove("user"))),
    );
    tell(
        "no version",
        put(&edited(&live, |shown| {
            _ = shown["metadata"].as_object_mut().unwrap().shift_remove("resourceVersion");
        })),
    );
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_not_at_its_place_is_refused_with_the_place_and_what_to_do() {
    let live = live(SECRET, &secret());
    let placeholder = live.shown["data"]["password"].clone();
    let put = |body: &Value| told(&live, &request("PUT", SECRET, JSON, body));
    let mut out = String::new();
    let mut tell = |what: &str, told: String| writeln!(out, "{what}\n  {told}").unwrap();
    let elsewhere = |place: &'static str| {
        let placeholder = placeholder.clone();
        edited(&live, move |shown| shown["metadata"]["labels"] = json!({ place: placeholder }))
    };
    tell("a label", put(&elsewhere("copy")));
    tell("a new key", put(&edited(&live, |shown| shown["data"]["copy"] = placeholder.clone())));
    tell("another key", put(&edited(&live, |shown| shown["data"]["user"] = placeholder.clone())));
    tell(
        "a part of a text",
        put(&edited(&live, |shown| {
            let text = format!("x{}", placeholder.as_str().unwrap());
            shown["stringData"] = json!({ "password": text });
        })),
    );
    tell("a key", put(&edited(&live, |shown| shown["data"][placeholder.as_str().unwrap()] = json!("YQ=="))));
    tell("another version", put(&edited(&live, |shown| shown["metadata"]["resourceVersion"] = json!("40"))));
    insta::assert_snapshot!(out);
}

#[test]
fn patches_with_placeholders_are_applied_here_or_refused() {
    let live = live(SECRET, &secret());
    let placeholder = live.shown["data"]["password"].clone();
    let noted = live.shown["metadata"]["annotations"].clone();
    let manifest = json!({ "kind": "Secret", "data": { "password": placeholder } }).to_string();
    let applied = json!({ "metadata": {
        "labels": { "a": "b" },
        "annotations": { "kubectl.kubernetes.io/last-applied-configuration": manifest },
    } });
    let data = json!({ "data": { "password": placeholder } });
    let mut out = String::new();
    for (what, content, body) in [
        ("as kubectl applies", STRATEGIC, applied),
        ("what is noted, as shown", MERGE, json!({ "metadata": { "annotations": noted } })),
        (
            "a value as shown, another taken away",
            MERGE,
            json!({ "data": { "password": placeholder, "user": null } }),
        ),
        (
            "another version",
            MERGE,
            json!({ "metadata": { "resourceVersion": "1" }, "data": { "password": placeholder } }),
        ),
        ("another place", STRATEGIC, json!({ "metadata": { "labels": { "a": placeholder } } })),
        ("a directive", STRATEGIC, json!({ "$patch": "replace", "data": { "password": placeholder } })),
        ("a list", MERGE, json!({ "metadata": { "finalizers": [] }, "data": { "password": placeholder } })),
        ("JSON patch", JSON_PATCH, json!([{ "op": "add", "path": "/data/password", "value": placeholder }])),
    ] {
        writeln!(out, "{what}\n  {}", told(&live, &request("PATCH", SECRET, content, &body))).unwrap();
    }
    for manager in ["me", "you"] {
        let target = format!("{SECRET}?fieldManager={manager}&force=true");
        let told = told(
            &live,
            &request(
                "PATCH",
                &target,
                APPLY,
                &json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" }, "data": { "password": placeholder }
                }),
            ),
        );
        writeln!(out, "applied by {manager}\n  {told}").unwrap();
    }
    let body = json!({ "metadata": { "annotations": { "x": placeholder } } });
    let web = self::live(WEB, &deployment());
    writeln!(out, "another kind\n  {}", told(&web, &request("PATCH", WEB, MERGE, &body))).unwrap();
    assert!(needs_live(&guard(), &request("PATCH", SECRET, MERGE, &data)).unwrap());
    insta::assert_snapshot!(out);
}

#[test]
fn every_write_of_a_secret_changes_it_and_nothing_can_take_that_back() {
    let live = live(SECRET, &secret());
    let mut bare = secret();
    bare["metadata"].as_object_mut().unwrap().shift_remove("annotations");
    let bare = self::live(SECRET, &bare);
    let mut out = String::new();
    let guess = json!({ "data": { "password": "R1VFU1M=" } });
    let replace = json!([{ "op": "replace", "path": "/data/password", "value": "R1VFU1M=" }]);
    for (what, content, body) in [
        ("merge", MERGE, guess.clone()),
        ("strategic", STRATEGIC, guess),
        ("JSON patch", JSON_PATCH, replace.clone()),
        (
            "annotations gone",
            MERGE,
            json!({ "metadata": { "annotations": null }, "data": { "password": "R1VFU1M=" } }),
        ),
        ("metadata gone", MERGE, json!({ "metadata": null })),
        ("directive", STRATEGIC, json!({ "metadata": { "annotations": { "$patch": "delete" } } })),
        ("all annotations", JSON_PATCH, json!([{ "op": "remove", "path": "/metadata/annotations" }])),
        ("the whole", JSON_PATCH, json!([{ "op": "replace", "path": "", "value": {} }])),
        ("the mark", MERGE, json!({ "metadata": { "annotations": { "portcullis.dev/call": null } } })),
    ] {
        writeln!(out, "{what}\n  {}", told(&live, &request("PATCH", SECRET, content, &body))).unwrap();
    }
    let told = told(&bare, &request("PATCH", SECRET, JSON_PATCH, &replace));
    writeln!(out, "JSON patch, no annotations before\n  {told}").unwrap();
    insta::assert_snapshot!(out);
}

#[test]
fn values_of_an_immutable_secret_are_not_written_the_same_or_another() {
    let mut immutable = secret();
    immutable["immutable"] = json!(true);
    let live = live(SECRET, &immutable);
    let mut told_of = Vec::new();
    for value in ["UkVBTA==", "R1VFU1M="] {
        let merge = json!({ "data": { "password": value } });
        let replace = json!([{ "op": "replace", "path": "/data/password", "value": value }]);
        let whole = edited(&live, |shown| shown["data"]["password"] = json!(value));
        told_of.push([
            told(&live, &request("PATCH", SECRET, MERGE, &merge)),
            told(&live, &request("PATCH", SECRET, JSON_PATCH, &replace)),
            told(&live, &request("PUT", SECRET, JSON, &whole)),
        ]);
    }
    assert_eq!(told_of[0], told_of[1]);
    insta::assert_snapshot!(told_of[0].join("\n"));
    let labelled = edited(&live, |shown| shown["metadata"]["labels"] = json!({ "a": "b" }));
    assert!(told(&live, &request("PUT", SECRET, JSON, &labelled)).contains("UkVBTA=="));
}

fn variable(name: &str, value: &Value) -> Value {
    json!({ "spec": { "template": { "spec": { "containers": [{ "name": "web", "env": [{ "name": name, "value": value }] }] } } } })
}

#[test]
fn a_placeholder_that_is_the_same_everywhere_needs_the_object_and_its_version_beside_it() {
    let settings = "/api/v1/namespaces/shop/configmaps/settings";
    let live = live(
        settings,
        &json!({
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": { "name": "settings", "namespace": "shop", "uid": "8e0a", "resourceVersion": "61" },
            "data": { "copy": "k3j9x0q2m5zt-known", "plain": "x" },
        }),
    );
    assert!(!live.shown.to_string().contains("k3j9x0q2m5zt-known"));
    let put = |body: &Value| told(&live, &request("PUT", settings, JSON, body));
    let mut out = vec![put(&live.shown)];
    for missing in ["uid", "resourceVersion"] {
        out.push(put(&edited(&live, |shown| {
            _ = shown["metadata"].as_object_mut().unwrap().shift_remove(missing);
        })));
    }
    out.push(put(&edited(&live, |shown| shown["data"]["plain"] = shown["data"]["copy"].clone())));
    insta::assert_snapshot!(out.join("\n"));
}

#[test]
fn a_placeholder_means_nothing_where_there_is_no_object_yet() {
    let live = live(SECRET, &secret());
    let body = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "new" },
        "data": { "password": live.shown["data"]["password"] } });
    let create = request("POST", "/api/v1/namespaces/shop/secrets", JSON, &body);
    insta::assert_snapshot!(needs_live(&guard(), &create).unwrap_err());
    let status = request("PUT", &format!("{WEB}/status"), JSON, &body);
    assert!(needs_live(&guard(), &status).is_err());
    assert_eq!(needs_live(&guard(), &request("PUT", WEB, JSON, &deployment())), Ok(false));
    assert_eq!(needs_live(&guard(), &request("PUT", SECRET, JSON, &secret())), Ok(true));
}

/// Whether it is immutable was looked at: a write that lands after another made it so would tell whether its value was right.
#[test]
fn values_are_written_to_the_version_that_was_looked_at() {
    let live = live(SECRET, &secret());
    let data = json!({ "data": { "password": "R1VFU1M=" } });
    let whole = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" }, "data": data["data"],
    });
    let operation = json!([{ "op": "replace", "path": "/data/password", "value": "R1VFU1M=" }]);
    let mut unbound = String::new();
    for (method, target, content, body) in [
        ("PUT", SECRET, JSON, &whole),
        ("PATCH", SECRET, MERGE, &data),
        ("PATCH", SECRET, STRATEGIC, &data),
        ("PATCH", "/api/v1/namespaces/shop/secrets/db?fieldManager=me&force=true", APPLY, &whole),
        ("PATCH", SECRET, JSON_PATCH, &operation),
    ] {
        let told = told(&live, &request(method, target, content, body));
        if !told.contains(r#""41""#) {
            writeln!(unbound, "{content}: {told}").unwrap();
        }
    }
    assert!(unbound.is_empty(), "{unbound}");
}

/// Gzip hides the placeholders within: what marks a masked release must do.
#[test]
fn a_release_of_helm_that_was_shown_masked_is_written_as_it_was() {
    let release =
        json!({ "name": "a", "info": {}, "chart": {}, "config": { "password": "CANARY" } }).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, release.as_bytes()).unwrap();
    let once = STANDARD.encode(gzip.finish().unwrap());
    let map = "/api/v1/namespaces/shop/configmaps/copy";
    for (target, kind, release) in [(SECRET, "Secret", STANDARD.encode(&once)), (map, "ConfigMap", once)] {
        let object = json!({
            "kind": kind, "apiVersion": "v1",
            "metadata": { "name": target.rsplit('/').next(), "namespace": "shop", "uid": "6e0a", "resourceVersion": "41" },
            "data": { "release": release },
        });
        let live = live(target, &object);
        let shown = live.shown["data"]["release"].as_str().unwrap().to_owned();
        assert!(shown != release && !shown.starts_with("bWFza2Vk"), "masked within: {shown}");
        let labelled = edited(&live, |shown| shown["metadata"]["labels"] = json!({ "a": "b" }));
        let write = request("PUT", target, JSON, &labelled);
        assert_eq!(needs_live(&guard(), &write), Ok(true), "{kind}");
        let told = told(&live, &write);
        assert!(told.starts_with("PUT") && told.contains(&release) && !told.contains(&shown), "{told}");
        let moved = edited(&live, |shown| shown["data"] = json!({ "other": shown["data"]["release"] }));
        let refused = self::told(&live, &request("PUT", target, JSON, &moved));
        assert!(refused.starts_with("422") && refused.contains("belongs at"), "{refused}");
    }
}
