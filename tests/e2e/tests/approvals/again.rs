//! Sent again, by the client or after another has changed something: asked again, or done once.

use std::{path::Path, process::Stdio};

use anyhow::{Context, ensure};
use e2e::{Lab, RULES, Waiting, asking, decided, exists, leaves, shown, state, text};

#[test]
fn past_the_hold_time_the_client_comes_back_with_the_same_and_uses_it_once() -> anyhow::Result<()> {
    let (lab, _rules) = asking("later", "200ms", "")?;
    let session = lab.gate.session("later")?;
    let line = ["delete", "configmap", "asked", "-n", "later"];
    insta::assert_snapshot!(shown(&text(&session.kubectl(&line)?))?);
    let id = lab.gate.waiting()?;
    // Sent again before somebody decided, it waits for the same.
    let again = text(&session.kubectl(&line)?);
    ensure!(again.contains(&id), "{again}");
    assert_eq!(lab.gate.asked(true)?.len(), 1);
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    insta::assert_snapshot!(text(&session.kubectl(&line)?).trim(), @r#"configmap "asked" deleted from later namespace"#);
    assert_eq!(state(&lab.gate, &id)?, "consumed");
    lab.cluster.must(&["create", "configmap", "asked", "--from-literal=colour=blue", "-n", "later"])?;
    let once_more = text(&session.kubectl(&line)?);
    ensure!(once_more.contains("waits as approval a-") && !once_more.contains(&id), "{once_more}");
    assert!(exists(&lab, "later", "configmap", "asked")?);
    Ok(())
}

#[test]
fn another_object_or_another_version_is_asked_about_again_and_says_why() -> anyhow::Result<()> {
    let (lab, _rules) = asking("changed", "200ms", "")?;
    let session = lab.gate.session("changed")?;
    let line = ["delete", "configmap", "asked", "-n", "changed"];
    session.kubectl(&line)?;
    let first = lab.gate.waiting()?;
    decided(&lab.gate, &["approve", &first, "--yes"])?;
    lab.cluster.must(&["annotate", "configmap", "asked", "note=meanwhile", "-n", "changed"])?;
    let refused = text(&session.kubectl(&line)?);
    ensure!(refused.contains("waits as approval a-") && !refused.contains(&first), "{refused}");
    assert!(exists(&lab, "changed", "configmap", "asked")?);
    assert_eq!(state(&lab.gate, &first)?, "superseded");
    let wait = text(&lab.gate.approvals(&["wait", &first])?);
    insta::assert_snapshot!(shown(&wait)?, @"APPROVAL is superseded: by APPROVAL, since the object has changed");
    Ok(())
}

#[test]
fn approved_while_the_object_changes_it_is_asked_again_and_not_done() -> anyhow::Result<()> {
    let (lab, _rules) = asking("raced", "60s", "")?;
    let session = lab.gate.session("raced")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "raced"])?;
    let first = lab.gate.waiting()?;
    lab.cluster.must(&["annotate", "configmap", "asked", "note=meanwhile", "-n", "raced"])?;
    decided(&lab.gate, &["approve", &first, "--yes"])?;
    // The API server says that the object is another, and humans are asked about that.
    let second = lab.gate.waiting()?;
    assert_ne!(first, second);
    assert!(exists(&lab, "raced", "configmap", "asked")?);
    decided(&lab.gate, &["approve", &second, "--yes"])?;
    insta::assert_snapshot!(text(&kubectl.end()?).trim(), @r#"configmap "asked" deleted from raced namespace"#);
    Ok(())
}

#[test]
fn two_who_send_the_same_at_once_do_it_once() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("twice", "60s", "")?;
    let id = {
        let session = lab.gate.session("twice")?;
        let line = ["annotate", "configmap", "asked", "-n", "twice", "by=agent", "--overwrite"];
        let mut waiting = vec![Waiting::kubectl(&session, &line)?, Waiting::kubectl(&session, &line)?];
        let id = lab.gate.waiting()?;
        decided(&lab.gate, &["approve", &id, "--yes"])?;
        // One has done it. The other was told that it was used, or asks anew, about the object as it is now.
        let mut done = 0;
        e2e::eventually("both have ended", || {
            let asked = lab.gate.asked(false)?;
            for next in
                asked.iter().filter(|one| one["state"] == "pending").filter_map(|one| one["id"].as_str())
            {
                decided(&lab.gate, &["refuse", next, "--why", "once is enough"])?;
            }
            let mut still = Vec::new();
            for mut kubectl in waiting.drain(..) {
                if kubectl.is_waiting()? {
                    still.push(kubectl);
                } else {
                    done += u32::from(kubectl.end()?.status.success());
                }
            }
            waiting = still;
            Ok(if waiting.is_empty() { Ok(()) } else { Err(asked) })
        })?;
        assert_eq!(done, 1);
        id
    };
    lab.gate.stop()?;
    let sent = leaves(&lab.gate)?;
    let sent =
        sent.iter().filter(|leaf| leaf["type"] == "intent" && leaf["event"]["approval"] == id.as_str());
    assert_eq!(sent.count(), 1);
    Ok(())
}

#[test]
fn a_gate_killed_while_it_holds_has_sent_nothing_and_goes_on_after_a_restart() -> anyhow::Result<()> {
    let (mut lab, _rules) = asking("killed", "60s", "")?;
    let (kubeconfig, cache) = {
        let session = lab.gate.session("killed")?;
        (session.kubeconfig, std::path::PathBuf::from(lab.gate.path("cache")))
    };
    let line = ["delete", "configmap", "asked", "-n", "killed"];
    let mut first = testkit::kubectl(&kubeconfig, &cache, &line)?.stderr(Stdio::piped()).spawn()?;
    let id = lab.gate.waiting()?;
    lab.gate.kill()?;
    let cut = first.wait()?;
    ensure!(!cut.success());
    assert!(exists(&lab, "killed", "configmap", "asked")?);
    lab.gate.serve()?;
    assert_eq!(lab.gate.waiting()?, id, "it can still be decided");
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    let done = testkit::kubectl(&kubeconfig, &cache, &line)?.output()?;
    insta::assert_snapshot!(text(&done).trim(), @r#"configmap "asked" deleted from killed namespace"#);
    assert_eq!(state(&lab.gate, &id)?, "consumed");
    Ok(())
}

/// Puts these rules in force, and waits until they are.
fn reload(lab: &Lab, folder: &Path, rules: &str) -> anyhow::Result<()> {
    let before = lab.gate.log().matches("another policy is in force").count();
    std::fs::write(folder.join("rules/asks.cedar"), rules)?;
    let pid = lab.gate.pid().context("the gate runs")?.to_string();
    ensure!(std::process::Command::new("kill").args(["-HUP", &pid]).status()?.success());
    e2e::eventually("another policy", || {
        let log = lab.gate.log();
        Ok(if log.matches("another policy is in force").count() > before { Ok(()) } else { Err(log) })
    })
}

/// What decides is what is in force: who waits is asked about anew, refused or let go, as that says, without sending anything again.
#[test]
fn another_policy_that_comes_into_force_meanwhile_is_what_decides() -> anyhow::Result<()> {
    let (lab, rules) = asking("reloaded", "60s", "")?;
    let session = lab.gate.session("reloaded")?;
    let line = ["delete", "configmap", "asked", "-n", "reloaded"];
    let mut waiting = Waiting::kubectl(&session, &line)?;
    let first = lab.gate.waiting()?;
    reload(&lab, rules.path(), &RULES.replacen("others depend on it", "everybody depends on it", 1))?;
    e2e::eventually("it is asked anew", || {
        let stands = state(&lab.gate, &first)?;
        Ok(if stands == "superseded" { Ok(()) } else { Err(stands) })
    })?;
    let wait = text(&lab.gate.approvals(&["wait", &first])?);
    insta::assert_snapshot!(shown(&wait)?, @"APPROVAL is superseded: by APPROVAL, since the policy has changed");
    let second = lab.gate.waiting()?;
    assert_ne!(first, second);
    ensure!(waiting.is_waiting()?);
    decided(&lab.gate, &["approve", &second, "--yes"])?;
    insta::assert_snapshot!(text(&waiting.end()?).trim(), @r#"configmap "asked" deleted from reloaded namespace"#);

    lab.cluster.must(&["create", "configmap", "asked", "-n", "reloaded"])?;
    let waiting = Waiting::kubectl(&session, &line)?;
    let third = lab.gate.waiting()?;
    let rule = RULES.replacen("@outcome(\"approval\") @approvers(\"sre\")", "", 1);
    reload(&lab, rules.path(), &rule.replacen(" unless { context.approved };", ";", 1))?;
    insta::assert_snapshot!("denied_meanwhile", shown(&text(&waiting.end()?))?);
    assert!(exists(&lab, "reloaded", "configmap", "asked")?);
    let wait = text(&lab.gate.approvals(&["wait", &third])?);
    insta::assert_snapshot!(shown(&wait)?, @"APPROVAL is withdrawn: the policy has changed, and asks nobody any more");

    reload(&lab, rules.path(), RULES)?;
    let waiting = Waiting::kubectl(&session, &line)?;
    lab.gate.waiting()?;
    reload(&lab, rules.path(), "@id(\"all\") permit (principal, action, resource);\n")?;
    insta::assert_snapshot!(text(&waiting.end()?).trim(), @r#"configmap "asked" deleted from reloaded namespace"#);
    Ok(())
}
