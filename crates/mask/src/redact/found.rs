//! What is masked in a window, and up to where that is certain.

use std::ops::Range;

use super::bare::is_bare;
use super::detector::{Match, RunsOn, add_run};
use super::edges::{Edges, is_base64, run_end};
use super::hidden;
use super::view::View;
use super::{Content, Redactor};
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

/// So many bytes of what may become a known value are held back though nothing more comes: fewer stand at the end of any text.
const TELLING: usize = 4;

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
        index.scan(text, json, |range, pattern| {
            if !(json && is_bare(text, &range)) {
                spans.push(edges.widen(range, pattern.flags));
            }
        });
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
            index.scan(window, json, |range, _| solid.push(range));
            spans.extend_from_slice(&solid);
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

    /// Up to where it is decided if nothing more comes: all but what may become a known value. With `full`, what of that has much
    /// hidden in it is taken for one: what is held back has a bound, and no value is shown.
    pub(super) fn idle_boundary(
        &self,
        index: &Layers,
        view: &View<'_>,
        window: &[u8],
        found: &mut Found,
        full: bool,
    ) -> usize {
        let text = view.text();
        // No placeholder may come to stand within a sequence.
        let end = window.len() - if full { 0 } else { self.sequences.unfinished() };
        let masked = found.spans.iter().map(|span| span.end).max();
        let masked = masked.max(self.masking.then_some(self.decided));
        // The rest of a value that is looked for in pieces is told by what stands before it.
        let held = |begun: usize, len: usize, masked: Option<usize>| {
            let start = len - begun;
            (begun >= TELLING || masked.is_some_and(|masked| begun > 0 && start <= masked)).then_some(start)
        };
        let shown = held(index.begun(text), text.len(), masked.map(|at| view.text_before(at)));
        // The character of base64 before it may belong to it.
        let shown = shown.map(|start| {
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            start - usize::from(before.is_some_and(is_base64))
        });
        let mut boundary = shown.map_or(end, |start| view.place(start)).max(self.decided);
        for span in &found.spans {
            if view.text_before(span.start) <= view.text_before(boundary) {
                boundary = boundary.max(span.end);
            }
        }
        if view.shown_in(boundary..window.len()) == 0 {
            boundary = boundary.max(end);
        }
        let as_it_is = if view.is_all() { None } else { held(index.begun(window), window.len(), masked) };
        let boundary = as_it_is.map_or(boundary, |start| boundary.min(start.max(self.decided)));
        let hidden = end.saturating_sub(boundary).saturating_sub(view.shown_in(boundary..end));
        if !full || hidden < hidden::MOST / 2 {
            return boundary;
        }
        found.spans.push(boundary..end);
        found.spans.sort_unstable_by_key(|span| span.start);
        let solid = std::mem::take(&mut found.solid);
        found.solid = disjoint(solid.into_iter().chain(as_it_is.map(|start| start..end)).collect());
        end
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

/// What a value that has begun goes on with, as far as its shape cannot tell.
fn is_unbroken(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | 0x7f)
}
