//! A permit cannot be made up.

use policy::{Decision, Permit};

#[allow(dead_code)]
fn permit(request: kube_api::Request, decision: Decision) -> Permit {
    Permit { request, decision }
}

fn main() {}
