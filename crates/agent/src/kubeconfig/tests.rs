use std::fs;

use testkit::stand_in::{Reply, StandIn};

use super::*;

const TOKEN: &str = "CANARY-token";

/// What comes of this text in a file, with the folder as `DIR`.
fn told(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    fs::write(&file, text).unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let told = Kubeconfig::find(Some(&file)).unwrap().load().unwrap_err().to_string();
    assert!(!told.contains("CANARY"), "{told}");
    told.replace(&folder.path().display().to_string(), "DIR")
}

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "current-context: c\nclusters: [{{name: c, cluster: {cluster}}}]\n\
         users: [{{name: c, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: c, namespace: shop}}}}]\n"
    )
}

#[test]
fn the_current_context_says_where_whom_to_trust_and_who_we_are() {
    let server = StandIn::start(|_seen| Reply::hang_up()).unwrap();
    let user = format!("{{token: {TOKEN}}}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    fs::write(folder.path().join("ca.pem"), server.authority()).unwrap();
    let beside = kubeconfig("{server: 'https://gate:1', certificate-authority: ca.pem}", &user);
    for text in [server.kubeconfig(&user), beside] {
        fs::write(&file, text).unwrap();
        let access = Kubeconfig(file.clone()).load().unwrap();
        assert_eq!(access.server.scheme(), "https");
        assert_eq!(access.authorities.as_ref().map(Vec::len), Some(1));
        assert_eq!(access.token.0, format!("Bearer {TOKEN}"));
        assert!(!format!("{access:?}").contains(TOKEN));
    }
    let found = kubeconfig("{server: 'https://gate:1'}", &user);
    fs::write(&file, found).unwrap();
    assert_eq!(Kubeconfig(file).load().unwrap().namespace.as_deref(), Some("shop"));
}

#[test]
fn what_leads_to_no_gate_is_told_and_the_token_never() {
    let token = format!("{{token: {TOKEN}}}");
    let cases = [
        String::new(),
        "current-context: [".to_owned(),
        format!("users: [{{name: c, user: {{token: [{TOKEN}]}}}}]"),
        "current-context: gone\ncontexts: null\n".to_owned(),
        kubeconfig("{server: 'http://gate:1'}", &token),
        kubeconfig("{server: 'gate:8443'}", &token),
        kubeconfig("{server: 'https://me:CANARY@gate:1'}", &token),
        kubeconfig("{server: 'https://gate:1', insecure-skip-tls-verify: true}", &token),
        kubeconfig("{server: 'https://gate:1', proxy-url: 'http://p'}", &token),
        kubeconfig("{server: 'https://gate:1', certificate-authority-data: '?'}", &token),
        kubeconfig("{server: 'https://gate:1', certificate-authority: empty.pem}", &token),
        kubeconfig("{server: 'https://gate:1', certificate-authority: gone.pem}", &token),
        kubeconfig("{server: 'https://gate:1'}", "{exec: {command: login}}"),
        kubeconfig("{server: 'https://gate:1'}", "{token: \"CANARY\\n\\x01\"}"),
    ];
    insta::assert_snapshot!(cases.map(|text| told(&text)).join("\n"));
}

#[test]
fn the_one_that_is_named_counts_first() {
    let named = Kubeconfig::find(Some(Path::new("here"))).unwrap();
    assert_eq!(named.0, Path::new("here"));
    assert_eq!(bounded(&b"12345"[..], 5).unwrap(), b"12345");
    assert_eq!(bounded(&b"123456"[..], 5).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}
