//! How a page is looked at: by which window, in which colours, with or without scripts.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde_json::json;

use super::Page;

/// The part of a window that shows the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Pixels of the screen for one CSS pixel.
    pub scale: f64,
    /// Whether it is touched, and heeds the page's `<meta name="viewport">`.
    pub mobile: bool,
}

/// What the user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourScheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Whether the page's scripts run.
#[derive(Debug)]
pub(super) struct Scripting(AtomicBool);

// === impl Viewport ===

impl Viewport {
    /// What a page has if nobody says otherwise.
    pub const DESKTOP: Self = Self { width: 1280, height: 800, scale: 1.0, mobile: false };
    /// A phone held upright.
    pub const PHONE: Self = Self { width: 390, height: 844, scale: 3.0, mobile: true };
}

// === impl Scripting ===

impl Default for Scripting {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Scripting {
    pub(super) fn enabled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl Page ===

impl Page {
    /// Shows the page in a window of this size.
    ///
    /// # Errors
    /// Chromium has ended or refuses.
    pub fn viewport(&self, viewport: Viewport) -> anyhow::Result<()> {
        let Viewport { width, height, scale, mobile } = viewport;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", metrics).context("could not set the viewport")?;
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": mobile }))?;
        Ok(())
    }

    /// Answers the page's `prefers-color-scheme`.
    ///
    /// # Errors
    /// Chromium has ended.
    pub fn colour_scheme(&self, scheme: ColourScheme) -> anyhow::Result<()> {
        let value = match scheme {
            ColourScheme::Light => "light",
            ColourScheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", features).context("could not set the colour scheme")?;
        Ok(())
    }

    /// Whether scripts of the documents that are opened from now on run. [`Page::eval`] works all the same, though nothing
    /// that calls back does: no promise, no listener.
    ///
    /// # Errors
    /// Chromium has ended.
    pub fn scripting(&self, enabled: bool) -> anyhow::Result<()> {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !enabled }))?;
        self.scripting.0.store(enabled, Ordering::Relaxed);
        Ok(())
    }

    /// Whether certificates are trusted that nobody vouches for. Passkeys work there, too.
    ///
    /// # Errors
    /// Chromium has ended.
    pub fn ignore_certificate_errors(&self, ignore: bool) -> anyhow::Result<()> {
        self.call("Security.setIgnoreCertificateErrors", json!({ "ignore": ignore }))?;
        Ok(())
    }
}
