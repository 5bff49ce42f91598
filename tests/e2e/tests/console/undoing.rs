//! A session is undone by a button: what it changed is shown, and is back.

use anyhow::ensure;
use browser::{Browser, Page};
use e2e::{Lab, eventually, exists, furnish, permissive, start, text};
use testkit::Options;

use super::{
    approve, is_quiet, signed_in,
    signing_in::{SAM, sign_in, with_provider},
};

/// What undoes the session is asked about.
const RULES: &str = r#"
@id("all") permit (principal, action, resource);
@id("undoing-asks") @reason("it takes back what another did") @outcome("approval") @approvers("security")
forbid (principal, action == Action::"create", resource is Object) when { resource.type == "services" } unless { context.approved };
"#;

#[test]
fn a_session_is_undone_by_a_button() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_session_is_undone_by_a_button")? else { return Ok(()) };
    undone(&browser, &start(&permissive())?, "undoing", |_page| Ok(()))
}

#[test]
fn what_policy_asks_about_is_undone_once_somebody_else_agrees() -> anyhow::Result<()> {
    let test = "what_policy_asks_about_is_undone_once_somebody_else_agrees";
    let Some(browser) = browser::or_skip(test)? else { return Ok(()) };
    let namespace = "undoing-asks";
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("asks.cedar"), RULES)?;
    let bundle = folder.path().display().to_string();
    let (options, _provider) = with_provider(Options { bundle, ..Options::default() })?;
    let lab = start(&options)?;
    // About all of it at once.
    let agreed = |page: &Page| {
        page.wait_for("document.querySelector('#progress a[href^=\"/approvals/\"]')")?;
        let asked = page.text()?;
        ensure!(asked.contains("Humans are asked."), "{asked}");
        ensure!(!exists(&lab, namespace, "service", "web")? && exists(&lab, namespace, "configmap", "made")?);
        let sam = sign_in(&browser, &lab.gate, &SAM, &format!("/approvals/{}", lab.gate.waiting()?))?;
        let told = sam.text()?;
        ensure!(told.contains("it takes back what another did") && told.contains("services"), "{told}");
        approve(&sam)?;
        sam.wait_for("document.querySelector('.decide .badge:is(.approved, .consumed)')")
    };
    undone(&browser, &lab, namespace, agreed)
}

/// Undoes a session; `then` is what comes between the button and the end.
fn undone(
    browser: &Browser,
    lab: &Lab,
    namespace: &str,
    then: impl FnOnce(&Page) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    furnish(lab.cluster, namespace)?;
    lab.cluster.must(&["-n", namespace, "create", "service", "clusterip", "web", "--tcp=80"])?;
    let session = lab.gate.session("undoing")?;
    for command in [
        &["create", "configmap", "made", "--from-literal=colour=red"][..],
        &["set", "env", "deployment/web", "COLOUR=red"],
        &["delete", "service", "web"],
    ] {
        let done = session.kubectl(&[&["-n", namespace], command].concat())?;
        ensure!(done.status.success(), "{}", text(&done));
    }

    let page = signed_in(browser, &lab.gate)?;
    let undo = lab.gate.console(&format!("/sessions/{}/undo", session.id));
    page.goto(&undo)?;
    ensure!(page.text()?.contains("The session goes on"), "{}", page.text()?);
    session.revoke()?;
    // Its recording ends a moment after it.
    let told = eventually("the session's recording is sealed", || {
        page.goto(&undo)?;
        let told = page.text()?;
        Ok(if told.contains("no end yet") { Err(told) } else { Ok(told) })
    })?;
    for part in
        ["1. create services \"web\"", "2. change back deployments.apps \"web\"", "removed:", "COLOUR"]
    {
        ensure!(told.contains(part), "{part} is not in\n{told}");
    }
    page.click("section.buttons button")?;
    then(&page)?;
    page.wait_for(
        "document.querySelector('#progress')?.textContent.includes('All of it is as it was before.')",
    )?;
    ensure!(exists(lab, namespace, "service", "web")? && !exists(lab, namespace, "configmap", "made")?);
    let env = [
        "-n",
        namespace,
        "get",
        "deployment",
        "web",
        "-o",
        "jsonpath={.spec.template.spec.containers[0].env}",
    ];
    ensure!(lab.cluster.must(&env)?.is_empty());

    // What undid it is a session like any other.
    page.click("#progress a[href^='/sessions/']")?;
    page.wait_for("document.querySelector('h1')?.textContent.includes('revoked')")?;
    ensure!(page.text()?.contains(&format!("undo {}", session.id)), "{}", page.text()?);
    is_quiet(&page)
}
