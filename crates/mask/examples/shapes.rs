//! How fast credentials are looked for by their shape in text that has none: gigabytes a second on one core, the best of many
//! passes.
//!
//! `cargo run --release -p mask --example shapes`

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use mask::{Content, KnownValues, Redactor};

const CHUNK: usize = 64 << 10;
const SIZE: usize = 1 << 20;

fn main() {
    for (name, text) in [
        ("Pods", repeated(&pod())),
        ("Secrets, masked by place", repeated(&secret())),
        ("a log", log()),
        ("a log in colours", log().replace("I0301", "\x1b[32mI0301").replace("] ", "]\x1b[0m ")),
        ("a JSON log", json_log()),
        (
            "base64",
            repeated("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3ODkr"),
        ),
        ("hostile: URLs of nothing", repeated("://")),
        ("hostile: names without values", repeated("token=")),
        ("hostile: first lines without keys", repeated("-----BEGIN PRIVATE KEY-----\\n")),
        ("hostile: headers without claims", repeated(".eyJhbGciOiJSUzI1NiIs")),
        ("hostile: one header that begins many times", repeated("-eyJh")),
        ("hostile: one token that begins many times", repeated("SG.aB3dEf.")),
        ("hostile: one password that begins many times", repeated("password=")),
        ("hostile: the same with escapes", repeated("password=\\\\t")),
        ("hostile: backslashes", repeated("\\\\")),
    ] {
        let passes = if name.starts_with("hostile") { 5 } else { 100 };
        let rate = |content, text: &Bytes| {
            let best = (0..passes).map(|_| redacted(content, text)).min().unwrap_or(Duration::MAX);
            text.len() as f64 / best.as_secs_f64() / 1e9
        };
        let string = Bytes::from(format!("\"{}\"", text.replace(['"', '\n', '\x1b'], " ")));
        let (plain, string) = (rate(Content::Text, &Bytes::from(text)), rate(Content::Json, &string));
        println!("{plain:6.3} GB/s, {string:6.3} GB/s as one string of JSON  {name}");
    }
}

/// How long it takes.
fn redacted(content: Content, text: &Bytes) -> Duration {
    let mut redactor = Redactor::new(KnownValues::none(), content);
    let mut rest = text.clone();
    let began = SystemTime::now();
    while !rest.is_empty() {
        std::hint::black_box(redactor.push(rest.split_to(CHUNK.min(rest.len())), &[]));
    }
    began.elapsed().unwrap_or(Duration::MAX)
}

fn repeated(item: &str) -> String {
    item.repeat(SIZE / item.len())
}

fn pod() -> String {
    let container = r#"{"name":"app","image":"registry.example.com/payments/app:v1.2.3@sha256:0f5c0e4a8f8d1d6d7f0d3f0b3b0d1c8e9c0f1a2b3c4d5e6f708192a3b4c5d6e7","ports":[{"containerPort":8080,"protocol":"TCP"}],"env":[{"name":"LOG_LEVEL","value":"info"},{"name":"DB_URL","value":"postgres://db.payments.svc:5432/app"},{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}],"resources":{"limits":{"cpu":"500m","memory":"256Mi"}},"volumeMounts":[{"name":"kube-api-access-x7k2p","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent"}"#;
    let condition = r#"{"type":"Ready","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-03-01T12:00:00Z"}"#;
    let volumes = r#"[{"name":"kube-api-access-x7k2p","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}],"defaultMode":420}}]"#;
    format!(
        r#"{{"metadata":{{"name":"app-7d4b9c6f5d-abcde","namespace":"payments","uid":"3f1c7a52-7f5e-4e0b-9a53-8f0b0d8f2a11","resourceVersion":"8123456","creationTimestamp":"2026-03-01T12:00:00Z","labels":{{"app.kubernetes.io/name":"app","pod-template-hash":"7d4b9c6f5d"}},"managedFields":[{{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-03-01T12:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:generateName":{{}},"f:labels":{{".":{{}},"f:pod-template-hash":{{}}}}}},"f:spec":{{"f:containers":{{"k:{{\"name\":\"app\"}}":{{".":{{}},"f:image":{{}},"f:imagePullPolicy":{{}}}}}}}}}}}}]}},"spec":{{"volumes":{volumes},"containers":[{container},{container}],"restartPolicy":"Always","nodeName":"node-17","priority":0}},"status":{{"phase":"Running","conditions":[{condition},{condition},{condition}],"podIP":"10.1.2.3","containerStatuses":[{{"name":"app","imageID":"docker-pullable://registry.example.com/app@sha256:0f5c0e4a8f8d1d6d7f0d3f0b3b0d1c8e9c0f1a2b3c4d5e6f708192a3b4c5d6e7","containerID":"containerd://0f5c0e4a8f8d1d6d7f0d3f0b3b0d1c8e9c0f1a2b3c4d5e6f708192a3b4c5d6e7"}}]}}}},"#
    )
}

fn secret() -> String {
    let value = "bWFza2VkLWJ5LXBvcnRjdWxsaXMtLW5vdC10aGUtcmVhbC12YWx1ZQ==";
    format!(
        r#"{{"kind":"Secret","metadata":{{"name":"db","namespace":"payments","uid":"3f1c7a52-7f5e-4e0b-9a53-8f0b0d8f2a11"}},"data":{{"username":"{value}","password":"{value}","token":"{value}","tls.key":"{value}"}},"type":"Opaque"}},"#
    )
}

fn log() -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() > SIZE {
            break;
        }
        let _ = writeln!(
            text,
            r#"I0301 12:00:{:02}.{line:06}       1 controller.go:{}] "Reconciled object" controller="app" namespace="payments" name="app-{line}" url="https://10.0.0.1:443/apis/apps/v1" duration="{line}ms""#,
            line % 60,
            line % 900
        );
    }
    text
}

fn json_log() -> String {
    let mut text = String::new();
    for line in 0.. {
        if text.len() > SIZE {
            break;
        }
        let _ = writeln!(
            text,
            r#"{{"level":"info","ts":"2026-03-01T12:00:00.{line:06}Z","logger":"http","msg":"handled request","method":"GET","path":"/v1/orders/{line}","status":200,"duration":0.0{line},"user_agent":"Mozilla/5.0 (X11; Linux x86_64)","trace_id":"0f5c0e4a8f8d1d6d7f0d3f0b3b0d1c8e"}}"#
        );
    }
    text
}
