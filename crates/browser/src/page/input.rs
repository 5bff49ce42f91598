//! What people do to a page.

use anyhow::Context;
use serde_json::{Value, json};

use super::Page;
use crate::key::Press;

/// Finds where to click.
const POINT: &str = include_str!("point.js");

impl Page {
    /// Clicks into the middle of the one element that this CSS selector selects, once a click there reaches it.
    ///
    /// # Errors
    /// There is none or more than one, it is not visible, disabled or covered, and stays so.
    pub fn click(&self, selector: &str) -> anyhow::Result<()> {
        self.point(selector)
            .and_then(|point| self.click_at(&point))
            .with_context(|| format!("could not click `{selector}`"))
    }

    fn point(&self, selector: &str) -> anyhow::Result<[f64; 2]> {
        let place = self.wait(&format!("({POINT})({})", Value::from(selector)))?;
        serde_json::from_value(place).context("no point")
    }

    fn click_at(&self, [x, y]: &[f64; 2]) -> anyhow::Result<()> {
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }))?;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event)?;
        }
        Ok(())
    }

    /// Presses a key and lets it go: `j`, `?`, `Enter`, `Shift+Tab`, `Control+Enter`.
    ///
    /// # Errors
    /// There is no such key, or Chromium has ended.
    pub fn press(&self, key: &str) -> anyhow::Result<()> {
        let press = Press::parse(key).with_context(|| format!("could not press `{key}`"))?;
        for event in press.events() {
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// Clicks an input field, and puts this text in place of what is there, as pasting does: no key is pressed.
    ///
    /// # Errors
    /// As [`Page::click`].
    pub fn type_text(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        self.click(selector)?;
        self.eval("document.activeElement.select?.()")?;
        self.call("Input.insertText", json!({ "text": text })).context("could not type")?;
        Ok(())
    }
}
