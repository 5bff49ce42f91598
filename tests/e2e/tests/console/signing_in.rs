//! Who may come in, and as whom.

use anyhow::ensure;
use browser::{Browser, Page};
use e2e::{Waiting, asking_with, leaf, leaves, text};
use testkit::{APPROVER, Gate, IdentityProvider, Options, Person};

use super::{approve, is_quiet, signed_in};

pub(super) const SAM: Person = Person {
    subject: "sam",
    email: "sam@example.com",
    email_verified: true,
    name: "Sam",
    groups: &["security", "everybody"],
    password: "sam's",
};
const EVE: Person =
    Person { subject: "eve", email: "eve@example.com", groups: &["everybody"], password: "eve's", ..SAM };
/// Whom the agent works for.
const ADA: Person = Person { subject: "ada", email: "ada@example.com", password: "ada's", ..SAM };

/// A gate to which these people sign in by a provider; members of `security` may.
fn by_provider(namespace: &str) -> anyhow::Result<(e2e::Lab, tempfile::TempDir, IdentityProvider)> {
    by_provider_with(namespace, "")
}

/// The same with more in its section of approvals.
pub(super) fn by_provider_with(
    namespace: &str,
    approvals: &str,
) -> anyhow::Result<(e2e::Lab, tempfile::TempDir, IdentityProvider)> {
    let (options, provider) =
        with_provider(Options { hold: format!("60s{approvals}"), ..Options::default() })?;
    let (lab, rules) = asking_with(namespace, options)?;
    Ok((lab, rules, provider))
}

/// The same options, and that people sign in by the provider.
pub(super) fn with_provider(options: Options) -> anyhow::Result<(Options, IdentityProvider)> {
    let provider = IdentityProvider::start(&[SAM, EVE, ADA])?;
    let (issuer, client) = (provider.issuer(), provider.public_client());
    let console = format!(", oidc: {{ issuer: {issuer}, client_id: \"{client}\", groups: [security] }}");
    Ok((Options { console, ..options }, provider))
}

pub(super) fn sign_in(browser: &Browser, gate: &Gate, person: &Person, to: &str) -> anyhow::Result<Page> {
    let page = browser.page()?;
    page.goto(&gate.console(to))?;
    page.click("main a.primary")?;
    page.type_text("[name=username]", person.email)?;
    page.type_text("[name=password]", person.password)?;
    page.click("form button")?;
    page.wait_for("location.host.startsWith('localhost') && document.querySelector('h1')")?;
    Ok(page)
}

#[test]
fn two_of_two_decide_each_by_a_sign_in_of_their_own() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("two_of_two_decide_each_by_a_sign_in_of_their_own")? else {
        return Ok(());
    };
    let (mut lab, _rules, _provider) = by_provider("two")?;
    lab.cluster.must(&["create", "service", "clusterip", "front", "--tcp=80", "-n", "two"])?;
    let session = lab.gate.session("two")?;
    let kubectl = Waiting::kubectl(&session, &["delete", "service", "front", "-n", "two"])?;
    let id = lab.gate.waiting()?;
    let at = format!("/approvals/{id}");
    // A link to a page, as a notice has it, leads there by way of the sign-in.
    let sam = sign_in(&browser, &lab.gate, &SAM, &at)?;
    ensure!(sam.url()?.ends_with(&at), "{}", sam.url()?);
    let grace = signed_in(&browser, &lab.gate)?;
    grace.goto(&lab.gate.console(&at))?;
    approve(&sam)?;
    grace.wait_for("document.querySelector('.vote')")?;
    let told = grace.text()?;
    ensure!(told.contains("sam@example.com approved") && told.contains("Still needs 1 of"), "{told}");
    sam.wait_for("document.body.innerText.includes('has approved it already')")?;
    approve(&grace)?;
    grace.wait_for("document.querySelector('.decide .badge.consumed')")?;
    let done = kubectl.end()?;
    ensure!(done.status.success(), "{}", text(&done));
    is_quiet(&sam)?;
    is_quiet(&grace)?;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    let step = |number: u64| {
        let yes = leaf(&leaves, "approval_step", |event| event["step"]["number"] == number)?;
        anyhow::Ok(yes["event"]["step"]["what"].clone())
    };
    let (first, second) = (step(1)?, step(2)?);
    assert_eq!(
        (&first["by"]["subject"], &first["assurance"]),
        (&"sam@example.com".into(), &"provider".into())
    );
    // Only the groups that the configuration names.
    assert_eq!(first["by"]["groups"], serde_json::json!(["security"]));
    assert_eq!((&second["by"]["subject"], &second["assurance"]), (&APPROVER.into(), &"link".into()));
    Ok(())
}

#[test]
fn strangers_stay_outside_and_whom_the_agent_works_for_does_not_decide() -> anyhow::Result<()> {
    let Some(browser) =
        browser::or_skip("strangers_stay_outside_and_whom_the_agent_works_for_does_not_decide")?
    else {
        return Ok(());
    };
    let (lab, _rules, _provider) = by_provider("strangers")?;
    let eve = sign_in(&browser, &lab.gate, &EVE, "/")?;
    let told = eve.text()?;
    ensure!(told.contains("`eve@example.com` is neither named under `approvers`"), "{told}");
    eve.goto(&lab.gate.console("/sessions"))?;
    ensure!(eve.url()?.contains("/sign-in"), "{}", eve.url()?);

    lab.cluster.must(&["create", "service", "clusterip", "front", "--tcp=80", "-n", "strangers"])?;
    let session = lab.gate.session("strangers")?;
    let _kubectl = Waiting::kubectl(&session, &["delete", "service", "front", "-n", "strangers"])?;
    let id = lab.gate.waiting()?;
    let ada = sign_in(&browser, &lab.gate, &ADA, &format!("/approvals/{id}"))?;
    let told = ada.text()?;
    ensure!(
        told.contains("is the human on whose behalf the agent runs: somebody else has to decide"),
        "{told}"
    );
    assert_eq!(ada.eval("document.querySelector('form.approve')")?, serde_json::Value::Null);
    // Nor by a form that was made by hand.
    let refused = "(async () => {
        const form = new URLSearchParams({ form: document.querySelector('[name=form]').value, read: 'yes' });
        const answer = await fetch(location.pathname + '/approve', { method: 'POST', body: form });
        return [answer.status, await answer.text()];
    })()";
    let refused = ada.eval(refused)?;
    assert_eq!(refused[0], 409);
    ensure!(refused[1].as_str().is_some_and(|page| page.contains("Nothing was decided")), "{refused}");
    Ok(())
}
