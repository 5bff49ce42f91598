//! Where a shape might begin: a search for all triggers at once, at several bytes a cycle.

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use memchr::memmem::Finder;

use super::table::{Shape, Written};
use crate::placeholder::base64_core;

/// Most triggers a vectorised searcher takes and is fast with.
const GROUP: usize = 64;

/// What a shape begins with, as it is written.
#[derive(Debug)]
pub(super) struct Trigger {
    pub(super) text: Vec<u8>,
    /// Index of the shape.
    pub(super) shape: usize,
    /// For base64: how many bytes (mod 3) come before what is encoded.
    pub(super) shift: usize,
    /// Whether it is base64.
    pub(super) encoded: bool,
}

/// Finds triggers.
#[derive(Debug)]
pub(super) struct Search {
    triggers: Vec<Trigger>,
    groups: Vec<Group>,
    /// Whether a trigger begins with this byte.
    first: [bool; 256],
    longest: usize,
}

/// Searches for some of the triggers; their indexes.
#[derive(Debug)]
struct Group {
    searcher: Kind,
    members: Vec<usize>,
}

#[derive(Debug)]
enum Kind {
    Vectors(Searcher),
    /// For machines without the vector instructions: slower, and cannot fail to be built.
    OneByOne(Vec<Finder<'static>>),
}

/// A walk through one window.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    search: &'a Search,
    window: &'a [u8],
    /// For each group, the next hit: where, and which trigger.
    next: Vec<Option<(usize, usize)>>,
    /// Up to where hits have been taken.
    from: usize,
}

impl Search {
    /// A search for what each of `shapes` begins with.
    pub(super) fn new(shapes: &[Shape]) -> Self {
        let mut triggers: Vec<Trigger> =
            shapes.iter().enumerate().flat_map(|(index, shape)| triggers_of(shape, index)).collect();
        // Short ones in a group of their own: the searchers compare as many bytes at once as the shortest has, up to four.
        triggers.sort_by_key(|trigger| (trigger.text.len() > 3, trigger.text.clone()));
        let short = triggers.iter().filter(|trigger| trigger.text.len() <= 3).count();
        let members: Vec<usize> = (0..triggers.len()).collect();
        let (short, long) = members.split_at(short);
        let long_groups = long.len().div_ceil(GROUP).max(1);
        let groups = std::iter::once(short)
            .chain(long.chunks(long.len().div_ceil(long_groups).max(1)))
            .filter(|members| !members.is_empty())
            .map(|members| Group::new(&triggers, members))
            .collect();
        let mut first = [false; 256];
        for byte in triggers.iter().filter_map(|trigger| trigger.text.first()) {
            if let Some(first) = first.get_mut(usize::from(*byte)) {
                *first = true;
            }
        }
        let longest = triggers.iter().map(|trigger| trigger.text.len()).max().unwrap_or(0);
        Self { triggers, groups, first, longest }
    }

    pub(super) fn hits<'a>(&'a self, window: &'a [u8]) -> Hits<'a> {
        let next = self.groups.iter().map(|group| group.find(window, 0)).collect();
        Hits { search: self, window, next, from: 0 }
    }

    /// Where the first trigger begins of which the window has only the beginning.
    pub(super) fn cut_off(&self, window: &[u8]) -> Option<usize> {
        ((window.len() + 1).saturating_sub(self.longest)..window.len()).find(|&at| {
            let rest = window.get(at..).unwrap_or_default();
            self.of_first(rest).any(|trigger| trigger.len() > rest.len() && trigger.starts_with(rest))
        })
    }

    /// The triggers, if any has the first byte of `rest`.
    fn of_first<'a>(&'a self, rest: &[u8]) -> impl Iterator<Item = &'a [u8]> {
        let possible = rest.first().is_some_and(|byte| self.first.get(usize::from(*byte)) == Some(&true));
        self.triggers.iter().filter(move |_| possible).map(|trigger| trigger.text.as_slice())
    }

    #[cfg(test)]
    pub(super) fn triggers(&self) -> &[Trigger] {
        &self.triggers
    }
}

impl<'a> Hits<'a> {
    /// The leftmost hit that was not given out yet.
    pub(super) fn next(&mut self) -> Option<(usize, &'a Trigger)> {
        for (group, next) in self.search.groups.iter().zip(&mut self.next) {
            if next.is_some_and(|(at, _)| at < self.from) {
                *next = group.find(self.window, self.from);
            }
        }
        let (at, trigger) = self.next.iter().flatten().min().copied()?;
        self.from = at + 1;
        self.search.triggers.get(trigger).map(|trigger| (at, trigger))
    }
}

impl Group {
    fn new(triggers: &[Trigger], members: &[usize]) -> Self {
        let texts = || members.iter().filter_map(|&index| triggers.get(index)).map(|trigger| &trigger.text);
        let searcher = Config::new()
            .match_kind(MatchKind::LeftmostFirst)
            .builder()
            .extend(texts())
            .build()
            .map_or_else(|| Kind::OneByOne(one_by_one(texts())), Kind::Vectors);
        Self { searcher, members: members.to_vec() }
    }

    fn find(&self, window: &[u8], from: usize) -> Option<(usize, usize)> {
        let (member, at) = match &self.searcher {
            Kind::Vectors(searcher) => {
                let span = Span { start: from.min(window.len()), end: window.len() };
                searcher.find_in(window, span).map(|found| (found.pattern().as_usize(), found.start()))
            }
            Kind::OneByOne(finders) => {
                let rest = window.get(from..).unwrap_or_default();
                let found = finders
                    .iter()
                    .enumerate()
                    .filter_map(|(member, finder)| Some((finder.find(rest)?, member)));
                found.min().map(|(at, member)| (member, from + at))
            }
        }?;
        self.members.get(member).map(|&trigger| (at, trigger))
    }
}

fn one_by_one<'a>(texts: impl Iterator<Item = &'a Vec<u8>>) -> Vec<Finder<'static>> {
    texts.map(|text| Finder::new(text).into_owned()).collect()
}

fn triggers_of(shape: &Shape, index: usize) -> Vec<Trigger> {
    let plain = |text: &[u8]| vec![Trigger { text: text.to_vec(), shape: index, shift: 0, encoded: false }];
    let encoded = |text: &[u8]| {
        (0..3)
            .map(|shift| Trigger { text: base64_core(text, shift), shape: index, shift, encoded: true })
            .collect::<Vec<_>>()
    };
    shape
        .starts
        .iter()
        .flat_map(|start| match shape.written {
            Written::Plain => plain(start.as_bytes()),
            Written::Base64 => encoded(start.as_bytes()),
        })
        .collect()
}
