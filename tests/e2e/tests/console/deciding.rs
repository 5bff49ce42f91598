//! A human decides, and kubectl goes on.

use anyhow::ensure;
use e2e::{Waiting, asking, exists, leaf, leaves, shown, state, text};
use testkit::APPROVER;

use super::{approve, is_quiet, signed_in};

#[test]
fn the_approver_sees_what_would_happen_and_kubectl_finishes() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("the_approver_sees_what_would_happen_and_kubectl_finishes")? else {
        return Ok(());
    };
    let (mut lab, _rules) = asking("seen", "60s", "")?;
    let session = lab.gate.session("tidy up")?;
    let page = signed_in(&browser, &lab.gate)?;
    assert!(page.text()?.contains("Nothing waits for anybody."));
    let kubectl = Waiting::kubectl(&session, &["delete", "namespace", "seen", "--wait=false"])?;
    // The page is told: nobody loads it again.
    page.wait_for("document.querySelector('[data-row]')")?;
    page.press("j")?;
    page.press("Enter")?;
    page.wait_for("document.querySelector('form.approve')")?;
    let told = page.text()?;
    for part in [
        "delete namespaces \"seen\"",
        "everything in the namespace goes with it",
        "find out why checkout is slow",
        "changes-ask",
        "others depend on it",
    ] {
        ensure!(told.contains(part), "{part} is not in\n{told}");
    }
    // A key only goes there.
    page.press("a")?;
    page.wait_for("document.activeElement.id === 'stands'")?;
    assert!(exists(&lab, "seen", "namespace", "seen")?);
    approve(&page)?;
    page.wait_for("document.querySelector('.decide .badge.consumed')")?;
    assert!(page.text()?.contains(&format!("{APPROVER} approved")));
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));
    is_quiet(&page)?;

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let signed_in = leaf(&leaves, "signed_in", |_| true)?;
    assert_eq!(signed_in["event"]["human"]["subject"], APPROVER);
    let yes = leaf(&leaves, "approval_step", |event| event["step"]["number"] == 1)?;
    assert_eq!(yes["event"]["step"]["what"]["assurance"], "link");
    Ok(())
}

#[test]
fn the_agent_is_told_why_it_was_refused() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("the_agent_is_told_why_it_was_refused")? else { return Ok(()) };
    let (lab, _rules) = asking("declined", "60s", "")?;
    let session = lab.gate.session("declined")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "declined"])?;
    let id = lab.gate.waiting()?;
    let page = signed_in(&browser, &lab.gate)?;
    page.goto(&lab.gate.console(&format!("/approvals/{id}")))?;
    page.press("r")?;
    page.type_text("#why", "not on a Friday")?;
    page.press("Enter")?;
    page.wait_for("document.querySelector('.decide .badge.refused')")?;
    let told = shown(&text(&kubectl.end()?))?;
    ensure!(told.contains("not on a Friday"), "{told}");
    assert!(exists(&lab, "declined", "configmap", "asked")?);
    is_quiet(&page)
}

#[test]
fn no_link_and_no_key_that_is_held_decides() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("no_link_and_no_key_that_is_held_decides")? else { return Ok(()) };
    let (lab, _rules) = asking("held", "60s", "")?;
    let session = lab.gate.session("held")?;
    let mut kubectl = Waiting::kubectl(&session, &["delete", "configmap", "asked", "-n", "held"])?;
    let id = lab.gate.waiting()?;
    let page = signed_in(&browser, &lab.gate)?;
    // What an agent may write into a chat, and what readers then press.
    for scripts in [true, false] {
        page.scripting(scripts)?;
        for part in ["approve", "stands", "why", "read", "main"] {
            page.goto(&lab.gate.console(&format!("/approvals/{id}#{part}")))?;
            for key in ["Space", "Enter", "Enter"] {
                page.press(key)?;
            }
        }
    }
    page.scripting(true)?;
    page.goto(&lab.gate.console(&format!("/approvals/{id}")))?;
    page.click("form.approve button")?;
    page.wait_for("document.querySelector('form.approve [name=read]:invalid')")?;
    // A hand that leaves out the box.
    let unread = "fetch(location.pathname + '/approve', { method: 'POST', body: new URLSearchParams({
        form: document.querySelector('[name=form]').value }) }).then(answer => answer.status)";
    assert_eq!(page.eval(unread)?, 422);
    assert!(kubectl.is_waiting()? && state(&lab.gate, &id)? == "pending");
    kubectl.hang_up()
}
