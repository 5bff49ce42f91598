//! A stream that may go on, followed in bounded memory and time: an agent may have shown gigabytes before anybody came to look.

use super::Cast;
use crate::reader::Recording;
use std::io::{self, Write};

/// Bytes of lines that are kept of what is found at once: enough for a screen.
const KEPT: usize = 1 << 20;
/// Bytes that one look reads before it breaks off.
const LOOK: u64 = 64 << 20;

/// A stream that may go on: what is played of it, as far as it is recorded each time. Of what comes at once, the last is kept.
#[derive(Debug)]
pub struct Following {
    stream: u32,
    cast: Cast<Last>,
    /// The last segment that was read.
    after: u64,
    ended: bool,
    look: u64,
}

/// What has come of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// In lines, as [`play`](super::play) writes them. The header comes first, unless it is cut off.
    pub lines: Vec<u8>,
    /// Whether lines before these are left out, since there were too many.
    pub cut: bool,
}

/// Keeps the last of what is written, in whole lines: at most twice what is wanted, and the line that is being written.
#[derive(Debug)]
struct Last {
    kept: usize,
    news: News,
}

// === impl Following ===

impl Following {
    /// This stream, from its beginning.
    #[must_use]
    pub fn new(stream: u32) -> Self {
        Self::within(stream, KEPT, LOOK)
    }

    fn within(stream: u32, kept: usize, look: u64) -> Self {
        let to = Last { kept, news: News::default() };
        Self { stream, cast: Cast::new(to, false, true), after: 0, ended: false, look }
    }

    /// Reads on, from where it was. `None`: there is more; what was found waits, so look again.
    #[must_use]
    pub fn look(&mut self, recording: &Recording) -> Option<News> {
        let mut records = recording.stream_after(self.stream, self.after).within(self.look);
        // Nothing fails that is written to memory; were it so, nothing would follow.
        self.ended |= self.cast.take(&mut records).unwrap_or(true);
        self.after = records.looked_up_to();
        let is_all = self.ended || !records.broke_off();
        is_all.then(|| std::mem::take(&mut self.cast.to.news))
    }

    /// Columns and rows of its terminal by now; `None`: it has shown nothing yet.
    #[must_use]
    pub fn size(&self) -> Option<(u16, u16)> {
        self.cast.header.then_some(self.cast.size)
    }

    /// The last segment that was read.
    #[must_use]
    pub fn after(&self) -> u64 {
        self.after
    }

    /// Whether the stream has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

// === impl Last ===

impl Last {
    fn forget(&mut self) {
        let lines = &mut self.news.lines;
        let least = lines.len().saturating_sub(self.kept);
        let (before, after) = lines.split_at(least);
        // The last line stays, however long it is.
        let after = after.strip_suffix(b"\n").unwrap_or(after);
        let ends = memchr::memchr(b'\n', after).map(|end| least + end);
        if let Some(end) = ends.or_else(|| memchr::memrchr(b'\n', before)) {
            lines.drain(..=end);
            self.news.cut = true;
        }
    }
}

impl Write for Last {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.news.lines.extend_from_slice(bytes);
        if self.news.lines.len() > 2 * self.kept {
            self.forget();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PARTS, cast, recorded};
    use super::*;
    use crate::record::Channel;
    use crate::storage::sim::SimDisk;
    use crate::writer::testing::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_goes_on_is_followed() {
        let disk = recorded(exec(), &PARTS, Some((120, 40))).await;
        let recording = recording(&disk);
        let last = recording.last_segment().unwrap();
        let mut following = Following::new(1);
        let mut bytes = Vec::new();
        // As if each segment had just been written.
        for segment in 1..=last {
            let news = following.look(&recording.clone().up_to(segment)).unwrap();
            assert!(!news.cut);
            bytes.extend(news.lines);
            // The last is that of the recording's end.
            assert_eq!(following.has_ended(), segment + 1 >= last, "{segment}");
        }
        assert_eq!(String::from_utf8(bytes).unwrap(), cast(&disk, false));
        assert_eq!(following.size(), Some((100, 30)));
    }

    /// Of a stream that shows this many times, a segment each.
    async fn shown(times: usize, piece: &str) -> Recording {
        let disk = SimDisk::default();
        let (recorder, _ledger) = start_with_ledger(&disk);
        let tap = recorder.session(&session()).await.unwrap();
        let stream = tap.open(exec()).await.unwrap();
        stream.resized(120, 40).await.unwrap();
        for number in 0..times {
            stream.bytes(Channel::Stdout, format!("{number} {piece}").into_bytes().into()).await.unwrap();
            tap.flush().await.unwrap();
        }
        recording(&disk)
    }

    #[tokio::test(start_paused = true)]
    async fn however_much_was_shown_the_last_of_it_is_kept() {
        const KEPT: usize = 1_000;
        let piece = "\u{1}\u{2}\t\n".repeat(25);
        let recording = shown(50, &piece).await;
        let mut following = Following::within(1, KEPT, u64::MAX);
        let News { lines, cut } = following.look(&recording).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert!(cut && (KEPT..=2 * KEPT).contains(&lines.len()), "{cut} {}", lines.len());
        for line in lines.lines() {
            serde_json::from_str::<(f64, String, String)>(line).unwrap();
        }
        assert!(lines.lines().last().unwrap().contains("\"49 "), "{lines}");
        // What the header said is still known.
        assert_eq!(following.size(), Some((120, 40)));
        assert_eq!(following.look(&recording), Some(News::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_longer_than_all_that_is_kept_is_kept() {
        let recording = shown(3, &"x".repeat(5_000)).await;
        let News { lines, cut } = Following::within(1, 1_000, u64::MAX).look(&recording).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert!(cut && lines.ends_with("xx\"]\n"), "{lines}");
        assert_eq!(lines.lines().count(), 1);
        assert!(lines.contains("\"2 xx"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_breaks_off_and_the_next_goes_on() {
        let recording = shown(30, &"x".repeat(100)).await;
        let mut following = Following::within(1, KEPT, 1_000);
        let (mut looks, mut after) = (1, 0);
        let news = loop {
            if let Some(news) = following.look(&recording) {
                break news;
            }
            assert!(following.after() > after);
            (looks, after) = (looks + 1, following.after());
        };
        assert!((3..31).contains(&looks), "{looks}");
        let lines = String::from_utf8(news.lines).unwrap();
        assert_eq!((lines.lines().count(), news.cut), (31, false));
        let whole = Following::new(1).look(&recording).unwrap();
        assert_eq!(lines.into_bytes(), whole.lines);
    }
}
