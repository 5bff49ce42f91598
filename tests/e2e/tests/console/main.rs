//! People in a real browser: what they see of what waits for them, and what comes of what they press.

mod ahead;
mod deciding;
mod passkeys;
mod reading;
mod replaying;
mod signing_in;
mod undoing;
mod watching;

use anyhow::ensure;
use browser::{Browser, Page};
use testkit::Gate;

/// A page of somebody who is signed in as the approver.
fn signed_in(browser: &Browser, gate: &Gate) -> anyhow::Result<Page> {
    let page = browser.page()?;
    page.goto(&gate.console_login()?)?;
    page.click("main button")?;
    page.wait_for("document.querySelector('h1')?.textContent === 'Inbox'")?;
    Ok(page)
}

/// Reads it, says so, and approves.
fn approve(page: &Page) -> anyhow::Result<()> {
    page.click("form.approve [name=read]")?;
    page.click("form.approve button")
}

/// That nothing was refused by the console's own policy, and no script failed. The provider, at 127.0.0.1, has pages of its own.
fn is_quiet(page: &Page) -> anyhow::Result<()> {
    let mut messages = page.console_messages()?;
    messages.retain(|message| !message.text.contains("http://127.0.0.1"));
    ensure!(messages.is_empty(), "{messages:?}");
    Ok(())
}
