//! A real Kubernetes for tests: the program of `tests/cluster`, started and ended from here.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    sync::{OnceLock, mpsc},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::{command, run_with_input, tools};

/// How long a cluster may take to start. It takes three seconds on an idle machine of two cores.
const START_DEADLINE: Duration = Duration::from_secs(150);

/// A running Kubernetes. Ended when dropped, and at the latest when this process ends, however it does.
#[derive(Debug)]
pub struct Cluster {
    child: Child,
    ready: Ready,
    cache: PathBuf,
    /// What gates need, as it was made for the first that needed it.
    pub(crate) made: Made,
}

/// What a cluster is asked for once, however many gates there are.
#[derive(Debug, Default)]
pub(crate) struct Made {
    /// Manifests that were applied.
    manifests: Mutex<HashSet<String>>,
    /// The kubeconfig of the gate's own account.
    pub(crate) account: Mutex<Option<String>>,
}

/// The line that the program prints when a pod could be scheduled.
#[derive(Debug, Deserialize)]
struct Ready {
    kubeconfig: PathBuf,
    server: String,
    audit_log: PathBuf,
    isolated: bool,
}

// === impl Cluster ===

impl Cluster {
    /// Starts a fresh cluster and waits until pods can be scheduled.
    ///
    /// Everything is kept in `dir`, which stays; without one, in a temporary folder that is removed with the cluster.
    /// `port` is the API server's on 127.0.0.1; without one, a free one.
    ///
    /// # Errors
    /// The tools cannot be built, or the program ended or was not ready in time; the end of its log is told.
    pub fn start(dir: Option<&Path>, port: Option<u16>) -> anyhow::Result<Self> {
        let mut program = Command::new(&tools()?.cluster);
        program.arg("--until-stdin-closes");
        if let Some(port) = port {
            program.args(["--port", &port.to_string()]);
        }
        let dir = if let Some(dir) = dir {
            fs::create_dir_all(dir).with_context(|| format!("could not create `{}`", dir.display()))?;
            dir.to_path_buf()
        } else {
            program.arg("--remove-dir");
            tempfile::Builder::new().prefix("portcullis-test-").tempdir()?.keep()
        };
        let log = dir.join("testcluster.log");
        let mut child = program
            .arg("--dir")
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            // Ctrl-C is for whoever started us, who then ends the cluster in order.
            .process_group(0)
            .spawn()
            .context("could not start the test Kubernetes")?;
        let ready =
            child.stdout.take().context("the test Kubernetes has no stdout").and_then(wait_until_ready);
        match ready {
            Ok(ready) => Ok(Self { child, ready, cache: dir.join("kubectl-cache"), made: Made::default() }),
            Err(error) => {
                end(&mut child);
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(error.context(format!(
                    "the test Kubernetes did not start; the end of `{}`:\n{}",
                    log.display(),
                    command::tail(&said)
                )))
            }
        }
    }

    /// The cluster that all tests of this process share, started when first asked for.
    ///
    /// # Errors
    /// As [`Cluster::start`]; every caller gets the same error.
    pub fn shared() -> anyhow::Result<&'static Self> {
        // A static is never dropped: the program ends because its standard input closes with this process.
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(None, None).map_err(|error| format!("{error:#}")))
            .as_ref()
            .map_err(|error| anyhow::Error::msg(error.clone()))
    }

    /// The administrator's kubeconfig: context `test`, client certificate and everything else inline.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.ready.kubeconfig
    }

    /// URL of the API server, such as `https://127.0.0.1:36497`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.ready.server
    }

    /// The API server's audit log: one JSON `Event` of `audit.k8s.io/v1` a line, with bodies, written before the
    /// answer is complete. The cluster's own housekeeping is not in it.
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.ready.audit_log
    }

    /// Whether containers have namespaces and volumes of their own. Without the right to make them (root), they are
    /// plain processes, and tests of volumes must be skipped.
    #[must_use]
    pub fn isolated(&self) -> bool {
        self.ready.isolated
    }

    /// Process id of the program that runs the cluster.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs `kubectl` as the administrator. That it fails is an answer, not an error.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)?.output().context("could not start kubectl")
    }

    /// As [`Cluster::kubectl`], with this standard input.
    ///
    /// # Errors
    /// As [`Cluster::kubectl`].
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
        run_with_input(&mut self.command(arguments)?, input)
    }

    /// `kubectl` as the administrator, to be run as the caller likes.
    ///
    /// # Errors
    /// The tools cannot be built.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        command::kubectl(self.kubeconfig(), &self.cache, arguments)
    }

    /// Runs `kubectl` as the administrator and gives what it printed.
    ///
    /// # Errors
    /// It failed; the error holds what it said.
    pub fn must(&self, arguments: &[&str]) -> anyhow::Result<String> {
        succeeded(&self.kubectl(arguments)?, arguments)
    }

    /// Waits until a pod is ready, for a minute and a half at most.
    ///
    /// # Errors
    /// What `kubectl wait` said.
    pub fn ready(&self, namespace: &str, pod: &str) -> anyhow::Result<()> {
        let pod = format!("pod/{pod}");
        self.must(&["-n", namespace, "wait", "--for=condition=Ready", &pod, "--timeout=90s"]).map(drop)
    }

    /// Applies a manifest (YAML, any number of documents) as the administrator. One after another: kubectl looks whether
    /// an object is there and then creates it, and fails if somebody did so in between.
    ///
    /// # Errors
    /// What `kubectl apply` said.
    pub fn apply(&self, manifest: &str) -> anyhow::Result<()> {
        static APPLYING: Mutex<()> = Mutex::new(());
        let _alone = APPLYING.lock();
        let arguments = ["apply", "-f", "-"];
        succeeded(&self.kubectl_with_input(&arguments, manifest)?, &arguments).map(drop)
    }

    /// As [`Cluster::apply`], unless this process has applied exactly this before.
    pub(crate) fn apply_once(&self, manifest: &str) -> anyhow::Result<()> {
        // Held while it is applied, so that whoever comes next finds it in place.
        let mut manifests = self.made.manifests.lock();
        if !manifests.contains(manifest) {
            self.apply(manifest)?;
            manifests.insert(manifest.to_owned());
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Ends the program by closing its standard input, and waits until its components are gone.
fn end(child: &mut Child) {
    drop(child.stdin.take());
    child.wait().ok();
}

fn wait_until_ready(stdout: ChildStdout) -> anyhow::Result<Ready> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let result = BufReader::new(stdout).read_line(&mut line);
        sender.send(result.map(|_| line)).ok();
    });
    let line = match receiver.recv_timeout(START_DEADLINE) {
        Ok(line) => line?,
        Err(_) => bail!("not ready after {} s", START_DEADLINE.as_secs()),
    };
    ensure!(!line.is_empty(), "it ended before it was ready");
    serde_json::from_str(&line).with_context(|| format!("not the expected line: `{line}`"))
}

fn succeeded(output: &Output, arguments: &[&str]) -> anyhow::Result<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`kubectl {}` failed ({}): {stderr}",
        arguments.join(" "),
        output.status
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
