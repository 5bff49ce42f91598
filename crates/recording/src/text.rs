//! Bounded text: what is longer is cut when it is made, and says so; what is read is refused when it is longer.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;

/// Bytes that the note of a cut takes, at most.
const NOTE: usize = 64;

/// Text of at most `MAX` bytes, which is 128 or more. It may be a session's content: [`Debug`] tells its length alone.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

/// The words of a command, at most 16 KiB and 256 of them; of more, the last word says how many are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Words(Vec<Text<{ Self::BYTES }>>);

// === impl Text ===

impl<const MAX: usize> Text<MAX> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> From<&str> for Text<MAX> {
    fn from(text: &str) -> Self {
        const { assert!(MAX >= 2 * NOTE) };
        if text.len() <= MAX {
            return Self(text.to_owned());
        }
        let kept = text.floor_char_boundary(MAX - NOTE);
        let head = text.get(..kept).unwrap_or_default();
        Self(format!("{head}… (cut at {kept} of {} bytes)", text.len()))
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() > MAX {
            return Err(D::Error::custom("a text is too long"));
        }
        Ok(Self(text))
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

// === impl Words ===

impl Words {
    const BYTES: usize = 16 << 10;
    const COUNT: usize = 256;

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Text::as_str)
    }

    /// Bytes of the words.
    pub(crate) fn weight(&self) -> usize {
        self.iter().map(str::len).sum()
    }
}

impl<W: AsRef<str>> FromIterator<W> for Words {
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        let (mut kept, mut bytes, mut left_out) = (Vec::new(), 0, 0_usize);
        for word in words {
            let word = Text::from(word.as_ref());
            bytes += word.as_str().len();
            if left_out > 0 || kept.len() + 1 >= Self::COUNT || bytes > Self::BYTES - NOTE {
                left_out += 1;
            } else {
                kept.push(word);
            }
        }
        if left_out > 0 {
            kept.push(Text::from(format!("… ({left_out} more words)").as_str()));
        }
        Self(kept)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Self(Vec::deserialize(deserializer)?);
        if words.0.len() > Self::COUNT || words.weight() > Self::BYTES {
            return Err(D::Error::custom("too many words"));
        }
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = "é".repeat(100);
        let cut = Text::<128>::from(long.as_str());
        insta::assert_snapshot!(cut.as_str(), @"éééééééééééééééééééééééééééééééé… (cut at 64 of 200 bytes)");
        assert!(cut.as_str().len() <= 128);
        assert_eq!(Text::<200>::from(long.as_str()).as_str(), long);
        assert_eq!(format!("{cut:?}"), "92 bytes");
    }

    #[test]
    fn a_command_keeps_its_first_words() {
        let words: Words = (0..1000).map(|n| n.to_string()).collect();
        assert_eq!(words.iter().count(), Words::COUNT);
        assert_eq!(words.iter().last(), Some("… (745 more words)"));
        let words: Words = ["a", &"b".repeat(Words::BYTES), "c"].into_iter().collect();
        assert_eq!(words.iter().collect::<Vec<_>>(), ["a", "… (2 more words)"]);
    }

    #[test]
    fn what_is_made_can_be_read_and_what_is_longer_cannot() {
        for words in [vec![], vec!["a".repeat(Words::BYTES - NOTE)], vec!["w".repeat(60); 1000]] {
            let words: Words = words.iter().collect();
            let json = serde_json::to_string(&words).unwrap();
            assert_eq!(serde_json::from_str::<Words>(&json).unwrap(), words);
        }
        let many = serde_json::to_string(&vec!["w"; 257]).unwrap();
        insta::assert_snapshot!(serde_json::from_str::<Words>(&many).unwrap_err(), @"too many words");
        let long = serde_json::to_string(&"w".repeat(129)).unwrap();
        insta::assert_snapshot!(serde_json::from_str::<Text<128>>(&long).unwrap_err(), @"a text is too long");
    }
}
