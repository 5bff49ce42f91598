//! The programs of `tests/cluster`, Helm from `tests/helm` and the OpenID provider of `tests/idp`, built once into the
//! user's cache folder.

use std::{
    env,
    fs::{self, File},
    io::{ErrorKind, IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{cache, command::tail};

/// What the programs call themselves; must be the version of `k8s.io/kubernetes` in `go.mod`.
pub(crate) const VERSION: (&str, &str, &str) = ("v1.37.2", "1", "37");
/// The Go release that `go.mod` asks for, everywhere.
const GO: (u32, u32) = (1, 26);

/// Programs that are built together.
#[derive(Debug)]
struct Build {
    /// What it is called in messages, and how long it takes.
    name: &'static str,
    takes: &'static str,
    /// The folder with its `go.mod`.
    sources: &'static str,
    /// The packages that become programs of their own.
    packages: &'static [&'static str],
    /// What the folder's own package becomes, if it is one; Go would name it after the module.
    main: Option<(&'static str, &'static str)>,
}

const KUBERNETES: Build = Build {
    name: "the test Kubernetes",
    takes: "about 8 minutes",
    sources: concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cluster"),
    packages: &[
        "./podinit",
        "./oracle",
        "k8s.io/kubernetes/cmd/kubectl",
        "k8s.io/kubernetes/test/images/agnhost",
    ],
    main: Some(("cluster", "portcullis-testcluster")),
};

/// Of the same Kubernetes libraries, so that Go need not compile them again.
const HELM: Build = Build {
    name: "Helm",
    takes: "about 2 minutes",
    sources: concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/helm"),
    packages: &["helm.sh/helm/v3/cmd/helm"],
    main: None,
};

const IDENTITY_PROVIDER: Build = Build {
    name: "the test OpenID provider",
    takes: "about half a minute",
    sources: concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/idp"),
    packages: &[],
    main: Some(("idp", "portcullis-testidp")),
};

/// Where the programs are. Two more, which containers are made of, lie beside them.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Runs a Kubernetes; see `tests/cluster/main.go`.
    pub cluster: PathBuf,
    /// The `kubectl` of the same version.
    pub kubectl: PathBuf,
    /// Answers as the API server would; see [`Oracle`](crate::Oracle).
    pub oracle: PathBuf,
}

impl Tools {
    fn in_folder(folder: &Path) -> Self {
        Self {
            cluster: folder.join("portcullis-testcluster"),
            kubectl: folder.join("kubectl"),
            oracle: folder.join("oracle"),
        }
    }
}

/// The programs, built if these sources never were: into `$XDG_CACHE_HOME/portcullis/tests/DIGEST/` (or `~/.cache`).
/// The first build takes minutes and says so on standard error.
///
/// # Errors
/// Go is missing, too old or fails; every caller in this process gets the same error.
pub fn tools() -> anyhow::Result<&'static Tools> {
    static TOOLS: OnceLock<Result<Tools, String>> = OnceLock::new();
    TOOLS
        .get_or_init(|| {
            let folder = KUBERNETES.find_or_make().map_err(|error| format!("{error:#}"))?;
            Ok(Tools::in_folder(&folder))
        })
        .as_ref()
        .map_err(|error| anyhow::Error::msg(error.clone()))
}

/// Helm, built like [`tools()`] if it never was.
///
/// # Errors
/// As for them.
pub fn helm() -> anyhow::Result<PathBuf> {
    Ok(HELM.find_or_make()?.join("helm"))
}

/// The OpenID provider, likewise.
pub(crate) fn identity_provider() -> anyhow::Result<PathBuf> {
    Ok(IDENTITY_PROVIDER.find_or_make()?.join("portcullis-testidp"))
}

impl Build {
    /// The folder with the programs.
    fn find_or_make(&self) -> anyhow::Result<PathBuf> {
        let sources = Path::new(self.sources);
        let digest = digest(sources, self.packages)?;
        cache::find_or_make(&digest, |folder| self.make(sources, folder))
    }

    fn make(&self, sources: &Path, folder: &Path) -> anyhow::Result<()> {
        check_go(self.name, sources)?;
        eprintln!("building {}: this happens once and takes {} on two cores", self.name, self.takes);
        let started = Instant::now();
        let (version, major, minor) = VERSION;
        let at = "k8s.io/component-base/version";
        let flags =
            format!("-s -w -X {at}.gitVersion={version} -X {at}.gitMajor={major} -X {at}.gitMinor={minor}");
        let log = folder.join("build.log");
        let mut go = Command::new("go");
        go.args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", &flags, "-o"])
            .arg(folder)
            .args(self.main.map(|_| "."))
            .args(self.packages)
            .env("CGO_ENABLED", "0")
            .current_dir(sources)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        let status = wait(&mut go.spawn().context("could not start `go build`")?, started)?;
        if !status.success() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            bail!("`go build` failed in `{}` ({status}):\n{}", sources.display(), tail(&said));
        }
        if let Some((module, program)) = self.main {
            fs::rename(folder.join(module), folder.join(program))?;
        }
        eprintln!("built {} in {} s", self.name, started.elapsed().as_secs());
        Ok(())
    }
}

/// SHA-256 over the name, length and content of every source file, in hexadecimal.
fn digest(sources: &Path, packages: &[&str]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    collect_sources(sources, &mut files)
        .with_context(|| format!("could not list the sources in `{}`", sources.display()))?;
    files.sort();
    let mut hasher = Sha256::new();
    // How they are built counts as well.
    hasher.update(format!("{VERSION:?} {packages:?} {} {}\n", env::consts::OS, env::consts::ARCH));
    for file in files {
        let content = fs::read(&file).with_context(|| format!("could not read `{}`", file.display()))?;
        let name = file.strip_prefix(sources)?.to_string_lossy();
        hasher.update(format!("{name} {}\n", content.len()));
        hasher.update(content);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Every `*.go`, `go.mod` and `go.sum` below the folder.
fn collect_sources(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_sources(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "go" || extension == "mod" || extension == "sum")
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Waits for the build; on a terminal, shows the time that has passed.
fn wait(child: &mut Child, started: Instant) -> anyhow::Result<ExitStatus> {
    let mut stderr = std::io::stderr();
    let terminal = stderr.is_terminal();
    loop {
        if let Some(status) = child.try_wait()? {
            if terminal {
                write!(stderr, "\r\x1b[K")?;
            }
            return Ok(status);
        }
        if terminal {
            let seconds = started.elapsed().as_secs();
            write!(stderr, "\r\x1b[K  {}:{:02}", seconds / 60, seconds % 60)?;
            stderr.flush()?;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Makes sure that `go` is there and new enough.
fn check_go(name: &str, sources: &Path) -> anyhow::Result<()> {
    let (major, minor) = GO;
    let output = match Command::new("go").args(["env", "GOVERSION"]).current_dir(sources).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{name} is built with Go, which is not installed: install Go {major}.{minor} or newer")
        }
        output => output.context("could not run `go`")?,
    };
    let said = String::from_utf8_lossy(&output.stdout);
    // Since Go 1.21 an old `go` refuses by itself, or fetches the release it needs.
    ensure!(output.status.success(), "`go env` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    ensure!(
        go_release(&said).is_some_and(|found| found >= GO),
        "{name} needs Go {major}.{minor} or newer; this is `{}`",
        said.trim()
    );
    Ok(())
}

/// Major and minor of `go1.26.8` and the like; development versions have none.
fn go_release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix("go")?.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_releases_are_understood() {
        assert_eq!(go_release("go1.26.8\n"), Some((1, 26)));
        assert_eq!(go_release("go1.27rc1"), Some((1, 27)));
        assert_eq!(go_release("go2.0"), Some((2, 0)));
        assert_eq!(go_release("devel go1.27-abc"), None);
        assert_eq!(go_release(""), None);
    }

    #[test]
    fn the_version_is_the_one_that_is_built() {
        let module = |build: &Build| fs::read_to_string(Path::new(build.sources).join("go.mod")).unwrap();
        assert!(module(&KUBERNETES).contains(&format!("k8s.io/kubernetes {}\n", VERSION.0)));
        let libraries = VERSION.0.replace("v1", "v0");
        assert!(module(&HELM).contains(&format!("k8s.io/client-go {libraries} ")));
    }

    #[test]
    fn the_digest_follows_name_and_content() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, content: &str| {
            fs::write(folder.path().join(name), content).unwrap();
            let found = digest(folder.path(), &[]).unwrap();
            fs::remove_file(folder.path().join(name)).unwrap();
            found
        };
        let first = of("a.go", "x");
        assert_eq!(first.len(), 64);
        assert_eq!(first, of("a.go", "x"));
        assert_ne!(first, of("b.go", "x"));
        assert_ne!(first, of("a.go", "y"));
        assert_eq!(of("a.txt", "x"), of("b.txt", "y"));
    }
}
