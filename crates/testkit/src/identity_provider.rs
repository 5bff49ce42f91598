//! A real OpenID provider for tests: the program of `tests/idp`, started and ended from here.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::tools;

/// Somebody who can sign in with e-mail address or subject, and password.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// What the provider knows them by.
    pub subject: &'static str,
    /// Told for the scope `email`.
    pub email: &'static str,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    /// Told for the scope `profile`.
    pub name: &'static str,
    /// Told for the scope `groups`, in the claim `groups`.
    pub groups: &'static [&'static str],
    /// What they type into the login page.
    pub password: &'static str,
}

/// A running OpenID provider, at an `http` address on loopback. Its login page, `/login`, is a plain form with the fields
/// `username`, `password` and the hidden `id`. Ended when dropped, and at the latest when this process ends.
#[derive(Debug)]
pub struct IdentityProvider {
    child: Child,
    ready: Ready,
}

/// The line that the program prints when it listens.
#[derive(Debug, Deserialize)]
struct Ready {
    issuer: String,
    client: String,
    client_secret: String,
    public_client: String,
}

// === impl IdentityProvider ===

impl IdentityProvider {
    /// Starts one that these people can sign in to, and waits until it listens.
    ///
    /// # Errors
    /// The program cannot be built, or ended; why is on standard error.
    pub fn start(people: &[Person]) -> anyhow::Result<Self> {
        let mut child = Command::new(tools::identity_provider()?)
            .args(["--until-stdin-closes", "--users", &serde_json::to_string(people)?])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("could not start the OpenID provider")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the OpenID provider has no stdout")?;
        // Ends at the latest with the program.
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(!line.is_empty(), "the OpenID provider did not start ({})", child.wait()?);
        let ready = serde_json::from_str(&line).with_context(|| format!("not a ready line: `{line}`"))?;
        Ok(Self { child, ready })
    }

    /// Its issuer, which is its address too, such as `http://127.0.0.1:36497`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.ready.issuer
    }

    /// The id of the client that has a secret. It may be sent back to any address on loopback.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.ready.client
    }

    /// That client's secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.ready.client_secret
    }

    /// The id of the client that has no secret, likewise.
    #[must_use]
    pub fn public_client(&self) -> &str {
        &self.ready.public_client
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
