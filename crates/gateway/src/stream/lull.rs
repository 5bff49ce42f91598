//! What is held back for masking, shown when nothing more comes: a prompt has no newline.

use std::time::Duration;

use bytes::Bytes;
use mask::Channel as Mask;
use tokio::time::sleep;

/// After so long without more, what is held back is given out, but for its last word where words are waited for.
const QUIET: Duration = Duration::from_millis(20);

/// After so long, the last word, too: a value that is written byte by byte is one.
const SILENT: Duration = Duration::from_secs(1);

/// How long nothing has come.
pub(super) struct Lull {
    /// Whether nobody waits for a part of a word, such as the echo of a key that was pressed.
    words: bool,
    quiet: bool,
}

impl Lull {
    pub(super) fn new(words: bool) -> Self {
        Self { words, quiet: false }
    }

    /// Something came.
    pub(super) fn ended(&mut self) {
        self.quiet = false;
    }

    /// Waits until something is to be given out, and says what. Nothing is lost if it is dropped before.
    pub(super) async fn over(&mut self) -> fn(&mut Mask) -> Bytes {
        if self.words && !self.quiet {
            sleep(QUIET).await;
            self.quiet = true;
            return Mask::pause;
        }
        sleep(if self.words { SILENT } else { QUIET }).await;
        Mask::idle
    }
}

#[cfg(test)]
mod tests {
    use mask::{Catalogue, Guard, KnownValues, SealedPiece, SecretValue};
    use tokio::time::Instant;

    use super::*;

    /// What is given out of `text`, and after how many milliseconds.
    async fn given_out(words: bool, text: &'static str) -> Vec<(u128, Bytes)> {
        let known = KnownValues::none();
        assert_eq!(known.update([SecretValue::new(b"Xk9fTq2Lm8Zr".to_vec())]).known, 1);
        let guard = Guard::new("dev", Catalogue::builtin(), known, [7; 16]);
        let (mut mask, mut lull, began) = (Mask::new(&guard), Lull::new(words), Instant::now());
        let mut given = vec![(0, mask.push(SealedPiece::new(Bytes::from_static(text.as_bytes()))))];
        while mask.is_holding() {
            let what = lull.over().await;
            given.push((began.elapsed().as_millis(), what(&mut mask)));
        }
        given
    }

    #[tokio::test(start_paused = true)]
    async fn all_at_once_or_the_last_word_later() {
        assert_eq!(given_out(false, "/ # pass").await[1..], [(20, Bytes::from("/ # pass"))]);
        let later = [(20, Bytes::from("/ # ")), (1020, Bytes::from("pass"))];
        assert_eq!(given_out(true, "/ # pass").await[1..], later);
        assert_eq!(given_out(true, "/ # ").await[1..], [(20, Bytes::from("/ # "))]);
    }
}
