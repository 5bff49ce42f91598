//! Sessions that were recorded, and what undoes them.

mod kept;
mod looked;
mod planned;

use std::path::Path;

use recording::{
    Digest,
    at_rest::Plain,
    reader::Library,
    record::{Answered, Before, Called, What},
    testing::Script,
};
use serde_json::{Value, json};

use crate::{History, Plan};

/// A session that is being recorded, a call a second.
struct Session {
    script: Script,
    calls: u64,
    /// Whether the gate keeps values.
    keeps: bool,
}

impl Session {
    fn new(folder: &Path) -> Self {
        let began = "2026-06-01T12:00:00Z".parse().unwrap();
        Self { script: Script::new(folder, "s-1", began).at(0, What::Began {}), calls: 0, keeps: false }
    }

    /// The same with a gate that keeps values.
    fn keeping(folder: &Path) -> Self {
        Self { keeps: true, ..Self::new(folder) }
    }

    /// `before`: `None` if the gate could not look, `null` if there was nothing.
    fn does(self, act: &str, before: Option<Value>, status: u16, answer: Option<Value>) -> Self {
        let (session, call) = self.asks(act, before);
        session.gets(&call, status, answer)
    }

    fn gets(mut self, call: &str, status: u16, answer: Option<Value>) -> Self {
        let at = self.calls * 1000 + 500;
        let answered = |body| What::Answered(Answered { call: call.into(), status, media: None, body });
        self.script = match answer {
            Some(answer) => self.script.with_body(at, answered(None), answer.to_string().as_bytes()),
            None => self.script.at(at, answered(None)),
        };
        self
    }

    fn asks(mut self, act: &str, before: Option<Value>) -> (Self, String) {
        self.calls += 1;
        let (at, call) = (self.calls * 1000, format!("c-{}", self.calls));
        let called = What::Called(Called { call: call.as_str().into(), act: act.into(), body: None });
        self.script = self.script.at(at, called);
        let masked = before.as_ref().is_some_and(crate::object::is_masked);
        let kept = (masked && self.keeps).then(|| Digest::of(b"kept"));
        let looked = What::Before(Before { call: call.as_str().into(), masked, kept, body: None });
        self.script = match before {
            None => self.script,
            Some(Value::Null) => self.script.at(at, looked),
            Some(object) => self.script.with_body(at, looked, object.to_string().as_bytes()),
        };
        (self, call)
    }

    fn plan(self, folder: &Path) -> Plan {
        let _segments = self.script.stopped();
        let library = Library::new(folder, std::sync::Arc::new(Plain));
        Plan::of(History::of(&library.recording(&"s-1".parse().unwrap()).unwrap()))
    }
}

/// A ConfigMap with this data, at a version.
fn map(name: &str, version: u32, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("u-{name}"), "resourceVersion": version.to_string()},
        "data": data,
    })
}

fn deployment(version: u32, image: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u-web", "resourceVersion": version.to_string(), "generation": version,
            "annotations": {"deployment.kubernetes.io/revision": version.to_string()},
        },
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "web", "image": image}]}}},
        "status": {"readyReplicas": version},
    })
}
