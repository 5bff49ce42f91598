//! Names with `*` in them.

/// A name in which `*` stands for any text; case does not matter (ASCII).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(Box<[u8]>);

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.to_ascii_lowercase().into_bytes().into())
    }

    /// Whether all of `text` matches. Takes time in proportion to both lengths at most.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let (mut pattern, mut at) = (0, 0);
        // The last star, and where the text after what it stands for begins.
        let mut star: Option<(usize, usize)> = None;
        while let Some(byte) = text.get(at) {
            match self.0.get(pattern) {
                Some(b'*') => {
                    star = Some((pattern, at));
                    pattern += 1;
                }
                Some(expected) if *expected == byte.to_ascii_lowercase() => {
                    pattern += 1;
                    at += 1;
                }
                _ => {
                    let Some((place, from)) = star else { return false };
                    star = Some((place, from + 1));
                    (pattern, at) = (place + 1, from + 1);
                }
            }
        }
        self.0.get(pattern..).unwrap_or_default().iter().all(|byte| *byte == b'*')
    }

    /// The longest run of characters that every match has in it.
    pub(crate) fn core(&self) -> &[u8] {
        self.0.split(|byte| *byte == b'*').max_by_key(|run| run.len()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches() {
        for (pattern, text, expected) in [
            ("*PASSWORD*", "db_password", true),
            ("*PASSWORD*", "PASSWORDS", true),
            ("*PASSWORD*", "PASSWOR", false),
            ("*_PWD", "DB_PWD", true),
            ("*_PWD", "DB_PWD_X", false),
            ("*_PWD", "PWD", false),
            ("*MONGO*UR*", "MONGODB_URI", true),
            ("*MONGO*UR*", "URMONGO", false),
            ("*aab", "aaab", true),
            ("a", "", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text.as_bytes()), expected, "{pattern} {text}");
        }
        assert_eq!(Glob::new("*MONGO*UR*").core(), b"mongo");
    }
}
