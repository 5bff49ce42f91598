//! The gate as its users run it: the real binary, a configuration, a service account that may only impersonate.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, bail, ensure};

use crate::Cluster;

/// The agent that every gate of the tests knows.
pub const AGENT: &str = "claude";
/// The human on whose behalf it runs.
pub const DELEGATOR: &str = "ada@example.com";
/// What the configuration calls the cluster.
pub const CLUSTER: &str = "demo";
/// Where the gate's own service account lives.
const NAMESPACE: &str = "portcullis";
const SERVICE_ACCOUNT: &str = "gate";

/// What a test wants to be different from the start configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder of policies, or `builtin:NAME`.
    pub bundle: String,
    /// Lines appended to `portcullis.yaml`, such as a `limits:` section.
    pub extra: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { bundle: "builtin:developer".to_owned(), extra: String::new() }
    }
}

/// Keeps the gate for as long as its standard input is open, so that it cannot outlive the tests, even when they
/// are killed; and lets a write to a full disk fail instead of ending the process (SIGXFSZ).
const KEEPER: &str = r#"trap '' XFSZ
"$@" &
pid=$!
echo "$pid"
exec >&-
cat >/dev/null
kill "$pid" 2>/dev/null
wait "$pid""#;

#[derive(Debug)]
struct Running {
    shell: Child,
    pid: i32,
}

/// A running gate. Ended when dropped.
#[derive(Debug)]
pub struct Gate {
    program: PathBuf,
    folder: PathBuf,
    running: Option<Running>,
    port: u16,
    operations: u16,
    /// Removes the folder after the child has ended.
    _temporary: Option<tempfile::TempDir>,
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
        gate._temporary = Some(temporary);
        gate.serve()?;
        Ok(gate)
    }

    /// As [`Gate::start`], in a folder that stays, and not started yet.
    ///
    /// # Errors
    /// As [`Gate::start`].
    pub fn prepare(cluster: &Cluster, folder: &Path, options: &Options) -> anyhow::Result<Self> {
        let gate = Self::configured(folder, options, "kubeconfig: cluster.kubeconfig")?;
        let account = service_account(cluster)?;
        cluster.apply(&gate.rbac()?)?;
        fs::write(gate.path("cluster.kubeconfig"), account)?;
        Ok(gate)
    }

    /// A running gate in front of whatever this kubeconfig names, such as a stand-in for an API server.
    ///
    /// # Errors
    /// As [`Gate::start`].
    pub fn behind(kubeconfig: &str, options: &Options) -> anyhow::Result<Self> {
        let temporary = tempfile::tempdir()?;
        let mut gate = Self::configured(temporary.path(), options, "kubeconfig: cluster.kubeconfig")?;
        gate._temporary = Some(temporary);
        fs::write(gate.path("cluster.kubeconfig"), kubeconfig)?;
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
        let (port, operations) = (free_port()?, free_port()?);
        let folder = folder.to_path_buf();
        let gate = Self { program: program()?, folder, running: None, port, operations, _temporary: None };
        gate.must(&["init", "--dir", &gate.path(""), "--agent", AGENT])?;
        fs::write(gate.path("portcullis.yaml"), gate.configuration(options, cluster))?;
        Ok(gate)
    }

    /// What `portcullis rbac` prints for this gate.
    ///
    /// # Errors
    /// What it printed instead.
    pub fn rbac(&self) -> anyhow::Result<String> {
        let account = format!("{NAMESPACE}/{SERVICE_ACCOUNT}");
        self.must(&["rbac", "--config", &self.path("portcullis.yaml"), "--service-account", &account])
    }

    fn configuration(&self, options: &Options, cluster: &str) -> String {
        let (port, operations) = (self.port, self.operations);
        let (bundle, extra) = (&options.bundle, &options.extra);
        format!(
            "listen: 127.0.0.1:{port}
public_url: https://localhost:{port}
tls: {{ certificate: tls.crt, key: tls.key, ca: ca.crt }}
operations: {{ listen: 127.0.0.1:{operations} }}
data: data
policy: {{ bundle: \"{bundle}\" }}
clusters:
  - name: {CLUSTER}
    {cluster}
agents:
  - name: {AGENT}
    groups: [developers]
{extra}"
        )
    }

    /// Starts the gate and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ended instead; its log is part of the error.
    pub fn serve(&mut self) -> anyhow::Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("gate.log"))?;
        let mut shell = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&self.program)
            .args(["serve", "--config", &self.path("portcullis.yaml")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("could not start the gate")?;
        let stdout = shell.stdout.take().context("the gate has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let pid = lines.next().context("the gate did not start")??.parse()?;
        self.running = Some(Running { shell, pid });
        for line in &mut lines {
            if line?.starts_with("ready") {
                // Keep draining, or the gate would block on a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(());
            }
        }
        bail!("the gate ended before it was ready:\n{}", self.log())
    }

    /// A session for [`AGENT`]; answers the path of its kubeconfig.
    ///
    /// # Errors
    /// What `portcullis session open` printed.
    pub fn session(&self, name: &str) -> anyhow::Result<Session<'_>> {
        let kubeconfig = self.folder.join(format!("{name}.kubeconfig"));
        let shown = self.must(&[
            "session",
            "open",
            "--config",
            &self.path("portcullis.yaml"),
            "--agent",
            AGENT,
            "--for",
            DELEGATOR,
            "--cluster",
            CLUSTER,
            "--reason",
            "end-to-end test",
            "--ttl",
            "1h",
            "--kubeconfig",
            &kubeconfig.to_string_lossy(),
        ])?;
        let id = shown
            .split_whitespace()
            .find(|word| word.starts_with("s-"))
            .with_context(|| format!("`session open` named no session: {shown}"))?;
        Ok(Session { gate: self, id: id.trim_end_matches([',', '.', ':']).to_owned(), kubeconfig })
    }

    /// Ends a session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session revoke` printed.
    pub fn revoke(&self, session: &str) -> anyhow::Result<()> {
        self.must(&["session", "revoke", "--config", &self.path("portcullis.yaml"), session]).map(drop)
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
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "portcullis {}: {stdout}{stderr}", arguments.join(" "));
        Ok(stdout)
    }

    /// A path inside the gate's folder, as text; `""` is the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
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
        let mut stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.operations))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// The port that agents connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The binary.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The gate's process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.running.as_ref().map(|running| running.pid)
    }

    /// Makes every file of the running gate unable to grow, as a full disk would.
    ///
    /// # Errors
    /// The limit could not be set.
    pub fn fill_disk(&self) -> anyhow::Result<()> {
        let running = self.running.as_ref().context("the gate does not run")?;
        let pid = rustix::process::Pid::from_raw(running.pid);
        let limit = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        rustix::process::prlimit(pid, rustix::process::Resource::Fsize, limit)?;
        Ok(())
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
        self.end("-KILL").map(drop)
    }

    fn end(&mut self, signal: &str) -> anyhow::Result<Option<ExitStatus>> {
        let Some(mut running) = self.running.take() else { return Ok(None) };
        // A gate that has ended by itself cannot be signalled any more, which is no failure here.
        Command::new("kill").args([signal, &running.pid.to_string()]).stderr(Stdio::null()).status()?;
        drop(running.shell.stdin.take());
        Ok(Some(running.shell.wait()?))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("the gate could not be ended: {error:#}");
        }
    }
}

/// An open session and its kubeconfig.
#[derive(Debug)]
pub struct Session<'a> {
    gate: &'a Gate,
    /// As `session list` names it.
    pub id: String,
    /// What the agent is given; holds its token.
    pub kubeconfig: PathBuf,
}

impl Session<'_> {
    /// `kubectl` through the gate.
    ///
    /// # Errors
    /// kubectl could not be started; a failure of its own is in the output.
    pub fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)?.output().context("could not start kubectl")
    }

    /// `kubectl` through the gate, to be run as the caller likes.
    ///
    /// # Errors
    /// kubectl could not be built.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        crate::kubectl(&self.kubeconfig, &self.gate.folder.join("cache"), arguments)
    }

    /// The bearer token that the kubeconfig holds.
    ///
    /// # Errors
    /// The kubeconfig has none.
    pub fn token(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(&self.kubeconfig)?;
        let token = text.lines().find_map(|line| line.trim().strip_prefix("token:"));
        Ok(token.context("the kubeconfig has no token")?.trim().trim_matches('"').to_owned())
    }

    /// Ends this session, as its owner would.
    ///
    /// # Errors
    /// What `portcullis session revoke` printed.
    pub fn revoke(&self) -> anyhow::Result<()> {
        self.gate.revoke(&self.id)
    }
}

/// A kubeconfig for a service account that has no right of its own yet; `portcullis rbac` gives it some.
fn service_account(cluster: &Cluster) -> anyhow::Result<String> {
    cluster.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n---\napiVersion: v1\nkind: ServiceAccount\n\
         metadata: {{name: {SERVICE_ACCOUNT}, namespace: {NAMESPACE}}}\n"
    ))?;
    let token = cluster.must(&["create", "token", SERVICE_ACCOUNT, "-n", NAMESPACE, "--duration", "8h"])?;
    let authority = cluster.must(&[
        "config",
        "view",
        "--raw",
        "--minify",
        "-o",
        "jsonpath={.clusters[0].cluster.certificate-authority-data}",
    ])?;
    let server = cluster.server();
    let token = token.trim();
    Ok(format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: gate\n\
         clusters: [{{name: c, cluster: {{server: \"{server}\", certificate-authority-data: {authority}}}}}]\n\
         users: [{{name: gate, user: {{token: {token}}}}}]\n\
         contexts: [{{name: gate, context: {{cluster: c, user: gate}}}}]\n"
    ))
}

/// The `portcullis` binary of this build, brought up to date once a process.
///
/// # Errors
/// It does not build; cargo has said why.
pub fn program() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone().map_err(anyhow::Error::msg)
}

fn build() -> anyhow::Result<PathBuf> {
    if let Some(given) = std::env::var_os("PORTCULLIS") {
        return Ok(given.into());
    }
    let release = !cfg!(debug_assertions);
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "portcullis",
        "--message-format",
        "json-render-diagnostics",
    ]);
    cargo.args(release.then_some("--release"));
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "portcullis does not build");
    let executable = text(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message.pointer("/target/name").is_some_and(|name| name == "portcullis"))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    executable.context("cargo did not say where portcullis is")
}

/// A port that was free a moment ago.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
