//! Sessions, seen and stopped.

use anyhow::ensure;
use e2e::{asking, leaf, leaves, text};
use testkit::APPROVER;

use super::{is_quiet, signed_in};

#[test]
fn a_session_is_frozen_thawed_and_revoked_from_its_page() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_session_is_frozen_thawed_and_revoked_from_its_page")? else {
        return Ok(());
    };
    let (mut lab, _rules) = asking("watched", "100ms", "")?;
    let session = lab.gate.session("watched")?;
    let get = ["get", "pods", "-n", "watched"];
    ensure!(session.kubectl(&get)?.status.success());
    let page = signed_in(&browser, &lab.gate)?;
    page.goto(&lab.gate.console("/sessions"))?;
    page.click("td a[href^='/sessions/']")?;
    page.wait_for("document.body.innerText.includes('list pods -n watched')")?;
    let press = |name: &str, why: Option<&str>, then: &str| -> anyhow::Result<()> {
        if let Some(why) = why {
            page.type_text("#why", why)?;
        }
        page.click(name)?;
        page.wait_for(&format!("document.querySelector('h1 .badge.{then}')"))
    };
    press("form[action$='/freeze'] button:not(.danger)", Some("why those?"), "frozen")?;
    let frozen = text(&session.kubectl(&get)?);
    ensure!(frozen.contains("why those?") && frozen.contains(APPROVER), "{frozen}");
    press("form[action$='/thaw'] button", None, "active")?;
    ensure!(session.kubectl(&get)?.status.success());
    press("form[action$='/freeze'] button.danger", Some("done"), "revoked")?;
    ensure!(!session.kubectl(&get)?.status.success());
    is_quiet(&page)?;
    lab.gate.stop()?;
    let leaves = leaves(&lab.gate)?;
    for kind in ["session_frozen", "session_thawed", "session_revoked"] {
        assert_eq!(leaf(&leaves, kind, |_| true)?["event"]["by"], APPROVER, "{kind}");
    }
    Ok(())
}
