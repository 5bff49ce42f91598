//! A real Chromium does to the pages of a small site what tests ask of it.

mod complaining;
mod input;
mod people;
mod reading;
mod settings;
mod site;

use browser::{Browser, Page};

use site::{Resource, Site};

/// Runs a test with a page of a site, unless there is no browser.
fn with_page(
    test: &str,
    resources: &'static [Resource],
    run: impl FnOnce(&Page, &Site),
) -> anyhow::Result<()> {
    let Some(browser) = browser::or_skip(test)? else { return Ok(()) };
    run(&browser.page()?, &Site::start(resources)?);
    Ok(())
}

/// Runs a test with a browser, unless there is none.
fn with_browser(test: &str, run: impl FnOnce(&Browser)) -> anyhow::Result<()> {
    if let Some(browser) = browser::or_skip(test)? {
        run(&browser);
    }
    Ok(())
}
