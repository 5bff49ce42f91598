//! What people read, with scripts and without.

use anyhow::ensure;
use browser::{ColourScheme, Viewport};
use e2e::{asking, text};

use super::{is_quiet, signed_in};

/// Every page of the navigation, with what must be on it.
const PAGES: [(&str, &str); 7] = [
    ("/", "configmaps"),
    ("/approvals", "What was asked"),
    ("/sessions", "why checkout is slow"),
    ("/search", "Human for whom it runs"),
    ("/refusals", "delete configmaps"),
    ("/policy", "@id(\"changes-ask\")"),
    ("/ledger", "Unwitnessed"),
];

#[test]
fn every_page_can_be_read_without_scripts_on_a_phone_and_in_the_dark() -> anyhow::Result<()> {
    let Some(browser) =
        browser::or_skip("every_page_can_be_read_without_scripts_on_a_phone_and_in_the_dark")?
    else {
        return Ok(());
    };
    let (lab, _rules) = asking("reading", "100ms", "")?;
    let session = lab.gate.session("reading")?;
    let asked = session.kubectl(&["delete", "configmap", "asked", "-n", "reading"])?;
    ensure!(text(&asked).contains(&lab.gate.console("/approvals/a-")), "{}", text(&asked));
    let page = signed_in(&browser, &lab.gate)?;
    page.goto(&lab.gate.console("/refusals"))?;
    page.wait_for("document.body.innerText.includes('delete configmaps')")?;
    page.scripting(false)?;
    for (viewport, scheme) in
        [(Viewport::DESKTOP, ColourScheme::Light), (Viewport::PHONE, ColourScheme::Dark)]
    {
        page.viewport(viewport)?;
        page.colour_scheme(scheme)?;
        for (path, part) in PAGES {
            page.goto(&lab.gate.console(path))?;
            let told = page.text()?;
            ensure!(told.contains(part), "{path} has no {part}:\n{told}");
        }
    }
    page.scripting(true)?;
    for (path, _) in PAGES {
        page.goto(&lab.gate.console(path))?;
        // Nothing sticks out of a phone's screen.
        let wide =
            page.eval("document.documentElement.scrollWidth > document.documentElement.clientWidth")?;
        assert_eq!(wide, false, "{path}");
        // Times are the reader's, and the exact time stays.
        let times = page.eval(
            "[...document.querySelectorAll('time')].every(t => 'local' in t.dataset && /UTC$/.test(t.title))",
        )?;
        assert_eq!(times, true, "{path}");
    }
    is_quiet(&page)
}

#[test]
fn a_screen_reader_is_told_what_a_page_is() -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip("a_screen_reader_is_told_what_a_page_is")? else { return Ok(()) };
    let (lab, _rules) = asking("spoken", "100ms", "")?;
    let session = lab.gate.session("spoken")?;
    let line = ["patch", "configmap", "asked", "-n", "spoken", "-p", r#"{"data":{"colour":"red"}}"#];
    session.kubectl(&line)?;
    let id = lab.gate.waiting()?;
    let page = signed_in(&browser, &lab.gate)?;
    page.goto(&lab.gate.console(&format!("/approvals/{id}")))?;
    let tree = page.accessibility()?;
    for part in [
        "button \"Approve exactly this\"",
        "textbox \"Or say why not, for the agent to read\"",
        "navigation \"Console\"",
        "button \"Refuse\"",
    ] {
        ensure!(tree.contains(part), "no {part} in\n{tree}");
    }
    Ok(())
}
