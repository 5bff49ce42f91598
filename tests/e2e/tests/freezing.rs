//! A frozen session is refused and says why, whatever it has open ends, and a human lets it go on.

use std::path::{Path, PathBuf};

use e2e::{Watch, at_once, furnish, lab, leaf, leaves, text};
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
    let watch = Watch::open(lab.cluster, &session, "freezing")?;

    let froze = lab.gate.freeze(&id, "why does it read those?")?;
    insta::assert_snapshot!(shown(&froze, &id), @"Froze session SESSION");
    let (rest, _ended) = watch.end()?;
    insta::assert_snapshot!(rest, @"
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

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let frozen = leaf(&leaves, "session_frozen", |event| event["session"] == id.as_str())?;
    assert_eq!(frozen["event"]["reason"], "why does it read those?");
    let intent = leaf(&leaves, "intent", |event| event["request"]["verb"] == "watch")?;
    let outcome = leaf(&leaves, "outcome", |event| event["call"] == intent["event"]["call"])?;
    assert_eq!(outcome["event"]["error"], "the session is frozen", "{outcome}");
    at_once(frozen, outcome)?;
    let refusal = leaf(&leaves, "refusal", |event| event["cause"] == "session_frozen")?;
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
