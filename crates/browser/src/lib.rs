//! A browser for tests: a headless Chromium, driven over the [Chrome DevTools Protocol] from plain threads.
//!
//! [`Browser::page`] opens a window of its own cookies, so that one browser serves several people. A [`Page`] is used as
//! a person uses it: by mouse, keys and passkeys ([`Authenticator`]). What a page brings about is waited for as an
//! event, and every wait has an end.
//!
//! [Chrome DevTools Protocol]: https://chromedevtools.github.io/devtools-protocol/

mod authenticator;
mod chromium;
mod connection;
mod console;
mod field;
mod key;
mod page;
mod session;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use serde_json::json;

use self::{chromium::Chromium, connection::Connection};

pub use authenticator::{Authenticator, Credential};
pub use console::{Message, Source};
pub use page::{ColourScheme, Cookie, Extent, Page, Viewport};

/// How long anything in a browser may take, unless [`Page::patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running Chromium with nothing of the user's own, which reaches loopback only. Ended when dropped, and at the latest
/// when this process ends, however it does.
#[derive(Debug)]
pub struct Browser {
    connection: Arc<Connection>,
    // Ended last.
    _chromium: Chromium,
}

/// A browser, or `None` where there is no Chromium: then standard error says that this test was skipped.
///
/// # Errors
/// As [`Browser::start`].
pub fn or_skip(test: &str) -> anyhow::Result<Option<Browser>> {
    if let Some(program) = Browser::find() {
        return Browser::start_program(&program).map(Some);
    }
    // Not `eprintln!`, which tests that pass keep to themselves.
    writeln!(
        std::io::stderr(),
        "skipped `{test}`: no Chromium; install it, or name it in {}",
        chromium::VARIABLE
    )?;
    Ok(None)
}

// === impl Browser ===

impl Browser {
    /// The Chromium that `PORTCULLIS_CHROMIUM` names, without a look whether it is there, so that whoever sets it is never
    /// skipped; or else `chromium`, `chromium-browser` or `google-chrome` of `PATH`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        chromium::find()
    }

    /// Starts the Chromium that [`Browser::find`] finds, with an empty profile.
    ///
    /// # Errors
    /// There is none, it ended, or it was not ready in time; the end of what it printed is told.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_program(&Self::find().context("no Chromium is installed")?)
    }

    fn start_program(program: &Path) -> anyhow::Result<Self> {
        let (chromium, address) = Chromium::start(program)?;
        let connection = Connection::open(&address).context("could not connect to Chromium")?;
        Ok(Self { connection: Arc::new(connection), _chromium: chromium })
    }

    /// A page in a window of its own, which shares no cookies or storage with any other.
    ///
    /// # Errors
    /// Chromium has ended or refuses.
    pub fn page(&self) -> anyhow::Result<Page> {
        Page::open(&self.connection).context("could not open a page")
    }

    /// What Chromium calls itself, such as `Chrome/156.0.8078.108`.
    ///
    /// # Errors
    /// Chromium has ended.
    pub fn version(&self) -> anyhow::Result<String> {
        let version = self.connection.call(None, "Browser.getVersion", &json!({}), PATIENCE)?;
        field::name(&version, "/product")
    }
}

/// At most this much of what a page says goes into a message.
fn bounded(text: &str) -> String {
    const MOST: usize = 2_000;
    let mut chars = text.chars();
    let mut start: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() {
        start.push('…');
    }
    start
}
