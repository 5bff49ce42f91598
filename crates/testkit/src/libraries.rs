//! Client libraries as their users have them, and the programs of `tests/python` and `tests/node` that use them. Installed once, from
//! lock files with digests, into the user's cache folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use crate::{cache, command::tail};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python");
const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/node");

/// Runs a program of `tests/python`, with the library `kubernetes` and nothing of the user's own.
///
/// # Errors
/// Python 3.11 with `venv` is not there, or the library could not be installed.
pub fn python(program: &str) -> anyhow::Result<Command> {
    let sources = Path::new(PYTHON);
    let version =
        run(Command::new("python3").arg("--version"), "Python 3.11 or newer is needed (`python3`)")?;
    let folder = cache::find_or_make(&digest(sources, &["requirements.txt"], &version)?, |folder| {
        eprintln!("installing the client library for Python: this happens once");
        let venv = folder.join("venv");
        run(
            Command::new("python3").args(["-m", "venv"]).arg(&venv),
            "Python's `venv` is needed (Debian: `python3-venv`)",
        )?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"])
            .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
            .arg(sources.join("requirements.txt"));
        run(&mut pip, "the client library for Python could not be installed").map(drop)
    })?;
    let mut command = Command::new(folder.join("venv/bin/python"));
    command.args(["-I", "-B"]).arg(sources.join(program)).stdin(Stdio::null());
    Ok(command)
}

/// Runs a program of `tests/node`, with the library `@kubernetes/client-node`.
///
/// # Errors
/// Node.js 20 with `npm` is not there, or the library could not be installed.
pub fn node(program: &str) -> anyhow::Result<Command> {
    let sources = Path::new(NODE);
    let version = run(Command::new("node").arg("--version"), "Node.js 20 or newer is needed (`node`)")?;
    let files = ["package.json", "package-lock.json", program];
    let folder = cache::find_or_make(&digest(sources, &files, &version)?, |folder| {
        eprintln!("installing the client library for JavaScript: this happens once");
        // Modules are looked for beside the program.
        for file in files {
            fs::copy(sources.join(file), folder.join(file)).with_context(|| file.to_owned())?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"]).current_dir(folder);
        run(&mut npm, "the client library for JavaScript could not be installed with `npm`").map(drop)
    })?;
    let mut command = Command::new("node");
    command.arg(folder.join(program)).stdin(Stdio::null());
    Ok(command)
}

/// What is installed, and for what.
fn digest(folder: &Path, files: &[&str], version: &str) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(format!("{version} {} {}\n", std::env::consts::OS, std::env::consts::ARCH));
    for file in files {
        let path: PathBuf = folder.join(file);
        let content = fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        hasher.update(format!("{file} {}\n", content.len()));
        hasher.update(content);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a program prints.
fn run(command: &mut Command, failed: &'static str) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().context(failed)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{failed}: {}", tail(&said));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
