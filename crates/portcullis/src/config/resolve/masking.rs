//! What is masked on a cluster, beyond what ships with the gate.

use std::{str::FromStr, time::Duration};

use mask::{Catalogue, CustomPlace};
use upstream::reader::{BadScope, Reading, Scope};

use super::{super::resolved::Masking, FieldPath, Resolver, defaults, raw};

const LONGEST_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const LONGEST_STALE: Duration = Duration::from_secs(24 * 60 * 60);
const FEWEST_BYTES: usize = 1 << 20;
const MOST_BYTES: usize = 1 << 30;

impl Resolver<'_> {
    pub(super) fn masking(&mut self, raw: raw::Masking, at: &FieldPath) -> Option<Masking> {
        let known = raw.known_values.unwrap_or_default();
        let wanted = known.enabled.unwrap_or(true);
        let reading = self.known_values(known, &at.key("known_values"));
        let catalogue = self.places(raw.places.unwrap_or_default(), &at.key("places"));
        Some(Masking { reading: Some(reading?).filter(|_reading| wanted), catalogue })
    }

    fn known_values(&mut self, raw: raw::KnownValues, at: &FieldPath) -> Option<Reading> {
        let listed = |default: &[&str]| default.iter().map(|text| (*text).to_owned()).collect();
        let namespaces = raw.namespaces.unwrap_or_else(|| listed(&defaults::NAMESPACES));
        let namespaces = self.each(namespaces, &at.key("namespaces"));
        let except_types = raw.except_types.unwrap_or_else(|| listed(&defaults::EXCEPT_TYPES));
        let except_types = self.each(except_types, &at.key("except_types"));
        let keep_deleted =
            self.duration(raw.keep_deleted, defaults::KEEP_DELETED, LONGEST_KEPT, &at.key("keep_deleted"));
        let stale_after =
            self.duration(raw.stale_after, defaults::STALE_AFTER, LONGEST_STALE, &at.key("stale_after"));
        let bytes = self.size(raw.bytes, defaults::KNOWN_BYTES, FEWEST_BYTES..=MOST_BYTES, &at.key("bytes"));
        Some(Reading {
            scope: Scope { namespaces: namespaces?, except_types: except_types? },
            keep_deleted: keep_deleted?,
            stale_after: stale_after?,
            bytes: bytes?,
        })
    }

    /// `None` if one of them is wrong; each that is has been reported.
    fn each<T: FromStr<Err = BadScope>>(&mut self, written: Vec<String>, at: &FieldPath) -> Option<Vec<T>> {
        let texts = written.iter().enumerate();
        let read: Vec<_> = texts
            .map(|(index, text)| {
                self.read(&at.index(index), text.parse::<T>().map_err(|error| error.to_string()))
            })
            .collect();
        read.into_iter().collect()
    }

    /// The catalogue with each place that is one.
    fn places(&mut self, written: Vec<raw::Place>, at: &FieldPath) -> Catalogue {
        let mut catalogue = Catalogue::builtin();
        for (index, raw) in written.into_iter().enumerate() {
            let paths_at = at.index(index).key("paths");
            let (Some(resource), Some(paths)) = (raw.resource, raw.paths) else { continue };
            for (index, path) in paths.into_iter().enumerate() {
                let place = CustomPlace { resource: resource.clone(), path };
                match catalogue.clone().with(&[place]) {
                    Ok(more) => catalogue = more,
                    Err(bad) => self.report(&paths_at.index(index), bad.to_string()),
                }
            }
        }
        catalogue
    }
}
