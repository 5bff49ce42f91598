//! The threat catalogue as tests: each row is tried without the gate, where it must work, and through it, where it must not.
//!
//! A [`Case`](case::Case) is a request with both expectations, so that a table can be held beside the catalogue: A is leaks by
//! the API server and its controllers, B encodings, C8 the subresources that run commands, D policy, E placeholders, G
//! records. Every answer is searched for the canaries in all encodings; every gate's ledger, log and database are, when it ends.

#![expect(clippy::too_many_lines, reason = "the longest are tables")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of it is tests: what is not as expected fails one, in helpers too"
)]

mod bypasses;
mod carriers;
mod case;
mod forms;
mod guessed;
mod harmless;
mod hostile;
mod kinds;
mod leaks;
mod moved;
mod oracles;
mod placeholders;
mod quoted;
mod records;
mod slices;
mod workloads;
mod world;
mod writeback;

/// The rows that are tried here.
const ROWS: &[&str] = &[
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "B1", "B2", "B3", "B4",
    "B5", "B6", "B7", "B8", "C8", "D5", "D7", "D8", "E1", "E2", "E3", "E4", "E5", "G7",
];

#[test]
fn every_row_has_a_case() {
    let tables = [
        bypasses::rows(),
        carriers::rows(),
        forms::rows(),
        hostile::rows(),
        kinds::rows(),
        leaks::rows(),
        oracles::rows(),
        placeholders::rows(),
        records::rows(),
        slices::rows(),
        workloads::rows(),
        writeback::rows(),
    ];
    let tried = tables.concat();
    let missing: Vec<_> = ROWS.iter().filter(|row| !tried.contains(row)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    let unknown: Vec<_> = tried.iter().filter(|row| !ROWS.contains(row)).collect();
    assert!(unknown.is_empty(), "cases for rows that are not listed: {unknown:?}");
}
