//! A receipt cannot be made up.

use ledger::Receipt;
use upstream::Intent;

fn receipt(intent: Intent) -> Receipt<Intent> {
    Receipt { entry: intent, index: 0 }
}
