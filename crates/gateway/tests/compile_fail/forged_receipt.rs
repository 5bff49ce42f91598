//! A receipt cannot be made up.

use ledger::Receipt;
use upstream::Intent;

#[allow(dead_code)]
fn receipt(intent: Intent) -> Receipt<Intent> {
    Receipt { entry: intent, index: 0 }
}

fn main() {}
