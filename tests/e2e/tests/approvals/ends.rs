//! Approvals that end without a yes, and what there may be of them.

use anyhow::ensure;
use e2e::{Waiting, asking, decided, shown, text};

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
    kubectl.hang_up()?;
    kubectl.end()?;
    let over = text(&lab.gate.approvals(&["wait", &id])?);
    insta::assert_snapshot!(shown(&over)?, @"APPROVAL is withdrawn: the client left");
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
fn a_rule_says_for_how_long_its_calls_wait() -> anyhow::Result<()> {
    let (lab, _rules) = asking("brief", "10m", "")?;
    let session = lab.gate.session("brief")?;
    lab.cluster.must(&["create", "serviceaccount", "sa", "-n", "brief"])?;
    // The configuration would have it wait for longer than any test.
    let told = text(&session.kubectl(&["delete", "serviceaccount", "sa", "-n", "brief"])?);
    ensure!(told.contains("waits as approval a-"), "{told}");
    Ok(())
}
