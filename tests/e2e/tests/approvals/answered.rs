//! What humans decide happens, and nothing else.

use anyhow::ensure;
use e2e::{Waiting, asking, decided, exists, leaf, leaves, shown, state, text};
use testkit::APPROVER;

#[test]
fn kubectl_waits_the_approver_sees_what_would_change_and_kubectl_finishes() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("asked", "60s", "")?;
    let session = lab.gate.session("asked")?;
    let line = ["patch", "configmap", "asked", "-n", "asked", "-p", r#"{"data":{"colour":"red"}}"#];
    let mut kubectl = Waiting::kubectl(&session, &line)?;
    let id = lab.gate.waiting()?;
    // The session's other calls go on.
    let other =
        session.kubectl(&["get", "configmap", "asked", "-n", "asked", "-o", "jsonpath={.data.colour}"])?;
    assert_eq!(text(&other), "blue");
    assert!(kubectl.is_waiting()?);
    insta::assert_snapshot!(shown(&decided(&lab.gate, &["list"])?)?);
    insta::assert_snapshot!(shown(&decided(&lab.gate, &["show", &id])?)?);
    let approved = decided(&lab.gate, &["approve", &id, "--yes"])?;
    insta::assert_snapshot!(shown(&approved)?, @"You approved APPROVAL");
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));
    assert_eq!(
        lab.cluster.must(&["get", "configmap", "asked", "-n", "asked", "-o", "jsonpath={.data.colour}"])?,
        "red"
    );
    assert_eq!(state(&lab.gate, &id)?, "consumed");
    // What was approved is used up.
    let again = lab.gate.approvals(&["approve", &id, "--yes"])?;
    insta::assert_snapshot!(shown(&text(&again))?, @"it is consumed already: nothing can change that");

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let asked = leaf(&leaves, "approval_asked", |_| true)?;
    assert_eq!(asked["event"]["asked"]["id"], id.as_str());
    let intent = leaf(&leaves, "intent", |event| event["approval"] == id.as_str())?;
    let bound = &asked["event"]["asked"]["bound"]["subject"]["call"];
    assert_eq!(
        intent["event"]["request"]["body"]["digest"], bound["body"],
        "what was approved is what was sent"
    );
    let steps: Vec<_> = leaves
        .iter()
        .filter(|leaf| leaf["type"] == "approval_step")
        .filter_map(|leaf| leaf["event"]["step"]["what"]["kind"].as_str())
        .collect();
    assert_eq!(steps, ["approved", "consumed"]);
    let yes = leaf(&leaves, "approval_step", |event| event["step"]["number"] == 1)?;
    assert_eq!(yes["event"]["step"]["what"]["by"]["subject"], APPROVER);
    Ok(())
}

#[test]
fn a_namespace_is_deleted_once_a_human_says_so() -> anyhow::Result<()> {
    let (lab, _rules) = asking("doomed", "60s", "")?;
    let session = lab.gate.session("doomed")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "namespace", "doomed", "--wait=false"])?;
    let id = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let done = kubectl.end()?;
    insta::assert_snapshot!(text(&done).trim(), @r#"namespace "doomed" deleted"#);
    Ok(())
}

#[test]
fn a_refusal_says_who_and_why_and_nothing_is_sent() -> anyhow::Result<()> {
    let (lab, _rules) = asking("refused", "60s", "")?;
    let session = lab.gate.session("refused")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "refused"])?;
    let id = lab.gate.waiting()?;
    let wait = lab.gate.approvals(&["refuse", &id, "--why", "not on a Friday"])?;
    insta::assert_snapshot!(shown(&text(&wait))?, @"You refused APPROVAL");
    insta::assert_snapshot!(shown(&text(&kubectl.end()?))?);
    assert!(exists(&lab, "refused", "configmap", "asked")?);
    let waited = lab.gate.approvals(&["wait", &id])?;
    assert_eq!(waited.status.code(), Some(1));
    insta::assert_snapshot!(shown(&text(&waited))?, @"APPROVAL is refused: by grace@example.com: not on a Friday");
    Ok(())
}

#[test]
fn who_may_not_decide_is_told_why() -> anyhow::Result<()> {
    let (lab, _rules) = asking("may-not", "200ms", "")?;
    let session = lab.gate.session("may-not")?;
    lab.cluster.must(&["create", "service", "clusterip", "web", "--tcp=80", "-n", "may-not"])?;
    session.kubectl(&["delete", "service", "web", "-n", "may-not"])?;
    let two = lab.gate.waiting()?;
    let first = decided(&lab.gate, &["approve", &two, "--yes"])?;
    insta::assert_snapshot!(shown(&first)?, @"You approved APPROVAL; it still needs 1 more by two-ask");
    let twice = text(&lab.gate.approvals(&["approve", &two, "--yes"])?);
    insta::assert_snapshot!(shown(&twice)?, @"`grace@example.com` has approved it already: somebody else has to, too");
    decided(&lab.gate, &["refuse", &two, "--why", "enough"])?;
    let pod =
        lab.cluster.must(&["get", "pods", "-n", "may-not", "-o", "jsonpath={.items[0].metadata.name}"])?;
    session.kubectl(&["delete", "pod", &pod, "-n", "may-not", "--wait=false"])?;
    let own = lab.gate.waiting()?;
    let author = text(&lab.gate.approvals(&["approve", &own, "--yes"])?);
    insta::assert_snapshot!(shown(&author)?, @"`grace@example.com` wrote the rule `own-rule` that asks: somebody else has to decide");
    let unknown = text(&lab.gate.approvals(&["show", "a-aaaaaaaaaaaa"])?);
    insta::assert_snapshot!(unknown.trim(), @"there is no approval `a-aaaaaaaaaaaa`");
    Ok(())
}
