//! What sessions did and were shown: played, searched, followed while it goes on, and stopped.

use std::{
    io::Write,
    process::{Child, Stdio},
};

use anyhow::{Context, ensure};
use browser::Page;
use e2e::{furnish, permissive, start, text};

use super::{is_quiet, signed_in};

const NAMESPACE: &str = "replayed";

/// Ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// Waits until this is on the player's screen.
fn shows(page: &Page, wanted: &str) -> anyhow::Result<()> {
    page.wait_for(&format!("document.querySelector('.ap-term-text')?.textContent.includes('{wanted}')"))
}

#[test]
fn a_session_is_replayed_searched_followed_and_frozen() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_session_is_replayed_searched_followed_and_frozen")? else {
        return Ok(());
    };
    let lab = start(&permissive())?;
    furnish(lab.cluster, NAMESPACE)?;
    let session = lab.gate.session("replayed")?;
    let exec = ["-n", NAMESPACE, "exec", "-i", "deploy/web", "--"];
    let line = "echo one; echo oh no >&2; sleep 2; echo README of the shop";
    let done = session.kubectl(&[&exec[..], &["sh", "-c", line]].concat())?;
    ensure!(done.status.success(), "{}", text(&done));

    let page = signed_in(&browser, &lab.gate)?;
    page.goto(&lab.gate.console("/sessions"))?;
    page.click("td a[href^='/sessions/']")?;
    page.wait_for("document.querySelector(\"a[href$='/streams/1']\")")?;
    let told = page.text()?;
    for part in ["pods/exec web-", "exec in replayed/web", "sh -c echo one"] {
        ensure!(told.contains(part), "{part} is not in\n{told}");
    }
    page.click("a[href$='/streams/1']")?;
    page.wait_for("document.querySelector('#replay').dataset.ready === ''")?;
    page.click("[data-speed='4']")?;
    page.click(".ap-overlay-start")?;
    shows(&page, "README of the shop")?;
    shows(&page, "oh no")?;

    // A link to a moment, and a search that leads to another.
    page.eval("location.hash = 't=1'")?;
    page.wait_for(
        "(shown => shown.includes('one') && !shown.includes('README'))(document.querySelector('.ap-term-text').textContent)",
    )?;
    page.type_text("#q", "readme")?;
    page.click("form.search button")?;
    page.wait_for(
        "document.querySelector('#replay')?.dataset.ready === '' && document.querySelector('.lines a.at')",
    )?;
    page.click(".lines a.at")?;
    shows(&page, "README of the shop")?;
    let moment = page.eval("location.hash")?;
    ensure!(moment.as_str().is_some_and(|at| at.starts_with("#t=") && at != "#t=1"), "{moment}");

    // It can be read without scripts, and found among all sessions.
    let stream = page.eval("location.pathname")?;
    let stream = stream.as_str().context("no path")?;
    page.scripting(false)?;
    page.goto(&lab.gate.console(&format!("{stream}/text")))?;
    ensure!(page.text()?.contains("README of the shop"), "{}", page.text()?);
    page.scripting(true)?;
    page.goto(&lab.gate.console("/search?text=readme+of&object=pods"))?;
    let found = page.text()?;
    ensure!(found.contains("README of the shop") && found.contains("pods/exec web-"), "{found}");

    // One that goes on.
    let mut kubectl = session.command(&[&exec[..], &["cat"]].concat())?;
    kubectl.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running(kubectl.spawn()?);
    let mut typed = running.0.stdin.take().context("no standard input")?;
    writeln!(typed, "told before")?;
    page.goto(&lab.gate.console("/sessions"))?;
    page.click("td a[href^='/sessions/']")?;
    // The page follows by itself.
    page.wait_for("document.querySelector(\"a[href$='/streams/2']\")")?;
    page.click("a[href$='/streams/2']")?;
    page.wait_for("document.querySelector('#live')?.getAttribute('aria-pressed') === 'true'")?;
    shows(&page, "told before")?;
    writeln!(typed, "and told now")?;
    shows(&page, "and told now")?;
    page.type_text("#why", "enough of it")?;
    page.click("form[action$='/freeze'] button")?;
    page.wait_for("document.querySelector('h1 .badge.frozen')")?;
    ensure!(!running.0.wait()?.success());
    is_quiet(&page)
}
