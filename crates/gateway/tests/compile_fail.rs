//! Forgetting a step does not compile: the argument of ARCHITECTURE.md, shown.
//!
//! The cases are compiled against the crates that cargo has just built for this test, so that it takes seconds.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a failure in them is a failed test"
)]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// Sources in `tests/compile_fail`.
const CASES: [&str; 12] = [
    "unjudged",
    "unlooked",
    "look_skipped",
    "pod_unseen",
    "judged_for_another",
    "unrecorded",
    "unrecorded_connection",
    "forged_receipt",
    "receipt_for_another",
    "receipt_used_twice",
    "unmasked",
    "forged_mask",
];

#[test]
fn a_path_that_skips_a_step_does_not_compile() {
    assert_eq!(compile("tests/compile_fail/whole_path.rs", None), "", "the control compiles");
    let told: Vec<String> = CASES
        .iter()
        .map(|case| format!("{case}\n{}", compile(&format!("tests/compile_fail/{case}.rs"), None)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// A reply is the gateway's own affair, so the case is compiled as one more module of it.
#[test]
fn the_gateway_itself_cannot_reply_with_what_is_not_masked() {
    assert_eq!(compile_inside("masked_reply"), "", "the control compiles");
    insta::assert_snapshot!(compile_inside("unmasked_reply"));
}

fn compile_inside(case: &str) -> String {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/compile_fail/inside/{case}.rs"));
    let mut root = fs::read_to_string("src/lib.rs").expect("our own source");
    writeln!(root, "#[path = {case:?}]\nmod case;").expect("a string takes all");
    compile("-", Some(&root))
}

/// What the compiler says is wrong: each error's code and message, and each place it points to with what it says there.
/// `source` is a path, or `-` for `stdin`, whose modules are the gateway's.
fn compile(source: &str, stdin: Option<&str>) -> String {
    static LIBRARIES: LazyLock<Vec<(String, PathBuf)>> = LazyLock::new(libraries);
    let mut rustc = rustc();
    for (name, path) in LIBRARIES.iter() {
        rustc.arg("--extern").arg(format!("{name}={}", path.display()));
    }
    rustc.args([
        "--crate-type=lib",
        "--crate-name=case",
        "--emit=metadata",
        "--cap-lints=allow",
        "--error-format=json",
        source,
    ]);
    let mut rustc = rustc
        .current_dir(if stdin.is_some() { "src" } else { "." })
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rustc starts");
    rustc.stdin.take().expect("piped").write_all(stdin.unwrap_or_default().as_bytes()).expect("rustc reads");
    let output = rustc.wait_with_output().expect("rustc ends");
    let mut told = String::new();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let diagnostic: Value =
            serde_json::from_str(line).unwrap_or_else(|_| panic!("not a diagnostic: {line}"));
        tell(&diagnostic, &mut told);
    }
    assert_eq!(output.status.success(), told.is_empty(), "{source}: {told}");
    told
}

/// Every crate below the gateway, by name, as cargo built it for this test. Cargo keeps those of other builds beside them; so
/// the compiler is asked what it would link, by a linker that does nothing.
fn libraries() -> Vec<(String, PathBuf)> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("links_all.rs");
    fs::write(&program, "extern crate gateway; fn main() {}").expect("cargo's own folder");
    let gateway = newest("libgateway-");
    let output = rustc()
        .args(["--print=link-args", "-Clinker=true", "--extern"])
        .arg(format!("gateway={}", gateway.display()))
        .arg(program)
        .output()
        .expect("rustc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let arguments = String::from_utf8_lossy(&output.stdout).into_owned();
    let paths = arguments.split('"').map(PathBuf::from).filter(|path| path.parent() == Some(&deps()));
    let libraries = paths.filter_map(|path| {
        let name =
            path.file_name()?.to_str()?.strip_prefix("lib")?.strip_suffix(".rlib")?.rsplit_once('-')?.0;
        Some((name.to_owned(), path))
    });
    libraries.collect()
}

/// Of the files in `deps` whose names begin so, the newest: the one this test was built with is up to date, so a newer one is,
/// too.
fn newest(prefix: &str) -> PathBuf {
    let files = fs::read_dir(deps()).expect("a folder").map(|entry| entry.expect("an entry"));
    let libraries = files.filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        name.starts_with(prefix) && name.ends_with(".rlib")
    });
    libraries
        .max_by_key(|file| file.metadata().and_then(|metadata| metadata.modified()).expect("a time"))
        .expect("cargo has built it")
        .path()
}

fn deps() -> PathBuf {
    env::current_exe().expect("a test has a path").parent().expect("in a folder").to_owned()
}

fn rustc() -> Command {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition=2024", "--out-dir", env!("CARGO_TARGET_TMPDIR")]);
    rustc.arg("-L").arg(format!("dependency={}", deps().display()));
    rustc
}

fn tell(diagnostic: &Value, told: &mut String) {
    let spans = diagnostic["spans"].as_array().into_iter().flatten();
    // What has no place only counts the errors before it.
    if diagnostic["level"] != "error" || spans.clone().next().is_none() {
        return;
    }
    let code = diagnostic["code"]["code"].as_str().map(|code| format!("[{code}]"));
    let message = diagnostic["message"].as_str().unwrap_or_default();
    writeln!(told, "error{}: {message}", code.unwrap_or_default()).expect("a string takes all");
    for span in
        spans.filter(|span| span["file_name"].as_str().is_some_and(|file| file.contains("compile_fail")))
    {
        let text = span["text"][0]["text"].as_str().unwrap_or_default().trim();
        let label = span["label"].as_str().unwrap_or_default();
        writeln!(told, "    {text}    <- {label}").expect("a string takes all");
    }
}
