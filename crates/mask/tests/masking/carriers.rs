//! One fixture for everything that carries a secret, and for what looks like it and does not.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use mask::{Framing, Placeholder, What};

use crate::support::{Places, Rng, mask, mask_in};

const CONFIG_MAPS: Places = Places::Of("", "configmaps", None);
pub(crate) const WIDGETS: Places = Places::Of("example.com", "widgets", None);
const REQUESTS: Places = Places::Of("certificates.k8s.io", "certificatesigningrequests", None);

/// `input` becomes `expected`, in which `<D>` and `<T>` stand for placeholders, in pieces of any length; and then nothing changes.
pub(crate) fn check(places: Places, input: &str, expected: &str) {
    let expected =
        expected.replace("<D>", Placeholder::Base64.as_str()).replace("<T>", Placeholder::Text.as_str());
    let text = |out| String::from_utf8(out).unwrap();
    let shown = input.get(..300).unwrap_or(input);
    assert_eq!(mask(Framing::One, places, input.as_bytes()).map(text), Ok(expected.clone()), "{shown}");
    assert_eq!(
        mask(Framing::One, places, expected.as_bytes()).map(text),
        Ok(expected.clone()),
        "{shown}: twice"
    );
    for most in [1, 3, 40, 5_000] {
        let mut rng = Rng(most as u64);
        let out = mask_in(Framing::One, places, input.as_bytes(), || 1 + rng.below(most));
        assert_eq!(out.map(text), Ok(expected.clone()), "{shown}: pieces up to {most}");
    }
    let event = |object: &str| format!("{{\"type\":\"ADDED\",\"object\":{object}}}\n");
    let events = mask(Framing::Sequence, places, event(input).repeat(2).as_bytes());
    assert_eq!(events.map(text), Ok(event(&expected).repeat(2)), "{shown}: in events");
    let list = |object: &str| format!(r#"{{"kind":"List","items":[{object},{object}]}}"#);
    assert_eq!(
        mask(Framing::One, places, list(input).as_bytes()).map(text),
        Ok(list(&expected)),
        "{shown}: in a list"
    );
    let row = |object: &str| format!(r#"{{"kind":"Table","rows":[{{"cells":[],"object":{object}}}]}}"#);
    assert_eq!(
        mask(Framing::One, places, row(input).as_bytes()).map(text),
        Ok(row(&expected)),
        "{shown}: in a row"
    );
}

pub(crate) fn same(places: Places, input: &str) {
    check(places, input, input);
}

fn annotated(key: &str, text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(r#"{{"kind":"X","metadata":{{"annotations":{{"a":"b","{key}":{text}}},"name":"n"}}}}"#)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

const WITH_SECRET: &str = r#"{"spec":{"containers":[{"env":[{"name":"TOKEN","value":"CANARY"}]}]}}"#;
const WITHOUT: &str = r#"{"spec":{"containers":[{"env":[{"name":"PORT","value":"8080"}]}]}}"#;

#[test]
fn literal_variables() {
    for (resource, group) in
        [("pods", ""), ("replicasets", "apps"), ("jobs", "batch"), ("widgets", "example.com")]
    {
        let places = Places::Of(group, resource, None);
        check(places, WITH_SECRET, &WITH_SECRET.replace("CANARY", "<T>"));
        same(places, WITHOUT);
    }
    let revision = Places::Of("apps", "controllerrevisions", None);
    let data = |value: &str| {
        format!(
            r#"{{"data":{{"spec":{{"template":{{"spec":{{"containers":[{{"env":[{{"name":"A_PASSWORD","value":"{value}"}}]}}]}}}}}}}},"revision":1}}"#
        )
    };
    check(revision, &data("CANARY"), &data("<T>"));
}

#[test]
fn variables_however_written() {
    for (input, expected) in [
        (r#"{"env":[{"name":"TOKEN","value":""}]}"#, r#"{"env":[{"name":"TOKEN","value":"<T>"}]}"#),
        (r#"{"env":[{"value":"x","name":"PORT"}]}"#, r#"{"env":[{"value":"<T>","name":"PORT"}]}"#),
        (r#"{"env":[{"value":"x"}]}"#, r#"{"env":[{"value":"<T>"}]}"#),
        (r#"{"env":[{"name":5,"value":"x"}]}"#, r#"{"env":[{"name":5,"value":"<T>"}]}"#),
        (
            r#"{"\u0065nv":[{"n\u0061me":"TO\u004bEN","valu\u0065":"x"}]}"#,
            r#"{"\u0065nv":[{"n\u0061me":"TO\u004bEN","valu\u0065":"<T>"}]}"#,
        ),
        (r#"{"ENV":[{"Name":"token","VALUE":[1,{"x":2}]}]}"#, r#"{"ENV":[{"Name":"token","VALUE":"<T>"}]}"#),
        (
            r#"{"env":[{"name":"PORT","name":"TOKEN","value":"x"}]}"#,
            r#"{"env":[{"name":"PORT","name":"TOKEN","value":"<T>"}]}"#,
        ),
        (
            r#"{"env":[{"name":"TOKEN","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},{"name":"A","value":"x"}]}"#,
            r#"{"env":[{"name":"TOKEN","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},{"name":"A","value":"x"}]}"#,
        ),
        (
            r#"{"env":{"env":[{"name":"TOKEN","value":"x"}]}}"#,
            r#"{"env":{"env":[{"name":"TOKEN","value":"<T>"}]}}"#,
        ),
        (
            r#"{"envs":[{"name":"TOKEN","value":"x"}],"name":"TOKEN","value":"x"}"#,
            r#"{"envs":[{"name":"TOKEN","value":"x"}],"name":"TOKEN","value":"x"}"#,
        ),
    ] {
        check(Places::Pods, input, expected);
    }
    let long = "N".repeat(400);
    let named = |value: &str| format!(r#"{{"env":[{{"name":"{long}","value":"{value}"}}]}}"#);
    check(Places::Pods, &named("x"), &named("<T>"));
}

/// A variable of some kind is a variable all the same.
#[test]
fn variables_that_have_a_kind() {
    for (input, expected) in [
        (
            r#"{"name":"TOKEN","kind":"Literal","value":"x"}"#,
            r#"{"name":"TOKEN","kind":"Literal","value":"<T>"}"#,
        ),
        (
            r#"{"kind":"Literal","value":"x","name":"TOKEN"}"#,
            r#"{"kind":"Literal","value":"<T>","name":"TOKEN"}"#,
        ),
    ] {
        let within = |variable: &str| format!(r#"{{"spec":{{"env":[{variable}]}}}}"#);
        check(Places::Pods, &within(input), &within(expected));
        check(WIDGETS, &within(input), &within(expected));
    }
}

#[test]
fn long_strings_and_depth_in_what_is_noted() {
    let long = "x".repeat(1 << 20);
    let pod = |value: &str| {
        format!(
            r#"{{"kind":"{long}","metadata":{{"uid":"{long}"}},"spec":{{"env":[{{"name":"{long}","value":"{value}"}}],"kind":"{long}"}}}}"#
        )
    };
    let out = mask(Framing::One, Places::Pods, pod("CANARY").as_bytes()).unwrap();
    assert!(out == pod(Placeholder::Text.as_str()).as_bytes());
    for deep in ["{\"env\":", "{\"kind\":", "[", "{\"spec\":[{\"name\":\"TOKEN\",\"value\":"] {
        let error = mask(Framing::One, WIDGETS, format!("{{\"spec\":{}", deep.repeat(10_000)).as_bytes())
            .unwrap_err();
        assert_eq!(error.what, What::TooDeep);
    }
}

#[test]
fn copies_of_objects() {
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    check(
        Places::Pods,
        &annotated(LAST_APPLIED, WITH_SECRET),
        &annotated(LAST_APPLIED, &WITH_SECRET.replace("CANARY", "<T>")),
    );
    same(Places::Pods, &annotated(LAST_APPLIED, WITHOUT));
    for key in [
        "objectset.rio.cattle.io/applied",
        "kapp.k14s.io/original",
        "kopf.zalando.org/last-handled-configuration",
        "example.org/last-handled-configuration",
        "banzaicloud.com/last-applied",
        "deploy.razee.io/last-applied-configuration",
        "metacontroller.k8s.io/last-applied-configuration",
    ] {
        for (document, kept) in [(WITHOUT, true), (WITH_SECRET, false), ("{}", true)] {
            let mut twice = gzip(document.as_bytes());
            twice.extend(gzip(b" \n"));
            let packed = gzip(document.as_bytes());
            let texts = [
                document.to_owned(),
                STANDARD.encode(document),
                STANDARD.encode(packed),
                STANDARD.encode(twice),
            ];
            for text in texts {
                let expected = if kept { annotated(key, &text) } else { annotated(key, "<T>") };
                check(Places::Pods, &annotated(key, &text), &expected);
            }
        }
        for broken in ["CANARY", "H4sICANARY", "UEsDBCANARY=", "{\"CANARY", "{} CANARY", "[1]"] {
            check(Places::Pods, &annotated(key, broken), &annotated(key, "<T>"));
        }
        same(Places::Pods, &annotated(key, ""));
        // A Secret's copies by a Secret's rules.
        let secret = r#"{"data":{"a":"CANARY"}}"#;
        let packed = STANDARD.encode(gzip(secret.as_bytes()));
        for text in [secret, packed.as_str()] {
            check(Places::Secrets, &annotated(key, text), &annotated(key, "<T>"));
            same(Places::Pods, &annotated(key, text));
        }
    }
    same(Places::Pods, &annotated("example.com/other", WITH_SECRET));
}

#[test]
fn what_is_too_large_to_unpack_is_replaced() {
    const KEY: &str = "objectset.rio.cattle.io/applied";
    let bomb = STANDARD.encode(gzip(format!(r#"{{"a":"{}"}}"#, "x".repeat(5 << 20)).as_bytes()));
    assert!(bomb.len() < 256 << 10);
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(300 << 10));
    for text in [bomb, long] {
        let out = mask(Framing::One, Places::Pods, annotated(KEY, &text).as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), annotated(KEY, Placeholder::Text.as_str()));
    }
}

#[test]
fn helm_releases_in_config_maps() {
    let release =
        |value: &str| format!(r#"{{"kind":"ConfigMap","data":{{"release":"{value}","x":"H4sI"}}}}"#);
    check(CONFIG_MAPS, &release("H4sICANARY"), &release("<T>"));
    check(CONFIG_MAPS, &release("\\u0048\\u0034sI"), &release("<T>"));
    for harmless in ["", "H4s", "v1.2", "\\\"1.2\\\""] {
        same(CONFIG_MAPS, &release(harmless));
    }
    // However long they are.
    for (long, kept) in [("H4sI", false), ("A\\n4sI", true)] {
        let input = release(&long.repeat(100 << 10));
        let expected = if kept { input.clone() } else { release(Placeholder::Text.as_str()) };
        for chunk in [2, 1 << 16, usize::MAX] {
            let out = mask_in(Framing::One, CONFIG_MAPS, input.as_bytes(), || chunk).unwrap();
            assert!(out == expected.as_bytes(), "{long} in pieces of {chunk}");
        }
    }
    // ConfigMaps with an `apiVersion` are not taken for Secrets.
    same(CONFIG_MAPS, r#"{"apiVersion":"v1","data":{"password":"x"},"kind":"ConfigMap"}"#);
}

#[test]
fn tokens_that_are_made_or_shown() {
    let request = Places::Of("", "serviceaccounts", Some("token"));
    check(
        request,
        r#"{"kind":"TokenRequest","spec":{"audiences":["x"]},"status":{"token":"CANARY","expirationTimestamp":"t"}}"#,
        r#"{"kind":"TokenRequest","spec":{"audiences":["x"]},"status":{"token":"<T>","expirationTimestamp":"t"}}"#,
    );
    let review = Places::Of("authentication.k8s.io", "tokenreviews", None);
    check(
        review,
        r#"{"spec":{"token":"CANARY"},"status":{"authenticated":true,"user":{"username":"u"}}}"#,
        r#"{"spec":{"token":"<T>"},"status":{"authenticated":true,"user":{"username":"u"}}}"#,
    );
}

#[test]
fn certificate_signing_requests() {
    let pem = |der: &[u8]| {
        STANDARD.encode(format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            STANDARD.encode(der)
        ))
    };
    let object = |request: &str| {
        format!(
            r#"{{"spec":{{"request":"{request}","usages":["x"]}},"status":{{"certificate":"Y2VydA=="}}}}"#
        )
    };
    let challenge = b"\x30\x20\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x08CANARY";
    same(REQUESTS, &object(&pem(b"\x30\x20 a request")));
    for request in [pem(challenge), "CANARY!".to_owned(), STANDARD.encode("CANARY is no PEM!")] {
        check(REQUESTS, &object(&request), &object("<D>"));
    }
}

#[test]
fn objects_that_say_they_are_secrets() {
    for (input, expected) in [
        (
            r#"{"kind":"Secret","apiVersion":"v1","data":{"a":"x"}}"#,
            r#"{"kind":"Secret","apiVersion":"v1","data":{"a":"<D>"}}"#,
        ),
        (
            r#"{"apiVersion":"v1","data":{"a":"x"},"kind":"Secret","stringData":{"a":"x"}}"#,
            r#"{"apiVersion":"v1","data":{"a":"<D>"},"kind":"Secret","stringData":{"a":"<T>"}}"#,
        ),
        (
            r#"{"spec":{"manifests":[{"apiVersion":"v1","data":{"a":"x"},"kind":"Secret"}]}}"#,
            r#"{"spec":{"manifests":[{"apiVersion":"v1","data":{"a":"<D>"},"kind":"Secret"}]}}"#,
        ),
        (
            r#"{"spec":{"a":{"kind":"Pod","kind":"Secret","data":{"a":"x"},"kind":"Pod","stringData":{"a":"x"}}}}"#,
            r#"{"spec":{"a":{"kind":"Pod","kind":"Secret","data":{"a":"<D>"},"kind":"Pod","stringData":{"a":"<T>"}}}}"#,
        ),
        (
            r#"{"kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"x\"}}","banzaicloud.com/last-applied":"{\"data\":{\"a\":\"x\"}}"}}}"#,
            r#"{"kind":"Secret","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"<D>\"}}","banzaicloud.com/last-applied":"<T>"}}}"#,
        ),
        (
            r#"{"kind":"Secret","x":{"env":[{"name":"TOKEN","value":"x"}]}}"#,
            r#"{"kind":"Secret","x":{"env":[{"name":"TOKEN","value":"<T>"}]}}"#,
        ),
    ] {
        check(Places::Pods, input, expected);
        check(WIDGETS, input, expected);
    }
    for other in [
        r#"{"kind":"Pod","data":{"a":"x"}}"#,
        r#"{"data":{"a":"x"},"kind":"Secret"}"#,
        r#"{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"x"}}"#,
        r#"{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"x"}}"#,
        r#"{"spec":{"a":{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"x"}}}}"#,
        r#"{"apiVersion":"apps/v1","data":{"a":"x"},"kind":"ControllerRevision"}"#,
        r#"{"kind":{"kind":"x"},"data":{"kind":"Secret"},"apiVersion":["v1"],"b":{"data":{"a":"x"}}}"#,
    ] {
        same(Places::Pods, other);
        same(WIDGETS, other);
    }
}

#[test]
fn what_is_public_stays() {
    let hook = Places::Of("admissionregistration.k8s.io", "validatingwebhookconfigurations", None);
    same(
        hook,
        r#"{"webhooks":[{"name":"a","clientConfig":{"caBundle":"LS0tLS1CRUdJTg==","service":{"name":"s"}}}]}"#,
    );
    let service = Places::Of("apiregistration.k8s.io", "apiservices", None);
    same(service, r#"{"spec":{"caBundle":"LS0tLS1CRUdJTg==","group":"g"}}"#);
    let crd = Places::Of("apiextensions.k8s.io", "customresourcedefinitions", None);
    same(
        crd,
        r#"{"spec":{"conversion":{"webhook":{"clientConfig":{"caBundle":"LS0t"}}},"versions":[{"schema":{"properties":{"env":{"type":"array","items":{"properties":{"name":{"type":"string"},"value":{"type":"string"}}}}}}}]}}"#,
    );
    same(
        CONFIG_MAPS,
        r#"{"kind":"ConfigMap","data":{"ca.crt":"-----BEGIN CERTIFICATE-----\n","password":"x"}}"#,
    );
}
