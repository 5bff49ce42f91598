//! A page in a window of its own.

mod input;
mod look;
mod setting;
mod wait;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Authenticator, PATIENCE,
    connection::{CallError, Connection},
    console::{self, Message},
    field,
    session::Session,
};

pub use look::Extent;
pub use setting::{ColourScheme, Viewport};

use self::setting::Scripting;

/// Gives where a page is.
const URL: &str = "location.href";

/// Gives what can be read on a page.
const TEXT: &str = "document.body?.innerText ?? ''";

/// A page that shares no cookies or storage with any other. Closed when dropped.
#[derive(Debug)]
pub struct Page {
    session: Arc<Session>,
    /// The window with its cookies, as opposed to those of other people.
    context: String,
    patience: Duration,
    scripting: Scripting,
}

/// A cookie of a page's window.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host it is for, with a dot in front if also for those below.
    pub domain: String,
    /// The path it is for.
    pub path: String,
    /// When it ends, in seconds since 1970; -1 when the browser ends.
    pub expires: f64,
    /// Whether scripts cannot see it.
    pub http_only: bool,
    /// Whether it is sent over TLS only.
    pub secure: bool,
    /// `Strict`, `Lax` or `None`, if the server said which.
    pub same_site: Option<String>,
}

// === impl Page ===

/// What Chromium says of a page that another took the place of before it was there.
const ABORTED: &str = "net::ERR_ABORTED";

impl Page {
    pub(crate) fn open(connection: &Arc<Connection>) -> anyhow::Result<Self> {
        let call = |method, parameters| connection.call(None, method, &parameters, PATIENCE);
        // Gone with the connection, at the latest.
        let context = call("Target.createBrowserContext", json!({ "disposeOnDetach": true }))?;
        let context = field::name(&context, "/browserContextId")?;
        let blank = json!({ "url": "about:blank", "browserContextId": context });
        let target = field::name(&call("Target.createTarget", blank)?, "/targetId")?;
        let session = Arc::new(Session::attach(connection, &target, PATIENCE)?);
        let page = Self { session, context, patience: PATIENCE, scripting: Scripting::default() };
        for method in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.call(method, json!({}))?;
        }
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true }))?;
        // Every page has the focus, since several people look at theirs at once.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))?;
        page.viewport(Viewport::DESKTOP)?;
        Ok(page)
    }

    /// How long everything may take from now on, instead of 20 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Opens an address, and waits until it has loaded. An answer of 404 and the like is an answer.
    ///
    /// # Errors
    /// There is no answer (`net::ERR_CONNECTION_REFUSED`), its certificate is not trusted, or it did not load in time.
    pub fn goto(&self, url: &str) -> anyhow::Result<()> {
        let open = || self.navigate("Page.navigate", json!({ "url": url }));
        let opened = match open() {
            // What was pressed before leads elsewhere, and that came in between. It has come by now.
            Err(error) if error.to_string() == ABORTED => open(),
            other => other,
        };
        opened.with_context(|| format!("could not open `{url}`"))
    }

    /// Loads the page again, and waits until it has loaded.
    ///
    /// # Errors
    /// As [`Page::goto`].
    pub fn reload(&self) -> anyhow::Result<()> {
        self.navigate("Page.reload", json!({})).context("could not load the page again")
    }

    fn navigate(&self, method: &'static str, parameters: Value) -> anyhow::Result<()> {
        let deadline = Instant::now() + self.patience;
        let before = self.call("Page.getFrameTree", json!({}))?;
        let before = field::name(&before, "/frameTree/frame/loaderId")?;
        self.session.seen().with(|state| state.loaded = None);
        let answer = self.call(method, parameters)?;
        if let Some(error) = field::text(&answer, "/errorText") {
            bail!("{error}");
        }
        let within_the_document = method == "Page.navigate" && answer.get("loaderId").is_none();
        let another = |loaded: &String| *loaded != before;
        let loaded = within_the_document
            || self.session.seen().wait(deadline, |state| state.loaded.as_ref().is_some_and(another));
        ensure!(loaded, "it did not load in time");
        Ok(())
    }

    /// Where the page is.
    ///
    /// # Errors
    /// Chromium has ended or hangs.
    pub fn url(&self) -> anyhow::Result<String> {
        self.text_of(URL)
    }

    /// The text that can be seen.
    ///
    /// # Errors
    /// As [`Page::url`].
    pub fn text(&self) -> anyhow::Result<String> {
        self.text_of(TEXT)
    }

    /// The document as it is now.
    ///
    /// # Errors
    /// As [`Page::url`].
    pub fn html(&self) -> anyhow::Result<String> {
        self.text_of("document.documentElement.outerHTML")
    }

    fn text_of(&self, script: &str) -> anyhow::Result<String> {
        let value = self.eval(script)?;
        Ok(value.as_str().with_context(|| format!("`{script}` gave no text"))?.to_owned())
    }

    /// The value of an expression of JavaScript, or what the promise becomes that it gives. `undefined` is `null`.
    ///
    /// # Errors
    /// It throws, or its value cannot be written as JSON.
    pub fn eval(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.evaluate(script, self.patience)??)
    }

    /// The outer error is Chromium's, the inner the script's.
    fn evaluate(&self, script: &str, patience: Duration) -> Result<Result<Value, Threw>, CallError> {
        let parameters = json!({ "expression": script, "awaitPromise": true, "returnByValue": true });
        let answer = self.session.call("Runtime.evaluate", &parameters, patience)?;
        Ok(match answer.get("exceptionDetails") {
            Some(details) => Err(Threw(console::exception(details))),
            None => Ok(field::take(answer, "/result/value")),
        })
    }

    /// The errors and warnings so far.
    ///
    /// # Errors
    /// As [`Page::url`].
    pub fn console_messages(&self) -> anyhow::Result<Vec<Message>> {
        // What was said before this is answered has been told by then.
        self.evaluate("0", self.patience)?.ok();
        Ok(self.session.seen().with(|state| state.messages.clone()))
    }

    /// Every cookie of the page's window, whoever set it.
    ///
    /// # Errors
    /// As [`Page::url`].
    pub fn cookies(&self) -> anyhow::Result<Vec<Cookie>> {
        let parameters = json!({ "browserContextId": self.context });
        let answer =
            self.session.connection().call(None, "Storage.getCookies", &parameters, self.patience)?;
        serde_json::from_value(field::take(answer, "/cookies"))
            .context("Chromium tells cookies in another form")
    }

    /// Gives the page a passkey device, which holds no passkeys yet.
    ///
    /// # Errors
    /// As [`Page::url`].
    pub fn virtual_authenticator(&self) -> anyhow::Result<Authenticator> {
        Authenticator::plug_in(&self.session, self.patience).context("no virtual authenticator")
    }

    fn call(&self, method: &'static str, parameters: Value) -> Result<Value, CallError> {
        self.session.call(method, &parameters, self.patience)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let context = json!({ "browserContextId": self.context });
        self.session.connection().call(None, "Target.disposeBrowserContext", &context, self.patience).ok();
    }
}

/// What a script threw.
#[derive(Debug, thiserror::Error)]
#[error("the script failed: {0}")]
struct Threw(String);
