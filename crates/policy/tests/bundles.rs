//! The bundles that ship: they compile, their own tests pass, and every rule is shown to matter.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::{fs, path::Path};

use kube_api::Head;
use policy::{Bundle, Judge, Outcome, Principal, Settings, Source, run_tests};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies").join(name)
}

fn bundle(name: &str) -> Bundle {
    let mut sources: Vec<Source> = fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cedar"))
        .map(|path| Source {
            name: format!("{name}/{}", path.file_name().unwrap().to_str().unwrap()),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Bundle::compile(&sources).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn every_shipped_bundle_proves_its_rules() {
    for name in ["read-only", "developer", "operator"] {
        let text = fs::read_to_string(folder(name).join("tests.yaml")).unwrap();
        let report =
            run_tests(&bundle(name), "tests.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(report.passed(), "{name}:\n{report}");
        assert!(report.unproven().is_empty(), "{name}: {:?}", report.unproven());
        assert!(report.cases().len() >= 20, "{name}");
    }
}

#[test]
fn the_rules_in_the_documentation_are_valid() {
    let blocks: Vec<Source> = ["policy.md", "streams.md"]
        .into_iter()
        .flat_map(|name| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
            let text = fs::read_to_string(path).unwrap();
            let block = |(n, rest): (usize, &str)| Source {
                name: format!("{name}, block {n}"),
                text: rest.split("```").next().unwrap().to_owned(),
            };
            text.split("```cedar\n").skip(1).enumerate().map(block).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(blocks.len(), 11);
    Bundle::compile(&blocks).unwrap_or_else(|problems| panic!("{problems}"));
}

#[test]
fn no_shipped_bundle_reveals_a_secret_or_allows_an_unknown_kind() {
    for name in ["read-only", "developer", "operator"] {
        let judge = Judge::new(bundle(name), Settings::default());
        let decision = |builder: http::request::Builder, body: &str| {
            let (parts, ()) =
                builder.header("content-type", "application/json").body(()).unwrap().into_parts();
            let request = Head::parse(&parts).unwrap().with_body(body.as_bytes()).unwrap();
            let who = Principal { agent: "claude", groups: &[] };
            judge.judge(&who, "prod", request).verdict().unwrap().decision().clone()
        };
        let read = decision(http::Request::get("/api/v1/namespaces/shop/secrets/db"), "");
        assert_eq!((read.outcome(), read.masked_read()), (Outcome::Allow, true), "{name}");
        assert!(read.reveal().is_none(), "{name}");
        let widget = r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"}}"#;
        let path = "/apis/example.com/v1/namespaces/shop/widgets";
        let write = decision(http::Request::post(path), widget);
        assert_ne!(write.outcome(), Outcome::Allow, "{name}");
    }
}
