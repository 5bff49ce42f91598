//! What carries a value.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use e2e::{CANARY, PLANTED, SPIKY, hex, packed, percent};
use serde_json::{Value, json};

use super::lines;

/// Paths and objects, for [`World::make`](crate::world::World::make).
pub(super) fn objects() -> Vec<(&'static str, Value)> {
    [copies(), templates(), maps(), set_up(), pods()].concat()
}

const MAPS: &str = "/api/v1/namespaces/NS/configmaps";

fn map(name: &str, data: &Value) -> (&'static str, Value) {
    (MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}))
}

fn noted(name: &str, key: &str, value: &str) -> (&'static str, Value) {
    let (path, mut object) = map(name, &json!({}));
    object["metadata"]["annotations"] = json!({key: value});
    (path, object)
}

/// Whole objects inside others, and other people's notes of them.
fn copies() -> Vec<(&'static str, Value)> {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"p": STANDARD.encode(PLANTED)}, "stringData": {"q": PLANTED}});
    let manifest =
        "apiVersion: v1\nkind: Secret\nstringData:\n  password: CANARY\n".replace("CANARY", CANARY);
    let release = json!({"name": "web", "version": 1, "config": {"password": CANARY}, "manifest": manifest})
        .to_string();
    let (_, mut helm) = map("sh.helm.release.v1.map.v1", &json!({"release": packed(&release)}));
    helm["metadata"]["labels"] = json!({"owner": "helm", "name": "map"});
    let stored = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "metadata": {"name": "sh.helm.release.v1.web.v1", "labels": {"owner": "helm"}},
        "stringData": {"release": packed(&release)},
    });
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "told"}, "type": "Warning", "reason": "Unhealthy", "message": "Readiness probe failed: wrong password CANARY",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "NS"},
    });
    let (_, mut finalized) = map("finalized", &json!({}));
    finalized["metadata"]["finalizers"] = json!([format!("example.com/{CANARY}")]);
    vec![
        noted("rancher", "objectset.rio.cattle.io/applied", &packed(&secret.to_string())),
        noted("applied", "kubectl.kubernetes.io/last-applied-configuration", &secret.to_string()),
        noted("noted", "example.com/note", &format!("the password is {CANARY}, do not tell")),
        (MAPS, helm),
        (MAPS, finalized),
        ("/api/v1/namespaces/NS/secrets", stored),
        ("/api/v1/namespaces/NS/events", event),
    ]
}

/// Literal values in environments, known to no one but by the names beside them.
fn templates() -> Vec<(&'static str, Value)> {
    let env = json!([{"name": "LOG_LEVEL", "value": "debug"}, {"name": "DB_PASSWORD", "value": PLANTED}, {"name": "API_TOKEN", "value": PLANTED}]);
    let spec = |never: bool| {
        let mut spec =
            json!({"containers": [{"name": "web", "image": "busybox", "command": ["true"], "env": env}]});
        if never {
            spec["restartPolicy"] = json!("Never");
        }
        spec
    };
    let labels = json!({"a": "b"});
    let workload = |kind: &str, name: &str| {
        let template = json!({"metadata": {"labels": labels}, "spec": spec(false)});
        json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}})
    };
    let job = json!({"suspend": true, "template": {"spec": spec(true)}});
    let revision = json!({"spec": {"template": {"$patch": "replace", "spec": spec(false)}}});
    vec![
        ("/apis/apps/v1/namespaces/NS/deployments", workload("Deployment", "web")),
        ("/apis/apps/v1/namespaces/NS/replicasets", workload("ReplicaSet", "web")),
        (
            "/apis/apps/v1/namespaces/NS/controllerrevisions",
            json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "store-1"}, "revision": 1, "data": revision}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/jobs",
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": job}),
        ),
        (
            "/apis/batch/v1/namespaces/NS/cronjobs",
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": {"suspend": true, "schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": spec(true)}}}}}),
        ),
    ]
}

/// Known values in every encoding, and what looks like a credential whatever its value.
fn maps() -> Vec<(&'static str, Value)> {
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD
            .encode(PLANTED.repeat(4))
            .as_bytes()
            .chunks(64)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("\n")
    );
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: {PLANTED}\n    client-key-data: {}\n    password: {PLANTED}\n",
        STANDARD.encode(PLANTED)
    );
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let jwt = format!(
        "{}.{}.{}",
        part(json!({"alg": "RS256", "typ": "JWT"})),
        part(json!({"sub": "x", "secret": PLANTED})),
        URL_SAFE_NO_PAD.encode(PLANTED.repeat(3))
    );
    let hex = hex(CANARY);
    let spiky = SPIKY.join("\n");
    let percent = percent(SPIKY[0]);
    let (_, mut binary) = map("binary", &json!({}));
    binary["binaryData"] = json!({"x": STANDARD.encode(format!("a{CANARY}b"))});
    vec![
        map("kubeconfig", &json!({"config": kubeconfig})),
        map("private-key", &json!({"tls.key": key})),
        map("token", &json!({"jwt": jwt})),
        map("plain", &json!({"url": format!("postgres://web:{CANARY}@db/shop")})),
        map("lines", &json!({"whole": spiky, "one": format!("x {} y", SPIKY[1])})),
        map("base64", &json!({"a": STANDARD.encode(CANARY), "b": STANDARD.encode(&spiky)})),
        map(
            "base64-shifted",
            &json!({"a": STANDARD.encode(format!("a{CANARY}z")), "b": STANDARD.encode(format!("ab{CANARY}"))}),
        ),
        map(
            "base64-url",
            &json!({"a": URL_SAFE_NO_PAD.encode(&spiky), "b": URL_SAFE_NO_PAD.encode(SPIKY[1])}),
        ),
        map("hex", &json!({"lower": hex, "upper": hex.to_uppercase()})),
        map("percent", &json!({"query": format!("a=b&p={percent}")})),
        map("json", &json!({"document": json!({"p": spiky}).to_string()})),
        (MAPS, binary),
    ]
}

/// User data as cloud-init takes it, and files of an environment.
fn set_up() -> Vec<(&'static str, Value)> {
    let users = format!(
        "#cloud-config\nchpasswd:\n  users:\n  - {{name: root, password: {CANARY}, type: text}}\nruncmd:\n- [mysql, --password={CANARY}]\n"
    );
    let file = STANDARD.encode(format!("DB_PASSWORD={CANARY}\n"));
    let files = format!("{users}write_files:\n- {{path: /etc/app.env, encoding: b64, content: {file}}}\n");
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=\"B\"\n\n--B\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\n{}\n--B--\n",
        STANDARD.encode(format!("password: {CANARY}\n"))
    );
    vec![
        map("cloud-init", &json!({"user-data": files, "multipart": parts})),
        // A file in base64 within it would be base64 twice, which is not found.
        map("cloud-init-packed", &json!({"userData": STANDARD.encode(users)})),
        map(
            "env-file",
            &json!({".env": format!("# of the shop\nDB_HOST=db\nexport DB_PASSWORD=\"{CANARY}\"\n")}),
        ),
    ]
}

/// Workloads that were given the Secret and show it.
fn pods() -> Vec<(&'static str, Value)> {
    let pod = |name: &str, container: &Value| {
        let mut container = container.clone();
        container["name"] = json!("c");
        container["image"] = json!("busybox");
        container["env"] =
            json!([{"name": "PW", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}]);
        let spec = json!({"restartPolicy": "Never", "containers": [container]});
        (
            "/api/v1/namespaces/NS/pods",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}),
        )
    };
    // At the beginning of a text that is wrapped. Where a value spans two lines of base64, it is not found.
    let wrapped = STANDARD.encode(format!("{CANARY}{}", "y".repeat(60)));
    let wrapped = wrapped.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    let print = json!(["sh", "-c", "printf '%s\\n' \"$@\"", "sh"]);
    vec![
        pod("prints", &json!({"command": print, "args": lines()})),
        pod("wraps", &json!({"command": print, "args": [wrapped]})),
        pod("quoted", &json!({"command": ["$(PW)"]})),
        pod(
            "fallback",
            &json!({"command": ["sh", "-c", "echo \"wrong password: $PW\"; exit 1"], "terminationMessagePolicy": "FallbackToLogsOnError"}),
        ),
    ]
}

/// A kind whose definition has a value as default, prints a field in tables, and can be selected by it.
pub(super) fn definition() -> Value {
    let token = json!({"type": "string", "default": CANARY});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "default": {}, "properties": {"token": token, "size": {"type": "integer"}}}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.carriers.example.com"},
        "spec": {"group": "carriers.example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{
            "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
            "selectableFields": [{"jsonPath": ".spec.token"}],
            "additionalPrinterColumns": [{"name": "Token", "type": "string", "jsonPath": ".spec.token"}],
        }]},
    })
}

/// One of that kind.
pub(super) fn widget() -> Value {
    json!({"apiVersion": "carriers.example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"token": CANARY, "size": 3}})
}
