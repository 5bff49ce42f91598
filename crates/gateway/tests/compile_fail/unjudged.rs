//! A permit cannot be made up.

use policy::{Decision, Permit};

fn permit(request: kube_api::Request, decision: Decision) -> Permit {
    Permit { request, decision }
}
