//! What sessions did and were shown: where it is kept, and for how long.

use std::{path::PathBuf, time::Duration};

use recording::at_rest::{Recipient, Recipients};

use super::{
    super::{
        Files, defaults, files,
        position::FieldPath,
        raw,
        resolved::{DataFolder, Keep, Recordings},
        values,
    },
    Resolver,
};

const SMALLEST_RESERVE: usize = 1 << 20;
const LARGEST_RESERVE: usize = 1 << 40;
/// Of some megabytes at a time it would not be known in time.
const SMALLEST_QUOTA: usize = 16 << 20;
const LARGEST_QUOTA: usize = 1 << 40;
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
        let quota = self.size(
            raw.quota,
            defaults::RECORDINGS_QUOTA,
            SMALLEST_QUOTA..=LARGEST_QUOTA,
            &at.key("quota"),
        );
        let queue =
            self.size(raw.queue, defaults::RECORDINGS_QUEUE, recording::Config::QUEUE, &at.key("queue"));
        let keep = match raw.keep {
            Some(keep) => Some(self.keep(keep.0, longest, &at.key("keep"))?),
            None => None,
        };
        let recipients = match raw.recipients {
            Some(written) => Some(self.recipients(&written, &at.key("recipients"))?),
            None => None,
        };
        let identity = match raw.identity {
            Some(written) => Some(self.identity(&written, &at.key("identity"))?),
            None => None,
        };
        let values = match raw.values {
            Some(written) => Some(self.identity(&written, &at.key("values"))?),
            None => None,
        };
        let bytes = |size: Option<usize>| u64::try_from(size?).ok();
        let (folder, reserve, quota) = (folder?, bytes(reserve)?, bytes(quota)?);
        Some(Recordings { folder, reserve, quota, queue: queue?, keep, recipients, identity, values })
    }

    /// None that is wrong is left out: whoever is named has to be able to read.
    fn recipients(&mut self, written: &[String], at: &FieldPath) -> Option<Recipients> {
        let mut recipients: Vec<Option<Recipient>> = Vec::new();
        for (place, text) in written.iter().enumerate() {
            let at = at.index(place);
            // The error has nothing of what is written: it may be a secret.
            let read = self.read(&at, text.parse::<Recipient>().map_err(|error| error.to_string()));
            if read.is_some() && recipients.contains(&read) {
                self.report(&at, format!("a second `{text}`; name each once"));
            }
            recipients.push(read);
        }
        let recipients = recipients.into_iter().collect::<Option<_>>()?;
        self.read(
            at,
            Recipients::new(recipients).map_err(|error| {
                format!("{error}; leave the field out for recordings that are not encrypted")
            }),
        )
    }

    fn identity(&mut self, written: &str, at: &FieldPath) -> Option<PathBuf> {
        let file = self.path(written, at)?;
        if self.context.files == Files::Check {
            self.read(at, files::identities(&file))?;
        }
        Some(file)
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
