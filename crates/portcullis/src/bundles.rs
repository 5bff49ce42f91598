//! Policy bundles: those that come with the gate, and those in folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use policy::{Problems, Source};

use crate::config::{Bundle, suggestion};

/// The file of a bundle that holds its tests.
const TESTS: &str = "tests.yaml";
const RULES: &str = "cedar";
/// More than any bundle a human wrote.
const LARGEST_FILE: u64 = 1 << 20;
const MOST_FILES: usize = 1_000;

type File = (&'static str, &'static str);

macro_rules! builtin {
    ($($bundle:literal: $($file:literal)*;)*) => {
        &[$(($bundle, &[$(($file, include_str!(concat!("../../../policies/", $bundle, "/", $file)))),*])),*]
    };
}

/// As in `policies/`.
const BUILTIN: &[(&str, &[File])] = builtin! {
    "read-only": "read-only.cedar" "tests.yaml";
    "developer": "guardrails.cedar" "read.cedar" "tests.yaml" "workloads.cedar";
    "operator": "guardrails.cedar" "operate.cedar" "read.cedar" "tests.yaml";
};

/// A bundle's texts.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Its rules, by file; named `FOLDER/FILE.cedar`, so that a copy of a bundle has the bundle's digest.
    pub rules: Vec<Source>,
    /// Its tests, if it has any.
    pub tests: Option<Source>,
}

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum BundleError {
    /// No such bundle comes with the gate.
    #[error("there is no built-in bundle `{name}`; {hint}")]
    Unknown { name: String, hint: String },
    /// A folder or file cannot be read.
    #[error("`{}`: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    /// No file of rules.
    #[error("`{}` holds no `*.{RULES}` file", folder.display())]
    Empty { folder: PathBuf },
    /// Too many files.
    #[error("`{}` holds more than {MOST_FILES} files; is it a bundle?", folder.display())]
    TooMany { folder: PathBuf },
    /// The rules do not compile.
    #[error(transparent)]
    Rules(#[from] Problems),
}

/// Reads and compiles a bundle.
///
/// # Errors
/// [`BundleError`]; for rules, every problem with its place.
pub fn load(bundle: &Bundle) -> Result<policy::Bundle, BundleError> {
    Ok(policy::Bundle::compile(&sources(bundle)?.rules)?)
}

/// A bundle's texts, in the order of their names.
///
/// # Errors
/// The folder cannot be read or holds no rules, or there is no such built-in bundle.
pub fn sources(bundle: &Bundle) -> Result<Sources, BundleError> {
    let files = match bundle {
        Bundle::Builtin(name) => {
            let source =
                |(file, text): &File| Source { name: format!("{name}/{file}"), text: (*text).to_owned() };
            builtin(name)?.iter().map(source).collect()
        }
        Bundle::Folder(folder) => read(folder)?,
    };
    let (tests, rules): (Vec<Source>, Vec<Source>) = files.into_iter().partition(|file| is_tests(&file.name));
    Ok(Sources { rules, tests: tests.into_iter().next() })
}

/// The files of the bundle `name` that comes with the gate: name and text.
pub(crate) fn builtin(name: &str) -> Result<&'static [File], BundleError> {
    let found = BUILTIN.iter().find(|(known, _)| *known == name);
    found.map(|(_, files)| *files).ok_or_else(|| BundleError::Unknown {
        name: name.to_owned(),
        hint: suggestion(name, BUILTIN.iter().map(|(known, _)| *known)),
    })
}

fn read(folder: &Path) -> Result<Vec<Source>, BundleError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| BundleError::Io { path, error }
    };
    let absolute = fs::canonicalize(folder).map_err(failed(folder))?;
    let name = absolute.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
        if !is_tests(file) && path.extension().is_none_or(|extension| extension != RULES) {
            continue;
        }
        if files.len() == MOST_FILES {
            return Err(BundleError::TooMany { folder: folder.to_owned() });
        }
        let text = read_text(&path).map_err(failed(&path))?;
        files.push(Source { name: format!("{name}/{file}"), text });
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    if files.iter().all(|file| is_tests(&file.name)) {
        return Err(BundleError::Empty { folder: folder.to_owned() });
    }
    Ok(files)
}

fn read_text(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > LARGEST_FILE {
        return Err(io::Error::other(format!("larger than {} MiB", LARGEST_FILE >> 20)));
    }
    fs::read_to_string(file)
}

fn is_tests(name: &str) -> bool {
    name == TESTS || name.ends_with("/tests.yaml")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn policies() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
    }

    #[test]
    fn the_built_in_bundles_are_all_of_policies() {
        let listed: BTreeSet<String> = BUILTIN
            .iter()
            .flat_map(|(bundle, files)| files.iter().map(move |(file, _)| format!("{bundle}/{file}")))
            .collect();
        let mut found = BTreeSet::new();
        for (bundle, _) in BUILTIN {
            for entry in fs::read_dir(policies().join(bundle)).unwrap() {
                found.insert(format!("{bundle}/{}", entry.unwrap().file_name().to_string_lossy()));
            }
        }
        assert_eq!(listed, found);
        let bundles =
            fs::read_dir(policies()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
        assert_eq!(bundles.count(), BUILTIN.len());
    }

    #[test]
    fn each_compiles_passes_its_tests_and_is_the_same_from_its_folder() {
        for (name, _) in BUILTIN {
            let builtin = Bundle::Builtin((*name).to_owned());
            let bundle = load(&builtin).unwrap();
            let tests = sources(&builtin).unwrap().tests.unwrap();
            let report = policy::run_tests(&bundle, &tests.name, &tests.text).unwrap();
            assert!(report.passed(), "{report}");
            let copy = load(&Bundle::Folder(policies().join(name))).unwrap();
            assert_eq!(bundle.digest(), copy.digest(), "{name}");
        }
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "").unwrap();
        let shown = |bundle: Bundle| {
            load(&bundle).unwrap_err().to_string().replace(&folder.path().display().to_string(), "DIR")
        };
        let here = || Bundle::Folder(folder.path().to_owned());
        insta::assert_snapshot!(shown(here()), @"`DIR` holds no `*.cedar` file");
        insta::assert_snapshot!(shown(Bundle::Builtin("devloper".to_owned())), @"there is no built-in bundle `devloper`; did you mean `developer`?");
        insta::assert_snapshot!(shown(Bundle::Folder(folder.path().join("none"))), @"`DIR/none`: No such file or directory (os error 2)");
        let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
        fs::write(folder.path().join("a.cedar"), "permit (principal, action, resource)").unwrap();
        assert!(shown(here()).starts_with(&format!("{name}/a.cedar:1:")), "{}", shown(here()));
    }
}
