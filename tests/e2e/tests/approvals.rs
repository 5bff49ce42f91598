//! What policy asks about waits for a human; a yes is for exactly that, once.

use std::process::{Child, Output, Stdio};

use anyhow::{Context, ensure};
use e2e::{Lab, furnish, leaf, leaves, start, text};
use serde_json::Value;
use testkit::{APPROVER, Gate, Options, Session};

/// Deletes and updates of ConfigMaps are asked about, and namespaces as everywhere.
const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("changes-ask") @reason("others depend on it") @outcome("approval") @approvers("sre")
forbid (principal, action in [Action::"change", Action::"destroy"], resource is Object)
when { ["configmaps", "namespaces", "secrets", "replicasets.apps"].contains(resource.type) } unless { context.approved };
@id("two-ask") @reason("two pairs of eyes") @outcome("approval") @approvers("sre, security") @quorum("2")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "services" } unless { context.approved };
@id("own-rule") @reason("written by its approver") @outcome("approval") @approvers("sre") @author("GRACE@example.com")
forbid (principal, action in Action::"destroy", resource is Object)
when { resource.type == "pods" && resource.name != "evicted" } unless { context.approved };
"#;

/// A lab in which calls wait for so long, with an object to ask about.
fn asking(namespace: &str, hold: &str, approvals: &str) -> anyhow::Result<(Lab, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules)?;
    std::fs::write(rules.join("asks.cedar"), RULES)?;
    let bundle = rules.display().to_string();
    let hold = format!("{hold}{approvals}");
    let lab = start(&Options { bundle, hold, ..Options::default() })?;
    furnish(lab.cluster, namespace)?;
    lab.cluster.must(&["create", "configmap", "asked", "--from-literal=colour=blue", "-n", namespace])?;
    Ok((lab, folder))
}

/// kubectl that waits meanwhile.
struct Waiting(Child);

impl Waiting {
    fn kubectl(session: &Session<'_>, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = session.command(arguments)?;
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?))
    }

    fn end(self) -> anyhow::Result<Output> {
        Ok(self.0.wait_with_output()?)
    }

    fn is_waiting(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }
}

fn decided(gate: &Gate, arguments: &[&str]) -> anyhow::Result<String> {
    let output = gate.approvals(arguments)?;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(text(&output))
}

/// Without what is different each time.
fn shown(text: &str) -> anyhow::Result<String> {
    let mut shown = text.to_owned();
    for (pattern, name) in [
        (r"a-[a-z2-7]{12}", "APPROVAL"),
        (r"s-[a-z2-7]{16}", "SESSION"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"version \d+", "version N"),
        (r"sha256:[0-9a-f]{64}", "DIGEST"),
    ] {
        shown = regex::Regex::new(pattern)?.replace_all(&shown, name).into_owned();
    }
    Ok(shown.trim_end().to_owned())
}

fn state(gate: &Gate, id: &str) -> anyhow::Result<Value> {
    let all = gate.asked(true)?;
    let one = all.into_iter().find(|one| one["id"] == id).context("no such approval")?;
    Ok(one.get("state").cloned().unwrap_or_default())
}

fn exists(lab: &Lab, namespace: &str, kind: &str, name: &str) -> anyhow::Result<bool> {
    let found =
        lab.cluster.must(&["get", kind, "-n", namespace, "-o", "name", "--ignore-not-found", name])?;
    Ok(!found.trim().is_empty())
}

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
    let bound = &asked["event"]["asked"]["bound"];
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

#[test]
fn a_session_has_so_many_pending_and_no_more_and_others_are_served() -> anyhow::Result<()> {
    let (lab, _rules) = asking("many", "100ms", ", pending: 2")?;
    let session = lab.gate.session("many")?;
    let ask = |name: &str| -> anyhow::Result<String> {
        Ok(text(&session.kubectl(&["create", "configmap", name, "-n", "many"])?))
    };
    ensure!(ask("one")?.contains("waits as approval"));
    ensure!(ask("two")?.contains("waits as approval"));
    insta::assert_snapshot!(shown(&ask("three")?)?);
    let other = lab.gate.session("another")?;
    let served = text(&other.kubectl(&["delete", "configmap", "asked", "-n", "many"])?);
    ensure!(served.contains("waits as approval"), "{served}");
    Ok(())
}

#[test]
fn what_nobody_decides_about_expires_and_its_client_is_told() -> anyhow::Result<()> {
    let (lab, _rules) = asking("expires", "60s", ", decide_within: 1s")?;
    let session = lab.gate.session("expires")?;
    let output = session.kubectl(&["delete", "configmap", "asked", "-n", "expires"])?;
    insta::assert_snapshot!(shown(&text(&output))?);
    Ok(())
}

#[test]
fn a_client_that_hangs_up_withdraws_where_it_is_to() -> anyhow::Result<()> {
    let (lab, _rules) = asking("hangs-up", "60s", ", withdraw_when_client_leaves: true")?;
    let session = lab.gate.session("hangs-up")?;
    let mut kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "hangs-up"])?;
    let id = lab.gate.waiting()?;
    kubectl.0.kill()?;
    kubectl.end()?;
    let over = text(&lab.gate.approvals(&["wait", &id])?);
    insta::assert_snapshot!(shown(&over)?, @"APPROVAL is withdrawn: the client left");
    Ok(())
}

#[test]
fn nothing_secret_is_kept_of_what_is_asked() -> anyhow::Result<()> {
    let (lab, _rules) = asking("quiet", "200ms", "")?;
    let session = lab.gate.session("quiet")?;
    // Whatever is swept at the lab's end must not hold it: not the store either, which keeps what approvers are shown.
    let patch = format!(r#"{{"data":{{"copied":"{}"}}}}"#, e2e::CANARY);
    session.kubectl(&["patch", "configmap", "asked", "-n", "quiet", "-p", &patch])?;
    let id = lab.gate.waiting()?;
    let seen = decided(&lab.gate, &["show", &id])?;
    ensure!(!e2e::contains_canary(seen.as_bytes()), "{seen}");
    Ok(())
}

/// What a Secret holds, as its administrator sees it.
fn password(lab: &Lab, namespace: &str) -> anyhow::Result<String> {
    lab.cluster.must(&["get", "secret", "login", "-n", namespace, "-o", "jsonpath={.data.password}"])
}

fn secret(lab: &Lab, namespace: &str) -> anyhow::Result<()> {
    let values = ["--from-literal=user=shop", "--from-literal=password=old"];
    lab.cluster
        .must(&[&["create", "secret", "generic", "login", "-n", namespace][..], &values].concat())
        .map(drop)
}

#[test]
fn what_was_read_masked_is_written_back_right_when_humans_agree_now_or_later() -> anyhow::Result<()> {
    for (namespace, hold) in [("edited", "60s"), ("edited-later", "200ms")] {
        let (lab, _rules) = asking(namespace, hold, "")?;
        secret(&lab, namespace)?;
        let before = password(&lab, namespace)?;
        let session = lab.gate.session(namespace)?;
        let read = text(&session.kubectl(&["get", "secret", "login", "-n", namespace, "-o", "yaml"])?);
        let file = lab.gate.path("edited.yaml");
        std::fs::write(&file, read.replace("  name: login", "  labels: {seen: by-agent}\n  name: login"))?;
        let replace = ["replace", "-f", &file];
        let waiting = Waiting::kubectl(&session, &replace)?;
        let id = lab.gate.waiting()?;
        let seen = decided(&lab.gate, &["show", &id])?;
        ensure!(seen.contains("+   labels:") && !seen.contains("which is masked"), "{seen}");
        let waiting = if hold == "60s" { Some(waiting) } else { waiting.end().map(|_told| None)? };
        decided(&lab.gate, &["approve", &id, "--yes"])?;
        let done = match waiting {
            Some(waiting) => waiting.end()?,
            None => session.kubectl(&replace)?,
        };
        ensure!(done.status.success(), "{}", text(&done));
        assert_eq!(state(&lab.gate, &id)?, "consumed");
        assert_eq!(password(&lab, namespace)?, before);
        let label = ["get", "secret", "login", "-n", namespace, "-o", "jsonpath={.metadata.labels.seen}"];
        assert_eq!(lab.cluster.must(&label)?, "by-agent");
    }
    Ok(())
}

#[test]
fn a_masked_value_that_changes_is_told_though_it_looks_the_same() -> anyhow::Result<()> {
    let (lab, _rules) = asking("unseen", "200ms", "")?;
    secret(&lab, "unseen")?;
    let session = lab.gate.session("unseen")?;
    let patch = r#"{"stringData":{"password":"new"}}"#;
    session.kubectl(&["patch", "secret", "login", "-n", "unseen", "-p", patch])?;
    let seen = decided(&lab.gate, &["show", &lab.gate.waiting()?])?;
    let effects: Vec<&str> = seen.lines().filter(|line| line.starts_with("effect")).collect();
    assert_eq!(effects, ["effect    changes the value at data.password, which is masked"]);
    Ok(())
}

#[test]
fn a_guess_at_a_value_is_refused_before_anybody_is_asked_whether_it_is_right_or_wrong() -> anyhow::Result<()>
{
    let (lab, _rules) = asking("guesses", "200ms", "")?;
    secret(&lab, "guesses")?;
    let immutable = r#"{"immutable":true}"#;
    lab.cluster.must(&["patch", "secret", "login", "-n", "guesses", "-p", immutable])?;
    let session = lab.gate.session("guesses")?;
    let mut told = Vec::new();
    for guess in ["b2xk", "bmV3"] {
        let patch = format!(r#"{{"data":{{"password":"{guess}"}}}}"#);
        told.push(text(&session.kubectl(&["patch", "secret", "login", "-n", "guesses", "-p", &patch])?));
    }
    assert_eq!(told.first(), told.last());
    assert_eq!(lab.gate.asked(true)?, [Value::Null; 0], "{told:?}");
    Ok(())
}

#[test]
fn how_something_is_deleted_is_shown_and_a_revoked_session_asks_for_nothing_more() -> anyhow::Result<()> {
    let (lab, _rules) = asking("forced", "200ms", "")?;
    let session = lab.gate.session("forced")?;
    session.kubectl(&["delete", "configmap", "asked", "-n", "forced", "--force", "--grace-period=0"])?;
    let id = lab.gate.waiting()?;
    let seen = decided(&lab.gate, &["show", &id])?;
    insta::assert_snapshot!(shown(&seen)?);
    session.revoke()?;
    let over = text(&lab.gate.approvals(&["wait", &id])?);
    insta::assert_snapshot!(shown(&over)?, @"APPROVAL is withdrawn: the session was revoked");
    Ok(())
}

#[test]
fn another_policy_that_comes_into_force_meanwhile_is_what_decides() -> anyhow::Result<()> {
    let (lab, rules) = asking("reloaded", "60s", "")?;
    let session = lab.gate.session("reloaded")?;
    let line = ["delete", "configmap", "asked", "-n", "reloaded"];
    let waiting = Waiting::kubectl(&session, &line)?;
    let id = lab.gate.waiting()?;
    let denies = RULES.replacen("@outcome(\"approval\") @approvers(\"sre\")", "", 1).replacen(
        " unless { context.approved };",
        ";",
        1,
    );
    std::fs::write(rules.path().join("rules/asks.cedar"), denies)?;
    let pid = lab.gate.pid().context("the gate runs")?.to_string();
    ensure!(std::process::Command::new("kill").args(["-HUP", &pid]).status()?.success());
    e2e::eventually("another policy", || {
        let log = lab.gate.log();
        Ok(if log.contains("another policy is in force") { Ok(()) } else { Err(log) })
    })?;
    decided(&lab.gate, &["approve", &id, "--yes"])?;
    insta::assert_snapshot!(shown(&text(&waiting.end()?))?);
    let denied = text(&session.kubectl(&line)?);
    ensure!(denied.contains("others depend on it") && !denied.contains("approval"), "{denied}");
    assert!(exists(&lab, "reloaded", "configmap", "asked")?);
    Ok(())
}
