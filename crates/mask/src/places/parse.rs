//! The catalogue's file, and the paths in it.

use super::glob::Glob;
use super::names::Names;
use super::tree::{Check, MAX_KEY, Step, Treatment, Whose, Wrapped};
use crate::placeholder::Placeholder;

/// The most steps of a path.
const MAX_STEPS: usize = 32;

/// A place and what happens there.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `widgets.example.com/sub`, `*` or `Status`.
    pub(crate) resource: String,
    /// As it is written: part of what a placeholder is bound to.
    pub(crate) path: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) treatment: Treatment,
    /// Whether configuration added it.
    pub(crate) custom: bool,
}

/// The entries and telling names of a catalogue's file.
///
/// # Errors
/// The number of the first line that cannot be read, and what is wrong with it.
pub(crate) fn file(text: &str) -> Result<(Vec<Entry>, Names), (usize, &'static str)> {
    let mut entries = Vec::new();
    let (mut secret, mut plain, mut plain_keys) = (Vec::new(), Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let words = line.split('#').next().unwrap_or_default();
        match words.split_whitespace().collect::<Vec<_>>()[..] {
            [] => {}
            ["env", name, "secret"] => secret.push(Glob::new(name)),
            ["env", name, "plain"] => plain.push(Glob::new(name)),
            ["key", name, "plain"] => plain_keys.push(Glob::new(name)),
            [resource, path, treatment] => {
                let entry = treatment_named(treatment)
                    .ok_or("no such treatment")
                    .and_then(|treatment| entry(resource, path, treatment, false));
                entries.push(entry.map_err(|problem| (index + 1, problem))?);
            }
            _ => return Err((index + 1, "not three words")),
        }
    }
    Ok((entries, Names::new(secret, plain, plain_keys)))
}

/// An entry from its words.
pub(crate) fn entry(
    resource: &str,
    path: &str,
    treatment: Treatment,
    custom: bool,
) -> Result<Entry, &'static str> {
    let steps = steps(path)?;
    Ok(Entry { resource: resource.to_owned(), path: path.to_owned(), steps, treatment, custom })
}

fn treatment_named(word: &str) -> Option<Treatment> {
    Some(match word {
        "text" => Treatment::Replace(Placeholder::Text),
        "base64" => Treatment::Replace(Placeholder::Base64),
        "emptied" => Treatment::Emptied,
        "json" => Treatment::Embedded(Whose::Own),
        "packed" => Treatment::Held(Check::Packed(Whose::Own)),
        "release" => Treatment::Held(Check::Release(Wrapped::Once)),
        "release64" => Treatment::Held(Check::Release(Wrapped::Twice)),
        "request" => Treatment::Held(Check::Request),
        _ => return None,
    })
}

/// The steps of a path such as `spec.users[].token`, `data.*` or `metadata.annotations["example.com/copy"]`.
pub(crate) fn steps(path: &str) -> Result<Vec<Step>, &'static str> {
    if path.is_empty() {
        return Err("the path is empty");
    }
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let begins = steps.is_empty();
        if let Some(after) = rest.strip_prefix("[]") {
            if begins {
                return Err("`[]` must come after a key");
            }
            steps.push(Step::Each);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let (key, after) = after.split_once("\"]").ok_or("a quotation mark or bracket is not closed")?;
            steps.push(if key.contains('*') { Step::Glob(Glob::new(key)) } else { Step::key(checked(key)?) });
            rest = after;
        } else {
            let after = if begins { rest } else { rest.strip_prefix('.').ok_or("a dot is missing")? };
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, after) = after.split_at_checked(end).ok_or("it cannot be read")?;
            steps.push(if key == "*" { Step::Any } else { Step::key(checked(key)?) });
            rest = after;
        }
        if steps.len() > MAX_STEPS {
            return Err("it has more than 32 steps");
        }
    }
    Ok(steps)
}

fn checked(key: &str) -> Result<&str, &'static str> {
    match key {
        "" => Err("a key is empty"),
        _ if key.len() > MAX_KEY => Err("a key is longer than 320 bytes"),
        _ if key.contains(['*', '"', ']']) => Err("a key has `*`, `\"` or `]` in it"),
        _ => Ok(key),
    }
}
