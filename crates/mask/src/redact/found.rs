//! What is masked in a window, and up to where that is certain.

use std::ops::Range;

use super::bare::is_bare;
use super::detector::{Match, RunsOn, add_run};
use super::edges::{Edges, run_end};
use super::values::{Looking, is_unbroken, values};
use super::view::View;
use super::{Content, Redactor, Then};
use crate::known::Layers;

/// What is masked in a window.
pub(super) struct Found {
    /// By their beginnings.
    pub(super) spans: Vec<Range<usize>>,
    /// Those of them that are known values as they stand there, one after the other: what is hidden in them is part of a value.
    pub(super) solid: Vec<Range<usize>>,
    /// Where ends what began in what is decided.
    pub(super) carried: usize,
    /// How matches run on after the window, and where the first of each kind begins: nowhere in the window if in what is decided.
    pub(super) runs: Vec<(Option<usize>, RunsOn)>,
    /// How many bytes at the text's end detectors cannot tell yet.
    pending: usize,
}

impl Redactor {
    /// Finds what in the window of `view`, of which `came` bytes are not new, is masked. `idle`: nothing more may come.
    pub(super) fn find(
        &self,
        index: &Layers,
        edges: &mut Edges<'_>,
        view: &View<'_>,
        window: &[u8],
        came: usize,
        idle: bool,
    ) -> Found {
        let json = self.content == Content::Json;
        let text = view.text();
        let decided = view.text_before(self.decided);
        let came = view.text_before(came);
        let mut runs = Vec::new();
        let mut carried = view.text_before(self.decided + self.covered);
        for how in &self.running {
            let (end, goes_on) = run_end(*how, text, decided, came, json.then_some(self.escaping));
            carried = carried.max(end);
            if goes_on {
                add_run(&mut runs, None, *how);
            }
        }
        let mut spans = Vec::new();
        if carried > decided {
            spans.push(decided..carried);
        }
        let looking = Looking { json, idle, cut: self.cut };
        for value in values(index, text, looking) {
            if json && is_bare(text, &value.range) {
                continue;
            }
            let (span, runs_on) = value.extended(edges.widen(value.range.clone(), value.flags), text);
            if let Some(how) = runs_on {
                add_run(&mut runs, (span.start >= decided).then(|| view.place(span.start)), how);
            }
            spans.push(span);
        }
        let mut matches = Vec::new();
        let pending = self.detectors.iter().map(|detector| detector.find(text, decided, &mut matches));
        let pending = pending.max().unwrap_or(0);
        for Match { mut range, mut runs_on } in matches {
            if json {
                range = edges.within_string(range, runs_on.is_some());
            }
            // In text, what began before nothing more came may have been shown, and is masked from there on.
            let begins = range.start >= decided || self.content == Content::Text;
            if begins && range.end <= text.len() {
                if idle && range.end == text.len() && range.start >= text.len() - pending {
                    runs_on = runs_on.or(Some(RunsOn::While(is_unbroken)));
                }
                if let Some(how) = runs_on.filter(|_| range.end == text.len()) {
                    add_run(&mut runs, (range.start >= decided).then(|| view.place(range.start)), how);
                }
                spans.push(range);
            }
        }
        let mut solid = Vec::new();
        if !view.is_all() {
            spans.iter_mut().for_each(|span| *span = view.places(span));
            // Bytes of a value may look like a sequence, and a value may come after the beginning of one.
            for value in values(index, window, Looking { cut: false, ..looking }) {
                let (span, runs_on) = value.extended(value.range.clone(), window);
                if let Some(how) = runs_on {
                    add_run(&mut runs, (span.start >= self.decided).then_some(span.start), how);
                }
                spans.push(span);
                solid.push(value.range);
            }
            solid = disjoint(solid);
        }
        spans.sort_unstable_by_key(|span| span.start);
        let carried = view.places(&(decided..carried)).end.max(self.decided);
        Found { spans, solid, carried, runs, pending }
    }

    /// Up to where what follows the window, in which this was found, can change nothing.
    pub(super) fn boundary(
        &self,
        index: &Layers,
        edges: &mut Edges<'_>,
        view: &View<'_>,
        window: &[u8],
        found: &Found,
    ) -> usize {
        let text = view.text();
        // A pattern that is not complete, or whose next byte belongs to it, and the base64 character before it.
        let known = if index.is_empty() { 0 } else { index.longest() + 1 };
        let markers = found.runs.iter().map(|(_, how)| match how {
            RunsOn::Through(text) => text.len(),
            RunsOn::While(_) => 0,
        });
        let undecided = markers.fold(known.max(found.pending), usize::max).min(unit_of(text));
        let boundary = text.len() - undecided;
        // Of an escape that a match may begin within, nothing has gone out by then.
        let boundary = view.place(boundary - edges.begun_escape(boundary));
        // A value may begin in what is hidden.
        let hidden = if view.is_all() { 0 } else { known.min(unit_of(window)) };
        boundary.min(window.len() - hidden).max(self.decided)
    }

    /// Up to where it is decided if nothing more comes, for as long as `then` says. What is held back shows, so it does not depend on
    /// what is known: what it begins like could be guessed byte by byte.
    pub(super) fn idle_boundary(&self, view: &View<'_>, window: &[u8], found: &Found, then: Then) -> usize {
        // No placeholder may come to stand within a sequence.
        let unfinished = if then == Then::Full { 0 } else { self.sequences.unfinished() };
        let end = (window.len() - unfinished).max(self.decided);
        if then == Then::Pause {
            let text = view.text();
            let word = text.iter().rev().take_while(|byte| is_unbroken(**byte)).count();
            return end.min(view.place(text.len() - word)).max(self.decided);
        }
        let within = |span: &&Range<usize>| view.text_before(span.start) <= view.text_before(end);
        found.spans.iter().filter(within).map(|span| span.end).fold(end, usize::max)
    }
}

impl Found {
    /// What in `hidden` is part of no known value.
    pub(super) fn sequences_in(&self, hidden: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let first = self.solid.partition_point(|range| range.end <= hidden.start);
        let solid = self.solid.get(first..).unwrap_or_default().iter();
        let solid = solid.take_while(move |range| range.start < hidden.end).cloned();
        let mut from = hidden.start;
        let end = hidden.end;
        solid.chain(std::iter::once(end..end)).filter_map(move |solid| {
            let between = from..solid.start;
            from = solid.end;
            (!between.is_empty()).then_some(between)
        })
    }
}

/// What `ranges` cover, each place once.
fn disjoint(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, kept| {
        let overlap = next.start <= kept.end;
        if overlap {
            kept.end = kept.end.max(next.end);
        }
        overlap
    });
    ranges
}

/// How many bytes come after the last newline.
fn unit_of(text: &[u8]) -> usize {
    memchr::memrchr(b'\n', text).map_or(text.len(), |newline| text.len() - newline - 1)
}
