//! Names of environment variables that tell that the value is secret.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::glob::Glob;

/// Which names are telling, as data of the catalogue.
#[derive(Debug)]
pub(crate) struct Names {
    secret: Vec<Glob>,
    plain: Vec<Glob>,
    /// Plain as keys of a chart's values only.
    plain_keys: Vec<Glob>,
    /// Finds what every telling name has in it; most names have none, and that is soon seen. None: look at all.
    sieve: Option<AhoCorasick>,
}

/// What a key tells about the values under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Secret,
    /// Where a secret is to be found, or how it is handled.
    Plain,
}

impl Names {
    pub(crate) fn new(secret: Vec<Glob>, plain: Vec<Glob>, plain_keys: Vec<Glob>) -> Self {
        let cores = secret.iter().map(Glob::core);
        let sieve = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(cores)
            .ok();
        Self { secret, plain, plain_keys, sieve }
    }

    /// Whether the value under `name` is to be replaced.
    pub(crate) fn telling(&self, name: &[u8]) -> bool {
        self.sieve.as_ref().is_none_or(|sieve| sieve.is_match(name))
            && self.secret.iter().any(|glob| glob.matches(name))
            && !self.plain.iter().any(|glob| glob.matches(name))
    }
    /// What a key such as `rootPassword` tells; nothing: what the key tells that it is under.
    pub(crate) fn key_tells(&self, key: &str) -> Option<Telling> {
        let name = as_variable(key);
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(name.as_bytes()));
        if any(&self.plain) || any(&self.plain_keys) {
            return Some(Telling::Plain);
        }
        any(&self.secret).then_some(Telling::Secret)
    }
}

/// `rootPassword`, `root-password` and `root.password` as `_root_Password`: as a variable would be named, so that the same table
/// holds. A single word is taken for the last one of a name.
fn as_variable(key: &str) -> String {
    let mut name = String::from("_");
    let mut before = None;
    let mut characters = key.chars().peekable();
    while let Some(character) = characters.next() {
        let lower_follows = characters.peek().is_some_and(|next| next.is_lowercase());
        let begins = character.is_uppercase()
            && before.is_some_and(|before: char| {
                before.is_lowercase() || before.is_ascii_digit() || before.is_uppercase() && lower_follows
            });
        if begins {
            name.push('_');
        }
        name.push(if matches!(character, '-' | '.' | ' ') { '_' } else { character });
        before = Some(character);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::as_variable;
    use crate::places::{Catalogue, Telling};

    #[test]
    fn keys_as_variables() {
        for (key, name) in [
            ("rootPassword", "_root_Password"),
            ("DB_PASSWORD", "_DB_PASSWORD"),
            ("awsAPIKey", "_aws_API_Key"),
            ("client-secret", "_client_secret"),
            ("s3Secret", "_s3_Secret"),
            ("", "_"),
        ] {
            assert_eq!(as_variable(key), name);
        }
    }

    #[test]
    fn what_keys_of_values_tell() {
        let catalogue = Catalogue::builtin();
        let tells = |key: &str| match catalogue.key_tells(key) {
            Some(Telling::Secret) => "secret",
            Some(Telling::Plain) => "plain",
            None => "nothing",
        };
        for (expected, keys) in [
            (
                "secret",
                "password rootPassword postgresql-password adminPass pass pwd apiKey authToken clientSecret databaseUrl secretKey DB_PASSWORD tokens credentials smtpAuthPassword",
            ),
            (
                "plain",
                "existingSecret existingSecretPasswordKey secretName passwordFile tokenUrl maxTokens secretKeyRef secretRef imagePullSecrets envFromSecret existingSecretName",
            ),
            ("nothing", "image replicas username host keyboard compass"),
        ] {
            for key in keys.split(' ') {
                assert_eq!(tells(key), expected, "{key}");
            }
        }
    }
}
