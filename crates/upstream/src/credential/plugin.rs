//! A credential plugin, as `client.authentication.k8s.io/v1` tells of it: a program that prints a token.

use std::{fmt, process::Stdio, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::{ExecConfig, ExecInteractiveMode};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::timeout,
};

use super::bearer;
use crate::flight::Flight;

/// A token is renewed when it has no longer than this to live.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(60);
/// No credential is larger.
const MOST: u64 = 1024 * 1024;

/// A plugin, and the token it last gave.
pub(crate) struct Plugin {
    program: Arc<Program>,
    issued: Mutex<Issued>,
    /// One run at a time, for everyone who needs a token.
    run: Flight<Result<Issued, PluginError>>,
}

struct Program {
    exec: ExecConfig,
    patience: Duration,
}

#[derive(Clone)]
struct Issued {
    authorization: Option<HeaderValue>,
    /// `None`: good for as long as the gate runs.
    expires: Option<Timestamp>,
}

/// A client certificate, as kubeconfigs hold it: PEM in base64. It is used for as long as the gate runs.
pub(super) struct Identity {
    pub(super) certificate: String,
    pub(super) key: String,
}

/// Why a plugin gave no credential. What it printed is in none of these.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PluginError {
    /// The kubeconfig's `exec` section cannot be used.
    #[error("the kubeconfig's `exec` cannot be used: {0}")]
    Section(&'static str),
    /// No such program, or it may not be run.
    #[error("the credential plugin `{command}` could not be started: {problem}{hint}")]
    NotStarted {
        /// The program.
        command: String,
        /// What the operating system said.
        problem: String,
        /// The kubeconfig's `installHint`.
        hint: String,
    },
    /// It ended with an error.
    #[error("the credential plugin `{command}` failed ({ended}); what it wrote is in the gate's log")]
    Failed {
        /// The program.
        command: String,
        /// How it ended.
        ended: String,
    },
    /// It took too long.
    #[error("the credential plugin `{command}` did not answer within {seconds} s and was ended")]
    TooSlow {
        /// The program.
        command: String,
        /// How long it may take.
        seconds: f64,
    },
    /// It printed something else.
    #[error(
        "the credential plugin `{command}` printed no `ExecCredential` with a token or a client certificate"
    )]
    NoCredential {
        /// The program.
        command: String,
    },
    /// The gate is stopping.
    #[error("the credential plugin was given up")]
    Aborted,
}

/// `ExecCredential`, as far as it is needed.
#[derive(Deserialize)]
struct Printed {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    expiration_timestamp: Option<Timestamp>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

// === impl Plugin ===

impl Plugin {
    /// Runs it for the first time.
    pub(super) async fn start(
        exec: ExecConfig,
        patience: Duration,
    ) -> Result<(Self, Option<Identity>), PluginError> {
        let program = Arc::new(Program { exec, patience });
        let (issued, identity) = program.run().await?;
        Ok((Self { program, issued: Mutex::new(issued), run: Flight::new() }, identity))
    }

    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, PluginError> {
        let last = self.issued.lock().clone();
        if last.is_good() {
            return Ok(last.authorization);
        }
        let program = Arc::clone(&self.program);
        let run = self.run.join(|| async move { program.run().await.map(|(issued, _identity)| issued) });
        let issued = run.await.unwrap_or(Err(PluginError::Aborted))?;
        *self.issued.lock() = issued.clone();
        Ok(issued.authorization)
    }
}

impl Issued {
    fn is_good(&self) -> bool {
        self.expires.is_none_or(|expires| Timestamp::now() + RENEW_BEFORE < expires)
    }
}

// === impl Program ===

impl Program {
    /// One run, which is ended when it takes too long.
    async fn run(&self) -> Result<(Issued, Option<Identity>), PluginError> {
        let printed = timeout(self.patience, self.printed()).await.unwrap_or_else(|_elapsed| {
            Err(PluginError::TooSlow { command: self.command(), seconds: self.patience.as_secs_f64() })
        })?;
        read(&printed).ok_or_else(|| PluginError::NoCredential { command: self.command() })
    }

    fn command(&self) -> String {
        self.exec.command.clone().unwrap_or_default()
    }

    async fn printed(&self) -> Result<Vec<u8>, PluginError> {
        let failed = |ended| PluginError::Failed { command: self.command(), ended };
        let mut child = self.prepared()?.spawn().map_err(|error| PluginError::NotStarted {
            command: self.command(),
            problem: error.to_string(),
            hint: self.exec.install_hint.iter().map(|hint| format!("; {}", hint.trim())).collect(),
        })?;
        let printed = collected(child.stdout.take()).await.map_err(|error| failed(error.to_string()))?;
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        if status.success() { Ok(printed) } else { Err(failed(status.to_string())) }
    }

    fn prepared(&self) -> Result<Command, PluginError> {
        let program = self.exec.command.as_deref().filter(|command| !command.is_empty());
        let mut command = Command::new(program.ok_or(PluginError::Section("it names no `command`"))?);
        if self.exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(PluginError::Section(
                "`interactiveMode: Always` needs somebody to type; use a credential that the gate can fetch by itself",
            ));
        }
        command.args(self.exec.args.iter().flatten());
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.env("KUBERNETES_EXEC_INFO", self.told());
        // Its messages are the operator's to read, in the gate's log.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        Ok(command)
    }

    /// `ExecCredential` for the plugin to read.
    fn told(&self) -> String {
        let cluster = self.exec.cluster.as_ref().filter(|_cluster| self.exec.provide_cluster_info);
        let mut spec = serde_json::json!({ "interactive": false });
        if let (Some(cluster), Some(spec)) = (cluster, spec.as_object_mut()) {
            spec.insert("cluster".to_owned(), serde_json::to_value(cluster).unwrap_or_default());
        }
        serde_json::json!({ "kind": "ExecCredential", "apiVersion": self.exec.api_version, "spec": spec })
            .to_string()
    }
}

async fn collected(printed: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(printed) = printed {
        printed.take(MOST).read_to_end(&mut text).await?;
    }
    Ok(text)
}

fn read(printed: &[u8]) -> Option<(Issued, Option<Identity>)> {
    let status = serde_json::from_slice::<Printed>(printed).ok()?.status?;
    let authorization = match &status.token {
        Some(token) => Some(bearer(token)?),
        None => None,
    };
    let identity = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => {
            Some(Identity { certificate: STANDARD.encode(certificate), key: STANDARD.encode(key) })
        }
        _ => None,
    };
    // A certificate cannot be renewed on connections that are open, so its expiry is no reason to run again.
    let expires = status.expiration_timestamp.filter(|_expiry| authorization.is_some());
    let useful = authorization.is_some() || identity.is_some();
    useful.then_some((Issued { authorization, expires }, identity))
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("command", &self.program.exec.command).finish_non_exhaustive()
    }
}
