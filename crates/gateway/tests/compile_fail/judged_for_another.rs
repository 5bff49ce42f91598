//! A permit serves the agent and the cluster it was granted for, and no other.

use ledger::leaf::{Actor, Id};
use policy::Permit;
use upstream::{Intent, Origin};

#[allow(dead_code)]
fn as_another(call: Id, another: Actor, permit: Permit) {
    let _intent = Intent::new(call, another, permit);
}

#[allow(dead_code)]
fn elsewhere(call: Id, origin: Origin, permit: Permit) {
    let _intent = Intent::new(call, origin, "elsewhere", permit);
}

#[allow(dead_code)]
fn regranted(permit: Permit, another: Permit) -> Permit {
    Permit { agent: another.agent, ..permit }
}

fn main() {}
