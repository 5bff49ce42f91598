//! Drives a detector as the redactor does: what is pending is held back, decided bytes are kept as context for a while, what runs
//! on is masked up to its end.

use crate::placeholder::Placeholder;
use crate::redact::{Detector, RunsOn};

/// The bound that the trait sets.
const MOST_PENDING: usize = 4096;

#[derive(Default)]
struct Stage {
    text: Vec<u8>,
    /// Which bytes of the text are masked.
    masked: Vec<bool>,
    /// Up to where it has been decided.
    decided: usize,
    /// Matches that began in what is decided and go on, and where the text begins in which their end is looked for.
    running: Vec<(RunsOn, usize)>,
}

/// What goes out for a text that comes in these chunks, of which `held` bytes more are held back than the detector asks for, as
/// for another detector.
pub(super) fn drive<'c, D: Detector>(
    detector: &D,
    held: usize,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Vec<u8> {
    let mut stage = Stage::default();
    for chunk in chunks {
        stage.push(detector, chunk, Some(held));
    }
    stage.push(detector, b"", None);
    stage.out()
}

impl Stage {
    /// `held` is none at the end.
    fn push(&mut self, detector: &impl Detector, chunk: &[u8], held: Option<usize>) {
        self.text.extend_from_slice(chunk);
        self.masked.resize(self.text.len(), false);
        self.run_on();
        let unit = self.text[..self.decided].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let from = self.decided.saturating_sub(super::super::BEFORE).max(unit);
        let window = &self.text[from..];
        let mut matches = Vec::new();
        detector.find(window, &mut matches);
        let pending = detector.pending(window);
        assert!(pending <= MOST_PENDING, "{pending} bytes pending");
        let unit = window.iter().rev().position(|&byte| byte == b'\n').unwrap_or(window.len());
        assert!(pending <= unit, "{pending} bytes pending of {unit}");
        let pending = held.map_or(0, |held| (pending + held).min(unit));
        let boundary = (self.text.len() - pending).max(self.decided);
        for found in matches {
            let range = found.range.start + from..found.range.end + from;
            if !(self.decided..boundary).contains(&range.start) {
                continue;
            }
            self.masked[range.clone()].fill(true);
            if let Some(runs_on) = found.runs_on {
                assert_eq!(range.end, self.text.len(), "runs on from the window's end");
                let seen = match runs_on {
                    RunsOn::While(_) => range.end,
                    RunsOn::Through(text) => range.start.max((range.end + 1).saturating_sub(text.len())),
                };
                self.running.push((runs_on, seen));
            }
        }
        self.decided = boundary;
    }

    /// Masks what began before up to its end.
    fn run_on(&mut self) {
        for (runs_on, seen) in std::mem::take(&mut self.running) {
            let rest = &self.text[seen..];
            let end = match runs_on {
                RunsOn::While(set) => rest.iter().position(|&byte| !set(byte)),
                RunsOn::Through(text) => memchr::memmem::find(rest, text).map(|at| at + text.len()),
            };
            self.masked[seen..seen + end.unwrap_or(rest.len())].fill(true);
            if end.is_none() {
                self.running.push((runs_on, seen));
            }
        }
    }

    fn out(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (at, &byte) in self.text.iter().enumerate() {
            if !self.masked[at] {
                out.push(byte);
            } else if at == 0 || !self.masked[at - 1] {
                out.extend_from_slice(Placeholder::Text.as_str().as_bytes());
            }
        }
        out
    }
}
