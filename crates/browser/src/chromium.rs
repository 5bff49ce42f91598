//! Chromium's process.

use std::{
    collections::VecDeque,
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use parking_lot::Mutex;
use tempfile::TempDir;

use crate::bounded;

/// Names the Chromium to use.
pub(crate) const VARIABLE: &str = "PORTCULLIS_CHROMIUM";

/// How long a start may take. It takes a second on an idle machine of two cores.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long the processes may take to be gone once they were killed.
const END_DEADLINE: Duration = Duration::from_secs(20);

/// Keeps Chromium for as long as standard input is open, so that it cannot outlive the tests, even when they are killed;
/// then removes its folder (`$0`) and kills the process group, itself included. Standard error is left to Chromium, so
/// that it ends with Chromium.
const KEEPER: &str = r#""$@" &
pid=$!
exec 2>&-
cat >/dev/null
kill -KILL "$pid"
rm -rf "$0"
kill -KILL 0"#;

const FLAGS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-address=127.0.0.1",
    "--remote-debugging-port=0",
    // Nothing but what the test asks for goes over the network, and nothing leaves this machine.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
    "--no-pings",
    "--no-proxy-server",
    // The same everywhere: no questions, no graphics card, no desktop, no datagrams.
    "--disable-breakpad",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-quic",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    "--no-default-browser-check",
    "--no-first-run",
    "--password-store=basic",
    // Every page is drawn and keeps its pace, also while another is used.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
];

/// A running Chromium, the shell that keeps it, and its folder.
#[derive(Debug)]
pub(crate) struct Chromium {
    keeper: Child,
    /// Closed when the last process is gone that could write to standard error.
    stderr: Mutex<Receiver<String>>,
    /// Removed after the processes have ended, which may have written to it until then.
    _folder: TempDir,
}

pub(crate) fn find() -> Option<PathBuf> {
    find_in(env::var_os(VARIABLE).as_deref(), env::var_os("PATH").as_deref())
}

fn find_in(named: Option<&OsStr>, path: Option<&OsStr>) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return Some(named.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(path?).collect();
    ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}

// === impl Chromium ===

impl Chromium {
    /// Starts it, and tells the address of its DevTools: `ws://127.0.0.1:PORT/devtools/browser/ID`.
    pub(crate) fn start(program: &Path) -> anyhow::Result<(Self, String)> {
        let folder = tempfile::Builder::new().prefix("portcullis-browser-").tempdir()?;
        let mut keeper =
            Self::command(program, folder.path())?.spawn().context("could not start Chromium")?;
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let stderr = listen(keeper.stderr.take().context("Chromium has no stderr")?, &said);
        let chromium = Self { keeper, stderr: Mutex::new(stderr), _folder: folder };
        let address = chromium.stderr.lock().recv_timeout(START_DEADLINE);
        match address {
            Ok(address) => Ok((chromium, address)),
            Err(error) => {
                // Ended first, so that it has said everything.
                drop(chromium);
                let why = match error {
                    RecvTimeoutError::Timeout => "was not ready in time",
                    RecvTimeoutError::Disconnected => "ended before it was ready",
                };
                let said = Vec::from(said.lock().clone()).join("\n");
                bail!("`{}` {why}; the end of what it said:\n{said}", program.display())
            }
        }
    }

    fn command(program: &Path, folder: &Path) -> anyhow::Result<Command> {
        let (home, profile) = (folder.join("home"), folder.join("profile"));
        fs::create_dir(&home)?;
        fs::create_dir(&profile)?;
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER]).arg(folder).arg(program).args(FLAGS);
        if rustix::process::geteuid().is_root() {
            // Chromium's sandbox is no sandbox for root, and it does not start with it.
            command.arg("--no-sandbox");
        }
        let mut profile_flag = std::ffi::OsString::from("--user-data-dir=");
        profile_flag.push(&profile);
        command
            .arg(profile_flag)
            .arg("about:blank")
            // Else it would trust the certificates that the user trusts, and write to the user's folders.
            .env("HOME", home)
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME")
            // Else it would look for a desktop.
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for whoever started us; and this group is what the keeper kills.
            .process_group(0);
        Ok(command)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().ok();
        while self.stderr.get_mut().recv_timeout(END_DEADLINE).is_ok() {}
    }
}

/// Reads all that Chromium says, keeps the end of it, and sends the address of the DevTools.
fn listen(stderr: ChildStderr, said: &Arc<Mutex<VecDeque<String>>>) -> Receiver<String> {
    const LINES: usize = 20;
    let (sender, receiver) = mpsc::channel();
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let Some(address) = line.strip_prefix("DevTools listening on ") {
                sender.send(address.trim_end().to_owned()).ok();
            }
            let mut said = said.lock();
            if said.len() == LINES {
                said.pop_front();
            }
            said.push_back(bounded(&line));
        }
    });
    receiver
}

#[cfg(test)]
mod tests;
