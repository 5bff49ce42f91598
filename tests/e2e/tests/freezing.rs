//! A frozen session is refused and says why, whatever it has open ends, and a human lets it go on.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use e2e::{furnish, lab, leaves, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use testkit::Gate;

/// What kubectl's user sees, without what is different each time.
fn shown(text: &str, id: &str) -> String {
    let time = regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ");
    let user = regex(r"local user \d+");
    let text = time.replace_all(text.trim(), "TIME");
    user.replace_all(&text, "local user UID").replace(id, "SESSION")
}

#[expect(clippy::expect_used, reason = "a helper of tests may fail loudly")]
fn regex(pattern: &str) -> regex::Regex {
    regex::Regex::new(pattern).expect(pattern)
}

/// `kubectl get pods` with a kubeconfig that outlives its gate's restart.
fn get_pods(gate: &Gate, kubeconfig: &Path, id: &str) -> anyhow::Result<String> {
    let cache = PathBuf::from(gate.path("cache"));
    let output =
        testkit::kubectl(kubeconfig, &cache, &["get", "pods", "-n", "freezing", "-o", "name"])?.output()?;
    Ok(format!("{:?} {}", output.status.code(), shown(&text(&output), id)))
}

#[test]
fn a_frozen_session_is_refused_until_it_is_thawed_and_its_open_watch_ends_within_a_second()
-> anyhow::Result<()> {
    let mut lab = lab()?;
    furnish(lab.cluster, "freezing")?;
    let session = lab.gate.session("freezing")?;
    let (id, kubeconfig) = (session.id.clone(), session.kubeconfig.clone());
    let mut watch = session
        .command(&["get", "pods", "-n", "freezing", "--watch"])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(watch.stdout.take().context("no stdout")?).lines();
    // The header and the pod are from a list, which comes first. What changes after it shows that the watch is open.
    assert!(lines.next().is_some() && lines.next().is_some());
    lab.cluster.must(&["label", "pods", "--all", "-n", "freezing", "seen=yes"])?;
    assert!(lines.next().is_some());

    let froze = lab.gate.freeze(&id, "why does it read those?")?;
    insta::assert_snapshot!(shown(&froze, &id), @"Froze session SESSION");
    let rest: Vec<String> = lines.collect::<Result<_, _>>()?;
    watch.wait()?;
    insta::assert_snapshot!(rest.join("\n"), @"
    STATUS                 REASON      MESSAGE
    Failure                Forbidden   portcullis: the session is frozen; a human has to look at it and thaw it
    ");
    insta::assert_snapshot!(get_pods(&lab.gate, &kubeconfig, &id)?, @"Some(1) Error from server (Forbidden): portcullis: this session is frozen since TIME by local user UID: why does it read those?; nothing of it passes until a human has looked at it and runs `portcullis session thaw SESSION`");
    let listed = lab.gate.sessions()?;
    assert!(listed.lines().any(|line| line.contains(&id) && line.contains("frozen")), "{listed}");
    insta::assert_snapshot!(shown(&lab.gate.freeze(&id, "again")?, &id), @"Session SESSION stays as it was (frozen)");

    lab.gate.stop()?;
    lab.gate.serve()?;
    let still = get_pods(&lab.gate, &kubeconfig, &id)?;
    assert!(still.contains("why does it read those?"), "{still}");
    insta::assert_snapshot!(shown(&lab.gate.thaw(&id)?, &id), @"Thawed session SESSION");
    insta::assert_snapshot!(shown(&lab.gate.thaw(&id)?, &id), @"Session SESSION was not frozen (active)");
    let again = get_pods(&lab.gate, &kubeconfig, &id)?;
    assert!(again.starts_with("Some(0) pod/web-"), "{again}");
    lab.gate.freeze(&id, "enough")?;
    lab.gate.revoke(&id)?;
    let over = get_pods(&lab.gate, &kubeconfig, &id)?;
    assert!(over.contains("no valid session"), "{over}");

    // How long it took is what the ledger says, which a busy test does not make longer.
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let of = |kind: &str, wanted: &dyn Fn(&Value) -> bool| {
        leaves
            .iter()
            .find(|leaf| leaf["type"] == kind && wanted(&leaf["event"]))
            .cloned()
            .context(kind.to_owned())
    };
    let frozen = of("session_frozen", &|event| event["session"] == id.as_str())?;
    assert_eq!(frozen["event"]["reason"], "why does it read those?");
    let intent = of("intent", &|event| event["request"]["verb"] == "watch")?;
    let outcome = of("outcome", &|event| event["call"] == intent["event"]["call"])?;
    assert_eq!(outcome["event"]["error"], "the session is frozen", "{outcome}");
    let time = |leaf: &Value| leaf["time"].as_str().context("no time")?.parse::<Timestamp>().context("time");
    let took = time(&outcome)?.duration_since(time(&frozen)?);
    assert!(took.abs() < SignedDuration::from_secs(1), "the watch ended {took} after the freeze");
    let refusal = of("refusal", &|event| event["cause"] == "session_frozen")?;
    assert_eq!(
        (&refusal["event"]["status"], &refusal["event"]["actor"]["session"]),
        (&403.into(), &id.into())
    );
    let told: Vec<&str> = leaves
        .iter()
        .filter_map(|leaf| leaf["type"].as_str())
        .filter(|kind| kind.starts_with("session_"))
        .collect();
    assert_eq!(
        told,
        ["session_opened", "session_frozen", "session_thawed", "session_frozen", "session_revoked"]
    );
    Ok(())
}
