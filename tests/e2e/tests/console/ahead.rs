//! What is asked ahead of calls, and signed off after them, in a browser.

use std::process::Command;

use anyhow::ensure;
use e2e::text;

use super::{
    approve, is_quiet, signed_in,
    signing_in::{SAM, by_provider_with, sign_in},
};

#[test]
fn a_broken_glass_is_signed_off_by_somebody_else() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_broken_glass_is_signed_off_by_somebody_else")? else {
        return Ok(());
    };
    let approvals = ", break_glass: { approvers: [sre], reviewers: [security] }";
    let (lab, _rules, _provider) = by_provider_with("glass", approvals)?;
    lab.cluster.must(&["create", "service", "clusterip", "front", "--tcp=80", "-n", "glass"])?;
    let session = lab.gate.session("glass")?;
    let mut asks = Command::new(lab.gate.program());
    asks.args([
        "request-access",
        "--scope",
        "delete services in glass",
        "--for",
        "10m",
        "--reason",
        "it is down",
    ]);
    asks.args(["--break-glass", "--incident", "INC-7", "--no-wait", "--kubeconfig"]).arg(&session.kubeconfig);
    let asked = asks.output()?;
    ensure!(asked.status.success(), "{}", text(&asked));
    let at = format!("/approvals/{}", lab.gate.waiting()?);

    let grace = signed_in(&browser, &lab.gate)?;
    grace.goto(&lab.gate.console(&at))?;
    let told = grace.text()?;
    ensure!(told.contains("breaks the glass") && told.contains("INC-7"), "{told}");
    approve(&grace)?;
    grace.wait_for("document.querySelector('.decide .badge.approved')")?;
    // A rule asks for two of others.
    let deleted = text(&session.kubectl(&["delete", "service", "front", "-n", "glass"])?);
    ensure!(deleted.contains("deleted"), "{deleted}");
    grace.type_text("form.end [name=why]", "it is up again")?;
    grace.click("form.end button")?;
    grace.wait_for("document.body.innerText.includes('It has to be signed off, and not by you')")?;

    let sam = sign_in(&browser, &lab.gate, &SAM, "/reviews")?;
    ensure!(sam.text()?.contains("waits for you"), "{}", sam.text()?);
    sam.click("main .card a.title")?;
    // What was done by it is there to be looked at, once the ledger has sealed it.
    e2e::eventually("what was done is shown", || {
        sam.goto(&lab.gate.console(&at))?;
        let told = sam.text()?;
        Ok(if told.contains("delete services front -n glass") || told.contains("services/front") {
            Ok(())
        } else {
            Err(told)
        })
    })?;
    sam.type_text("form.review [name=why]", "it did what the incident needed")?;
    sam.click("form.review button")?;
    sam.wait_for("document.body.innerText.includes('signed it off')")?;
    sam.goto(&lab.gate.console("/reviews"))?;
    ensure!(sam.text()?.contains("Nothing is open"), "{}", sam.text()?);
    is_quiet(&sam)?;
    is_quiet(&grace)?;
    Ok(())
}
