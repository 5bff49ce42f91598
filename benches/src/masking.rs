//! The scanner alone, on bodies in memory.

use std::time::Instant;

use bytes::Bytes;
use mask::{Catalogue, Content, Framing, Masker, Rules};

use crate::figures::Row;
use crate::known::{self, Body};

pub(crate) const EXPLAINED: &str =
    "The streaming scanner on one core, fed 64 KiB at a time; the best of nine passes over some 64 MB.";

const CHUNK: usize = 64 * 1024;
const SIZE: usize = 64 << 20;

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let secret = format!(
        r#"{{"metadata":{{"name":"s","namespace":"n","uid":"6e0a","annotations":{{"a":"b"}}}},"data":{{"tls.crt":"{}","tls.key":"{}"}},"type":"kubernetes.io/tls"}}"#,
        "QUJD".repeat(400),
        "REVG".repeat(400)
    );
    let small = r#"{"a":1,"b":[true,false,null],"c":"d","e":{"f":2}}"#;
    let catalogue = Catalogue::builtin();
    let secrets = catalogue.rules_for("", "secrets", None);
    let pods = catalogue.rules_for("", "pods", None);
    Ok(vec![
        row("list of Secrets, places of Secrets", &list(&secret), &secrets, "≥ 1 GB/s")?,
        row("list of pods, places of pods", &list(POD), &pods, "≥ 1 GB/s")?,
        row("all small values, no places", &list(small), &Rules::nowhere(), "≥ 1 GB/s")?,
    ])
}

const POD: &str = r#"{"metadata":{"name":"web-5f7d8c9b4-abcde","namespace":"shop","uid":"3b1b7f0e-7b0a-4f5e-9d0c-0a1b2c3d4e5f","resourceVersion":"123456","labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"registry.example/web:1.2.3","ports":[{"containerPort":8080,"protocol":"TCP"}],"env":[{"name":"MODE","value":"production"}]}],"restartPolicy":"Always"},"status":{"phase":"Running","podIP":"10.1.2.3"}}"#;

/// All that masks, with known values.
pub(crate) fn measure_known() -> anyhow::Result<Vec<Row>> {
    let catalogue = Catalogue::builtin();
    let ten: Vec<String> = (0..10).map(|n| format!(r#""key-{n}":"c2VjcmV0LW51bWJlci0wMDA=""#)).collect();
    let secret = format!(
        r#"{{"metadata":{{"name":"s","namespace":"n","uid":"6e0a","resourceVersion":"7"}},"data":{{{}}},"type":"Opaque"}}"#,
        ten.join(",")
    );
    let json = |what, bytes, rules| Body { what, bytes, rules, content: Content::Json };
    let pods = list(POD);
    known::measure(&[
        json("pods", pods.clone(), Some(catalogue.rules_for("", "pods", None))),
        json("pods, by value and shape alone", pods, None),
        json("Secrets of ten values", list(&secret), Some(catalogue.rules_for("", "secrets", None))),
        Body { what: "a log", bytes: log(), rules: None, content: Content::Text },
    ])
}

fn log() -> Bytes {
    let mut text = String::new();
    for line in 0.. {
        if text.len() > SIZE {
            break;
        }
        let second = line % 60;
        text.push_str(&format!(
            "I0301 12:00:{second:02}.{line:06} 1 controller.go:417] \"Reconciled object\" controller=\"app\" namespace=\"shop\" name=\"app-{line}\"\n"
        ));
    }
    Bytes::from(text)
}

fn list(item: &str) -> Bytes {
    let mut body = String::from(r#"{"kind":"List","apiVersion":"v1","items":["#);
    while body.len() < SIZE {
        body.push_str(item);
        body.push(',');
    }
    body.push_str(item);
    body.push_str("]}");
    Bytes::from(body)
}

fn row(what: &str, body: &Bytes, rules: &Rules, target: &'static str) -> anyhow::Result<Row> {
    let mut best = f64::INFINITY;
    for _pass in 0..9 {
        let mut masker = Masker::new(Framing::One, rules);
        let mut rest = body.clone();
        let started = Instant::now();
        while !rest.is_empty() {
            masker.push(rest.split_to(CHUNK.min(rest.len())))?;
        }
        masker.finish()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    #[expect(clippy::cast_precision_loss, reason = "some 64 million")]
    let rate = body.len() as f64 / best / 1e9;
    Ok(Row::new(what, format!("{rate:.2} GB/s"), target))
}
