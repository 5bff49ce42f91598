//! The check that every test rests on can fail.

use std::{fs, panic::AssertUnwindSafe};

use e2e::{CANARY, Lab, lab};

/// What ending a lab says.
fn ending(lab: Lab) -> Result<(), String> {
    let ended = std::panic::catch_unwind(AssertUnwindSafe(|| drop(lab)));
    ended.map_err(|said| said.downcast_ref::<String>().cloned().unwrap_or_default())
}

#[test]
fn a_lab_whose_records_hold_the_value_does_not_pass() -> anyhow::Result<()> {
    let lab = lab()?;
    fs::write(lab.gate.path("data/leak"), CANARY)?;
    let said = ending(lab).unwrap_err();
    assert!(said.contains("records hold a secret value") && said.contains("data/leak"), "{said}");
    Ok(())
}

#[test]
fn a_lab_whose_ledger_was_signed_by_another_does_not_pass() -> anyhow::Result<()> {
    let (mut lab, mut other) = (lab()?, lab()?);
    lab.gate.stop()?;
    other.gate.stop()?;
    let checkpoint = "data/ledger/checkpoint";
    fs::copy(other.gate.path(checkpoint), lab.gate.path(checkpoint))?;
    // The key beside the ledger would vouch for it.
    fs::copy(other.gate.path("data/ledger/ledger.vkey"), lab.gate.path("data/ledger/ledger.vkey"))?;
    let said = ending(lab).unwrap_err();
    assert!(said.contains("NOT INTACT"), "{said}");
    Ok(())
}
