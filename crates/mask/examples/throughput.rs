//! How fast the scanner is: gigabytes a second on one core, for chunks of 64 KiB; the best of many passes so short that
//! other work on the machine does not show.
//!
//! `cargo run --release -p mask --example throughput [PART OF A NAME]`

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mask::{Catalogue, Framing, Guard, KnownValues, Malformed, Masker, Rules, View};

const CHUNK: usize = 64 << 10;
const SIZE: usize = 1 << 20;
const STRUCTURE: &str = r#"{"a":1,"b":[true,false,null],"c":"d","e":{"f":2}}"#;

fn main() -> Result<(), Malformed> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let catalogue = Catalogue::builtin();
    let secrets = catalogue.rules_for("", "secrets", None);
    let pods = catalogue.rules_for("", "pods", None);
    let guard = Guard::new("dev", catalogue, KnownValues::none(), [7; 16]);
    let nowhere = Rules::nowhere();
    for (name, rules, item) in [
        ("Secrets, one 1 KiB value and last-applied each", &secrets, secret(1024)),
        ("Secrets, ten 24-byte values each", &secrets, small_secret()),
        ("all small values, no places", &nowhere, small_values()),
        ("all small values, places of Secrets", &secrets, small_values()),
        ("all small values, places of Pods", &pods, small_values()),
        ("nothing but structure, no places", &nowhere, STRUCTURE.to_owned()),
        ("nothing but structure, places of Pods", &pods, STRUCTURE.to_owned()),
        ("Pods, no places", &nowhere, pod()),
        ("Pods, places of Pods", &pods, pod()),
    ] {
        if !name.contains(&wanted) {
            continue;
        }
        let document = list(&item);
        let mut best = Duration::MAX;
        let mut masked = 0;
        for _ in 0..600 {
            let began = SystemTime::now();
            masked = run(&guard, rules, &document)?;
            best = best.min(began.elapsed().unwrap_or(Duration::MAX));
        }
        let rate = document.len() as f64 / best.as_secs_f64() / 1e9;
        println!("{rate:5.2} GB/s  {name} ({masked} values replaced)");
    }
    Ok(())
}

fn run(guard: &Guard, rules: &Rules, document: &Bytes) -> Result<u64, Malformed> {
    let mut masker = Masker::new(Framing::One, rules).bound(guard, &View::default());
    let mut rest = document.clone();
    while !rest.is_empty() {
        let chunk = rest.split_to(CHUNK.min(rest.len()));
        std::hint::black_box(masker.push(chunk)?);
    }
    masker.finish()?;
    Ok(masker.masked())
}

/// As many of `item` as fit into the size of a document.
fn list(item: &str) -> Bytes {
    let mut text = String::from(r#"{"kind":"List","apiVersion":"v1","items":["#);
    while text.len() < SIZE {
        text.push_str(item);
        text.push(',');
    }
    text.pop();
    text.push_str("]}");
    text.into()
}

fn metadata(annotations: &str) -> String {
    format!(
        r#"{{"name":"db-credentials","namespace":"payments","uid":"3f1c7a52-7f5e-4e0b-9a53-8f0b0d8f2a11","resourceVersion":"8123456","creationTimestamp":"2026-03-01T12:00:00Z","labels":{{"app.kubernetes.io/name":"db","app.kubernetes.io/managed-by":"Helm"}},"annotations":{{{annotations}}},"managedFields":[{{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-03-01T12:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{".":{{}},"f:password":{{}}}},"f:type":{{}}}}}}]}}"#
    )
}

fn secret(value: usize) -> String {
    let value = "QUJD".repeat(value / 4);
    let applied = format!(
        r#"\"kubectl\":1,\"data\":{{\"password\":\"{value}\"}},\"metadata\":{{\"name\":\"db\",\"namespace\":\"payments\"}}"#
    );
    let annotations = format!(r#""kubectl.kubernetes.io/last-applied-configuration":"{{{applied}}}\n""#);
    format!(
        r#"{{"kind":"Secret","metadata":{},"data":{{"password":"{value}"}},"type":"Opaque"}}"#,
        metadata(&annotations)
    )
}

fn small_secret() -> String {
    let mut data = String::new();
    for key in 0..10 {
        let _ = write!(data, r#""key-{key}":"c2VjcmV0LXZhbHVlLW51bS0x","#);
    }
    data.pop();
    format!(r#"{{"kind":"Secret","metadata":{},"data":{{{data}}},"type":"Opaque"}}"#, metadata(""))
}

fn small_values() -> String {
    let mut members = String::new();
    for key in 0..40 {
        let _ = write!(members, r#""k{key}":"v","n{key}":{key},"b{key}":true,"#);
    }
    members.pop();
    format!("{{{members}}}")
}

fn pod() -> String {
    let environment = r#"{"name":"LOG_LEVEL","value":"info"},{"name":"PORT","value":"8080"}"#;
    let container = format!(
        r#"{{"name":"app","image":"registry.example.com/payments/app:v1.2.3","ports":[{{"containerPort":8080,"protocol":"TCP"}}],"env":[{environment}],"resources":{{"limits":{{"cpu":"500m","memory":"256Mi"}}}},"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}}"#
    );
    let condition = r#"{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-01T12:00:00Z"}"#;
    format!(
        r#"{{"metadata":{},"spec":{{"containers":[{container},{container}],"restartPolicy":"Always","nodeName":"node-17","priority":0}},"status":{{"phase":"Running","conditions":[{condition},{condition},{condition}],"podIP":"10.1.2.3"}}}}"#,
        metadata("")
    )
}
