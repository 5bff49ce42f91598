//! The control: with every step in its place, it compiles.

use ledger::{Ledger, leaf::Id};
use policy::{Judge, Principal, Verdict};
use upstream::{Cluster, Intent, Origin};

async fn life(
    judge: &Judge,
    principal: &Principal<'_>,
    ledger: &Ledger,
    cluster: &Cluster,
    call: Id,
    origin: Origin,
    request: kube_api::Request,
) {
    let Some(Verdict::Allow(permit)) = judge.judge(principal, cluster.name(), request).verdict() else { return };
    let Ok(intent) = Intent::new(call, origin, permit) else { return };
    let Ok(receipt) = ledger.append(intent).await else { return };
    let Ok(answer) = cluster.send(receipt, std::future::pending::<()>()).await else { return };
    let Ok(opened) = answer.body.open().await else { return };
    deliver(opened.body);
}

fn deliver(_body: impl http_body::Body) {}
