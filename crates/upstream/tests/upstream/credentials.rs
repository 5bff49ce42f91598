//! Who the gate is to the API server, and whom it takes for the API server.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use http::header;
use testkit::stand_in::{Habits, StandIn};
use upstream::Failure;

use crate::support::{Bench, POD, TOKEN, load, obliging, written};

/// A credential plugin: a shell script that knows its folder as `$1`.
fn plugin(folder: &Path, script: &str) -> String {
    let file = folder.join("plugin");
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    let (file, folder) = (file.display(), folder.display());
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{file}\", args: [\"{folder}\"], \
         interactiveMode: Never, env: [{{name: GREETING, value: hello}}]}}}}"
    )
}

/// Prints a token, which is to be renewed before each call.
const AGING: &str =
    r#"printf '{"status":{"token":"%s","expirationTimestamp":"2000-01-01T00:00:00Z"}}' "$token""#;

fn tokens(server: &StandIn) -> Vec<String> {
    server.requests().iter().map(|seen| seen.values(header::AUTHORIZATION.as_str()).join(" ")).collect()
}

#[tokio::test]
async fn a_token_is_sent_and_marked_as_secret() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(TOKEN)).await;
    bench.get(POD).await.unwrap();
    assert_eq!(tokens(&server), ["Bearer first"]);
    assert!(!format!("{bench:?}", bench = bench.cluster).contains("first"));
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_was_renewed() {
    let server = obliging();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "first\n").unwrap();
    let user = format!("{{tokenFile: \"{}\"}}", file.display());
    let bench = Bench::of(&server.kubeconfig(&user)).await;
    bench.get(POD).await.unwrap();
    fs::write(&file, "second\n").unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    bench.get(POD).await.unwrap();
    assert_eq!(tokens(&server), ["Bearer first", "Bearer second"]);
}

#[tokio::test]
async fn a_client_certificate_says_who_the_gate_is() {
    let server = obliging();
    let bench = Bench::of(&server.kubeconfig(&server.certified_user().unwrap())).await;
    bench.get(POD).await.unwrap();
    assert!(server.requests()[0].certified);
    assert_eq!(tokens(&server), [""]);
    Bench::of(&server.kubeconfig(TOKEN)).await.get(POD).await.unwrap();
    assert!(!server.requests()[1].certified);
}

#[tokio::test]
async fn a_plugin_is_asked_for_a_token_when_the_last_one_has_aged() {
    let server = obliging();
    let folder = tempfile::tempdir().unwrap();
    let count = format!("echo run >>$1/runs; token=$GREETING-$(wc -l <$1/runs)\n{AGING}");
    let bench = Bench::of(&server.kubeconfig(&plugin(folder.path(), &count))).await;
    for _call in 0..2 {
        bench.get(POD).await.unwrap();
    }
    assert_eq!(tokens(&server), ["Bearer hello-2", "Bearer hello-3"]);
}

#[tokio::test]
async fn a_plugin_may_give_a_token_for_good_or_a_client_certificate() {
    let server = obliging();
    let folder = tempfile::tempdir().unwrap();
    let once = r#"echo run >>$1/runs; echo '{"status":{"token":"lasting"}}'"#;
    let bench = Bench::of(&server.kubeconfig(&plugin(folder.path(), once))).await;
    for _call in 0..2 {
        bench.get(POD).await.unwrap();
    }
    assert_eq!(tokens(&server), ["Bearer lasting", "Bearer lasting"]);
    assert_eq!(fs::read_to_string(folder.path().join("runs")).unwrap(), "run\n");

    let (certificate, key) = server.client_certificate().unwrap();
    let status = serde_json::json!({ "clientCertificateData": certificate, "clientKeyData": key });
    fs::write(folder.path().join("out"), serde_json::json!({ "status": status }).to_string()).unwrap();
    let bench = Bench::of(&server.kubeconfig(&plugin(folder.path(), "cat $1/out"))).await;
    bench.get(POD).await.unwrap();
    assert!(server.requests()[2].certified);
}

#[tokio::test]
async fn a_plugin_that_hangs_is_ended_and_the_next_call_asks_again() {
    let server = obliging();
    let folder = tempfile::tempdir().unwrap();
    // Hangs on its second run, when two calls want a token.
    let script = format!(
        "echo run >>$1/runs; token=$(wc -l <$1/runs)\nif [ $token = 2 ]; then echo $$ >$1/pid; exec sleep 1000; fi\n{AGING}"
    );
    let bench =
        Bench::with_credential_timeout(&server.kubeconfig(&plugin(folder.path(), &script)), 0.3).await;
    let (one, other) = tokio::join!(bench.get(POD), bench.get(POD));
    for failed in [one, other] {
        let Err(Failure::Credential(error)) = failed else { panic!("{failed:?}") };
        let told = error.to_string().replace(&*folder.path().to_string_lossy(), "FOLDER");
        assert_eq!(told, "the credential plugin `FOLDER/plugin` did not answer within 0.3 s and was ended");
    }
    assert_eq!(fs::read_to_string(folder.path().join("runs")).unwrap(), "run\nrun\n");
    bench.get(POD).await.unwrap();
    assert_eq!(tokens(&server), ["Bearer 3"]);
    let pid = fs::read_to_string(folder.path().join("pid")).unwrap();
    // Ended means at most a zombie that is yet to be reaped.
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (server, other) = (obliging(), obliging());
    let kubeconfig = other.kubeconfig(TOKEN).replace(&other.server(), &server.server());
    let bench = Bench::of(&kubeconfig).await;
    let Err(Failure::Connect(error)) = bench.get(POD).await else { panic!("taken") };
    let told = error.to_string();
    assert!(
        told.starts_with("cannot verify the API server at `localhost`: invalid peer certificate"),
        "{told}"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_without_http2_is_refused() {
    let habits = Habits { protocols: vec![b"http/1.1".to_vec()], ..Habits::default() };
    let server = StandIn::with(habits, |_request| crate::support::pods()).unwrap();
    let answer = Bench::of(&server.kubeconfig(TOKEN)).await.get(POD).await;
    assert!(matches!(answer, Err(Failure::Connect(_))), "{answer:?}");
}

#[tokio::test]
async fn what_the_gate_cannot_start_with_is_told() {
    let server = obliging();
    let folder = tempfile::tempdir().unwrap();
    let text = |user: &str| server.kubeconfig(user);
    let missing = folder.path().join("missing");
    let empty = folder.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    let failing = plugin(folder.path(), "exit 3");
    let cases = [
        server.kubeconfig_with("insecure-skip-tls-verify: true", TOKEN),
        text(TOKEN).replace("https://", "http://"),
        text(TOKEN).replace("{server:", "{proxy-url: \"http://localhost:1\", server:"),
        text("{token: t, as: root}"),
        text("{auth-provider: {name: gcp, config: {}}}"),
        text(&format!("{{tokenFile: \"{}\"}}", missing.display())),
        text(&format!("{{tokenFile: \"{}\"}}", empty.display())),
        text(&failing),
        text(&failing.replace("interactiveMode: Never", "interactiveMode: Always")),
        text(&failing.replace("/plugin\"", "/missing\", installHint: \"install it\"")),
        text("{exec: {apiVersion: client.authentication.k8s.io/v1}}"),
        text(&failing.replace(&format!("{}/plugin", folder.path().display()), "echo")),
        text(TOKEN).replace("current-context: c", "current-context: d"),
        text(TOKEN).replace(&server.server(), "https://localhost:x"),
        text(TOKEN).replace(&server.server(), "https://me:secret@localhost"),
        text(TOKEN).replace(&server.server(), "https://local host"),
        server.kubeconfig_with("certificate-authority-data: bm9uZQ==", TOKEN),
        "a: [".to_owned(),
    ];
    let mut told = Vec::new();
    for kubeconfig in cases {
        let file = written(folder.path(), &kubeconfig);
        told.push(match load(&file).await {
            Ok(_cluster) => "taken".to_owned(),
            Err(unusable) => unusable.to_string(),
        });
    }
    told.push(load(&missing).await.map(drop).unwrap_err().to_string());
    let port = server.server().trim_start_matches("https://localhost:").to_owned();
    let told = told.join("\n").replace(&*folder.path().to_string_lossy(), "FOLDER").replace(&port, "PORT");
    insta::assert_snapshot!(told);
    assert_eq!(server.observed().connections, 0);
}
