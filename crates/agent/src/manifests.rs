//! Manifests, as `kubectl apply -f` reads them: files, folders and standard input; YAML, JSON and lists.

mod text;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use visible::visible;

use crate::kubeconfig::bounded;

/// As many as one approval may be about.
const MOST_OBJECTS: usize = approval::MOST_CHANGES;

/// What the manifests of one proposal may have together, in bytes.
const MOST_BYTES: u64 = 3 << 20;

/// How deep folders may lie in each other.
const DEEPEST: usize = 32;

/// Where manifests come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Files, folders, and `-` for standard input.
    pub files: Vec<PathBuf>,
    /// Folders within folders, too.
    pub recursive: bool,
}

/// What an object is to be. `Debug` shows its name alone: it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) object: Map<String, Value>,
    /// Where it was read, for people.
    pub(crate) source: String,
}

/// Why manifests cannot be used. `place` is a file, with the document's number where it has several.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages tell what each field is")]
pub enum Unreadable {
    /// A file cannot be read.
    #[error("`{place}` cannot be read: {error}")]
    Io { place: String, error: io::Error },
    /// A folder without manifests, or nothing at all.
    #[error(
        "there is no manifest in `{place}`; of folders, files ending in `.yaml`, `.yml` and `.json` are read"
    )]
    None { place: String },
    /// More than fits into one proposal.
    #[error("these are more than {MOST_OBJECTS} objects or {} MiB; propose fewer at a time", MOST_BYTES >> 20)]
    TooMany,
    /// A file is neither YAML nor JSON.
    #[error("`{place}` cannot be read: {why}")]
    Text { place: String, why: String },
    /// A document is no manifest.
    #[error("`{place}`: {why}")]
    Manifest { place: String, why: String },
}

impl Sources {
    /// Reads them, in the order in which `kubectl apply` would.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(&self) -> Result<Vec<Manifest>, Unreadable> {
        let mut reading = Reading { recursive: self.recursive, left: MOST_BYTES, found: Vec::new() };
        for file in &self.files {
            let before = reading.found.len();
            if file == Path::new("-") {
                reading.text("standard input", io::stdin().lock())?;
            } else {
                reading.path(file, 0)?;
            }
            if reading.found.len() == before {
                return Err(Unreadable::None { place: place(file) });
            }
        }
        Ok(reading.found)
    }
}

struct Reading {
    recursive: bool,
    /// Bytes that may still be read.
    left: u64,
    found: Vec<Manifest>,
}

impl Reading {
    /// A file that was named, whatever it is called, or a folder.
    fn path(&mut self, path: &Path, depth: usize) -> Result<(), Unreadable> {
        let failed = |error| Unreadable::Io { place: place(path), error };
        if fs::metadata(path).map_err(failed)?.is_dir() {
            return self.folder(path, depth);
        }
        self.text(&place(path), fs::File::open(path).map_err(failed)?)
    }

    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Unreadable> {
        let failed = |error| Unreadable::Io { place: place(folder), error };
        if depth > DEEPEST {
            return Err(failed(io::Error::other("folders lie too deep in each other")));
        }
        let entries = fs::read_dir(folder).map_err(failed)?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            // As kubectl does, no link to a folder is followed from within a folder.
            let folder = entry.file_type().map_err(failed)?.is_dir();
            if (folder && self.recursive) || (!folder && is_manifest(&path)) {
                self.path(&path, depth + 1)?;
            }
        }
        Ok(())
    }

    fn text(&mut self, place: &str, from: impl io::Read) -> Result<(), Unreadable> {
        let read = bounded(from, self.left).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Unreadable::TooMany,
            _ => Unreadable::Io { place: place.to_owned(), error },
        })?;
        self.left = self.left.saturating_sub(read.len() as u64);
        let unreadable = |why| Unreadable::Text { place: place.to_owned(), why };
        let text = String::from_utf8(read).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        let documents = text::documents(&text).map_err(unreadable)?;
        let several = documents.len() > 1;
        for (document, number) in documents.into_iter().zip(1_usize..) {
            let source = if several { format!("{place}, document {number}") } else { place.to_owned() };
            self.object(document, &source)?;
        }
        Ok(())
    }

    /// One object, or each of a list.
    fn object(&mut self, value: Value, source: &str) -> Result<(), Unreadable> {
        let unfit = |why: &str| Unreadable::Manifest { place: source.to_owned(), why: why.to_owned() };
        let Value::Object(mut object) = value else { return Err(unfit("this is no object")) };
        let is_list = object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        if let Some(items) = object.get_mut("items").map(Value::take).filter(|_items| is_list) {
            let Value::Array(items) = items else { return Err(unfit("`items` is no list")) };
            return items.into_iter().try_for_each(|item| self.object(item, source));
        }
        if self.found.len() >= MOST_OBJECTS {
            return Err(Unreadable::TooMany);
        }
        self.found.push(Manifest::new(object, source).map_err(|why| unfit(&why))?);
        Ok(())
    }
}

impl Manifest {
    fn new(object: Map<String, Value>, source: &str) -> Result<Self, String> {
        let api_version = text_at(&object, "apiVersion")?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let (group, version) = (group.to_owned(), version.to_owned());
        if !is_segment(&version) || group.contains(['/', '%']) || group == ".." {
            return Err(format!("`apiVersion` `{}` is none", visible(&api_version)));
        }
        let kind = text_at(&object, "kind")?;
        let Some(Value::Object(metadata)) = object.get("metadata") else {
            return Err("`metadata` is missing, or no object".to_owned());
        };
        let optional = |key: &str| match metadata.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(format!("`metadata.{key}` is no text")),
        };
        let Some(name) = optional("name")? else {
            return Err(if metadata.contains_key("generateName") {
                "`metadata.generateName` cannot be applied: nobody knows the name that it will get; give `metadata.name`"
                    .to_owned()
            } else {
                "`metadata.name` is missing".to_owned()
            });
        };
        let namespace = optional("namespace")?;
        for part in [Some(&name), namespace.as_ref()].into_iter().flatten() {
            if !is_segment(part) {
                return Err(format!("`{}` can name nothing in Kubernetes", visible(part)));
            }
        }
        Ok(Self { group, version, kind, name, namespace, object, source: source.to_owned() })
    }

    /// `apiVersion`.
    pub(crate) fn group_version(&self) -> String {
        let Self { group, version, .. } = self;
        if group.is_empty() { version.clone() } else { format!("{group}/{version}") }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} of {}", self.kind, self.name, self.source)
    }
}

fn text_at(object: &Map<String, Value>, key: &str) -> Result<String, String> {
    match object.get(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(_) => Err(format!("`{key}` is no text, or empty")),
        None => Err(format!("`{key}` is missing")),
    }
}

/// `IsValidPathSegmentName` of k8s.io/apimachinery/pkg/api/validation/path.
fn is_segment(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '%'])
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known))
}

fn place(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { visible(&path.display().to_string()) }
}

#[cfg(test)]
mod tests;
