//! A receipt for something else cannot vouch for a call.

use ledger::{Receipt, leaf::Event};
use upstream::Cluster;

async fn send(cluster: &Cluster, receipt: Receipt<Event>) {
    let _answer = cluster.send(receipt, std::future::pending::<()>()).await;
}
