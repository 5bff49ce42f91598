//! The gate as its users run it: the real binary, a configuration, a service account that may only impersonate.

mod account;
mod approvals;
mod options;
mod port;
mod process;
mod program;
mod session;

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context, ensure};

use self::{port::Port, process::Running};
use crate::Cluster;

pub use account::of_account;
pub use options::{AGENT, APPROVER, CLUSTER, DELEGATOR, Options};
pub use program::program;
pub use session::Session;

/// A running gate. Ended when dropped.
#[derive(Debug)]
pub struct Gate {
    program: PathBuf,
    folder: PathBuf,
    running: Option<Running>,
    port: Port,
    operations: Port,
    console: Port,
    broken: AtomicBool,
    /// Removes the folder after the child has ended.
    temporary: Option<tempfile::TempDir>,
}

impl Gate {
    /// Prepares a folder and the cluster's RBAC as the documentation tells a platform engineer to, and starts.
    ///
    /// # Errors
    /// Whatever a command printed that did not succeed.
    pub fn start(cluster: &Cluster, options: &Options) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let folder = temporary.path().to_path_buf();
        let mut gate = Self::prepare(cluster, &folder, options)?;
        gate.temporary = Some(temporary);
        gate.serve()?;
        Ok(gate)
    }

    /// As [`Gate::start`], in a folder that stays, and not started yet.
    ///
    /// # Errors
    /// As [`Gate::start`].
    pub fn prepare(cluster: &Cluster, folder: &Path, options: &Options) -> anyhow::Result<Self> {
        let gate = Self::configured(folder, options, "kubeconfig: cluster.kubeconfig")?;
        let account = account::kubeconfig(cluster)?;
        cluster.apply_once(&gate.rbac()?)?;
        fs::write(gate.kubeconfig(), account)?;
        Ok(gate)
    }

    /// A running gate in front of whatever this kubeconfig names, such as a stand-in for an API server. It knows no values of
    /// Secrets unless `options` say how it masks.
    ///
    /// # Errors
    /// As [`Gate::start`].
    pub fn behind(kubeconfig: &str, options: &Options) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let off = || "{ known_values: { enabled: false } }".to_owned();
        let options = Options { masking: options.masking.clone().or_else(|| Some(off())), ..options.clone() };
        let mut gate = Self::configured(temporary.path(), &options, "kubeconfig: cluster.kubeconfig")?;
        gate.temporary = Some(temporary);
        fs::write(gate.kubeconfig(), kubeconfig)?;
        gate.serve()?;
        Ok(gate)
    }

    /// A gate that uses a context of the user's own kubeconfig, not started yet; nothing is written to the cluster.
    ///
    /// # Errors
    /// What `portcullis init` printed.
    pub fn in_front_of(context: &str, folder: &Path) -> anyhow::Result<Self> {
        let options = Options { bundle: "builtin:read-only".to_owned(), ..Options::default() };
        let kubeconfig = std::env::var("KUBECONFIG")
            .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.kube/config")))
            .context("neither KUBECONFIG nor HOME is set")?;
        Self::configured(
            folder,
            &options,
            &format!("kubeconfig: \"{kubeconfig}\"\n    context: \"{context}\""),
        )
    }

    fn configured(folder: &Path, options: &Options, cluster: &str) -> anyhow::Result<Self> {
        let gate = Self {
            program: program()?,
            folder: folder.to_path_buf(),
            running: None,
            port: Port::reserve()?,
            operations: Port::reserve()?,
            console: Port::reserve()?,
            broken: AtomicBool::new(false),
            temporary: None,
        };
        gate.must(&["init", "--dir", &gate.path(""), "--agent", AGENT])?;
        let file = folder.join("portcullis.yaml");
        let ports = [gate.port.number(), gate.operations.number(), gate.console.number()];
        options.write(&file, ports, cluster)?;
        Ok(gate)
    }

    /// What `portcullis rbac` prints for this gate.
    ///
    /// # Errors
    /// What it printed instead.
    pub fn rbac(&self) -> anyhow::Result<String> {
        let config = self.path("portcullis.yaml");
        self.must(&["rbac", "--config", &config, "--service-account", account::ACCOUNT])
    }

    /// Starts the gate and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ended instead; its log is part of the error.
    pub fn serve(&mut self) -> anyhow::Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("gate.log"))?;
        let running = Running::start(&self.program, &self.path("portcullis.yaml"), log);
        self.running = Some(running.with_context(|| self.log())?);
        Ok(())
    }

    /// Runs `portcullis` with these arguments.
    ///
    /// # Errors
    /// It could not be started; a failure of its own is in the output.
    pub fn portcullis(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        Command::new(&self.program).args(arguments).output().context("could not start portcullis")
    }

    fn must(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.portcullis(arguments)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "portcullis {}: {stdout}{stderr}", arguments.join(" "));
        Ok(stdout)
    }

    /// A path inside the gate's folder, as text; `""` is the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// The kubeconfig with the gate's own credential.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("cluster.kubeconfig")
    }

    /// What the gate has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("gate.log")).unwrap_or_default()
    }

    /// GETs a path of the operations listener; answers status line, headers and body as they came.
    ///
    /// # Errors
    /// No connection.
    pub fn operations(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.operations.number()))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// A page of the console.
    #[must_use]
    pub fn console(&self, page: &str) -> String {
        format!("http://localhost:{}{page}", self.console.number())
    }

    /// A link that signs the approver in to the console, once.
    ///
    /// # Errors
    /// What `portcullis console login` printed instead.
    pub fn console_login(&self) -> anyhow::Result<String> {
        let link = self.must(&["console", "login", "--config", &self.path("portcullis.yaml")])?;
        Ok(link.trim().to_owned())
    }

    /// The port that agents connect to. It stays the same when the gate is started again.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The binary.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The gate's process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(Running::pid)
    }

    /// Makes every file of the running gate unable to grow, as a full disk would.
    ///
    /// # Errors
    /// The limit could not be set.
    pub fn fill_disk(&self) -> anyhow::Result<()> {
        self.broken.store(true, Ordering::Relaxed);
        self.running.as_ref().context("the gate does not run")?.fill_disk()
    }

    /// Whether a test killed this gate or took its disk away, so that its ledger may have something to explain.
    #[must_use]
    pub fn was_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Asks the gate to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It did not end well.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let status = self.end("-TERM")?;
        ensure!(
            status.is_none_or(|status| status.success()),
            "the gate ended with {status:?}:\n{}",
            self.log()
        );
        Ok(())
    }

    /// Ends the gate as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// It could not be ended.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.broken.store(true, Ordering::Relaxed);
        self.end("-KILL").map(drop)
    }

    fn end(&mut self, signal: &str) -> anyhow::Result<Option<ExitStatus>> {
        self.running.take().map(|running| running.end(signal)).transpose()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("the gate could not be ended: {error:#}");
        }
    }
}
