//! A passkey signs what is decided, and the auditor verifies it again.

use anyhow::{Context, ensure};
use browser::Page;
use e2e::{Waiting, asking, decided, leaf, leaves, text};
use testkit::Gate;

use super::{approve, is_quiet, signed_in};

/// Enrols what the browser has.
fn enrol(page: &Page, gate: &Gate) -> anyhow::Result<()> {
    page.goto(&gate.console("/passkeys"))?;
    page.type_text("#name", "the key on my desk")?;
    page.click("form[data-passkey] button")?;
    page.wait_for("document.querySelector('.card strong')?.textContent === 'the key on my desk'")
}

#[test]
fn a_rule_that_wants_a_passkey_gets_a_signature_that_verifies_offline() -> anyhow::Result<()> {
    let Some(browser) =
        browser::or_skip("a_rule_that_wants_a_passkey_gets_a_signature_that_verifies_offline")?
    else {
        return Ok(());
    };
    let (mut lab, _rules) = asking("signed", "60s", "")?;
    let session = lab.gate.session("signed")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "deployment", "web", "-n", "signed"])?;
    let id = lab.gate.waiting()?;
    // Neither by an account of the machine, nor by a sign-in alone.
    let unsigned = text(&lab.gate.approvals(&["approve", &id, "--yes"])?);
    ensure!(
        unsigned.contains("the rule `signed` demands more to know who decides: use a passkey"),
        "{unsigned}"
    );
    let page = signed_in(&browser, &lab.gate)?;
    let at = lab.gate.console(&format!("/approvals/{id}"));
    page.goto(&at)?;
    let told = page.text()?;
    ensure!(told.contains("you have none: enrol one first") && !told.contains("Approve"), "{told}");
    let _authenticator = page.virtual_authenticator()?;
    enrol(&page, &lab.gate)?;
    page.goto(&at)?;
    approve(&page)?;
    page.wait_for("document.querySelector('.decide .badge.consumed')")?;
    ensure!(page.text()?.contains("signed by their passkey"), "{}", page.text()?);
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));
    is_quiet(&page)?;
    decided(&lab.gate, &["show", &id])?;

    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let enrolled = leaf(&leaves, "passkey_enrolled", |_| true)?;
    let yes = leaf(&leaves, "approval_step", |event| event["step"]["number"] == 1)?;
    let signed = &yes["event"]["step"]["what"]["assurance"]["passkey"];
    assert_eq!(signed["passkey"], enrolled["event"]["passkey"]);
    let client_data = signed["assertion"]["client_data_json"].as_str().context("client data")?;
    ensure!(!client_data.is_empty());
    // Dropping the gate verifies its ledger, the signature included.
    Ok(())
}

#[test]
fn a_removed_passkey_signs_nothing() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_removed_passkey_signs_nothing")? else {
        return Ok(());
    };
    let (lab, _rules) = asking("unsigned", "60s", "")?;
    let session = lab.gate.session("unsigned")?;
    let _kubectl = Waiting::kubectl(&session, &["delete", "deployment", "web", "-n", "unsigned"])?;
    let id = lab.gate.waiting()?;
    let page = signed_in(&browser, &lab.gate)?;
    let _authenticator = page.virtual_authenticator()?;
    enrol(&page, &lab.gate)?;
    page.goto(&lab.gate.console(&format!("/approvals/{id}")))?;
    // The passkey is removed in another tab; this page still offers it.
    let other = signed_in(&browser, &lab.gate)?;
    other.goto(&lab.gate.console("/passkeys"))?;
    other.click(".card form button")?;
    other.wait_for("document.body.innerText.includes('You have none.')")?;
    approve(&page)?;
    page.wait_for("document.querySelector('main > .alert')")?;
    ensure!(page.text()?.contains("this passkey is not one of yours"), "{}", page.text()?);
    Ok(())
}
