//! Names of environment variables that tell that the value is secret.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::glob::Glob;

/// Which names are telling, as data of the catalogue.
#[derive(Debug)]
pub(crate) struct Names {
    secret: Vec<Glob>,
    plain: Vec<Glob>,
    /// Finds what every telling name has in it; most names have none, and that is soon seen. None: look at all.
    sieve: Option<AhoCorasick>,
}

impl Names {
    pub(crate) fn new(secret: Vec<Glob>, plain: Vec<Glob>) -> Self {
        let cores = secret.iter().map(Glob::core);
        let sieve = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(cores)
            .ok();
        Self { secret, plain, sieve }
    }

    /// Whether the value under `name` is to be replaced.
    pub(crate) fn telling(&self, name: &[u8]) -> bool {
        self.sieve.as_ref().is_none_or(|sieve| sieve.is_match(name))
            && self.secret.iter().any(|glob| glob.matches(name))
            && !self.plain.iter().any(|glob| glob.matches(name))
    }
}
