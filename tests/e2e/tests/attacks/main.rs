//! The threat catalogue as tests: each row is tried without the gate, where it must work, and through it, where it must not.
//!
//! A [`Case`](case::Case) is a request with both expectations, so that a table can be held beside the catalogue: A is leaks by
//! the API server and its controllers, B encodings, C4 and C8 the subresources that run commands, D policy, E placeholders, F6 what
//! objects say, G records. Every answer is searched for the canaries in all encodings; every gate's ledger, log and database are, when it ends.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of it is tests: what is not as expected fails one, in helpers too"
)]

use std::collections::BTreeMap;

mod alike;
mod bypasses;
mod carriers;
mod case;
mod connect;
mod forms;
mod guessed;
mod harmless;
mod hostile;
mod injected;
mod kinds;
mod leaks;
mod moved;
mod oracles;
mod placeholders;
mod places;
mod quoted;
mod records;
mod renamed;
mod slices;
mod tokens;
mod workloads;
mod world;
mod writeback;

/// How many cases each row of the catalogue has, so that none goes unnoticed.
#[test]
fn every_row_has_its_cases() {
    let tables = [
        bypasses::rows(),
        carriers::rows(),
        connect::rows(),
        forms::rows(),
        guessed::rows(),
        hostile::rows(),
        injected::rows(),
        kinds::rows(),
        leaks::rows(),
        moved::rows(),
        oracles::rows(),
        places::rows(),
        placeholders::rows(),
        quoted::rows(),
        records::rows(),
        renamed::rows(),
        slices::rows(),
        tokens::rows(),
        workloads::rows(),
        writeback::rows(),
    ];
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for row in tables.concat() {
        // A2 before A10.
        *counts.entry((row.get(..1), row.len(), row)).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|((.., row), count)| format!("{row} {count}")).collect();
    insta::assert_snapshot!(told.join("\n"));
}
