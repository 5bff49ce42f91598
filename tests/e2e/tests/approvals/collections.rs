//! Deletions of collections: humans see what would go, and exactly that goes.

use anyhow::{Context, ensure};
use e2e::{Lab, Waiting, asking, decided, exists, leaf, leaves, shown, state, text};

const CONFIG_MAPS: &str = "/api/v1/namespaces/NAMESPACE/configmaps?labelSelector=batch%3Dold";

/// Three ConfigMaps that a selector selects, beside others.
fn three(lab: &Lab, namespace: &str) -> anyhow::Result<String> {
    for name in ["one", "two", "three"] {
        make(lab, namespace, name)?;
    }
    Ok(CONFIG_MAPS.replace("NAMESPACE", namespace))
}

fn make(lab: &Lab, namespace: &str, name: &str) -> anyhow::Result<()> {
    lab.cluster.must(&["create", "configmap", name, "--from-literal=colour=blue", "-n", namespace])?;
    lab.cluster.must(&["label", "configmap", name, "batch=old", "-n", namespace])?;
    Ok(())
}

fn left(lab: &Lab, namespace: &str) -> anyhow::Result<Vec<String>> {
    let names = lab.cluster.must(&[
        "get",
        "configmaps",
        "-n",
        namespace,
        "-o",
        "jsonpath={.items[*].metadata.name}",
    ])?;
    Ok(names.split_whitespace().map(str::to_owned).collect())
}

#[test]
fn a_collection_is_shown_and_exactly_what_was_shown_is_deleted() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("collection", "60s", "")?;
    let path = three(&lab, "collection")?;
    let session = lab.gate.session("collection")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "--raw", &path])?;
    let id = lab.gate.waiting()?;
    insta::assert_snapshot!(shown(&decided(&lab.gate, &["show", &id])?)?);
    // What comes after humans were asked is not among what they approve.
    make(&lab, "collection", "late")?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));
    insta::assert_snapshot!(shown(&text(&done))?);
    assert_eq!(left(&lab, "collection")?, ["asked", "kube-root-ca.crt", "late", "settings"]);
    assert_eq!(state(&lab.gate, &id)?, "consumed");
    // An API server answers with the list of what it deleted, and clients take either (client-go reads only whether it failed).
    let direct = lab.cluster.must(&["delete", "--raw", &CONFIG_MAPS.replace("NAMESPACE", "collection")])?;
    ensure!(direct.contains("\"kind\":\"ConfigMapList\""), "{direct}");

    drop(session);
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let asked = leaf(&leaves, "approval_asked", |_| true)?;
    let each = asked["event"]["asked"]["bound"]["subject"]["call"]["each"].as_array().context("objects")?;
    let call = &asked["event"]["call"];
    let sent: Vec<_> = leaves
        .iter()
        .filter(|leaf| leaf["type"] == "intent" && leaf["event"]["approval"] == id.as_str())
        .map(|leaf| &leaf["event"])
        .collect();
    assert_eq!(sent.len(), 3);
    for (object, intent) in each.iter().zip(&sent) {
        assert_eq!(intent["part"]["object"], *object);
        assert_eq!(intent["part"]["of"], *call);
        assert_eq!(intent["request"]["verb"], "delete");
        leaf(&leaves, "outcome", |event| event["call"] == intent["call"] && event["status"] == 200)?;
    }
    let answered = leaf(&leaves, "answered", |event| event["call"] == *call)?;
    assert_eq!(answered["event"]["status"], 200);
    leaf(&leaves, "intent", |event| event["looks_for"] == *call && event["request"]["verb"] == "list")?;
    Ok(())
}

#[test]
fn what_has_changed_or_gone_since_is_left_alone_and_told() -> anyhow::Result<()> {
    let (lab, _rules) = asking("collected", "60s", "")?;
    let path = three(&lab, "collected")?;
    let session = lab.gate.session("collected")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "--raw", &path])?;
    let id = lab.gate.waiting()?;
    lab.cluster.must(&["label", "configmap", "one", "batch=kept", "--overwrite", "-n", "collected"])?;
    lab.cluster.must(&["delete", "configmap", "two", "-n", "collected"])?;
    lab.cluster.must(&["delete", "configmap", "three", "-n", "collected"])?;
    make(&lab, "collected", "three")?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let done = kubectl.end()?;
    ensure!(!done.status.success());
    let told = text(&done);
    for words in ["deleted 0 of the 3 objects", "1 gone already: \"two\"", "2 changed", "left alone"] {
        ensure!(told.contains(words), "{words} in {told}");
    }
    for name in ["one", "three"] {
        assert!(exists(&lab, "collected", "configmap", name)?, "{name}");
    }
    Ok(())
}

#[test]
fn a_client_that_comes_back_is_asked_about_another_list_and_not_about_the_same() -> anyhow::Result<()> {
    let (lab, _rules) = asking("listed", "200ms", "")?;
    let path = three(&lab, "listed")?;
    let session = lab.gate.session("listed")?;
    let line = ["delete", "--raw", path.as_str()];
    session.kubectl(&line)?;
    let first = lab.gate.waiting()?;
    let again = text(&session.kubectl(&line)?);
    ensure!(again.contains(&first), "{again}");
    make(&lab, "listed", "four")?;
    decided(&lab.gate, &["approve", &first, "--yes"])?;
    let refused = text(&session.kubectl(&line)?);
    ensure!(refused.contains("waits as approval a-") && !refused.contains(&first), "{refused}");
    let wait = text(&lab.gate.approvals(&["wait", &first])?);
    insta::assert_snapshot!(shown(&wait)?);
    let second = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &second, "--yes"])?;
    let done = session.kubectl(&line)?;
    ensure!(done.status.success(), "{}", text(&done));
    assert_eq!(left(&lab, "listed")?, ["asked", "kube-root-ca.crt", "settings"]);
    Ok(())
}

#[test]
fn what_cannot_be_told_beforehand_is_refused_and_nothing_needs_nobody() -> anyhow::Result<()> {
    let (lab, _rules) = asking("collects", "200ms", "")?;
    let session = lab.gate.session("collects")?;
    let raw = |query: &str| -> anyhow::Result<String> {
        let path = format!("/api/v1/namespaces/collects/configmaps?{query}");
        shown(&text(&session.kubectl(&["delete", "--raw", &path])?))
    };
    insta::assert_snapshot!(raw("limit=1")?);
    insta::assert_snapshot!(raw("labelSelector=batch%3Dnone")?);
    let many: Vec<String> = (0..501).map(|at| config_map(at, "collects")).collect();
    lab.cluster.apply(&many.join("---\n"))?;
    insta::assert_snapshot!(raw("labelSelector=batch%3Dmany")?);
    assert_eq!(lab.gate.asked(true)?.len(), 0);
    assert!(exists(&lab, "collects", "configmap", "many-500")?);
    Ok(())
}

fn config_map(at: usize, namespace: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: many-{at}, namespace: {namespace}, labels: {{batch: many}}}}\n"
    )
}
