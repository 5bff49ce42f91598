//! What sessions did and were shown: where it is kept, and for how long.

use std::time::Duration;

use super::{
    super::{
        defaults,
        position::FieldPath,
        raw,
        resolved::{DataFolder, Keep, Recordings},
        values,
    },
    Resolver,
};

const SMALLEST_RESERVE: usize = 1 << 20;
const LARGEST_RESERVE: usize = 1 << 40;
/// A hundred years.
const LONGEST_KEPT: Duration = Duration::from_secs(36_500 * 24 * 60 * 60);

impl Resolver<'_> {
    /// `longest`: how long a session may last.
    pub(super) fn recordings(
        &mut self,
        raw: raw::Recordings,
        data: Option<&DataFolder>,
        longest: Option<Duration>,
        at: &FieldPath,
    ) -> Option<Recordings> {
        let folder = match raw.folder {
            Some(folder) => self.path(&folder, &at.key("folder")),
            None => data.map(DataFolder::recordings),
        };
        let reserve = self.size(
            raw.reserve,
            defaults::RECORDINGS_RESERVE,
            SMALLEST_RESERVE..=LARGEST_RESERVE,
            &at.key("reserve"),
        );
        let queue =
            self.size(raw.queue, defaults::RECORDINGS_QUEUE, recording::Config::QUEUE, &at.key("queue"));
        let keep = match raw.keep {
            Some(keep) => Some(self.keep(keep.0, longest, &at.key("keep"))?),
            None => None,
        };
        Some(Recordings { folder: folder?, reserve: u64::try_from(reserve?).ok()?, queue: queue?, keep })
    }

    /// A recording that was erased never goes on, so it is not erased before its session is over.
    fn keep(&mut self, text: String, longest: Option<Duration>, at: &FieldPath) -> Option<Keep> {
        let span = self.read(at, values::duration(&text))?;
        let least = longest.unwrap_or(Duration::ZERO);
        if span.is_zero() || span < least || span > LONGEST_KEPT {
            let least = values::duration_text(least);
            return self.refuse(
                at,
                format!("`{text}` is out of range; give at least {least}, as long as a session may last, and at most 36500d"),
            );
        }
        Some(Keep { span, text })
    }
}
