//! What people see of a page, and hear.

use std::{collections::HashMap, fs, path::Path};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::Page;
use crate::field;

/// How much of a page a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What the window shows.
    Window,
    /// From its top to its bottom.
    Whole,
}

/// What is in the accessibility tree for layout only, or says what its parent says.
const SILENT: &[&str] = &["InlineTextBox", "generic", "none"];

impl Page {
    /// Takes a picture, into a PNG file.
    ///
    /// # Errors
    /// Chromium has ended or hangs, or the file cannot be written.
    pub fn screenshot(&self, path: &Path, extent: Extent) -> anyhow::Result<()> {
        let parameters = match extent {
            Extent::Window => json!({ "format": "png" }),
            Extent::Whole => {
                let metrics = self.call("Page.getLayoutMetrics", json!({}))?;
                let size = |side| field::at(&metrics, side);
                let (width, height) = (size("/cssContentSize/width"), size("/cssContentSize/height"));
                let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
                json!({ "format": "png", "captureBeyondViewport": true, "clip": clip })
            }
        };
        let answer = self.call("Page.captureScreenshot", parameters).context("no screenshot")?;
        let png = BASE64_STANDARD.decode(field::text(&answer, "/data").unwrap_or_default())?;
        fs::write(path, png).with_context(|| format!("could not write `{}`", path.display()))
    }

    /// What a screen reader is told: role and name of each part, one a line, in the order of the document, such as
    /// `button "Approve"`.
    ///
    /// # Errors
    /// Chromium has ended or hangs.
    pub fn accessibility(&self) -> anyhow::Result<String> {
        let answer = self.call("Accessibility.getFullAXTree", json!({}))?;
        let nodes =
            field::at(&answer, "/nodes").as_array().context("Chromium tells no accessibility tree")?;
        Ok(outline(nodes))
    }
}

/// The tree's lines, without what has nothing to say.
fn outline(nodes: &[Value]) -> String {
    let by_id: HashMap<&str, &Value> =
        nodes.iter().filter_map(|node| Some((field::text(node, "/nodeId")?, node))).collect();
    let mut lines = String::new();
    // Each with the name that its parent has told. The first is the root.
    let mut left: Vec<(&Value, &str)> = nodes.first().map(|root| (root, "")).into_iter().collect();
    while let Some((node, told)) = left.pop() {
        let role = field::text(node, "/role/value").unwrap_or_default();
        let name = field::text(node, "/name/value").unwrap_or_default();
        let speaks = field::at(node, "/ignored") != true && !SILENT.contains(&role);
        if speaks && (role != "StaticText" || name != told) {
            lines.push_str(&format!("{role} {}\n", Value::from(name)));
        }
        let told = if speaks { name } else { told };
        let children = field::at(node, "/childIds").as_array().into_iter().flatten().rev();
        left.extend(children.filter_map(|id| Some((*by_id.get(id.as_str()?)?, told))));
    }
    lines
}
