//! A permit serves the agent and the cluster it was granted for, and no other.

use ledger::leaf::{Actor, Id};
use policy::Permit;
use upstream::{Intent, Origin};

fn as_another(call: Id, another: Actor, permit: Permit) {
    let _intent = Intent::new(call, another, permit);
}

fn elsewhere(call: Id, origin: Origin, permit: Permit) {
    let _intent = Intent::new(call, origin, "elsewhere", permit);
}

fn regranted(permit: Permit, another: Permit) -> Permit {
    Permit { agent: another.agent, ..permit }
}
