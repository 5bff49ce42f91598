//! Settings that do not hold together.

use std::{fs, path::Path};

use oidc::{Provider, Settings};

fn told(folder: &Path, settings: Settings) -> String {
    let problems = Provider::new(settings).unwrap_err();
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n").replace(&*folder.to_string_lossy(), "FOLDER")
}

#[test]
fn every_problem_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    let wrong = Settings {
        issuer: "http://login.example.com?tenant=x".to_owned(),
        client_id: String::new(),
        client_secret: Some(empty.clone()),
        redirect_uri: "gate.example.com/callback".to_owned(),
        scopes: vec!["email profile".to_owned(), String::new()],
        groups_claim: String::new(),
        ca: Some(empty),
    };
    let missing = folder.path().join("missing");
    let gone = Settings { client_secret: Some(missing.clone()), ca: Some(missing), ..wrong.clone() };
    let lines = folder.path().join("lines");
    fs::write(&lines, "one\ntwo\n").unwrap();
    let lines = Settings { client_secret: Some(lines), ..wrong.clone() };
    let told = [wrong, gone, lines].map(|settings| told(folder.path(), settings));
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_provider_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "CANARY").unwrap();
    let settings = Settings {
        issuer: "https://login.example.com".to_owned(),
        client_id: "console".to_owned(),
        client_secret: Some(secret),
        redirect_uri: "https://gate.example.com/callback".to_owned(),
        scopes: Vec::new(),
        groups_claim: "groups".to_owned(),
        ca: None,
    };
    let shown = format!("{:?}", Provider::new(settings).unwrap());
    assert!(shown.contains("console") && !shown.contains("CANARY"), "{shown}");
}
