//! `portcullis.yaml`: read, checked as a whole, resolved.
//!
//! ```text
//! text ── tree (positions) ── schema (structure) ── raw (serde) ── resolve (meaning) ── Config
//!              └──────────────────┴─── problems, all of them ─────────┘
//! ```

mod defaults;
mod files;
mod namespace;
mod position;
mod problems;
mod raw;
mod resolve;
mod resolved;
mod schema;
mod suggest;
#[cfg(test)]
mod tests;
mod tree;
mod unmet;
mod values;

use std::path::Path;

pub(crate) use files::{identities, keeper};
pub use position::Position;
pub use problems::{Problem, Problems};
pub use resolved::{
    Agent, Approvals, Approver, Bundle, Cluster, ClusterSource, Config, Console, DataFolder, Keep, Limits,
    Masking, Oidc, Recordings, Sessions, Tls, TlsUnusable, Upstream,
};
pub use schema::json_schema;
pub(crate) use suggest::suggestion;
pub(crate) use values::duration;

use problems::Collector;

/// Whether the files that a configuration points to are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They must be there and be right, the policy included: for `serve` and `config check`.
    Check,
    /// Only the configuration itself is looked at: for commands that work before everything is in place.
    Ignore,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// Every problem of the file, each with its place and remedy.
    pub fn load(file: &Path, files: Files) -> Result<Self, Problems> {
        let text = files::read(file).map_err(|message| {
            let missing = file.try_exists().is_ok_and(|there| !there);
            let hint = "; `portcullis init` writes one to start from, or name yours with --config";
            Problems::of_file(file, if missing { message + hint } else { message })
        })?;
        Self::parse(&text, file, files)
    }

    /// As [`Config::load`], of text that was read already. `file` names it in messages, and its folder is what
    /// relative paths are relative to.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path, files: Files) -> Result<Self, Problems> {
        let mut problems = Collector::default();
        let tree = tree::parse(text, &mut problems);
        let resolved = tree.and_then(|tree| {
            let fitting = schema::check(&tree, &mut problems);
            let raw: raw::Config = match serde_json::from_value(fitting) {
                Ok(raw) => raw,
                Err(error) => {
                    let root = position::FieldPath::root();
                    problems.add(Problem::new(Some(tree.at), &root, error.to_string()));
                    return None;
                }
            };
            let digest = sha256(text.as_bytes());
            let context = resolve::Context { file: file.to_owned(), digest, tree: &tree, files };
            resolve::resolve(raw, context, &mut problems)
        });
        problems.finish(file)?;
        resolved.ok_or_else(|| Problems::of_file(file, "empty; `portcullis init` writes one to start from"))
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    digest
}
