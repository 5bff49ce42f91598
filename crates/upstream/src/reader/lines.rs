//! The events of a watch, a line each, out of the pieces that they come in.

use zeroize::Zeroizing;

use super::Problem;

/// The most bytes of an event. etcd takes 1.5 MiB (`--max-request-bytes`), and what is one byte there can be six in JSON
/// (`\u003c`): whoever may write a Secret must not be able to make one that is too large to be read, and so have the watch begin
/// anew all the time.
pub(super) const LONGEST: usize = 12 << 20;

/// What has come of a line that has not ended. Zeroised when dropped, and where it grows.
#[derive(Default)]
pub(super) struct Lines(Zeroizing<Vec<u8>>);

impl Lines {
    /// Calls `take` with each line that ends in `piece`; none is empty.
    ///
    /// # Errors
    /// A line is too long, or `take`'s.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.append(line)?;
            if !self.0.is_empty() {
                take(&self.0)?;
            }
            self.0 = Zeroizing::default();
            rest = after.get(1..).unwrap_or_default();
        }
        self.append(rest)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let length = self.0.len() + bytes.len();
        if length > LONGEST {
            return Err(Problem::TooLarge { bytes: LONGEST });
        }
        if length > self.0.capacity() {
            // Grown by hand: a vector that grows by itself leaves what it held behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_do_not_depend_on_how_they_were_cut() {
        let text = b"one\n\ntwo and more\nthree\nunfinished";
        for size in 1..text.len() {
            let (mut lines, mut taken) = (Lines::default(), Vec::new());
            for piece in text.chunks(size) {
                let take = |line: &[u8]| {
                    taken.push(String::from_utf8(line.to_vec()).unwrap());
                    Ok(())
                };
                lines.push(piece, take).unwrap();
            }
            assert_eq!(taken, ["one", "two and more", "three"], "{size}");
        }
    }

    #[test]
    fn a_line_that_does_not_end_is_not_held() {
        let mut lines = Lines::default();
        let piece = vec![b'x'; 1 << 20];
        let pushed: Vec<_> = (0..13).map(|_piece| lines.push(&piece, |_line| Ok(()))).collect();
        assert_eq!(pushed.last(), Some(&Err(Problem::TooLarge { bytes: LONGEST })));
        assert!(pushed.iter().take(12).all(Result::is_ok));
    }
}
